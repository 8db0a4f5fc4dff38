"""The report's headline figures, each beside the same length of time before."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from appliance.reports import tables, tallies
from appliance.reports.questions import Question
from appliance.reports.tables import Answered, percent
from ui import formats
from ui.words import gettext as _

SHARE_MIN = 20
"""Visits before, for a change to be said in percent: below, one family is a boom."""

COUNTED_MAX = 60_000
"""Visits of a period that is over, to count its people: 40 ms."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`beside`: what it is to be compared with, in words; empty where there is nothing."""

    name: str
    words: str
    value: str
    beside: str


def figures(connection: sqlite3.Connection, of: Answered, zone: ZoneInfo) -> list[Figure]:
    asked, counts = of.asked, of.counts
    by_day = counts.hours.sum((1, 2)) + counts.opted_out
    visits = int(by_day[of.chosen].sum())
    new, back, _unsure = map(int, counts.hours[of.chosen].sum((0, 2)))
    days = int(of.whole.sum())
    people = _people(connection, asked, zone, visits) if not asked.camera and asked.week == "all" else None
    mean = float(by_day[of.whole].mean()) if days else 0.0
    return [
        Figure("visits", _("Visits"), formats.number(visits), _compared(connection, of, zone)),
        *([people] if people else []),
        Figure(
            "returning",
            _("Came back"),
            percent(back / (new + back)) if new + back else "–",
            _("%(new)s first visits, %(back)s by people seen before") % {"new": formats.number(new), "back": formats.number(back)},
        ),
        Figure("average", _("Average a day"), formats.number(round(mean)), _("over %(days)s whole days") % {"days": formats.number(days)}),
    ]


def _compared(connection: sqlite3.Connection, of: Answered, zone: ZoneInfo) -> str:
    """With as many days before, days that are over on both sides."""
    asked = of.asked
    earlier = asked.before()
    counts = tallies.read(connection, earlier.first, earlier.last, zone, asked.camera).counts(asked.camera)
    chosen = tables.answered(earlier, counts, {}).chosen
    before = int((counts.hours.sum((1, 2)) + counts.opted_out)[chosen].sum())
    over = of.chosen & (np.arange(len(of.chosen)) <= (asked.whole_until - of.counts.first).days)
    now = int((of.counts.hours.sum((1, 2)) + of.counts.opted_out)[over].sum())
    if before < SHARE_MIN:
        return ""
    values = {"change": formats.change((now - before) / before), "first": formats.short_date(earlier.first, asked.today)}
    return _("%(change)s against %(first)s to %(last)s") % {**values, "last": formats.short_date(earlier.last, asked.today)}


def _people(connection: sqlite3.Connection, asked: Question, zone: ZoneInfo, visits: int) -> Figure | None:
    """How many different people came. Until now: whoever was seen last since the period began, by an index alone. A period that is over:
    counted from its visits, where those are few enough for a page to wait; None otherwise."""
    start, end = formats.day_bounds(asked.first, zone)[0], formats.day_bounds(asked.last, zone)[1]
    if asked.last == asked.today:
        counted = "SELECT count(*) FROM persons WHERE role = 'customer' AND last_seen_ms >= ? AND last_seen_ms < ?"
    elif visits <= COUNTED_MAX:
        counted = """SELECT count(DISTINCT person_id) FROM visits WHERE first_seen_ms >= ? AND first_seen_ms < ? AND state = 'settled'
            AND verdict IN ('new', 'returning')"""
    else:
        return None
    (people,) = connection.execute(counted, (start, end)).fetchone()
    return Figure("people", _("Different people"), formats.number(people), _("told apart by their faces"))
