"""The tables of the line: an older database gets them, and what is paired is kept, replaced and let go whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from appliance import migrations as steps
from appliance.line import link
from sync import keys
from tests.appliance.line.chain import HUB_KEYS, an_id, guest, pair, table, told
from tests.appliance.stores import a_store, add_person, add_visit
from tests.appliance.visitors import BOB, CHARLIE, Shop, a_shop, face


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    yield made
    made.store.close()


def test_a_database_from_before_the_line_keeps_all_it_has(tmp_path: Path) -> None:
    store = a_store(tmp_path / "data")
    add_person(store, "bob")
    add_visit(store, "a visit")
    store.close()
    path = tmp_path / "data" / "regulars.db"
    old = sqlite3.connect(path)
    for name in ("link", "guest_templates", "guests", "chain", "gone_persons", "gone_rows", "receipts", "had_forgotten", "asked"):
        old.execute(f"DROP TABLE {name}")
    old.execute("ALTER TABLE persons DROP COLUMN guest_of")
    old.execute("ALTER TABLE visits DROP COLUMN snapshot_sent")
    added = ["m003_line_to_headquarters", "m016_headquarters_put_back", "m017_headquarters_mark"]
    old.executemany("DELETE FROM _sqlite_migrations WHERE name = ?", [(name,) for name in added])
    old.commit()
    old.close()
    assert [step.name for step in steps.migrations.pending(Database(path))] == added
    store = a_store(tmp_path / "data")
    assert store.db.execute("SELECT id, guest_of FROM persons").fetchall() == [("bob", None)]
    assert store.db.execute("SELECT id, snapshot_sent FROM visits").fetchall() == [("a visit", None)]
    assert link.read(store) is None
    store.close()


def test_private_keys_lie_sealed_and_are_shown_to_nobody(shop: Shop) -> None:
    own = pair(shop)
    stored = shop.store.db.execute("SELECT own_keys_sealed FROM link").fetchone()[0]
    assert own.stored[1:] not in stored and len(stored) > len(own.stored)
    found, pushing = link.read(shop.store), link.for_pushing(shop.store)
    assert found and pushing and pushing.keys.public == own.public and found.hub == HUB_KEYS.public
    secret = own.stored[1:33].hex()
    assert secret not in repr(found) and secret not in repr(pushing) and repr(own.stored[1:9])[2:-1] not in repr(pushing)


def test_paired_with_another_chain_nothing_of_the_first_is_kept(shop: Shop) -> None:
    pair(shop)
    shop.enrol("opted_out", "Charlie", CHARLIE)
    told(shop, guest(an_id(), face(BOB)))
    with shop.store.transaction() as db:
        db.execute("INSERT INTO guests (identity_id, role) VALUES ('x', 'opted_out')")
    pair(shop, appliance_id=an_id())
    assert table(shop, "SELECT role FROM guests") == [("opted_out",)]
    pair(shop, tenant_id=an_id())
    assert shop.count("guests") == 0 and shop.count("link") == 1 and shop.count("persons") == 1


def test_keys_that_are_offered_stay_the_same_until_they_are_taken(shop: Shop) -> None:
    pair(shop)
    first, second = keys.make(), keys.make()
    for fresh in (first, second):
        link.rotate(shop.store, fresh)
    found = link.for_pushing(shop.store)
    assert found and found.next_keys and found.next_keys.public == first.public
    for _ in range(2):
        link.use_next_keys(shop.store)
        found = link.for_pushing(shop.store)
        assert found and found.keys.public == first.public and found.next_keys is None


def test_the_row_is_one_and_a_pairing_that_is_cut_short_changes_nothing(shop: Shop) -> None:
    pair(shop)
    before = link.read(shop.store)
    with shop.store.transaction() as db:
        db.execute("CREATE TRIGGER cut BEFORE INSERT ON link BEGIN SELECT RAISE(ABORT, 'cut'); END")
    with pytest.raises(sqlite3.IntegrityError, match="cut"):
        pair(shop, tenant_id=an_id())
    assert link.read(shop.store) == before
