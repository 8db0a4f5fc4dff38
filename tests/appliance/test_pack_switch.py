"""Other models: who is carried over from a kept picture, who is not, and that it says so before. Looks are vectors made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance import pack_switch, persons, snapshots, visits
from appliance.database import Store
from appliance.enrolment import Photo
from appliance.long_work import GivenUp
from tests.appliance.stores import JPEG, NOON, a_store
from tests.appliance.visitors import face

OLD, NEW = "old_model", "new_model"


def somebody(store: Store, role: str, picture: bytes | None, at_ms: int = NOON, number: int = 1) -> str:
    """With a view by the old model, and a visit whose picture is kept or not."""
    with store.transaction() as db:
        person = persons.create(store, role, at_ms)
        persons.learn(store, person, role, OLD, face(number), 0.7, "visit", None, at_ms)
        visit = f"00000000-0000-7000-8000-{number:012d}"
        name = snapshots.save(store, visit, picture, at_ms) if picture else None
        db.execute(
            """INSERT INTO visits (id, person_id, verdict, state, first_seen_ms, last_seen_ms, snapshot)
                VALUES (?, ?, 'new', 'settled', ?, ?, ?)""",
            [visit, person, at_ms, at_ms, name],
        )
        persons.count_visits(store, person, at_ms)
    return person


def looked(jpeg: bytes) -> Photo | None:
    return None if jpeg == JPEG else Photo(face(7), 0.6, "")


def quietly(_done: int, _of: int) -> None:
    pass


GOOD = JPEG + b" with a face"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return a_store(tmp_path)


def models_of(store: Store, person: str) -> set[str]:
    return {model for (model,) in store.db.execute("SELECT model FROM templates WHERE person_id = ?", [person]).fetchall()}


def test_the_plan_says_who_stays_known_and_who_does_not(store: Store) -> None:
    somebody(store, "customer", GOOD, number=1)
    somebody(store, "customer", None, number=2)
    somebody(store, "staff", GOOD, number=3)
    somebody(store, "opted_out", None, number=4)
    plan = pack_switch.plan(store, OLD, NEW)
    assert plan.kept == {"customer": 1, "staff": 1, "opted_out": 0}
    assert plan.lost == {"customer": 1, "staff": 0, "opted_out": 1} and plan.lost_in_all == 2
    assert pack_switch.plan(store, OLD, OLD).same


def test_people_are_carried_over_and_their_old_views_stay(store: Store) -> None:
    kept, broken, lost = (somebody(store, "customer", picture, number=n) for n, picture in ((1, GOOD), (2, JPEG), (3, None)))
    assert pack_switch.carry_over(store, OLD, NEW, looked, quietly, NOON) == (1, 1)
    assert models_of(store, kept) == {OLD, NEW} and models_of(store, broken) == models_of(store, lost) == {OLD}
    assert pack_switch.plan(store, NEW, OLD).kept["customer"] == 1, "changing back loses nobody"


def test_stopped_halfway_it_goes_on_where_it_was(store: Store) -> None:
    people = [somebody(store, "customer", GOOD, NOON - n, number=n) for n in (1, 2, 3)]

    def after_two(done: int, _of: int) -> None:
        if done == 2:
            raise GivenUp

    with pytest.raises(GivenUp):
        pack_switch.carry_over(store, OLD, NEW, looked, after_two, NOON)
    assert [NEW in models_of(store, person) for person in people] == [True, True, False]
    assert pack_switch.carry_over(store, OLD, NEW, looked, quietly, NOON) == (1, 0)


def test_who_is_erased_meanwhile_is_not_brought_back(store: Store) -> None:
    person = somebody(store, "customer", GOOD)

    def erased_meanwhile(_jpeg: bytes) -> Photo:
        with store.transaction():
            visits.unname(store, person, NOON)
            persons.remove(store, person, NOON, erased=True)
        return Photo(face(7), 0.6, "")

    pack_switch.carry_over(store, OLD, NEW, erased_meanwhile, quietly, NOON)
    assert models_of(store, person) == set()
