"""People and their templates: up to eight views, the different ones; numbers that are never given twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance import persons
from appliance.persons import SAME_VIEW, TEMPLATES_MAX, room_for
from models.faces import Floats
from sync.records import PersonGone, PersonRecord, TemplateGone, TemplateRecord
from tests.appliance.stores import NOON
from tests.appliance.visitors import BOB, MODEL, Shop, a_shop, face, like


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    yield made
    made.store.close()


def learn(shop: Shop, person: str, view: Floats, quality: float = 0.5, origin: str = "visit", model: str = MODEL) -> bool:
    with shop.store.transaction():
        template, _ = persons.learn(shop.store, person, "customer", model, view, quality, origin, None, NOON)
    return template is not None


def create(shop: Shop, name: str = "", role: str = "customer") -> str:
    with shop.store.transaction():
        return persons.create(shop.store, role, NOON, name)


VIEWS = [(like(BOB, 0.8, i), 0.5, "visit") for i in range(TEMPLATES_MAX)]
ENROLLED = [(v, q, "enrolled") for v, q, _ in VIEWS]
CROWDED = [*VIEWS[:-1], (like(BOB, 0.99, 0), 0.5, "visit")]
OUTSIDE = like(BOB + 1, 0.9)


@pytest.mark.parametrize(
    ("view", "quality", "own", "expected"),
    [
        (face(BOB), 0.5, [], (True, [])),
        (like(BOB, 0.8, 1), 0.5, VIEWS[:1], (True, [])),
        (VIEWS[0][0], 0.5, VIEWS[:2], (False, [])),
        (VIEWS[0][0], 0.6, VIEWS[:2], (True, [0])),
        (VIEWS[0][0], 0.9, ENROLLED[:2], (False, [])),
        (OUTSIDE, 0.1, CROWDED, (True, [TEMPLATES_MAX - 1])),
        (like(BOB, 0.91, 20), 0.9, VIEWS, (False, [])),
        (OUTSIDE, 0.9, ENROLLED, (False, [])),
        (OUTSIDE, 0.1, [*ENROLLED[:-1], VIEWS[-1]], (True, [TEMPLATES_MAX - 1])),
    ],
    ids=[
        "the first",
        "another view",
        "the same view, no better",
        "the same view, better",
        "the same view as an enrolled one",
        "all places taken: the most like the others goes",
        "all places taken: itself the most like the others",
        "all enrolled",
        "the only learned one goes",
    ],
)
def test_which_views_are_kept(view: Floats, quality: float, own: list[tuple[Floats, float, str]], expected: tuple[bool, list[int]]) -> None:
    assert float(VIEWS[0][0] @ VIEWS[1][0]) < SAME_VIEW
    assert room_for(view, quality, own) == expected


def test_at_most_eight_are_kept_and_each_that_goes_is_told(shop: Shop) -> None:
    bob = create(shop)
    kept = [learn(shop, bob, like(BOB, 0.9 - i / 50, i)) for i in range(16)]
    assert sum(kept) > TEMPLATES_MAX and shop.count("templates") == TEMPLATES_MAX
    told = {r.id for r in shop.records() if isinstance(r, TemplateRecord)} - {r.id for r in shop.records() if isinstance(r, TemplateGone)}
    assert told == {row[0] for row in shop.store.db.execute("SELECT id FROM templates").fetchall()}


def test_views_of_another_model_take_nobodys_place(shop: Shop) -> None:
    bob = create(shop)
    for i in range(TEMPLATES_MAX):
        learn(shop, bob, like(BOB, 0.8, i), model="older")
    assert learn(shop, bob, face(BOB))
    assert [len(persons.all_templates(shop.store, m)) for m in (MODEL, "older")] == [1, TEMPLATES_MAX]


def test_a_template_comes_back_from_the_database_as_it_went_in(shop: Shop) -> None:
    bob = create(shop)
    learn(shop, bob, like(BOB, 0.7))
    (template,) = persons.all_templates(shop.store, MODEL)
    assert np.array_equal(template.embedding, like(BOB, 0.7)) and template.person_id == bob
    raw = shop.store.db.execute("SELECT embedding_sealed FROM templates").fetchone()[0]
    assert like(BOB, 0.7).tobytes()[:16] not in raw


def test_visitor_numbers_are_never_used_again(shop: Shop) -> None:
    first, second = create(shop), create(shop)
    with shop.store.transaction():
        persons.remove(shop.store, second, NOON)
    third = create(shop)
    assert [shop.person(p).number for p in (first, third)] == [1, 3]
    with pytest.raises(LookupError):
        persons.label(shop.store, second)


def test_a_removed_person_is_told_with_every_template(shop: Shop) -> None:
    bob = create(shop, "Bob")
    learn(shop, bob, face(BOB))
    with shop.store.transaction():
        persons.remove(shop.store, bob, NOON)
    gone, last = shop.records()[-2:]
    assert isinstance(gone, TemplateGone) and isinstance(last, PersonGone) and last.id == bob
    assert (shop.count("persons"), shop.count("templates")) == (0, 0)


@pytest.mark.parametrize(("name", "label"), [("", "Visitor 1"), ("Bob", "Bob"), ("Visitor Centre", "Visitor Centre")])
def test_a_name_is_told_as_given_and_sealed_at_rest(shop: Shop, name: str, label: str) -> None:
    bob = create(shop, name)
    assert persons.label(shop.store, bob) == label
    (told,) = [r for r in shop.records() if isinstance(r, PersonRecord)]
    assert told.name == name
    raw = shop.store.db.execute("SELECT name_sealed FROM persons").fetchone()[0]
    assert raw is None if not name else name.encode() not in raw


def test_people_are_listed_last_seen_first_and_by_role(shop: Shop) -> None:
    alice, bob = create(shop, "Alice", "staff"), create(shop, "Bob")
    with shop.store.transaction() as db:
        db.execute("UPDATE persons SET last_seen_ms = ? WHERE id = ?", [NOON, alice])
    assert [p.id for p in persons.list_persons(shop.store)] == [alice, bob]
    assert [p.id for p in persons.list_persons(shop.store, "customer")] == [bob]
