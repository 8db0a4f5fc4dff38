"""A merge is taken back: both are who they were, and headquarters can follow record by record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import details, forgetting, merge_history, merging, persons
from appliance.details import Details, Words
from appliance.errors import PersonError
from sync.records import ApartRecord, PersonRecord, TemplateRecord, VisitRecord
from tests.appliance.stores import DAY_MS, NOON
from tests.appliance.visitors import BOB, CHARLIE, DORA, GAP_MS, MINUTE_MS, MODEL, Shop, a_shop, face, like

LATER = NOON + 9 * DAY_MS


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    yield made
    made.store.close()


def came(shop: Shop, who: int, *at_ms: int) -> str:
    found = [shop.see(face(who), at) for at in at_ms]
    assert found[0].person_id
    return found[0].person_id


def merged(shop: Shop, keep: str, taken: str, *, although_apart: bool = False) -> str:
    with shop.store.transaction():
        keys = merging.merge(shop.store, keep, taken, GAP_MS, LATER, although_apart=although_apart)
    shop.recognition.renew(keys)
    return merge_history.of(shop.store, keep)[0].id


def undone(shop: Shop, merge_id: str) -> str:
    with shop.store.transaction():
        new_id, keys = merge_history.undo(shop.store, merge_id, LATER)
    shop.recognition.renew(keys)
    shop.recognition.check()
    return new_id


def test_after_undoing_both_have_their_visits_templates_and_numbers_again(shop: Shop) -> None:
    bob = came(shop, BOB, NOON, NOON + 2 * DAY_MS)
    dora = came(shop, DORA, NOON + DAY_MS, NOON + 3 * DAY_MS)
    was, number = shop.visits(), shop.person(dora).number
    merge_id = merged(shop, bob, dora)
    told = len(shop.records())
    again = undone(shop, merge_id)
    assert again != dora and shop.person(again).number == number
    assert shop.visits() == [(again if person == dora else person, *rest) for person, *rest in was]
    assert shop.see(face(DORA), NOON + 5 * DAY_MS).person_id == again
    assert shop.see(face(BOB), NOON + 6 * DAY_MS).person_id == bob
    after = shop.records()[told:]
    assert any(isinstance(r, PersonRecord) and r.id == again for r in after)
    stands = dict(shop.store.db.execute("SELECT id, person_id FROM visits").fetchall())
    told_of = {r.id: r.person_id for r in after if isinstance(r, VisitRecord)}
    assert all(stands[visit] == person for visit, person in told_of.items()) and again in told_of.values()
    assert any(isinstance(r, TemplateRecord) and r.person_id == again for r in after)
    assert any(isinstance(r, ApartRecord) and again in (r.person_a, r.person_b) for r in after)


def test_visits_that_became_one_are_two_again(shop: Shop) -> None:
    bob, dora = came(shop, BOB, NOON), came(shop, DORA, NOON + MINUTE_MS)
    merge_id = merged(shop, bob, dora)
    assert len(shop.visits()) == 1
    again = undone(shop, merge_id)
    assert [v[0] for v in shop.visits()] == [bob, again]
    pictures = shop.store.db.execute("SELECT count(snapshot) FROM visits").fetchone()
    assert pictures == (2,) or pictures == (1,)
    assert shop.person(bob).visit_count == shop.person(again).visit_count == 1


def test_templates_that_had_to_make_room_come_back(shop: Shop) -> None:
    with shop.store.transaction():
        both = [persons.create(shop.store, "customer", NOON) for _ in range(2)]
        for who, person_id in zip((BOB, DORA), both, strict=True):
            for view in range(6):
                persons.learn(shop.store, person_id, "customer", MODEL, like(who, 0.8, view), 0.1 * view, "visit", None, NOON)
    merge_id = merged(shop, *both)
    again = undone(shop, merge_id)
    assert shop.person(both[0]).templates == shop.person(again).templates == 6


def test_names_and_details_go_back_to_whom_they_belong_but_not_what_was_changed_since(shop: Shop) -> None:
    bob, dora = came(shop, BOB, NOON), came(shop, DORA, NOON + DAY_MS)
    store = shop.store
    with store.transaction():
        details.rename(store, dora, "Dora", NOON)
        details.put(store, bob, Details(words=Words(notes="tea")), NOON)
        details.put(store, dora, Details(words=Words(phone="0123456", email="dora@example.com", notes="coffee"), vip=True), NOON)
    merge_id = merged(shop, bob, dora)
    assert shop.person(bob).label == "Dora"
    assert details.of(store, bob) == Details(words=Words(phone="0123456", email="dora@example.com", notes="tea"), vip=True)
    with store.transaction():
        details.put(store, bob, Details(words=Words(phone="0123456", email="bob@example.com", notes="tea"), vip=True), NOON)
    again = undone(shop, merge_id)
    assert (shop.person(bob).label, shop.person(again).label) == ("Visitor 1", "Dora")
    assert details.of(store, bob) == Details(words=Words(email="bob@example.com", notes="tea"))
    assert details.of(store, again).words.notes == "coffee" and details.of(store, again).vip


def test_a_merge_into_somebody_who_was_merged_in_turn_is_undone_after_that(shop: Shop) -> None:
    bob, dora, charlie = (came(shop, who, NOON + i * DAY_MS) for i, who in enumerate((BOB, DORA, CHARLIE)))
    first = merged(shop, dora, charlie)
    second = merged(shop, bob, dora)
    with pytest.raises(PersonError, match="Undo that first"), shop.store.transaction():
        merge_history.undo(shop.store, first, LATER)
    dora_again = undone(shop, second)
    assert [m.id for m in merge_history.of(shop.store, dora_again)] == [first]
    charlie_again = undone(shop, first)
    assert [v[0] for v in shop.visits()] == [bob, dora_again, charlie_again]
    assert merging.now_called(shop.store, charlie) == charlie_again


def test_a_merge_is_undone_once(shop: Shop) -> None:
    bob, dora = came(shop, BOB, NOON), came(shop, DORA, NOON + DAY_MS)
    merge_id = merged(shop, bob, dora)
    undone(shop, merge_id)
    with pytest.raises(PersonError, match="undone already"), shop.store.transaction():
        merge_history.undo(shop.store, merge_id, LATER)


def test_who_were_taken_apart_are_merged_again_only_by_saying_so(shop: Shop) -> None:
    bob, dora = came(shop, BOB, NOON), came(shop, DORA, NOON + DAY_MS)
    again = undone(shop, merged(shop, bob, dora))
    with pytest.raises(PersonError, match="called different"), shop.store.transaction():
        merging.merge(shop.store, bob, again, GAP_MS, LATER)
    merged(shop, bob, again, although_apart=True)
    assert {v[0] for v in shop.visits()} == {bob}


def test_an_undoing_that_is_cut_short_leaves_everything_as_it_was(shop: Shop) -> None:
    bob, dora = came(shop, BOB, NOON), came(shop, DORA, NOON)
    merge_id = merged(shop, bob, dora)
    before = shop.dump()
    with pytest.raises(ZeroDivisionError), shop.store.transaction():
        merge_history.undo(shop.store, merge_id, LATER)
        raise ZeroDivisionError
    assert shop.dump() == before


@pytest.mark.parametrize("forget", [forgetting.erase, forgetting.opt_out])
def test_who_is_forgotten_leaves_no_merge_to_undo_and_no_details(shop: Shop, forget: object) -> None:
    bob, dora, charlie = (came(shop, who, NOON + i * DAY_MS) for i, who in enumerate((BOB, DORA, CHARLIE)))
    merged(shop, dora, charlie)
    merged(shop, bob, dora)
    with shop.store.transaction():
        details.put(shop.store, bob, Details(words=Words(notes="tea")), NOON)
    assert shop.count("merges") == 2
    with shop.store.transaction():
        forget(shop.store, bob, LATER)  # type: ignore[operator]
    assert shop.count("merges") == shop.count("details") == 0
