"""A visit that was not Bob: it leaves him, with what was learned from it, and that face is not taken for him again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import merging, rejected_looks, splitting
from appliance.errors import PersonError
from appliance.gallery import Candidate
from appliance.sightings import Phase
from appliance.splitting import Split
from sync.records import TemplateGone, VisitRecord
from tests.appliance.stores import DAY_MS, NOON
from tests.appliance.visitors import BOB, DORA, MODEL, Shop, a_shop, face, like

LATER = NOON + 9 * DAY_MS


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    yield made
    made.store.close()


def mistaken(shop: Shop) -> tuple[str, str]:
    """Bob, and a visit by somebody who resembles him enough to be taken for him and for a view of him to be learned."""
    bob = shop.see(face(BOB), NOON).person_id
    wrong = shop.see(like(BOB, 0.85), NOON + DAY_MS)
    assert bob and wrong.person_id == bob and wrong.visit_id
    assert shop.person(bob).templates == 2
    return bob, wrong.visit_id


def split(shop: Shop, visit_id: str, *, new_person: bool) -> Split:
    with shop.store.transaction():
        done = splitting.split(shop.store, visit_id, MODEL, shop.recognition.look_of, LATER, new_person=new_person)
    shop.recognition.renew(done.keys)
    shop.recognition.part(done.sightings)
    shop.recognition.check()
    return done


def test_a_template_says_which_visit_it_is_from(shop: Shop) -> None:
    _, visit_id = mistaken(shop)
    found = [row[0] for row in shop.store.db.execute("SELECT visit_id FROM templates ORDER BY id").fetchall()]
    first = shop.store.db.execute("SELECT id FROM visits ORDER BY first_seen_ms").fetchone()[0]
    assert found == [first, visit_id]


def test_a_visit_goes_to_a_new_person_with_what_was_learned_from_it(shop: Shop) -> None:
    bob, visit_id = mistaken(shop)
    done = split(shop, visit_id, new_person=True)
    assert done.new_id and shop.visits() == [(bob, "new", 1, "settled"), (done.new_id, "new", 1, "settled")]
    assert shop.person(bob).templates == shop.person(done.new_id).templates == 1
    assert merging.are_apart(shop.store, bob, done.new_id)
    assert shop.see(like(BOB, 0.85), NOON + 2 * DAY_MS).person_id == done.new_id
    assert shop.see(face(BOB), NOON + 3 * DAY_MS).person_id == bob


def test_a_visit_that_goes_to_nobody_is_counted_and_that_face_is_never_taken_for_bob_again(shop: Shop) -> None:
    bob, visit_id = mistaken(shop)
    told = len(shop.records())
    done = split(shop, visit_id, new_person=False)
    assert done.new_id is None and shop.visits()[1] == (None, "unsure", 0, "settled")
    after = shop.records()[told:]
    assert any(isinstance(r, TemplateGone) for r in after)
    assert [r.person_id for r in after if isinstance(r, VisitRecord) and r.id == visit_id] == [""]
    again = shop.see(like(BOB, 0.85), NOON + 2 * DAY_MS)
    assert again.person_id != bob
    assert shop.see(face(BOB), NOON + 3 * DAY_MS).person_id == bob


def test_it_is_remembered_after_a_start_as_well(shop: Shop, tmp_path: Path) -> None:
    from tests.appliance.visitors import recognition

    bob, visit_id = mistaken(shop)
    split(shop, visit_id, new_person=False)
    shop.recognition = recognition(shop.store)
    assert shop.see(like(BOB, 0.85), NOON + 2 * DAY_MS).person_id != bob


def test_a_visit_that_is_nobodys_or_not_decided_or_not_there_is_not_split(shop: Shop) -> None:
    _, visit_id = mistaken(shop)
    split(shop, visit_id, new_person=False)
    with pytest.raises(PersonError, match="nobody's already"):
        split(shop, visit_id, new_person=True)
    with pytest.raises(LookupError):
        split(shop, "no-visit", new_person=True)
    open_visit = shop.see(face(BOB), NOON + 4 * DAY_MS, "s", phase=Phase.OPENED, shots=2).visit_id
    assert open_visit
    with pytest.raises(PersonError, match="still being decided"):
        split(shop, open_visit, new_person=True)


def test_looks_that_speak_against_one_another_go_when_both_are_called_one_after_all(shop: Shop) -> None:
    bob, visit_id = mistaken(shop)
    done = split(shop, visit_id, new_person=True)
    assert done.new_id
    with shop.store.transaction():
        merging.merge(shop.store, bob, done.new_id, 1, LATER, although_apart=True)
    assert shop.count("rejected_looks") == shop.count("apart") == 0


def test_of_many_rejected_looks_the_newest_are_kept(shop: Shop) -> None:
    bob, visit_id = mistaken(shop)
    with shop.store.transaction():
        for view in range(rejected_looks.LOOKS_MAX + 3):
            rejected_looks.remember(shop.store, bob, visit_id, MODEL, like(DORA, 0.5, view % 8), NOON)
    assert shop.count("rejected_looks") == rejected_looks.LOOKS_MAX


def test_only_a_look_nearer_to_the_rejected_one_than_to_the_person_is_ruled_out() -> None:
    rejected = {"bob": like(BOB, 0.8)[None]}
    near, far = Candidate("bob", "customer", 0.8), Candidate("bob", "customer", 0.99)
    assert rejected_looks.ruled_out(rejected, [near], like(BOB, 0.8), 0.7) == {"bob"}
    assert rejected_looks.ruled_out(rejected, [far], face(BOB), 0.7) == set()
    assert rejected_looks.ruled_out(rejected, [Candidate("dora", "customer", 0.8)], face(DORA), 0.7) == set()
