"""Bob asks to be forgotten, or never to be stored again: what goes, what stays, and what headquarters is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import forgetting, visits
from appliance.forgetting import Forgotten
from sync.records import PersonGone, PersonRecord, TemplateGone, VisitGone, VisitRecord
from tests.appliance.stores import DAY_MS, NOON
from tests.appliance.visitors import ALICE, BOB, DORA, GAP_MS, Shop, a_shop, face, like


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    yield made
    made.store.close()


def bob(shop: Shop) -> str:
    """Came three times; once more somebody came who may have been him."""
    first = shop.see(face(BOB), NOON)
    for day in (1, 2):
        shop.see(like(BOB, 0.9, day), NOON + day * DAY_MS)
    assert shop.see(shop.unsure(BOB), NOON + 3 * DAY_MS).person_id is None
    assert first.person_id
    return first.person_id


def erased(shop: Shop, person_id: str, *, by_the_chain: bool = False) -> Forgotten:
    with shop.store.transaction():
        gone = forgetting.erase(shop.store, person_id, NOON + 4 * DAY_MS, by_the_chain=by_the_chain)
    shop.recognition.renew(gone.keys)
    return gone


def opted_out(shop: Shop, person_id: str) -> Forgotten:
    with shop.store.transaction():
        gone = forgetting.opt_out(shop.store, person_id, NOON + 4 * DAY_MS)
    shop.recognition.renew(gone.keys)
    return gone


def test_of_an_erased_person_nothing_is_left_but_that_somebody_came(shop: Shop) -> None:
    person_id = bob(shop)
    told = len(shop.records())
    gone = erased(shop, person_id)
    assert (gone.persons, gone.snapshots) == (1, 4) and gone.templates >= 2
    assert shop.count("persons") == shop.count("templates") == 0 and shop.pictures() == []
    assert [(v[0], v[1]) for v in shop.visits()] == [(None, "unsure")] * 4
    held = shop.store.db.execute("SELECT count(*) FROM sightings WHERE embedding_sealed IS NOT NULL OR nearest_person_id IS NOT NULL")
    assert held.fetchone() == (0,)
    after = shop.records()[told:]
    assert PersonGone(id=person_id, erased=True) in after
    assert [r.person_id for r in after if isinstance(r, VisitRecord)] == [""] * 3
    shop.recognition.check()
    assert len(shop.recognition.gallery) == 0
    assert shop.see(face(BOB), NOON + 5 * DAY_MS).verdict == "new"


def test_an_erasure_by_the_chain_does_not_ask_the_chain_to_erase(shop: Shop) -> None:
    person_id = bob(shop)
    erased(shop, person_id, by_the_chain=True)
    assert PersonGone(id=person_id) in shop.records()


def test_erasing_twice_or_nobody_changes_nothing(shop: Shop) -> None:
    person_id = bob(shop)
    erased(shop, person_id)
    told = len(shop.records())
    assert erased(shop, person_id) == Forgotten() == erased(shop, "nobody")
    assert len(shop.records()) == told


def test_an_erasure_that_is_cut_short_leaves_everything_as_it_was(shop: Shop) -> None:
    person_id, before = bob(shop), shop.dump()
    with pytest.raises(ZeroDivisionError), shop.store.transaction():
        forgetting.erase(shop.store, person_id, NOON)
        raise ZeroDivisionError
    assert shop.dump() == before
    erased(shop, person_id)
    assert shop.count("persons") == 0 and shop.pictures() == []


def test_visits_of_erased_staff_do_not_become_customers(shop: Shop) -> None:
    alice = shop.enrol("staff", "Alice", ALICE)
    shop.see(face(ALICE), NOON)
    shop.see(face(DORA), NOON)
    erased(shop, alice)
    assert [v[1] for v in shop.visits()] == ["new"]
    assert any(isinstance(r, VisitGone) for r in shop.records())


def test_somebody_who_is_erased_while_before_the_camera_is_met_anew(shop: Shop) -> None:
    from appliance.sightings import Phase

    outcome = shop.see(face(BOB), NOON, "s", phase=Phase.IMPROVED, shots=10)
    assert outcome.person_id
    erased(shop, outcome.person_id)
    again = shop.see(face(BOB), NOON, "s", shots=12)
    assert again.person_id and again.person_id != outcome.person_id
    shop.recognition.check()


def test_who_opts_out_is_known_again_and_never_stored(shop: Shop) -> None:
    person_id = bob(shop)
    gone = opted_out(shop, person_id)
    assert (gone.persons, gone.snapshots) == (1, 4)
    row = shop.person(person_id)
    assert (row.role, row.visit_count, row.first_seen_ms, row.last_seen_ms) == ("opted_out", 0, None, None)
    assert 0 < row.templates <= forgetting.OPTED_OUT_TEMPLATES and shop.pictures() == []
    assert PersonRecord(id=person_id, number=1, role="opted_out") in shop.records()
    before, stays = shop.dump(), shop.count("visits")
    assert shop.see(face(BOB), NOON + 6 * DAY_MS).verdict == "opted_out"
    assert shop.count("visits") == stays and shop.dump()["templates"] == before["templates"]
    assert opted_out(shop, person_id) == Forgotten()
    shop.recognition.check()


def test_of_many_templates_a_few_are_kept_of_who_opts_out(shop: Shop) -> None:
    from appliance import persons

    with shop.store.transaction():
        person_id = persons.create(shop.store, "customer", NOON, "Bob")
        for view in range(7):
            persons.learn(shop.store, person_id, "customer", "test", like(BOB, 0.8, view), 0.1 * view, "visit", None, NOON)
    gone = opted_out(shop, person_id)
    kept = [row[0] for row in shop.store.db.execute("SELECT quality FROM templates ORDER BY quality").fetchall()]
    assert len(kept) == forgetting.OPTED_OUT_TEMPLATES and gone.templates == 7 - len(kept) and min(kept) > 0.25
    assert sum(isinstance(r, TemplateGone) for r in shop.records()) == gone.templates


def test_somebody_who_opts_out_before_the_camera_leaves_nothing_and_stays_opted_out(shop: Shop) -> None:
    from appliance.sightings import Phase

    outcome = shop.see(face(BOB), NOON, "s", phase=Phase.IMPROVED, shots=10)
    assert outcome.person_id
    opted_out(shop, outcome.person_id)
    assert shop.see(face(BOB), NOON, "s", shots=12).verdict == "opted_out"
    assert shop.count("visits") == 0 and shop.person(outcome.person_id).role == "opted_out"
    assert shop.see(face(BOB), NOON + 2 * GAP_MS).verdict == "opted_out"


def test_nobody_can_opt_out_who_is_not_there(shop: Shop) -> None:
    with pytest.raises(LookupError), shop.store.transaction():
        forgetting.opt_out(shop.store, "nobody", NOON)


def test_visits_of_a_forgotten_person_can_still_be_told(shop: Shop) -> None:
    erased(shop, bob(shop))
    with shop.store.transaction():
        for row in visits.recent(shop.store):
            visits.tell(shop.store, row.id, NOON)
