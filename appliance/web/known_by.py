"""What a person is known by: their templates, how well each fits the others, and whether cameras know them less surely than they did."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from appliance import persons
from appliance.database import Store
from appliance.review_finding import VIEWS_MIN, likenesses

DRIFT_VISITS = 10
"""First and last visits that are compared: fewer differ by chance."""
DRIFT = 0.06
"""How much the mean must fall to be said. Likenesses of one person's visits vary by about .1, so means of ten by .03: twice that."""
LATEST_MAX = 400
"""Visits that are read: staff have thousands."""


@dataclass(frozen=True, slots=True)
class TemplateLine:
    """`visit_id`: the visit it was learned from, while that is there; `fits`: its likeness to the others, None for one that is compared
    with none."""

    origin: str
    created_ms: int
    quality: float
    model: str
    set_aside: bool
    visit_id: str | None
    fits: float | None


@dataclass(frozen=True, slots=True)
class Drift:
    """How near a person was to their templates at ten visits, and at the last ten."""

    before: float
    lately: float

    @property
    def tells(self) -> bool:
        return self.lately < self.before - DRIFT


def read_templates(connection: sqlite3.Connection, store: Store, person_id: str, model: str) -> list[TemplateLine]:
    rows = connection.execute(
        """SELECT t.id, t.origin, t.created_ms, t.quality, t.model, t.set_aside, v.id FROM templates t
            LEFT JOIN visits v ON v.id = t.visit_id WHERE t.person_id = ? ORDER BY t.created_ms DESC, t.id""",
        (person_id,),
    ).fetchall()
    fits = _fits(store, person_id, model)
    return [TemplateLine(origin, at, quality, of, bool(aside), visit, fits.get(i)) for i, origin, at, quality, of, aside, visit in rows]


def read_drift(connection: sqlite3.Connection, person_id: str) -> Drift | None:
    """None while there are too few visits to say."""
    rows = connection.execute(
        """SELECT (SELECT max(s.similarity) FROM sightings s WHERE s.visit_id = v.id AND s.nearest_person_id = ?1 AND s.verdict = 'known')
            FROM visits v WHERE v.person_id = ?1 ORDER BY v.last_seen_ms DESC LIMIT ?2""",
        (person_id, LATEST_MAX),
    ).fetchall()
    alike = [value for (value,) in rows if value is not None]
    if len(alike) < 2 * DRIFT_VISITS:
        return None
    return Drift(sum(alike[-DRIFT_VISITS:]) / DRIFT_VISITS, sum(alike[:DRIFT_VISITS]) / DRIFT_VISITS)


def _fits(store: Store, person_id: str, model: str) -> dict[str, float]:
    """Of each template that takes part: the mean likeness to the two nearest others, or to the only other."""
    own = [template for template, _, _ in persons.templates_of(store, person_id, model)]
    if len(own) < 2:
        return {}
    if len(own) < VIEWS_MIN:
        return dict.fromkeys((t.id for t in own), float(own[0].embedding @ own[1].embedding))
    return dict(zip((t.id for t in own), likenesses([t.embedding for t in own]).tolist(), strict=True))
