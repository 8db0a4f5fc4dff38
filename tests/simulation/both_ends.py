"""Whether a store and headquarters have the same: every visit once and as the store has it, and everybody whom the store can tell apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Execute = Callable[[str], Any]
"""Of the store's SQLite."""
Rows = Callable[[str, list[str]], list[tuple[Any, ...]]]
"""Of the hub's PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`first`: the id of the first row that differs."""

    words: str
    first: str


def _ms(column: str) -> str:
    return f"round(extract(epoch FROM {column}) * 1000)::bigint"


COMPARED = (
    (
        "visits",
        "SELECT id, person_id, verdict, state = 'settled', first_seen_ms, last_seen_ms, visit_number FROM visits",
        f"""SELECT id, person_id, verdict, settled, {_ms("first_seen_at")}, {_ms("last_seen_at")}, visit_number FROM visits
            WHERE appliance_id = %s""",
    ),
    (
        "persons",
        "SELECT id, number, role, first_seen_ms, last_seen_ms, visit_count FROM persons WHERE role <> 'opted_out'",
        f"""SELECT id, number, role, {_ms("first_seen_at")}, {_ms("last_seen_at")}, visit_count FROM persons
            WHERE appliance_id = %s AND role <> 'opted_out'""",
    ),
    (
        "templates",
        """SELECT t.id, t.person_id FROM templates t JOIN persons p ON p.id = t.person_id
            WHERE p.role <> 'opted_out' AND NOT t.set_aside""",
        """SELECT t.id, t.person_id FROM templates t JOIN persons p ON p.tenant_id = t.tenant_id AND p.id = t.person_id
            WHERE p.appliance_id = %s AND p.role <> 'opted_out'""",
    ),
    (
        "counts of opted-out visits",
        "SELECT day, visits FROM opted_out_counts",
        "SELECT day::text, visits FROM opted_out_counts WHERE appliance_id = %s",
    ),
)
"""What it is, at the store, at headquarters. Who opted out is kept in an opt-out gallery alone, which is not the same on both ends."""


def differences(here: Execute, there: Rows, appliance_id: str) -> Iterator[Difference]:
    for what, at_the_store, at_headquarters in COMPARED:
        mine, theirs = here(at_the_store).fetchall(), there(at_headquarters, [appliance_id])
        if len(theirs) != len({row[0] for row in theirs}):
            yield Difference(f"headquarters has some of its {what} twice", "")
        store, hub = {tuple(map(_plain, row)) for row in mine}, {tuple(map(_plain, row)) for row in theirs}
        if store != hub:
            only_here, only_there = sorted(store - hub, key=str)[:3], sorted(hub - store, key=str)[:3]
            first = str((only_here or only_there)[0][0])
            yield Difference(f"{what} differ. At the store: {only_here}. At headquarters: {only_there}", first)
    pairs = {tuple(row) for row in here("SELECT person_a, person_b FROM apart").fetchall()}
    known = {tuple(row) for row in there("SELECT person_a, person_b FROM apart", [])}
    if missing := pairs - known:
        yield Difference(f"{len(missing)} pairs of people who are not one are not known at headquarters", sorted(missing)[0][0])
    chain = dict(here("SELECT person_id, identity_id FROM chain").fetchall())
    linked = dict(there("SELECT id, identity_id FROM persons WHERE appliance_id = %s AND role <> 'opted_out'", [appliance_id]))
    if wrong := sorted(person for person in chain if linked.get(person) != chain[person]):
        told = [(person[-7:], chain[person][-7:], str(linked.get(person))[-7:]) for person in wrong]
        yield Difference(f"what it was told of its people is not what headquarters knows (person, told, known): {told}", wrong[0])


def _plain(value: object) -> object:
    return int(value) if isinstance(value, bool) else value
