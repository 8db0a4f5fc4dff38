"""The page Privacy and what one person may ask for, without a script, over a real store."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from appliance import audit, clearing, details, persons, snapshots
from appliance.alerts import targets
from appliance.config import Config, Retention
from appliance.details import Details, Words
from appliance.privacy import register, retention_days
from appliance.web import privacy
from appliance.web.app import create_app
from appliance.web.pages import WebDeps
from tests.appliance.visitors import BOB, MODEL, face
from tests.appliance.web.shop import JPEG, NOW, Shop, busy_shop, ms
from tests.appliance.web.test_pages import OURS, words

Client = TestClient[Litestar]
SAME = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = busy_shop(tmp_path)
    with made.store.transaction():
        persons.learn(made.store, "bob", "customer", MODEL, face(BOB), 0.7, "visit", "v-bob", ms(NOW))
        details.put(made.store, "bob", Details(words=Words(phone="+84 24 3825 1234", notes="<b>likes</b> tea"), vip=True), ms(NOW))
        name = snapshots.save(made.store, "0198", JPEG, ms(NOW))
        made.store.db.execute("UPDATE visits SET snapshot = ?, age = 33.6, gender = 'male' WHERE id = 'v-bob'", [name])
        made.store.db.execute("INSERT INTO alerts (rule, at_ms, subject) VALUES ('vip', ?, 'bob')", [ms(NOW)])
    return made


@pytest.fixture
def client(shop: Shop) -> Iterator[Client]:
    with TestClient(create_app(shop.deps), base_url=OURS) as client:
        yield client


def shown(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.text
    return words(answer.text)


def sent(client: Client, address: str, **form: str) -> str:
    answer = client.post(address, data=form, headers=SAME, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def refused(client: Client, address: str, status: int, **form: str) -> str:
    answer = client.post(address, data=form, headers=SAME, follow_redirects=False)
    assert answer.status_code == status, answer.text
    return words(answer.text)


def test_the_page_says_what_is_stored_and_who_asked(client: Client) -> None:
    page = shown(client, "/privacy")
    assert "Nobody has asked yet" in page and "Templates: measurements of faces until not seen for 730 days 1" in page and "30 days" in page
    assert "so that they are not stored again" in page


def test_a_database_set_aside_is_among_what_is_stored(client: Client, shop: Shop) -> None:
    assert "Databases set aside" not in shown(client, "/privacy")
    (shop.store.folder / "regulars.db.replaced-20261101T141320Z").write_bytes(b"x" * 1_500_000)
    assert "Databases set aside 30 days 1 1.5 MB 1 November" in shown(client, "/privacy")
    assert "Databases set aside" in shown(client, "/privacy/record")


def test_the_record_says_to_whom_alerts_are_sent_and_whether_they_learn_names(client: Client, shop: Shop) -> None:
    assert "nobody: this store is not connected" in shown(client, "/privacy/record")
    written = {"kind": "webhook", "name": "Office", "url": "https://hook.example.com/secret", "with_names": "yes"}
    targets.add(shop.store, targets.judged(written), ms(NOW))
    page = shown(client, "/privacy/record")
    assert "Office (Web hook, https://hook.example.com/…; is told names)" in page and "nobody:" not in page and "secret" not in page


def test_requests_and_their_receipts_speak_vietnamese(client: Client) -> None:
    client.headers["accept-language"] = "vi"
    where = sent(client, "/privacy/people/bob", kind="access")
    sent(client, "/privacy/people/bob", kind="erase")
    pages = [shown(client, address) for address in ("/privacy", where, "/privacy/people/bob", "/privacy/requests/2")]
    pages.append(shown(client, sent(client, "/privacy/requests/1/refuse", reason="withdrawn")))
    for said in (*privacy.KINDS.values(), *privacy.SAID.values(), *register.REASONS.values()):
        assert not any(said in page for page in pages), said
    archive = zipfile.ZipFile(io.BytesIO(client.post("/privacy/people/bob/everything", headers=SAME).content))
    assert "khách" in archive.read("read me first.html").decode() and '"role": "customer"' in archive.read("data.json").decode()


def test_a_request_is_entered_waits_and_is_refused_for_a_reason(client: Client, shop: Shop) -> None:
    where = sent(client, "/privacy/people/bob", kind="access")
    assert where == "/privacy/requests/1?said=received"
    assert sent(client, "/privacy/people/bob", kind="access") == where, "asking twice is once"
    page = shown(client, where)
    assert "Bob" in page and "open" in page and "22 December" in page
    assert "due 22 December" in shown(client, "/privacy")
    assert "Say why" in refused(client, "/privacy/requests/1/refuse", 409, reason="because")
    assert "not shown that they are this person" in shown(client, sent(client, "/privacy/requests/1/refuse", reason="not_proven"))
    assert "not open any more" in refused(client, "/privacy/requests/1/refuse", 409, reason="withdrawn")
    assert client.get("/privacy/requests/1/receipt.pdf").status_code == 404
    shop.clock_ms += 40 * 86_400_000
    sent(client, "/privacy/people/bob", kind="erase")
    shop.clock_ms += 31 * 86_400_000
    assert "1 is overdue" in shown(client, "/privacy")


def test_everything_about_a_person_is_given_out_as_a_zip_and_entered(client: Client, shop: Shop) -> None:
    answer = client.post("/privacy/people/bob/everything", headers=SAME)
    assert answer.status_code == 201 and answer.headers["content-type"] == "application/zip"
    assert "visitor-2-request-1.zip" in answer.headers["content-disposition"] and "Bob" not in answer.headers["content-disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    data = json.loads(archive.read("data.json"))
    assert data["person"]["name"] == "Bob" and data["person"]["phone"] == "+84 24 3825 1234" and data["person"]["vip"] is True
    assert [v["taken_for"] for v in data["visits"]] == ["returning", "returning"] and data["visits"][1]["cameras"] == ["Front entrance"]
    assert len(data["templates"]) == 1 and len(data["templates"][0]["numbers_float32_base64"]) > 600
    assert archive.read(data["visits"][1]["picture"]) == JPEG
    assert (data["visits"][1]["estimated_age"], data["visits"][1]["estimated_gender"]) == (34, "male")
    assert [alert["rule"] for alert in data["alerts"]] == ["vip"] and data["person"]["job"] == ""
    page = archive.read("read me first.html").decode()
    assert "What Ba Đình store keeps about you" in page and "&lt;b&gt;likes" in page and "pictures/visit-00002.jpg" in page
    assert "somebody who came back" in page and "November 2026, " in page and "T" + "14:" not in page
    assert "done" in shown(client, "/privacy/requests/1")
    assert shop.db.execute("SELECT what FROM audit WHERE subject_id = 'bob'").fetchall() == [("export",)]


def test_an_erasure_has_a_receipt_with_its_true_counts_and_no_name(client: Client, shop: Shop) -> None:
    sent(client, "/privacy/people/bob", kind="erase")
    where = sent(client, "/people/bob/erase")
    assert where == "/privacy/requests/1?said=erased"
    assert shop.db.execute("SELECT count(*) FROM alerts").fetchone() == (0,)
    page = shown(client, where)
    assert "Bob" not in page and "Persons 1" in page and "Templates: measurements of their face 1" in page and "Pictures 2" in page
    assert "now 2" in page and "being cleared" in page
    assert "Log and backups are being cleared" in shown(client, "/privacy")
    assert clearing.clear(shop.store, shop.folder / "backups", shop.clock_ms)
    assert "cleared today 14:32" in shown(client, where) and "being cleared" not in shown(client, "/privacy")
    paper = client.get("/privacy/requests/1/receipt.pdf")
    assert paper.content.startswith(b"%PDF-") and paper.headers["content-type"] == "application/pdf"
    assert shop.db.execute("SELECT count(*) FROM privacy_requests").fetchone() == (1,)


def test_times_of_keeping_are_shown_what_they_delete_before_they_are_saved(client: Client, shop: Shop) -> None:
    asks = refused(client, "/privacy/retention", 200, snapshot_days="3", person_days="400")
    assert "This deletes something" in asks and "1 picture" in asks
    assert retention_days.of(shop.store, Retention()).snapshot_days == 30
    assert "goes within the hour" in shown(client, sent(client, "/privacy/retention", snapshot_days="3", person_days="400", sure="yes"))
    assert retention_days.of(shop.store, Retention()) == retention_days.Days(3, 400)
    # Longer than before deletes nothing, so nobody is asked.
    sent(client, "/privacy/retention", snapshot_days="365", person_days="3650")
    for wrong in ("0", "366", "ten", "-1", "", "9" * 30, "٣"):
        assert "from 1 to 365" in refused(client, "/privacy/retention", 400, snapshot_days=wrong, person_days="400")


def test_the_audit_log_has_its_time_which_is_asked_about_and_named_in_the_record(client: Client, shop: Shop) -> None:
    with shop.store.transaction() as db:
        db.execute("INSERT INTO audit (at_ms, who, what, subject_id) VALUES (?, 'Mai', 'see', 'bob')", [ms(NOW) - 400 * audit.DAY_MS])
    assert "Entries of the audit log 730 days 1 in the database" in shown(client, "/privacy")
    assert "from 90 to 3650" in refused(client, "/privacy/retention", 400, audit_days="89")
    asks = refused(client, "/privacy/retention", 200, audit_days="365")
    assert "the audit log 365 days" in asks and "1 entry of the audit log; requests and their receipts stay" in asks
    sent(client, "/privacy/retention", audit_days="365", sure="yes")
    assert retention_days.of(shop.store, Retention()) == retention_days.Days(30, 730, 365)
    assert "That is kept for 365 days; requests and their receipts stay" in shown(client, "/privacy/record")


def test_what_the_settings_file_decides_the_page_leaves_alone(shop: Shop) -> None:
    config = Config(retention=Retention(snapshot_days=7))
    with TestClient(create_app(with_settings(shop, config)), base_url=OURS) as client:
        assert "The settings file decides this: retention.snapshot_days" in shown(client, "/privacy")
        sent(client, "/privacy/retention", snapshot_days="200", person_days="500", sure="yes")
    assert retention_days.of(shop.store, config.retention) == retention_days.Days(7, 500, 730, frozenset({"snapshot_days"}))


def with_settings(shop: Shop, config: Config) -> WebDeps:
    return replace(shop.deps, config=config)


def test_the_record_and_the_sign_say_what_was_entered_and_what_is_set(client: Client, shop: Shop) -> None:
    assert "not entered yet" in shown(client, "/privacy/record")
    assert sent(client, "/privacy/particulars", controller="Corner Shops #1 [Ltd]", contact="privacy@corner.example", ground="consent")
    record = shown(client, "/privacy/record")
    assert "Corner Shops #1 [Ltd]" in record and "not connected to a headquarters" in record and "Front entrance" in record
    shop.pair()
    assert "Corner Shops, the store's own headquarters" in shown(client, "/privacy/record")
    for language in ("en", "vi"):
        assert client.get(f"/privacy/sign/{language}.pdf").content.startswith(b"%PDF-")
    assert client.get("/privacy/sign/xx.pdf").status_code == 404
    assert "printable characters" in refused(client, "/privacy/particulars", 400, controller="x" * 301)


def test_nobody_and_rubbish_are_answered_in_words(client: Client) -> None:
    for address in ("/privacy/requests/99", "/privacy/requests/-1", f"/privacy/requests/{1 << 70}", "/privacy/people/nobody"):
        assert client.get(address).status_code == 404, address
    assert "Choose what they ask for" in refused(client, "/privacy/people/bob", 400, kind="everything")
    assert client.post("/privacy/people/charlie/everything", headers=SAME).status_code == 404
    assert client.post("/privacy/people/bob/everything", headers={"sec-fetch-site": "cross-site"}).status_code == 403
