"""Visits that nobody was named for, looked at once more when somebody resembling them has shown a new view: the doubt may be over.

Decided by the same bars and rules as a visitor at the door. Whoever was before the same camera at the same time is somebody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance import called_different, rejected_looks, visits
from appliance.database import Store
from appliance.gallery import UNSURE_KEY, Gallery
from appliance.identity import Evidence, Policy, Thresholds, Verdict, decide
from appliance.rejected_looks import Rejected

REASON = "resembles a view that was learned since"
NAMED_MAX = 3
"""Visits named by one new view. More at once would be a view that resembles everybody."""


@dataclass(frozen=True, slots=True)
class Named:
    """An unnamed visit that is somebody's. `visit_id`: as it was; `similarity`, `bar`: why."""

    visit_id: str
    similarity: float
    bar: float


def again(
    store: Store, gallery: Gallery, person_id: str, bars: Thresholds, policy: Policy, rejected: Rejected, gap_ms: int, now_ms: int
) -> tuple[str, ...]:
    """Names what is now known to be this person's, in a transaction of its own, and the gallery follows; the visits' ids as they were."""
    found = theirs(store, gallery, person_id, bars, policy, rejected)
    if not found:
        return ()
    with store.transaction():
        named = name(store, person_id, found, gap_ms, now_ms)
    for visit_id in named:
        gallery.remove_person(UNSURE_KEY + visit_id)
    return tuple(named)


def theirs(
    store: Store, gallery: Gallery, person_id: str, bars: Thresholds, policy: Policy, rejected: Rejected
) -> list[Named]:
    """Unnamed visits that are this person's as far as they look, and that nobody said are not, most alike first."""
    found = []
    for template in gallery.resembling(person_id, "unsure", min(bars.match, bars.staff)):
        visit_id, look = template.person_id.removeprefix(UNSURE_KEY), template.embedding
        others = [c for c in gallery.search(look) if c.role != "unsure"]
        out = {*rejected_looks.ruled_out(rejected, others, look, bars.match), *called_different.not_they(store, visit_id)}
        decision = decide(others, Evidence(0, 0, others=out, apart=called_different.pairs(store, others, bars.match)), bars, policy)
        if decision.verdict is Verdict.KNOWN and decision.person_id == person_id and decision.similarity is not None:
            found.append(Named(visit_id, decision.similarity, decision.bar))
    return sorted(found, key=lambda one: -one.similarity)[:NAMED_MAX]


def name(store: Store, person_id: str, found: Sequence[Named], gap_ms: int, now_ms: int) -> list[str]:
    """Gives these visits to the person; the ids of those that were theirs to have. In the caller's transaction."""
    done = []
    for one in found:
        if not visits.is_unnamed(store, one.visit_id) or _beside(store, one.visit_id, person_id):
            continue
        store.db.execute(
            """UPDATE sightings SET verdict = 'known', reason = ?, nearest_person_id = ?, similarity = ?, bar = ?
                WHERE visit_id = ?""",
            [REASON, person_id, one.similarity, one.bar, one.visit_id],
        )
        visits.name_visit(store, one.visit_id, person_id, gap_ms, now_ms)
        done.append(one.visit_id)
    return done


def _beside(store: Store, visit_id: str, person_id: str) -> bool:
    """Whether the person was before the same camera while this visit was."""
    row = store.db.execute(
        """SELECT 1 FROM sightings a JOIN sightings b ON b.camera_id = a.camera_id AND b.began_ms <= a.ended_ms AND b.ended_ms >= a.began_ms
            JOIN visits v ON v.id = b.visit_id WHERE a.visit_id = ?1 AND v.person_id = ?2
            AND v.last_seen_ms >= (SELECT first_seen_ms FROM visits WHERE id = ?1)
            AND v.first_seen_ms <= (SELECT last_seen_ms FROM visits WHERE id = ?1) LIMIT 1""",
        [visit_id, person_id],
    ).fetchone()
    return row is not None
