"""Everything told anew: all that is there once, in pieces, and on from where a power cut left it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import cameras, forgetting, gone_rows, merging
from appliance.line import applying, link, retelling
from sync import facts, outbox
from sync.facts import Erase, OptOut, OptOutEnded
from sync.records import (
    ApartRecord,
    CameraRecord,
    OptedOutCount,
    PersonGone,
    PersonRecord,
    ReceiptRecord,
    TemplateGone,
    TemplateRecord,
    ToldBack,
    VisitGone,
    VisitRecord,
)
from tests.appliance.line.chain import an_id, lent, pair
from tests.appliance.stores import DAY_MS, NOON
from tests.appliance.visitors import BOB, CHARLIE, DORA, EMIL, GAP_MS, Shop, a_shop, face


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    cameras.add(made.store, cameras.NewCamera("Door", "usb", "0"), NOON)
    made.enrol("opted_out", "Charlie", CHARLIE)
    made.see(face(CHARLIE))
    ids = [made.see(face(who), NOON + day * DAY_MS).person_id for day, who in enumerate((BOB, DORA, EMIL))]
    with made.store.transaction():
        merging.merge(made.store, str(ids[0]), str(ids[1]), GAP_MS, NOON)
        merging.apart(made.store, str(ids[0]), str(ids[2]), "in one picture", NOON)
        forgetting.erase(made.store, str(ids[2]), NOON)
        merging.apart(made.store, str(ids[0]), "x", "in one picture", NOON)
    with made.store.transaction() as db:
        outbox.acknowledge(db.conn, outbox.newest(db.conn))
    yield made
    made.store.close()


def all_told(shop: Shop) -> int:
    pieces = 1
    while retelling.tell_piece(shop.store, NOON):
        pieces += 1
    return pieces


def test_what_there_is_is_told_once_and_who_is_gone_last(shop: Shop) -> None:
    pair(shop)
    all_told(shop)
    told = shop.records()
    kinds = [type(r) for r in told]
    assert kinds == [
        CameraRecord,
        PersonRecord,
        PersonRecord,
        *[TemplateRecord] * shop.count("templates"),
        ApartRecord,
        *[VisitRecord] * 3,
        OptedOutCount,
        TemplateGone,
        PersonGone,
        PersonGone,
    ]
    gone = [r for r in told if isinstance(r, PersonGone)]
    assert sorted((bool(r.merged_into), r.erased) for r in gone) == [(False, True), (True, False)]
    assert not retelling.tell_piece(shop.store, NOON) and len(shop.records()) == len(told)


def test_it_goes_on_where_it_was_cut_short_and_says_nothing_twice(shop: Shop) -> None:
    pair(shop)
    assert retelling.tell_piece(shop.store, NOON)
    with shop.store.transaction() as db:
        db.execute("CREATE TRIGGER cut BEFORE UPDATE OF retell ON link BEGIN SELECT RAISE(ABORT, 'cut'); END")
    with pytest.raises(sqlite3.IntegrityError, match="cut"):
        retelling.tell_piece(shop.store, NOON)
    with shop.store.transaction() as db:
        db.execute("DROP TRIGGER cut")
    all_told(shop)
    told = shop.records()
    assert len(told) == len(set(map(repr, told))) and isinstance(told[-1], PersonGone)


def test_without_a_line_nothing_is_told(shop: Shop) -> None:
    assert not retelling.tell_piece(shop.store, NOON) and shop.records() == []


def test_asked_for_again_while_it_is_under_way_it_begins_again(shop: Shop) -> None:
    # What was told already may be among what is missing now.
    pair(shop)
    before = link.read(shop.store)
    retelling.tell_piece(shop.store, NOON)
    assert link.read(shop.store) != before
    link.tell_anew(shop.store)
    assert link.read(shop.store) == before


def test_what_went_is_told_again_unless_it_came_back(shop: Shop) -> None:
    visit_id = str(shop.store.db.execute("SELECT id FROM visits ORDER BY id LIMIT 1").fetchone()[0])
    with shop.store.transaction() as db:
        for gone in (visit_id, "long gone"):
            gone_rows.remember(db.conn, VisitGone(id=gone))
    pair(shop)
    all_told(shop)
    assert [r.id for r in shop.records() if isinstance(r, VisitGone)] == ["long gone"]
    held = shop.count("gone_rows")
    link.tell_anew(shop.store)
    all_told(shop)
    assert shop.count("gone_rows") == held


def test_a_receipt_that_had_no_room_is_told_again_as_it_was(shop: Shop) -> None:
    pair(shop)
    erasure_id, nobody = "01920000-0000-7000-8000-0000000000e1", "01920000-0000-7000-8000-0000000000a1"
    for _ in range(2):
        payload = facts.encoded(Erase(erasure_id=erasure_id, identity_id=nobody, person_ids=[nobody]))
        applying.apply_page(shop.store, [(1, payload)], 1, NOON)
    with shop.store.transaction() as db:
        db.execute("DELETE FROM outbox")
    link.tell_anew(shop.store)
    all_told(shop)
    assert [r for r in shop.records() if isinstance(r, ReceiptRecord)] == [ReceiptRecord(erasure_id=erasure_id, done_ms=NOON)]


def hear(shop: Shop, *told: facts.Fact) -> None:
    applying.apply_page(shop.store, [(i, facts.encoded(fact)) for i, fact in enumerate(told, 1)], len(told), NOON)


def told_back(shop: Shop) -> list[facts.Fact]:
    with shop.store.transaction() as db:
        db.execute("DELETE FROM outbox")
    link.tell_anew(shop.store)
    all_told(shop)
    back = [r for r in shop.records() if isinstance(r, ToldBack)]
    assert shop.records()[: len(back)] == back
    return [facts.decoded(one.payload) for one in back]


def test_whom_headquarters_had_forgotten_it_is_told_first_of_all(shop: Shop) -> None:
    pair(shop)
    views = lent(face(EMIL), face(DORA))
    out = OptOut(erasure_id=an_id(), identity_id=an_id(), person_ids=[an_id(), an_id()], templates=views)
    # Of two identities: both, with the persons that each fact named.
    erased = [Erase(erasure_id=an_id(), identity_id=an_id(), person_ids=[an_id()]), Erase(erasure_id=an_id(), identity_id=an_id())]
    hear(shop, out, *erased)
    hear(shop, out, *erased)
    assert sorted(map(repr, told_back(shop))) == sorted(map(repr, [out, *erased]))
    hear(shop, OptOutEnded(identity_id=out.identity_id))
    assert sorted(map(repr, told_back(shop))) == sorted(map(repr, erased))


def test_who_asked_for_more_than_an_opt_out_is_told_back_as_erased_alone(shop: Shop) -> None:
    pair(shop)
    out = OptOut(erasure_id=an_id(), identity_id=an_id(), person_ids=[an_id()], templates=lent(face(EMIL)))
    erased = Erase(erasure_id=an_id(), identity_id=out.identity_id, person_ids=out.person_ids)
    hear(shop, out, erased)
    assert told_back(shop) == [erased]


def test_an_opt_out_is_told_back_with_views_of_this_stores_own(shop: Shop) -> None:
    pair(shop)
    frank = str(shop.see(face(EMIL + 1), NOON + 9 * DAY_MS).person_id)
    hear(shop, OptOut(erasure_id=an_id(), identity_id=an_id(), person_ids=[frank]))
    ((told),) = told_back(shop)
    assert isinstance(told, OptOut) and told.templates and not any(":" in one.id for one in told.templates)


def test_another_chain_is_not_told_whom_the_first_had_forgotten(shop: Shop) -> None:
    pair(shop)
    hear(shop, Erase(erasure_id=an_id(), identity_id=an_id(), person_ids=[an_id()]))
    pair(shop, appliance_id=an_id())
    assert len(told_back(shop)) == 1
    pair(shop, tenant_id=an_id())
    assert told_back(shop) == []
