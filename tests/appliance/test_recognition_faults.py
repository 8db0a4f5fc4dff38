"""When the disk or the database refuses: the visit and its records are there together or not at all, and the sighting can be told again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.errors import DiskFull
from appliance.sightings import Phase
from tests.appliance.stores import JPEG, NOON
from tests.appliance.visitors import BOB, CHARLIE, GAP_MS, Shop, a_shop, face, like


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    yield made
    made.store.close()


def refuse(shop: Shop, what: str) -> None:
    """From now on the database refuses these rows, as a real constraint would."""
    with shop.store.transaction() as db:
        db.execute(f"CREATE TRIGGER refused BEFORE {what} BEGIN SELECT RAISE(ABORT, 'refused'); END")


def allow(shop: Shop) -> None:
    with shop.store.transaction() as db:
        db.execute("DROP TRIGGER refused")


POINTS = [
    "INSERT ON persons",
    "INSERT ON templates",
    "INSERT ON visits",
    "INSERT ON sightings",
    "UPDATE OF person_id ON visits",
    "UPDATE OF snapshot ON visits",
    "UPDATE OF visit_count ON persons",
    "INSERT ON outbox WHEN NEW.kind = 'person'",
    "INSERT ON outbox WHEN NEW.kind = 'template'",
    "INSERT ON outbox WHEN NEW.kind = 'visit'",
]


@pytest.mark.parametrize("point", POINTS)
def test_a_new_person_is_there_with_visit_and_records_or_not_at_all(shop: Shop, point: str) -> None:
    shop.see(face(BOB), sighting_id="bob", phase=Phase.OPENED, shots=1)
    before, told, pictures = shop.dump(), shop.records(), shop.pictures()
    if point == "INSERT ON visits":
        sighting_id, who = "dora", face(BOB + 2)
    else:
        sighting_id, who = "bob", face(BOB)
    refuse(shop, point)
    with pytest.raises(sqlite3.IntegrityError, match="refused"):
        shop.see(who, sighting_id=sighting_id)
    assert shop.dump() == before and shop.records() == told and len(shop.recognition.gallery) == 0
    allow(shop)
    outcome = shop.see(who, sighting_id=sighting_id)
    assert outcome.verdict == "new" and outcome.person_id
    assert shop.person(outcome.person_id).templates == 1
    shop.recognition.check()
    assert pictures == []


def test_who_was_nearly_made_a_person_teaches_bob_nothing_when_told_again(shop: Shop) -> None:
    """The state in memory must not run ahead of the database: a failed minting once left 'made from this sighting' behind."""
    shop.see(face(BOB), sighting_id="who", phase=Phase.OPENED, shots=1)
    refuse(shop, "INSERT ON templates")
    with pytest.raises(sqlite3.IntegrityError):
        shop.see(face(BOB), sighting_id="who")
    allow(shop)
    bob = shop.enrol("customer", "Bob", BOB)
    bars = shop.recognition.thresholds()
    again = shop.see(like(BOB, (bars.match + bars.learn) / 2), sighting_id="who")
    assert again.person_id == bob and not again.decision.learn
    assert shop.person(bob).templates == 1


def test_two_who_agree_become_one_person_or_stay_two_visits(shop: Shop) -> None:
    shop.see(face(BOB), shots=1)
    before = shop.dump()
    refuse(shop, "INSERT ON outbox WHEN NEW.kind = 'visit'")
    with pytest.raises(sqlite3.IntegrityError):
        shop.see(face(BOB), NOON + 2 * GAP_MS, sighting_id="again")
    assert shop.dump() == before and shop.recognition.gallery.persons("unsure") == 1
    allow(shop)
    assert shop.see(face(BOB), NOON + 2 * GAP_MS, sighting_id="again").person_id
    assert shop.verdicts() == [("new", 1), ("returning", 2)]


def test_an_opted_out_visit_that_could_not_be_counted_is_counted_when_told_again(shop: Shop) -> None:
    shop.enrol("opted_out", "Charlie", CHARLIE)
    refuse(shop, "INSERT ON opted_out_counts")
    with pytest.raises(sqlite3.IntegrityError):
        shop.see(face(CHARLIE), sighting_id="charlie")
    allow(shop)
    shop.see(face(CHARLIE), sighting_id="charlie")
    assert shop.opted_out_counts() == 1


def test_a_full_disk_is_said_and_leaves_nothing_half_written(shop: Shop) -> None:
    with shop.store.transaction() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    before: dict[str, list[tuple[object, ...]]] = {}
    with pytest.raises(DiskFull):
        for i in range(100):
            before = shop.dump()
            shop.see(face(i), NOON + i)
    assert shop.dump() == before
    shop.recognition.check()
    with shop.store.transaction() as db:
        db.execute("PRAGMA max_page_count = 1000000")
    assert shop.see(face(100), NOON + 200, sighting_id="later").verdict == "new"


@pytest.mark.parametrize("fault", ["no jpeg", "a file where the month's folder goes"])
def test_a_snapshot_that_cannot_be_written_costs_the_picture_not_the_visit(shop: Shop, fault: str) -> None:
    if fault != "no jpeg":
        (shop.store.snapshots / "2026-09").write_bytes(b"")
    outcome = shop.see(face(BOB), portrait=b"not a picture" if fault == "no jpeg" else JPEG)
    assert outcome.person_id and shop.verdicts() == [("new", 1)]
    assert len(shop.failures) == 1
    assert shop.store.db.execute("SELECT snapshot FROM visits").fetchone() == (None,)


def test_an_old_snapshot_that_cannot_be_removed_does_not_undo_the_new_one(shop: Shop) -> None:
    shop.see(face(BOB), width=50)
    (old,) = shop.store.snapshots.rglob("*.sealed")
    old.unlink()
    old.mkdir()
    outcome = shop.see(face(BOB), NOON + 1000, width=90)
    assert outcome.logged and len(shop.failures) == 1
    name = shop.store.db.execute("SELECT snapshot FROM visits").fetchone()[0]
    assert name != str(old.relative_to(shop.store.snapshots)) and (shop.store.snapshots / name).is_file()
