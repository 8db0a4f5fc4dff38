"""What headquarters says is carried out once, whole or not at all, and answered; what is not understood holds nothing up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from appliance import forgetting, forgotten_list, merging, persons
from appliance.line import guests, link
from sync.facts import Apart, Erase, GivenBack, GuestGone, OptOut, PersonKnown, PersonUnknown, TenantSettings
from sync.records import PersonGone, PersonRecord, ReceiptRecord, Record, TemplateRecord, VisitRecord, encoded, halved
from tests.appliance.line.chain import OTHER_STORE, an_id, guest, lent, pair, table, told
from tests.appliance.stores import DAY_MS, NOON
from tests.appliance.visitors import BOB, CHARLIE, DORA, GAP_MS, MODEL, Shop, a_shop, face, like


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    pair(made)
    yield made
    made.store.close()


def receipts(shop: Shop) -> list[ReceiptRecord]:
    return [r for r in shop.records() if isinstance(r, ReceiptRecord)]


def came(shop: Shop, who: int, at_ms: int = NOON) -> str:
    person_id = shop.see(face(who), at_ms).person_id
    assert person_id
    return person_id


def test_what_the_chain_knows_of_a_person_is_kept_until_it_knows_nothing(shop: Shop) -> None:
    bob = came(shop, BOB)
    known = PersonKnown(person_id=bob, identity_id=an_id(), name="Bob", vip=True, also_at=[OTHER_STORE], chain_visits=7)
    for _ in range(2):
        told(shop, known)
        assert table(shop, "SELECT person_id, vip, chain_visits FROM chain") == [(bob, 1, 7)]
    assert guests.words_of(shop.store, "chain", bob) == ("Bob", [OTHER_STORE])
    told(shop, PersonUnknown(person_id=bob), PersonUnknown(person_id="nobody"), PersonKnown(person_id="nobody", identity_id=an_id()))
    assert shop.count("chain") == 0


def test_the_cursor_goes_with_the_page_and_a_page_may_come_again(shop: Shop) -> None:
    page = [guest(an_id(), face(DORA)), TenantSettings(snapshots=True, also_at=True)]
    for _ in range(2):
        assert told(shop, *page, cursor=17).facts == 2
        found = link.read(shop.store)
        assert found and (found.cursor, found.snapshots, found.also_at) == (17, True, True)
        assert shop.count("guests") == 1 and shop.count("guest_templates") == 1


def test_rubbish_and_unknown_kinds_are_passed_over_and_counted(shop: Shop) -> None:
    bob = came(shop, BOB)
    bad = [b"", b"\xff" * 40, msgspec.msgpack.encode({"type": "of_tomorrow"}), msgspec.msgpack.encode({"type": "guest", "identity_id": 1})]
    zero = guest(an_id())
    odd = [
        msgspec.structs.replace(zero, role="owner"),
        GivenBack(payload=b"rubbish"),
        Apart(person_a=bob, person_b=bob),
    ]
    applied = told(shop, *bad, *odd, PersonKnown(person_id=bob, identity_id="i", name="Bob"), cursor=9)
    assert (applied.passed_over, applied.facts) == (6, 2)
    found = link.read(shop.store)
    assert found and (found.cursor, found.facts_passed_over) == (9, 6) and shop.count("chain") == 1


def test_a_fact_that_fails_half_way_leaves_nothing_of_itself(shop: Shop) -> None:
    good, bad = guest(an_id(), face(DORA)), guest(an_id(), face(BOB))
    torn = msgspec.structs.replace(bad, templates=[*bad.templates, msgspec.structs.replace(bad.templates[0], embedding=bytes(256))])
    payload = msgspec.msgpack.encode(torn)
    applied = told(shop, payload, good)
    assert (applied.passed_over, applied.facts) == (1, 1)
    assert table(shop, "SELECT identity_id FROM guests") == [(good.identity_id,)]


def test_a_page_that_cannot_be_written_is_not_applied_at_all(shop: Shop) -> None:
    before = shop.dump()
    with shop.store.transaction() as db:
        db.execute("CREATE TRIGGER full BEFORE UPDATE OF cursor ON link BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(Exception, match="full"):
        told(shop, guest(an_id(), face(DORA)))
    assert shop.dump() == before and shop.count("guests") == 0


def test_an_erasure_is_carried_out_once_and_answered_each_time(shop: Shop) -> None:
    bob, identity, erasure = came(shop, BOB), an_id(), an_id()
    told(shop, PersonKnown(person_id=bob, identity_id=identity), guest(identity, like(BOB, 0.9)))
    fact = Erase(erasure_id=erasure, identity_id=identity, person_ids=[bob, "of another database"])
    told(shop, fact)
    assert all(shop.count(t) == 0 for t in ("persons", "templates", "guests", "guest_templates", "chain")) and shop.pictures() == []
    assert [(r.persons, r.templates, r.snapshots) for r in receipts(shop)] == [(1, 2, 1)]
    assert PersonGone(id=bob) in shop.records()
    told(shop, fact)
    assert [r.persons for r in receipts(shop)] == [1, 1] and {r.erasure_id for r in receipts(shop)} == {erasure}
    assert shop.see(face(BOB), NOON + DAY_MS).verdict == "new"


def test_what_was_erased_here_before_the_chain_asked_stands_in_the_receipt(shop: Shop) -> None:
    bob, dora = came(shop, BOB), came(shop, DORA)
    with shop.store.transaction():
        gone = forgetting.erase(shop.store, bob, NOON) + forgetting.opt_out(shop.store, dora, NOON)
    shop.recognition.renew(gone.keys)
    assert (gone.persons, gone.snapshots) == (2, 2) and gone.templates == 1
    told(shop, Erase(erasure_id=an_id(), identity_id=an_id(), person_ids=[bob]))
    told(shop, OptOut(erasure_id=an_id(), identity_id=an_id(), person_ids=[dora], templates=[]))
    told(shop, Erase(erasure_id=an_id(), identity_id=an_id(), person_ids=[bob]))
    assert [(r.persons, r.templates, r.snapshots) for r in receipts(shop)] == [(1, 1, 1), (1, 1, 1), (0, 0, 0)]


def test_an_erasure_of_somebody_merged_away_reaches_who_took_their_place(shop: Shop) -> None:
    bob, dora = came(shop, BOB), came(shop, DORA)
    with shop.store.transaction():
        shop.recognition.renew(merging.merge(shop.store, dora, bob, GAP_MS, NOON))
    told(shop, Erase(erasure_id=an_id(), identity_id=an_id(), person_ids=[bob]))
    assert shop.count("persons") == 0 and receipts(shop)[0].persons == 1


def test_what_is_told_of_somebody_merged_away_meanwhile_does_not_become_who_took_their_place(shop: Shop) -> None:
    bob, dora, doras = came(shop, BOB), came(shop, DORA), an_id()
    told(shop, PersonKnown(person_id=dora, identity_id=doras, name="Dora"))
    with shop.store.transaction():
        shop.recognition.renew(merging.merge(shop.store, dora, bob, GAP_MS, NOON))
    told(shop, PersonKnown(person_id=bob, identity_id=an_id(), name="Bob"), PersonUnknown(person_id=bob))
    assert shop.store.db.execute("SELECT person_id, identity_id FROM chain").fetchall() == [(dora, doras)]


def test_who_opted_out_elsewhere_is_known_again_by_this_stores_own_views_too(shop: Shop) -> None:
    bob, identity = came(shop, BOB), an_id()
    fact = OptOut(erasure_id=an_id(), identity_id=identity, person_ids=[bob], templates=[])
    for _ in range(2):
        told(shop, fact)
        assert shop.count("persons") == 0 and shop.count("guest_templates") == 1
    assert shop.see(like(BOB, 0.95), NOON + DAY_MS).verdict == "opted_out"
    assert [r.persons for r in receipts(shop)] == [1, 1]
    told(shop, guest(identity, face(BOB)), GuestGone(identity_id=identity))
    assert shop.see(like(BOB, 0.95), NOON + 2 * DAY_MS).verdict == "opted_out"
    told(shop, Erase(erasure_id=an_id(), identity_id=identity))
    assert shop.see(like(BOB, 0.95), NOON + 3 * DAY_MS).verdict == "new"


def test_who_opted_out_here_goes_on_being_known_when_the_chain_says_so_too(shop: Shop) -> None:
    charlie = shop.enrol("opted_out", "Charlie", CHARLIE)
    told(shop, OptOut(erasure_id=an_id(), identity_id=an_id(), person_ids=[charlie], templates=lent(like(CHARLIE, 0.8))))
    assert shop.count("persons") == 0 and shop.count("guest_templates") == 2
    assert shop.see(face(CHARLIE)).verdict == "opted_out"


def test_two_whom_headquarters_called_different_are_not_merged(shop: Shop) -> None:
    bob, dora = came(shop, BOB), came(shop, DORA)
    before = len(shop.records())
    for _ in range(2):
        told(shop, Apart(person_a=dora, person_b=bob))
    assert merging.are_apart(shop.store, bob, dora) and len(shop.records()) == before


def given(*records: Record) -> list[GivenBack]:
    return [GivenBack(payload=encoded(record)) for record in records]


def test_after_a_restored_backup_the_stores_own_records_come_back(shop: Shop) -> None:
    bob = came(shop, BOB)
    lost, visit = an_id(), an_id()
    page = given(
        PersonRecord(id=lost, number=1, role="customer", name="Dora", visit_count=1, first_seen_ms=NOON, last_seen_ms=NOON),
        TemplateRecord(id=an_id(), person_id=lost, model=MODEL, embedding=halved(face(DORA)), quality=0.5, origin="visit", created_ms=NOON),
        VisitRecord(id=visit, person_id=lost, verdict="new", settled=True, first_seen_ms=NOON, last_seen_ms=NOON, cameras=["c", "d"]),
        PersonRecord(id=bob, number=9, role="staff"),
    )
    for _ in range(2):
        told(shop, *page)
        assert shop.count("persons") == 2 and shop.count("visits") == 2 and shop.count("sightings") == 3
    assert (shop.person(lost).label, shop.person(lost).number, shop.person(bob).role) == ("Dora", 2, "customer")
    assert shop.see(face(DORA), NOON + DAY_MS).person_id == lost and shop.verdicts()[-1] == ("returning", 2)
    with shop.store.transaction():
        assert shop.person(persons.create(shop.store, "customer", NOON)).number == 3


def test_who_was_erased_is_not_given_back(shop: Shop) -> None:
    bob, other, visit = came(shop, BOB), an_id(), an_id()
    with shop.store.transaction():
        shop.recognition.renew(forgetting.erase(shop.store, bob, NOON).keys)
    told(shop, Erase(erasure_id=an_id(), identity_id=an_id(), person_ids=[other]))
    told(
        shop,
        *given(
            PersonRecord(id=bob, number=1, role="customer", name="Bob"),
            PersonRecord(id=other, number=2, role="customer"),
            VisitRecord(id=visit, person_id=bob, verdict="returning", settled=True, first_seen_ms=NOON, last_seen_ms=NOON),
        ),
    )
    assert shop.count("persons") == 0
    assert table(shop, "SELECT person_id, verdict FROM visits WHERE id = ?", visit) == [(None, "unsure")]


@pytest.mark.parametrize("kind", [forgotten_list.PERSON, forgotten_list.BY_THE_CHAIN, forgotten_list.OPTED_OUT])
def test_who_was_forgotten_before_a_backup_was_put_back_that_did_not_know_them_is_forgotten_anew(shop: Shop, kind: str) -> None:
    bob, view, visit = an_id(), an_id(), an_id()
    with shop.store.transaction():
        # All that such a backup has of them once the list was read.
        forgotten_list.note(shop.store, kind, [bob])
    before = len(shop.records())
    told(
        shop,
        *given(
            PersonRecord(id=bob, number=1, role="customer", name="Bob", first_seen_ms=NOON, last_seen_ms=NOON),
            TemplateRecord(id=view, person_id=bob, model=MODEL, embedding=halved(face(BOB)), quality=0.5, origin="visit", created_ms=NOON),
            VisitRecord(id=visit, person_id=bob, verdict="new", settled=True, first_seen_ms=NOON, last_seen_ms=NOON),
        ),
    )
    opted_out = kind == forgotten_list.OPTED_OUT
    assert table(shop, "SELECT role, name_sealed FROM persons") == ([("opted_out", None)] if opted_out else [])
    assert shop.count("templates") == opted_out
    assert table(shop, "SELECT person_id, verdict FROM visits WHERE id = ?", visit) == [(None, "unsure")]
    said = [one for one in shop.records()[before:] if isinstance(one, PersonGone | PersonRecord)]
    if kind == forgotten_list.PERSON:
        assert said[-1] == PersonGone(id=bob, erased=True)
    if opted_out:
        assert isinstance(said[-1], PersonRecord) and said[-1].role == "opted_out"


def test_a_visit_given_back_that_was_not_settled_when_it_was_told_is_told_again(shop: Shop) -> None:
    visit = an_id()
    told(shop, *given(VisitRecord(id=visit, verdict="unsure", settled=False, first_seen_ms=NOON, last_seen_ms=NOON)))
    assert [(r.id, r.settled) for r in shop.records() if isinstance(r, VisitRecord)] == [(visit, True)]
