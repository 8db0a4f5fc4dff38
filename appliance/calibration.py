"""How much more often strangers resemble one another at this site than on the photos that the model was measured with, from what people
answered at review and took back. The bars are chosen that much stricter; never looser than the model's own.

A ratchet: what was found once holds for that model, because stricter bars no longer bring up the pairs that it was found by.
"""

from __future__ import annotations

import sqlite3

from appliance.database import Store
from appliance.review import DIFFERENT, DUPLICATE

WRONG_MIN = 5
"""Fewer mistakes than this are chance, whatever was expected."""
STRICTNESS_MAX = 20.0
"""Of a bar .07 higher with the pack `open`. More would be somebody who calls everything different."""
GROWS = 1.05
"""Less is not worth another set of bars."""
LEAST_SIGMA = 1.645
"""Of so many mistakes seen, at least this many standard deviations fewer are believed: 95 times in 100 the true rate is above."""


def stored(connection: sqlite3.Connection, model: str) -> float:
    """1 for a site that was never found to be harder."""
    row = connection.execute("SELECT value FROM settings WHERE key = ?", [_key(model)]).fetchone()
    return float(row[0]) if row else 1.0


def found(connection: sqlite3.Connection, false_match: float, searched: int) -> float:
    """How many times the chance of a false match is what it was chosen to be, as far as the answers prove it: 1 to STRICTNESS_MAX.
    `searched`: searches that could have gone wrong, of views that were compared with all others and of people who were new."""
    (wrong_pairs,) = connection.execute(
        "SELECT count(*) FROM review WHERE kind = ? AND decision = ? AND similarity >= bar", [DUPLICATE, DIFFERENT]
    ).fetchone()
    (wrong_visits,) = connection.execute("SELECT count(*) FROM audit WHERE what = 'split'").fetchone()
    wrong = wrong_pairs + wrong_visits
    if wrong < WRONG_MIN:
        return 1.0
    surely = wrong - LEAST_SIGMA * wrong**0.5
    expected = max(false_match * searched, 1e-9)
    return float(min(STRICTNESS_MAX, max(1.0, surely / expected)))


def renewed(store: Store, model: str, false_match: float, searched: int) -> float:
    """What holds from now on; written where it has grown."""
    before, now = stored(store.db.conn, model), found(store.db.conn, false_match, searched)
    if now <= before * GROWS:
        return before
    with store.transaction() as db:
        db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", [_key(model), f"{now:.3f}"])
    return now


def _key(model: str) -> str:
    return f"strictness:{model}"
