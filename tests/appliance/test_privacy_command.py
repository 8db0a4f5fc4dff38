"""`regulars privacy` over a real data folder, with nobody else running."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from appliance import backup, details
from appliance.details import Details, Words
from tests.appliance.stores import NOON
from tests.appliance.visitors import BOB, DORA, a_shop, face
from tests.shared import CHECKOUT


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Bob and Dora came; Bob is named."""
    shop = a_shop(tmp_path / "data")
    bob = shop.see(face(BOB)).person_id
    shop.see(face(DORA), NOON + 3_600_000)
    assert bob
    with shop.store.transaction():
        details.rename(shop.store, bob, "Bob", NOON)
        details.put(shop.store, bob, Details(words=Words(phone="0123456789")), NOON)
    backup.make_backup(shop.store.folder, shop.store.vault, NOON)
    shop.store.close()
    return tmp_path / "data"


def ran(data: Path, *arguments: str) -> str:
    # Without the settings of whoever runs the tests.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("REGULARS_")} | {"REGULARS_DATA__FOLDER": str(data)}
    done = subprocess.run(
        [sys.executable, "-m", "appliance.main", *arguments], capture_output=True, text=True, env=environ, cwd=CHECKOUT, timeout=60
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout + done.stderr


def test_everything_about_somebody_is_written_then_they_are_erased_and_there_is_a_receipt(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "bob.zip"
    assert "1 visits, 1 pictures" in ran(data, "privacy", "export", "bob", str(out))
    assert "is there already" in ran(data, "privacy", "export", "bob", str(out))
    with zipfile.ZipFile(out) as archive:
        assert json.loads(archive.read("data.json"))["person"]["phone"] == "0123456789"
        assert len(archive.namelist()) == 3
    assert "Erased: 1 template and 1 picture." in ran(data, "privacy", "erase", "Bob", "--yes")
    asked = json.loads(ran(data, "privacy", "requests", "--json"))
    assert [(r["kind"], r["state"], r["templates"], r["copies"]) for r in asked] == [("erase", "done", 1, 1), ("access", "done", 0, 0)]
    assert asked[0]["cleared_ms"], "log and backups were cleared before the command ended"
    paper = tmp_path / "receipt.pdf"
    assert "Wrote" in ran(data, "privacy", "receipt", "2", str(paper)) and paper.read_bytes().startswith(b"%PDF-")
    assert "There is no request 9" in ran(data, "privacy", "receipt", "9", str(tmp_path / "other.pdf"))
    assert "Restored" in ran(data, "backup", "restore", "newest", "--yes")
    left = ran(data, "people")
    assert "Visitor 2" in left and "Bob" not in left
    stored = {each["key"]: each["count"] for each in json.loads(ran(data, "privacy", "stored", "--json"))}
    assert (stored["people"], stored["templates"], stored["details"], stored["backups"]) == (1, 1, 0, 1)
