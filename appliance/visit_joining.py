"""Visits of one person that come within the gap of one another, after many became that person's at once: each run of them is one visit.

`visits.join_neighbours` does it for one visit that grew; for the 3,000 of a merge that would count the person's visits anew 3,000 times.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from appliance.database import Store
from sync.records import VisitGone


@dataclass(frozen=True, slots=True)
class Stay:
    id: str
    first_ms: int
    last_ms: int
    picture: str | None
    width_px: float


def join(store: Store, person_id: str, moved: Collection[str], gap_ms: int, now_ms: int) -> list[str]:
    """Runs with a visit of `moved` in them become its first such visit, with the largest picture; the visits of `moved` that are left.
    Their numbers and the person's count are the caller's (`visits.renumber`). The files of other pictures are the nightly sweep's."""
    came = set(moved)
    left = []
    for run in _runs(_stays(store, person_id), gap_ms):
        stays = next((stay for stay in run if stay.id in came), None)
        if stays is None:
            continue
        left.append(stays.id)
        if len(run) > 1:
            _one(store, person_id, stays, run, now_ms)
    return left


def _stays(store: Store, person_id: str) -> list[Stay]:
    rows = store.db.execute(
        "SELECT id, first_seen_ms, last_seen_ms, snapshot, snapshot_width_px FROM visits WHERE person_id = ? ORDER BY first_seen_ms, id",
        [person_id],
    ).fetchall()
    return [Stay(*row) for row in rows]


def _runs(stays: list[Stay], gap_ms: int) -> Iterator[list[Stay]]:
    """`stays`: in order of time."""
    run: list[Stay] = []
    until_ms = 0
    for stay in stays:
        if run and stay.first_ms > until_ms + gap_ms:
            yield run
            run = []
        until_ms = max(until_ms, stay.last_ms) if run else stay.last_ms
        run.append(stay)
    if run:
        yield run


def _one(store: Store, person_id: str, stays: Stay, run: list[Stay], now_ms: int) -> None:
    db = store.db
    others = [stay.id for stay in run if stay.id != stays.id]
    widest = max(run, key=lambda stay: (stay.width_px if stay.picture else 0, stay.id == stays.id))
    for other in others:
        db.execute("UPDATE sightings SET visit_id = ? WHERE visit_id = ?", [stays.id, other])
        db.execute("UPDATE templates SET visit_id = ? WHERE person_id = ? AND visit_id = ?", [stays.id, person_id, other])
        db.execute("DELETE FROM visits WHERE id = ?", [other])
        store.record(VisitGone(id=other), now_ms)
    if widest.picture:
        db.execute("UPDATE visits SET snapshot = ?, snapshot_width_px = ? WHERE id = ?", [widest.picture, widest.width_px, stays.id])
    align(store, stays.id)


def align(store: Store, visit_id: str) -> None:
    """Brings a visit's times in line with its sightings, of which it has some; `visits.refresh` without what follows for its person."""
    store.db.execute(
        """UPDATE visits SET (first_seen_ms, last_seen_ms, state) = (SELECT min(began_ms), max(ended_ms),
            iif(max(settled), 'settled', 'deciding') FROM sightings WHERE visit_id = visits.id) WHERE id = ?""",
        [visit_id],
    )
