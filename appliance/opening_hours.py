"""When the store is open, by weekday: one row of `settings`, and what follows from it. Times are the store's own.

As long as nobody said when it opens, it counts as always open.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from appliance.database import Store
from appliance.errors import SettingError
from ui.words import gettext as _

KEY = "opening_hours"
CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
DAY_MIN = 24 * 60
DAYS_BACK_MAX = 8
"""An opening that began more than a week ago is no opening: the store is always open."""


class Span(msgspec.Struct, frozen=True, array_like=True):
    """Minutes after the day's midnight. `closes` is later than `opens`; beyond 1440 it is the next day's."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Week:
    """Monday first. None: closed all day."""

    days: tuple[Span | None, ...]

    def of(self, day: date) -> Span | None:
        return self.days[day.weekday()]


def read(connection: sqlite3.Connection) -> Week | None:
    """None: nobody said."""
    row = connection.execute("SELECT value FROM settings WHERE key = ?", [KEY]).fetchone()
    return Week(tuple(msgspec.json.decode(row[0], type=list[Span | None]))) if row else None


def save(store: Store, week: Week | None) -> None:
    """In the caller's transaction, or one of its own."""
    with store.writing() as db:
        db.execute("DELETE FROM settings WHERE key = ?", [KEY])
        if week is not None:
            db.execute("INSERT INTO settings VALUES (?, ?)", [KEY, msgspec.json.encode(week.days).decode()])


def judged(opens: str, closes: str) -> Span | None:
    """A day as it was written, both empty for closed. Raises SettingError."""
    opens, closes = opens.strip(), closes.strip()
    if not opens and not closes:
        return None
    begin, end = _minutes(opens), _minutes(closes)
    if begin is None or end is None or begin >= DAY_MIN:
        raise SettingError(_("A day's hours are two times such as 09:00 and 21:30; leave both empty for a day on which you are closed."))
    return Span(begin, end if end > begin else end + DAY_MIN)


def spelt(span: Span | None) -> str:
    """09:00–21:30; empty for none."""
    return f"{written(span.opens)}–{written(span.closes)}" if span else ""


def spelt_back(text: str) -> Span | None:
    """What `spelt` spelt, or somebody sent in its place. Raises SettingError."""
    opens, _dash, closes = text.partition("–")
    return judged(opens, closes)


def written(minutes: int) -> str:
    """09:00. The end of a day is 24:00, and what lies beyond it the next day's clock."""
    shown = minutes if minutes <= DAY_MIN else minutes - DAY_MIN
    return f"{shown // 60:02d}:{shown % 60:02d}"


def open_since(week: Week | None, at_ms: int, zone: ZoneInfo) -> int | None:
    """When the opening in which this moment lies began, UTC milliseconds; None while the store is closed. Openings that touch are one. For
    a store that is always open it is `DAYS_BACK_MAX` days ago."""
    if week is None:
        return at_ms - DAYS_BACK_MAX * DAY_MIN * 60_000
    day, since, until_ms = datetime.fromtimestamp(at_ms / 1000, zone).date(), None, at_ms
    for back in range(DAYS_BACK_MAX):
        span = week.of(day - timedelta(days=back))
        begin, end = bounds(day - timedelta(days=back), span, zone) if span else (0, 0)
        if span and begin <= until_ms and end > (until_ms if since is None else until_ms - 1):
            since = until_ms = begin
        elif back > 0:
            break
    return since


def bounds(day: date, span: Span, zone: ZoneInfo) -> tuple[int, int]:
    """A day's opening and closing, UTC milliseconds, also on the days on which the clocks change."""

    def at(minutes: int) -> int:
        moment = datetime.combine(day + timedelta(days=minutes // DAY_MIN), time(minutes % DAY_MIN // 60, minutes % 60), zone)
        return round(moment.timestamp() * 1000)

    return at(span.opens), at(span.closes)


def _minutes(clock: str) -> int | None:
    found = CLOCK.fullmatch(clock)
    minutes = 60 * int(found[1]) + int(found[2]) if found else None
    return minutes if minutes is not None and minutes <= DAY_MIN else None
