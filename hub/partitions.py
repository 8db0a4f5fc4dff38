"""Partitions of the visits, one a month, made before the month begins. A visit of a month without one goes to `visits_other`, so that
nothing is lost; it moves when the month's partition is made."""

from __future__ import annotations

from datetime import date, datetime

from hub.database import Tx

MONTHS_AHEAD = 3
"""A job that fails for weeks still leaves time."""
MONTHS_BACK = 1
"""Stores that were cut off tell of last month."""


def make_ahead(tx: Tx, now: datetime, *, ahead: int = MONTHS_AHEAD, back: int = MONTHS_BACK) -> list[date]:
    """Makes the months around `now` that are not there; which ones were made. Doing it twice is harmless."""
    made = []
    for offset in range(-back, ahead + 1):
        month = month_of(now, offset)
        row = tx.execute("SELECT make_visits_partition(%s)", [month]).fetchone()
        if row and row[0]:
            made.append(month)
    return made


def month_of(at: datetime, offset: int = 0) -> date:
    """The first of the month of `at`, `offset` months later."""
    months = at.year * 12 + at.month - 1 + offset
    return date(months // 12, months % 12 + 1, 1)
