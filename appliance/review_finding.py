"""Looks through the gallery for what somebody should decide: two persons that look alike, and views that do not resemble their own person.

Each view is looked at once after it was learned, a few at a time on the reception's thread, which visitors wait for. How far it came is
remembered, so a start goes on where the last one ended. While enough cases wait it rests, and nothing is passed over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from appliance import merging, persons, review
from appliance.database import Store
from appliance.gallery import Gallery, Template
from appliance.identity import Thresholds
from appliance.review import DUPLICATE, TEMPLATE
from models.bars import Bars
from models.faces import Floats

PIECE = 2
"""Views looked at in one go, for which a visitor waits: each is a search, 40 to 60 ms among 200,000 templates on a busy machine."""
OPEN_MAX = 100
"""Duplicates that wait at once: an evening's work. More would be there longer than anybody remembers the faces."""
VIEWS_MIN = 3
"""Of two views that do not resemble one another nobody can say which is the wrong one."""
STRAY_FAR = 0.05
"""A view that resembles its own person less than one stranger in twenty does is set aside at once."""
DOUBTFUL_FAR = 0.002
"""A view that resembles its own person less than one stranger in 500 does is shown to somebody."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a piece. `keys`: the gallery's persons that are other now."""

    more: bool
    keys: list[str]


def look_through(store: Store, gallery: Gallery, bars: Bars, thresholds: Thresholds, now_ms: int) -> Looked:
    """The next piece, in one transaction. Where the gallery is: `Recognition.renew` must follow before the next sighting."""
    with store.transaction() as db:
        key = f"reviewed_through:{gallery.model}"
        (after,) = db.execute("SELECT value FROM settings WHERE key = ?", [key]).fetchone() or ("",)
        if review.count_open(db.conn, DUPLICATE) >= OPEN_MAX:
            return Looked(False, [])
        rows = db.execute(
            """SELECT t.id, t.person_id FROM templates t WHERE t.id > ? AND t.model = ? ORDER BY t.id LIMIT ?""",
            [after, gallery.model, PIECE],
        ).fetchall()
        if not rows:
            return Looked(False, [])
        strays = []
        for person_id in dict.fromkeys(person_id for _, person_id in rows):
            if _strays(store, gallery, person_id, bars, now_ms):
                strays.append(person_id)
        held = {t.id: t for _, person_id in rows for t in gallery.of(person_id)}
        for template_id, _ in rows:
            if template_id in held:
                _doubles(store, gallery, held[template_id], thresholds, now_ms)
        db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", [key, rows[-1][0]])
    return Looked(len(rows) == PIECE, strays)


def _doubles(store: Store, gallery: Gallery, view: Template, thresholds: Thresholds, now_ms: int) -> None:
    """Whoever resembles this view as much as it takes to be named, and is somebody else."""
    role = gallery.role_of(view.person_id)
    if role not in ("customer", "staff"):
        return
    for other in gallery.search(view.embedding):
        if other.similarity < thresholds.match:
            return
        if other.person_id != view.person_id and other.role == role and not merging.are_apart(store, view.person_id, other.person_id):
            first, second = sorted((view.person_id, other.person_id))
            review.ask(store, DUPLICATE, first, second, other.similarity, thresholds.mint, thresholds.match, now_ms)


def _strays(store: Store, gallery: Gallery, person_id: str, bars: Bars, now_ms: int) -> bool:
    """Whether a view was set aside. What somebody chose, or said was right, is asked about and never set aside unasked."""
    own = persons.templates_of(store, person_id, gallery.model)
    if len(own) < VIEWS_MIN or own[0][0].role == "opted_out":
        return False
    low, bar = bars.bar_at(STRAY_FAR), bars.bar_at(DOUBTFUL_FAR)
    alike_all = likenesses([t.embedding for t, _, _ in own])
    worst = int(np.argmin(alike_all))
    (template, _, origin), alike = own[worst], float(alike_all[worst])
    if alike < low and origin == "visit" and not _called_right(store, template.id):
        persons.set_aside(store, template.id, True, now_ms)
        return True
    if alike < bar:
        review.ask(store, TEMPLATE, template.id, person_id, alike, low, bar, now_ms)
    return False


def likenesses(views: list[Floats]) -> Floats:
    """(N,) of each view the mean cosine to the two others that are most like it, as a search would score it. At least three views."""
    vectors = np.stack(views)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -np.inf)
    return np.asarray(np.sort(alike, axis=1)[:, -2:].mean(axis=1), np.float32)


def _called_right(store: Store, template_id: str) -> bool:
    row = store.db.execute(
        "SELECT 1 FROM review WHERE kind = ? AND subject = ? AND decision IS NOT NULL", [TEMPLATE, template_id]
    ).fetchone()
    return row is not None
