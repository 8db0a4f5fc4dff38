"""Whatever a store tells: cut into batches in any way, with or without what a later record replaces, the hub ends with the same rows."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from sync.packing import without_replaced
from sync.records import PersonGone, Record, TemplateGone, VisitGone, encoded
from tests.hub.chain import Chain
from tests.hub.telling import Store, new_id, person, stores, template, visit

COMPARED = {
    "persons": "SELECT id, number, role FROM persons WHERE id = ANY(%s::uuid[]) ORDER BY 1",
    "templates": "SELECT id, person_id FROM templates WHERE person_id = ANY(%s::uuid[]) ORDER BY 1",
    "visits": "SELECT id, person_id, visit_number, reason FROM visits WHERE %s::uuid[] IS NOT NULL ORDER BY 1",
    "tombstones": "SELECT person_id FROM tombstones WHERE %s::uuid[] IS NOT NULL ORDER BY 1",
    "queue": "SELECT person_id FROM resolve_queue WHERE %s::uuid[] IS NOT NULL ORDER BY 1",
}


def story(chance: random.Random, people: Sequence[str], length: int) -> list[Record]:
    """What a store might tell of a few people, in the order it happened; some of it no store would."""
    alive: set[str] = set()
    templates: list[tuple[str, str]] = []
    visits = [new_id() for _ in range(6)]
    told: list[Record] = []
    for number in range(length):
        who = chance.choice(people)
        step = chance.random()
        if who not in alive or step < 0.25:
            role = "opted_out" if step < 0.03 and any(owner == who for _, owner in templates) else "customer"
            told.append(person(who, number=number + 1, role=role))
            alive.add(who)
        elif step < 0.5:
            one = template(who, number)
            told.append(one)
            templates.append((one.id, who))
        elif step < 0.6 and templates:
            template_id, owner = templates.pop(chance.randrange(len(templates)))
            told.append(TemplateGone(id=template_id, person_id=owner))
        elif step < 0.85:
            told.append(visit(chance.choice([who, who, ""]), id=chance.choice(visits), visit_number=number, reason="match"))
        elif step < 0.9:
            told.append(VisitGone(id=chance.choice(visits)))
        else:
            heir = chance.choice([*sorted(alive - {who}), ""])
            told.append(PersonGone(id=who, merged_into=heir, erased=step > 0.98))
            alive.discard(who)
            templates = [(i, owner) for i, owner in templates if owner != who]
    return told


def tell(store: Store, told: Sequence[Record], chance: random.Random, *, drop_replaced: bool) -> None:
    rest = [encoded(one) for one in told]
    while rest:
        size = chance.randint(1, len(rest))
        batch, rest = rest[:size], rest[size:]
        store.tells(*(without_replaced(batch) if drop_replaced else batch))


@pytest.mark.parametrize("seed", range(24))
def test_the_cut_makes_no_difference(chain: Chain, seed: int) -> None:
    chance = random.Random(seed)
    one, _, other = stores(chain)
    people = [f"0193a000-0000-7000-8000-00000000000{number}" for number in range(4)]
    told = story(chance, people, 60)
    tell(one, told, chance, drop_replaced=False)
    tell(other, told, chance, drop_replaced=True)
    for name, query in COMPARED.items():
        assert one.rows(query, people) == other.rows(query, people), f"{name}, seed {seed}"
    assert one.rows("SELECT count(*) FROM persons") != []
