"""The visit log: the tables `visits` and `sightings`. A visit is what its sightings say; it is recomputed from them at every change.

The same person again within the gap is the same visit, on any camera of the site. Every change writes its record for the hub in the
transaction it is made in; callers bring an open one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import uuid_utils

from appliance import estimates, persons
from appliance.database import Store
from appliance.identity import Decision, Verdict
from appliance.sightings import Sighting
from models.faces import Floats
from sync.records import OptedOutCount, VisitGone, VisitRecord


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One line of the log. `label`: the person's name or number, or "Somebody". `nearest`: whom an unsure one resembles."""

    id: str
    person_id: str | None
    label: str
    verdict: str
    settled: bool
    first_seen_ms: int
    last_seen_ms: int
    visit_number: int
    cameras: list[str]
    reason: str
    nearest: str | None
    similarity: float | None
    bar: float | None
    shots: int
    snapshot: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sighting stands now: its visit and that visit's person."""

    visit_id: str
    person_id: str | None
    verdict: str
    settled: bool
    """Of the sighting, not of the whole visit."""
    logged_after_ms: int


def place_of(store: Store, sighting_id: str) -> Place | None:
    row = store.db.execute(
        """SELECT v.id, v.person_id, v.verdict, s.settled, coalesce(s.logged_after_ms, 0)
            FROM sightings s JOIN visits v ON v.id = s.visit_id WHERE s.id = ?""",
        [sighting_id],
    ).fetchone()
    return Place(row[0], row[1], row[2], bool(row[3]), row[4]) if row else None


def decision_of(store: Store, sighting_id: str) -> Decision:
    """Why a sighting of the log stands where it stands."""
    verdict, reason, nearest_id, similarity, bar, person_id, role = store.db.execute(
        """SELECT s.verdict, s.reason, s.nearest_person_id, s.similarity, s.bar, v.person_id, p.role FROM sightings s
            JOIN visits v ON v.id = s.visit_id LEFT JOIN persons p ON p.id = v.person_id WHERE s.id = ?""",
        [sighting_id],
    ).fetchone()
    return Decision(Verdict(verdict), person_id, role, nearest_id, similarity, bar, reason)


def running(store: Store, person_id: str, began_ms: int, ended_ms: int, gap_ms: int) -> str | None:
    """The person's visit that a sighting of this time belongs to."""
    row = store.db.execute(
        """SELECT id FROM visits WHERE person_id = ? AND last_seen_ms >= ? AND first_seen_ms <= ? ORDER BY last_seen_ms DESC LIMIT 1""",
        [person_id, began_ms - gap_ms, ended_ms + gap_ms],
    ).fetchone()
    return row[0] if row else None


def put(
    store: Store,
    sighting: Sighting,
    decision: Decision,
    person_id: str | None,
    *,
    settled: bool,
    gap_ms: int,
    logged_after_ms: int,
    embedding: Floats | None,
    now_ms: int,
) -> str:
    """Enters a sighting, or what is newly known of it, and gives its visit's id.

    `embedding`: kept sealed for review, of unsure ones only. The visit that the sighting stood in before is recomputed or gone.
    """
    db, before = store.db, place_of(store, sighting.id)
    visit_id = running(store, person_id, sighting.began_ms, sighting.ended_ms, gap_ms) if person_id else None
    if visit_id is None and before and _alone(store, before.visit_id, sighting.id):
        visit_id = before.visit_id
    if visit_id is None:
        visit_id = str(uuid_utils.uuid7())
        db.execute(
            "INSERT INTO visits (id, person_id, verdict, state, first_seen_ms, last_seen_ms) VALUES (?, ?, 'unsure', 'deciding', ?, ?)",
            [visit_id, person_id, sighting.began_ms, sighting.ended_ms],
        )
    elif before and before.visit_id == visit_id and before.person_id != person_id:
        db.execute("UPDATE visits SET person_id = ? WHERE id = ?", [person_id, visit_id])
    sealed = None
    if embedding is not None:
        sealed = store.vault.seal(embedding.astype("<f4").tobytes(), table="sightings", column="embedding", row=sighting.id)
    db.execute(
        """INSERT INTO sightings (id, visit_id, camera_id, began_ms, ended_ms, shots, face_width_px, model, verdict, reason,
            nearest_person_id, similarity, bar, logged_after_ms, embedding_sealed, settled)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET visit_id = excluded.visit_id, ended_ms = excluded.ended_ms, shots = excluded.shots,
            face_width_px = excluded.face_width_px, verdict = excluded.verdict, reason = excluded.reason,
            nearest_person_id = excluded.nearest_person_id, similarity = excluded.similarity, bar = excluded.bar,
            embedding_sealed = excluded.embedding_sealed, settled = excluded.settled""",
        [
            sighting.id,
            visit_id,
            sighting.camera_id,
            sighting.began_ms,
            sighting.ended_ms,
            sighting.shot_count,
            sighting.portrait_width_px,
            sighting.model,
            decision.verdict.value,
            decision.reason,
            decision.nearest_id,
            decision.similarity,
            None if sighting.counted_only else decision.bar,
            logged_after_ms,
            sealed,
            int(settled),
        ],
    )
    estimates.note(store, sighting)
    moved = before is not None and before.visit_id != visit_id
    if before and moved:
        refresh(store, before.visit_id, now_ms)
    refresh(store, visit_id, now_ms, before.person_id if before and not moved else None)
    if person_id:
        join_neighbours(store, visit_id, person_id, gap_ms, now_ms)
    return visit_id


def is_unnamed(store: Store, visit_id: str) -> bool:
    """Whether there is such a visit and it is nobody's."""
    return store.db.execute("SELECT 1 FROM visits WHERE id = ? AND person_id IS NULL", [visit_id]).fetchone() is not None


def name_visit(store: Store, visit_id: str, person_id: str, gap_ms: int, now_ms: int) -> str:
    """Says whose an unnamed visit was; gives the visit it is now part of."""
    first_ms, last_ms = store.db.execute("SELECT first_seen_ms, last_seen_ms FROM visits WHERE id = ?", [visit_id]).fetchone()
    target = running(store, person_id, first_ms, last_ms, gap_ms)
    if target is None:
        store.db.execute("UPDATE visits SET person_id = ? WHERE id = ?", [person_id, visit_id])
        target = visit_id
    else:
        store.db.execute("UPDATE sightings SET visit_id = ? WHERE visit_id = ?", [target, visit_id])
        refresh(store, visit_id, now_ms)
    store.db.execute("UPDATE sightings SET embedding_sealed = NULL WHERE visit_id = ?", [target])
    refresh(store, target, now_ms)
    join_neighbours(store, target, person_id, gap_ms, now_ms)
    return target


def join_neighbours(store: Store, visit_id: str, person_id: str, gap_ms: int, now_ms: int) -> None:
    """A visit that grew may have come within the gap of the person's next one: then both were one. Its larger picture stays; the file
    of the other is the nightly sweep's."""
    db = store.db
    while True:
        first_ms, last_ms = db.execute("SELECT first_seen_ms, last_seen_ms FROM visits WHERE id = ?", [visit_id]).fetchone()
        near = db.execute(
            """SELECT id, snapshot, snapshot_width_px FROM visits WHERE person_id = ? AND id <> ? AND last_seen_ms >= ?
                AND first_seen_ms <= ? ORDER BY last_seen_ms DESC LIMIT 1""",
            [person_id, visit_id, first_ms - gap_ms, last_ms + gap_ms],
        ).fetchone()
        if near is None:
            return
        other, picture, width_px = near
        db.execute("UPDATE sightings SET visit_id = ? WHERE visit_id = ?", [visit_id, other])
        db.execute("UPDATE templates SET visit_id = ? WHERE person_id = ? AND visit_id = ?", [visit_id, person_id, other])
        db.execute(
            "UPDATE visits SET snapshot = ?, snapshot_width_px = ? WHERE id = ? AND snapshot_width_px < ?",
            [picture, width_px, visit_id, width_px if picture else 0],
        )
        refresh(store, other, now_ms)
        refresh(store, visit_id, now_ms)


def forget_sighting(store: Store, sighting_id: str, now_ms: int) -> None:
    """Takes a sighting out of the log, and its visit with it when there is nothing else in that."""
    place = place_of(store, sighting_id)
    if place:
        store.db.execute("DELETE FROM sightings WHERE id = ?", [sighting_id])
        refresh(store, place.visit_id, now_ms)


def count_opted_out(store: Store, day: str, now_ms: int) -> None:
    """All that is kept of a visit by somebody who opted out."""
    store.db.execute("INSERT INTO opted_out_counts VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET visits = visits + 1", [day])
    (visits,) = store.db.execute("SELECT visits FROM opted_out_counts WHERE day = ?", [day]).fetchone()
    store.record(OptedOutCount(day=day, visits=visits), now_ms)


def unname(store: Store, person_id: str, now_ms: int) -> None:
    """A person's visits stay counted and are nobody's: to be called before the person is removed."""
    for (visit_id,) in store.db.execute("SELECT id FROM visits WHERE person_id = ?", [person_id]).fetchall():
        store.db.execute("UPDATE visits SET person_id = NULL WHERE id = ?", [visit_id])
        refresh(store, visit_id, now_ms)


def refresh(store: Store, visit_id: str, now_ms: int, was: str | None = None) -> None:
    """Brings a visit in line with its sightings, and its person with their visits; a visit without sightings is gone.

    `was`: the person whose visit it was until now.
    """
    db = store.db
    person_id, verdict, number, since_ms, began_ms, ended_ms, settled, estimated = db.execute(
        """SELECT v.person_id, v.verdict, v.visit_number, v.first_seen_ms, min(s.began_ms), max(s.ended_ms), max(s.settled),
            max(coalesce(s.estimated, 0) > 0 OR v.gender_share IS NOT NULL)
            FROM visits v LEFT JOIN sightings s ON s.visit_id = v.id WHERE v.id = ? GROUP BY v.id""",
        [visit_id],
    ).fetchone()
    if began_ms is None:
        db.execute("DELETE FROM visits WHERE id = ?", [visit_id])
        store.record(VisitGone(id=visit_id), now_ms)
    else:
        since_ms = min(since_ms, began_ms)
        db.execute(
            "UPDATE visits SET first_seen_ms = ?, last_seen_ms = ?, state = ? WHERE id = ?",
            [began_ms, ended_ms, "settled" if settled else "deciding", visit_id],
        )
        if estimated:
            estimates.gather(store, visit_id)
        if person_id is None and (verdict, number) != ("unsure", 0):
            db.execute("UPDATE visits SET verdict = 'unsure', visit_number = 0 WHERE id = ?", [visit_id])
    renumbered = [i for person in dict.fromkeys((was, person_id)) if person for i in _number(store, person, since_ms)]
    changed = [visit_id] if began_ms is not None else []
    for other in dict.fromkeys(changed + renumbered):
        tell(store, other, now_ms)
    for person in dict.fromkeys((was, person_id)):
        if person:
            persons.count_visits(store, person, now_ms)


def renumber(store: Store, person_id: str, now_ms: int, also: Sequence[str] = ()) -> None:
    """Says anew of all visits of a person which each is, after their role or the set of visits changed. `also`: visits told in any case."""
    changed = _number(store, person_id, 0)
    for visit_id in dict.fromkeys([*also, *changed]):
        tell(store, visit_id, now_ms)
    persons.count_visits(store, person_id, now_ms)


def settle_left_over(store: Store, now_ms: int, camera_id: str | None = None) -> int:
    """At a start, or after a camera's process died (`camera_id`): sightings that nobody will close any more stay as they were last told.
    How many visits they were of."""
    with store.transaction() as db:
        left = db.execute(
            "SELECT DISTINCT visit_id FROM sightings WHERE NOT settled AND (? IS NULL OR camera_id = ?)", [camera_id, camera_id]
        ).fetchall()
        for (visit_id,) in left:
            db.execute(
                "UPDATE sightings SET settled = 1 WHERE visit_id = ? AND (? IS NULL OR camera_id = ?)", [visit_id, camera_id, camera_id]
            )
            refresh(store, visit_id, now_ms)
    return len(left)


def unsure_looks(store: Store, model: str, limit: int, visit_id: str | None = None) -> list[tuple[str, Floats]]:
    """Visit id and (D,) embedding of the newest visits that nobody was named for, or of one."""
    rows = store.db.execute(
        """SELECT s.id, s.visit_id, s.embedding_sealed FROM sightings s JOIN visits v ON v.id = s.visit_id
            WHERE v.person_id IS NULL AND s.model = ?1 AND s.embedding_sealed IS NOT NULL AND (?3 IS NULL OR v.id = ?3)
            ORDER BY s.began_ms DESC LIMIT ?2""",
        [model, limit, visit_id],
    ).fetchall()
    return [
        (visit_id, np.frombuffer(store.vault.unseal(sealed, table="sightings", column="embedding", row=i), "<f4").astype(np.float32))
        for i, visit_id, sealed in rows
    ]


def recent(store: Store, limit: int = 50, since_ms: int = 0, before_ms: int | None = None) -> list[VisitRow]:
    """Visits, newest first."""
    rows = store.db.execute(
        """SELECT id, person_id, verdict, state, first_seen_ms, last_seen_ms, visit_number, snapshot FROM visits
            WHERE first_seen_ms >= ? AND (? IS NULL OR first_seen_ms < ?) ORDER BY first_seen_ms DESC, id DESC LIMIT ?""",
        [since_ms, before_ms, before_ms, limit],
    ).fetchall()
    return [_visit(store, row) for row in rows]


def one(store: Store, visit_id: str) -> VisitRow | None:
    row = store.db.execute(
        """SELECT id, person_id, verdict, state, first_seen_ms, last_seen_ms, visit_number, snapshot FROM visits WHERE id = ?""", [visit_id]
    ).fetchone()
    return _visit(store, row) if row else None


def _visit(store: Store, row: tuple[str, str | None, str, str, int, int, int, str | None]) -> VisitRow:
    visit_id, person_id, verdict, state, first_ms, last_ms, number, snapshot = row
    cameras = [
        name
        for (name,) in store.db.execute(
            """SELECT coalesce(c.name, 'a camera since removed') FROM sightings s LEFT JOIN cameras c ON c.id = s.camera_id
                WHERE s.visit_id = ? GROUP BY s.camera_id ORDER BY min(s.began_ms)""",
            [visit_id],
        ).fetchall()
    ]
    why = store.db.execute(
        """SELECT reason, nearest_person_id, similarity, bar, sum(shots) OVER () FROM sightings WHERE visit_id = ?
            ORDER BY began_ms DESC LIMIT 1""",
        [visit_id],
    ).fetchone() or ("", None, None, None, 0)
    reason, nearest_id, similarity, bar, shots = why
    known = store.db.execute("SELECT 1 FROM persons WHERE id = ?", [nearest_id]).fetchone() if nearest_id else None
    return VisitRow(
        visit_id,
        person_id,
        persons.label(store, person_id) if person_id else "Somebody",
        verdict,
        state == "settled",
        first_ms,
        last_ms,
        number,
        cameras,
        reason,
        persons.label(store, nearest_id) if known and nearest_id else None,
        similarity,
        bar,
        shots,
        snapshot,
    )


def _alone(store: Store, visit_id: str, sighting_id: str) -> bool:
    others = store.db.execute("SELECT 1 FROM sightings WHERE visit_id = ? AND id <> ? LIMIT 1", [visit_id, sighting_id]).fetchone()
    return others is None


def _number(store: Store, person_id: str, since_ms: int) -> list[str]:
    """Says of a person's visits from a time on which of their visits each is, and so whether new, returning or staff; the ids of those
    of which that was not known yet."""
    db = store.db
    (role,) = db.execute("SELECT role FROM persons WHERE id = ?", [person_id]).fetchone()
    (earlier,) = db.execute("SELECT count(*) FROM visits WHERE person_id = ? AND first_seen_ms < ?", [person_id, since_ms]).fetchone()
    # No visit ends before it begins: the bound on its end lets the index skip the years before.
    rows = db.execute(
        """SELECT id, verdict, visit_number FROM visits WHERE person_id = ? AND last_seen_ms >= ? AND first_seen_ms >= ?
            ORDER BY first_seen_ms, id""",
        [person_id, since_ms, since_ms],
    ).fetchall()
    changed = []
    for number, (visit_id, *known) in enumerate(rows, earlier + 1):
        verdict = "staff" if role == "staff" else "returning" if number > 1 else "new"
        if known != [verdict, number]:
            db.execute("UPDATE visits SET verdict = ?, visit_number = ? WHERE id = ?", [verdict, number, visit_id])
            changed.append(visit_id)
    return changed


def tell(store: Store, visit_id: str, now_ms: int) -> None:
    """The hub's record of the visit as it is now."""
    columns = "person_id, verdict, state, first_seen_ms, last_seen_ms, visit_number"
    row = store.db.execute(f"SELECT {columns} FROM visits WHERE id = ?", [visit_id])
    person_id, verdict, state, first_ms, last_ms, number = row.fetchone()
    sightings = store.db.execute(
        "SELECT camera_id, model, reason, similarity, bar FROM sightings WHERE visit_id = ? ORDER BY began_ms", [visit_id]
    ).fetchall()
    _, model, reason, similarity, bar = sightings[-1] if sightings else ("", "", "", None, None)
    store.record(
        VisitRecord(
            id=visit_id,
            person_id=person_id or "",
            verdict=verdict,
            settled=state == "settled",
            first_seen_ms=first_ms,
            last_seen_ms=last_ms,
            visit_number=number,
            cameras=list(dict.fromkeys(camera for camera, *_ in sightings if camera)),
            model=model,
            reason=reason,
            similarity=similarity,
            bar=bar,
        ),
        now_ms,
    )
