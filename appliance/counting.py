"""Sightings of a camera that only counts: each is a visit of its own, by nobody, in the log and told to headquarters. No person, template
or picture comes of one, and nobody is asked about it at review.
"""

from __future__ import annotations

from appliance import visits
from appliance.database import Store
from appliance.identity import Decision, Verdict
from appliance.outcomes import Outcome
from appliance.sightings import Phase, Sighting

REASON = "counted only: this camera recognises nobody"
"""In the log; a page that lists visits knows a counted one by it."""
NO_GAP_MS = 0
"""Visits are joined by their person, and there is none."""


def receive(store: Store, sighting: Sighting, now_ms: int) -> Outcome:
    """In a transaction of its own. Told twice it is one visit; closed it stays as it is. Raises StoreErrors; then nothing is written."""
    place = visits.place_of(store, sighting.id)
    decision = Decision(Verdict.UNSURE, None, None, None, None, 0.0, REASON)
    latency = place.logged_after_ms if place else max(0, now_ms - sighting.first_shot_ms)
    closed = sighting.phase is Phase.CLOSED
    if place and place.settled:
        return Outcome(sighting.id, place.visit_id, None, place.verdict, decision, True, False, latency)
    with store.transaction():
        visit_id = visits.put(
            store,
            sighting,
            decision,
            None,
            settled=closed,
            gap_ms=NO_GAP_MS,
            logged_after_ms=latency,
            embedding=None,
            now_ms=now_ms,
        )
    return Outcome(sighting.id, visit_id, None, decision.verdict.value, decision, closed, place is None, latency)
