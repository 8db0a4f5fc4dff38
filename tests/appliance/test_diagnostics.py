"""The file for whoever helps holds nothing of anybody: whatever is put into the store is looked for in it, sealed and unsealed."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import diagnostics, persons
from appliance.alerts import targets
from appliance.config import Config, Site
from appliance.details import Details, Entry, Words
from tests.appliance.visitors import MODEL, face
from tests.appliance.web.shop import NOW, Shop, busy_shop, ms

SECRETS = (
    "Bob", "Alice", "Mai", "Bến Thành", "0912345678", "mai@example.com", "hunter2", "192.168.1.21", "s3cretpath", "Back door",
    "likes phin coffee",
)  # fmt: skip
LOG = (
    "2026-11-22T07:00:00.000Z level=error from=appliance.x event=failed source=rtsp://admin:hunter2@192.168.1.21/stream why='Bob came'",
    "2026-11-22T07:00:01.000Z level=info from=appliance.x to=mai@example.com at /volumes/shop/regulars/data.key",
)


def filled(tmp_path: Path) -> Shop:
    shop = busy_shop(tmp_path)
    words = Words(phone="0912345678", email="mai@example.com", notes="likes phin coffee")
    shop.deps.desk.save("bob", Entry(name="Bob Mai", details=Details(words=words, vip=True), wrong={}))
    with shop.store.transaction():
        persons.learn(shop.store, "bob", "customer", MODEL, face(1), 0.6, "visit", None, ms(NOW))
    targets.add(shop.store, targets.judged({"kind": "webhook", "name": "Mai", "url": "https://example.com/s3cretpath"}), ms(NOW))
    shop.cameras[1] = replace(shop.cameras[1], error="rtsp://admin:hunter2@192.168.1.21/stream does not answer, says Back door")
    return shop


def test_nothing_that_was_put_into_the_store_is_in_it(tmp_path: Path) -> None:
    shop = filled(tmp_path)
    config = Config(site=Site(name="Bến Thành", time_zone="Asia/Ho_Chi_Minh"))
    made = diagnostics.bundle(shop.store.db.conn, shop.store.folder, config, shop.cameras, "Bob cannot be written", LOG, ms(NOW))
    with zipfile.ZipFile(io.BytesIO(made)) as file:
        whole = b"\n".join(file.read(name) for name in file.namelist())
        facts = json.loads(file.read("facts.json"))
    for secret in SECRETS:
        assert secret.encode() not in whole, secret
    look = face(1).astype("<f4").tobytes()
    (sealed,) = shop.store.db.execute("SELECT embedding_sealed FROM templates WHERE person_id = 'bob'").fetchone()
    for secret_bytes in (look[:32], look.hex()[:64].encode(), sealed[:32], sealed.hex()[:64].encode(), str(tmp_path).encode()):
        assert secret_bytes not in whole
    assert facts["rows"]["visits"] == 7 and facts["cameras"][1]["state"] == "silent" and facts["settings"]["site.time_zone"]
    shop.store.close()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("event=started address=http://127.0.0.1:8477 pack=open", "event=started address=<address> pack=open"),
        ("camera=0192a1b2 why=TimeoutError", "camera=0192a1b2 why=TimeoutError"),
        ("no answer from 10.0.0.7, port 554", "no answer from <ip>, port 554"),
        ("name=“Bob Tran” and 'Alice'", "name=<words> and <words>"),
    ],
)
def test_a_log_line_is_cleaned_and_stays_readable(line: str, shown: str) -> None:
    assert diagnostics.cleaned(line) == shown
