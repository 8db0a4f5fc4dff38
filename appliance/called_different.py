"""What recognition makes of persons and visits that somebody called different: they are never taken for one another.

Two questions to the database, asked only where two are near enough to matter, so that what is decided counts from the next look on.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance import merging
from appliance.database import Store
from appliance.gallery import UNSURE_KEY, Candidate
from appliance.identity import MARGIN

REASON = "called different at review"


def ruled_out(store: Store, candidates: Sequence[Candidate], bar: float) -> set[str]:
    """Persons whom this cannot be: it looks like an earlier visit of which somebody said that it was not they, more than them."""
    likeness = {c.person_id: c.similarity for c in candidates}
    return {
        person
        for look in candidates
        if look.role == "unsure" and look.similarity >= bar
        for person in not_they(store, look.person_id.removeprefix(UNSURE_KEY))
        if likeness.get(person, -1.0) <= look.similarity
    }


def not_they(store: Store, visit_id: str) -> list[str]:
    """Persons of whom somebody said that an unnamed visit was not theirs."""
    rows = store.db.execute(
        "SELECT person_id FROM review WHERE kind = 'visit' AND subject = ? AND decision = 'different'", [visit_id]
    ).fetchall()
    return [merging.now_called(store, person_id) for (person_id,) in rows]


def pairs(store: Store, candidates: Sequence[Candidate], bar: float) -> set[frozenset[str]]:
    """Of those that are near enough to be named, or nearly, each two whom somebody called different."""
    near = [c.person_id for c in candidates if c.similarity >= bar - MARGIN and c.role in ("customer", "staff")]
    if len(near) < 2:
        return set()
    found = ((one, other) for i, one in enumerate(near) for other in near[i + 1 :])
    return {frozenset(pair) for pair in found if merging.are_apart(store, *pair)}


def keep_apart(store: Store, visit_id: str, person_id: str, now_ms: int) -> None:
    """An unnamed visit has become a person's: they are not those that the visit was told from."""
    for other in not_they(store, visit_id):
        if other != person_id and store.db.execute("SELECT 1 FROM persons WHERE id = ?", [other]).fetchone():
            merging.apart(store, person_id, other, REASON, now_ms)
