"""What each of the store's days was, counted: the tables `day_tallies` and `tally_changes`. Reports read these and not the visits.

A trigger notes the quarter of an hour of every visit that is written, changed or removed; `refresh` counts those days again. Today and
what changed last are counted from the visits at every look, so a report is never behind by more than a few old days, and says so.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from appliance.database import Store
from ui import formats

KINDS = ("new", "returning", "unsure")
"""Of a visit that counts; staff are no visitors."""
DWELL_FROM_S = (0, 60, 300, 900, 1800, 3600)
"""A stay's bands begin at so many seconds."""
AGES_FROM = (0, 20, 30, 40, 50, 60)
"""Bands of an estimate that is right within some years; after them comes "unknown"."""
GENDERS = ("female", "male", "unknown")
QUARTER_MS = 900_000
HOUR_QUARTERS = 4
STORE = ""
"""In place of a camera: all of them, each visit once."""
LIVE_DAYS_MAX = 3
"""Counted while somebody waits: 20 ms each at 2,500 visits a day. Today, and what changed just now."""
STAMP = "tallies"
FORM = 1
"""Counted anew throughout when this changes or the time zone does."""


class Totals(msgspec.Struct, array_like=True):
    """The beginning of a tally: what follows is passed over, not read. `visits`: by kind, 3."""

    visits: list[int]


class Tally(msgspec.Struct, array_like=True):
    """`visits`: by kind, 3; `hours`: kind by hour, 3 × 24; `dwell`: kind by band, 3 × 6; `ages`: gender by band, 3 × 7."""

    visits: list[int]
    hours: list[list[int]]
    dwell: list[list[int]]
    ages: list[list[int]]


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the days from `first` on. hours (D, 3, 24), dwell (D, 3, 6), ages (D, 3, 7), opted_out (D,): visits, int64."""

    first: date
    hours: NDArray[np.int64]
    dwell: NDArray[np.int64]
    ages: NDArray[np.int64]
    opted_out: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tallied:
    """Camera to the number of the day, from `first` on, to its tally, as it was stored or counted just now. `waiting`: how many of the days
    are to be counted again and were not yet."""

    first: date
    found: dict[str, dict[int, str | Tally]]
    opted_out: NDArray[np.int64]
    waiting: int

    def counts(self, camera: str = STORE) -> Counts:
        """Who opted out is counted for the whole store alone: nobody keeps which camera saw them."""
        days = len(self.opted_out)
        hours, dwell, ages = (np.zeros((days, *shape), np.int64) for shape in ((3, 24), (3, len(DWELL_FROM_S)), (3, len(AGES_FROM) + 1)))
        for at, stored in self.found.get(camera, {}).items():
            tally = _TALLY.decode(stored) if isinstance(stored, str) else stored
            hours[at], dwell[at], ages[at] = tally.hours, tally.dwell, tally.ages
        return Counts(self.first, hours, dwell, ages, self.opted_out if camera == STORE else np.zeros(days, np.int64))

    def by_camera(self) -> dict[str, NDArray[np.int64]]:
        """Camera's id to visits by day and kind, (D, 3). A visit before two cameras counts for both."""
        found = {}
        for camera, tallies in self.found.items():
            if camera != STORE:
                found[camera] = np.zeros((len(self.opted_out), 3), np.int64)
                for at, tally in tallies.items():
                    found[camera][at] = (_TOTALS.decode(tally) if isinstance(tally, str) else tally).visits
        return found


def read(connection: sqlite3.Connection, first: date, last: date, zone: ZoneInfo, camera: str | None = None) -> Tallied:
    """Both days included. `camera`: of this alone, or `STORE`; None for all."""
    rows = connection.execute(
        "SELECT day, camera_id, counts FROM day_tallies WHERE day BETWEEN ?1 AND ?2 AND (?3 IS NULL OR camera_id = ?3)",
        (str(first), str(last), camera),
    ).fetchall()
    changed = _changed_days(connection, first, last, zone)
    live = {day: count_day(connection, day, zone) for day in changed[:LIVE_DAYS_MAX]}
    live_words = {str(day) for day in live}
    found: dict[str, dict[int, str | Tally]] = {}
    for day, camera_id, counts in rows:
        if day not in live_words:
            found.setdefault(camera_id, {})[(date.fromisoformat(day) - first).days] = counts
    for counted, tallies in live.items():
        for camera_id, tally in tallies.items():
            found.setdefault(camera_id, {})[(counted - first).days] = tally
    opted_out = np.zeros((last - first).days + 1, np.int64)
    for day, visits in connection.execute(
        "SELECT day, visits FROM opted_out_counts WHERE day BETWEEN ? AND ?", (str(first), str(last))
    ).fetchall():
        opted_out[(date.fromisoformat(day) - first).days] = visits
    return Tallied(first, found, opted_out, len(changed) - len(live))


def count_day(connection: sqlite3.Connection, day: date, zone: ZoneInfo) -> dict[str, Tally]:
    """The day's tally from its visits: of the whole store and of each camera that saw one of them."""
    start, end = formats.day_bounds(day, zone)
    hour_of = [formats.local(at, zone).hour for at in range(start, end, QUARTER_MS)]
    age, gender = ages_columns(connection)
    rows = connection.execute(
        f"""SELECT id, (first_seen_ms - ?) / {QUARTER_MS}, (last_seen_ms - first_seen_ms) / 1000, verdict, {age}, {gender} FROM visits
            WHERE first_seen_ms >= ? AND first_seen_ms < ? AND state = 'settled' AND verdict <> 'staff'""",
        (start, start, end),
    ).fetchall()
    seen: dict[str, set[str]] = {}
    for visit, camera in connection.execute(
        """SELECT v.id, s.camera_id FROM visits v JOIN sightings s ON s.visit_id = v.id
            WHERE v.first_seen_ms >= ? AND v.first_seen_ms < ?""",
        (start, end),
    ).fetchall():
        seen.setdefault(visit, set()).add(camera)
    found: dict[str, Tally] = {STORE: _nothing()} if rows else {}
    for visit, quarter, seconds, verdict, years, sex in rows:
        kind, hour = KINDS.index(verdict), hour_of[quarter]
        stay, band, which = _band(seconds, DWELL_FROM_S), age_band(years), gender_of(sex)
        for camera in (STORE, *seen.get(visit, ())):
            tally = found.get(camera) or found.setdefault(camera, _nothing())
            tally.visits[kind] += 1
            tally.hours[kind][hour] += 1
            tally.dwell[kind][stay] += 1
            tally.ages[which][band] += 1
    return found


def refresh(store: Store, zone: ZoneInfo, today: date, stopping: Callable[[], bool] = lambda: False, rests: bool = True) -> int:
    """Counts every day before today again of which a visit changed; how many. Newest first, each in a short transaction, and with `rests`
    as long a pause after it as it took, so that visitors who come in meanwhile never wait for more than one day's counting."""
    stamp = f"{FORM} {zone.key}"
    with store.transaction() as db:
        if db.execute("SELECT 1 FROM settings WHERE key = ? AND value = ?", [STAMP, stamp]).fetchone() is None:
            db.execute("DELETE FROM day_tallies")
            db.execute(f"INSERT OR IGNORE INTO tally_changes SELECT DISTINCT first_seen_ms / {QUARTER_MS} FROM visits")
            db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", [STAMP, stamp])
    done = 0
    while not stopping():
        began_s = time.monotonic()
        with store.transaction() as db:
            (newest,) = db.execute(
                "SELECT max(quarter) FROM tally_changes WHERE quarter < ?", [formats.day_bounds(today, zone)[0] // QUARTER_MS]
            ).fetchone()
            if newest is None:
                return done
            day = formats.day_of(newest * QUARTER_MS, zone)
            start, end = formats.day_bounds(day, zone)
            put(db.conn, day, count_day(db.conn, day, zone))
            of_day = [start // QUARTER_MS, end // QUARTER_MS, newest]
            db.execute("DELETE FROM tally_changes WHERE quarter >= ? AND quarter < ? OR quarter = ?", of_day)
        done += 1
        if rests:
            time.sleep(time.monotonic() - began_s)
    return done


def put(connection: sqlite3.Connection, day: date, tallies: dict[str, Tally]) -> None:
    connection.execute("DELETE FROM day_tallies WHERE day = ?", [str(day)])
    rows = [(str(day), camera, msgspec.json.encode(tally).decode()) for camera, tally in tallies.items()]
    connection.executemany("INSERT INTO day_tallies VALUES (?, ?, ?)", rows)


def ages_columns(connection: sqlite3.Connection) -> tuple[str, str]:
    """SQL for a visit's estimated age and gender; NULL where the store has no such column."""
    there = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info('visits')").fetchall()}
    return ("age" if "age" in there else "NULL", "gender" if "gender" in there else "NULL")


def age_band(years: float | None) -> int:
    return len(AGES_FROM) if years is None or years < 0 else _band(years, AGES_FROM)


def gender_of(written: str | None) -> int:
    return {"f": 0, "m": 1}.get((written or "")[:1].lower(), 2)


def _changed_days(connection: sqlite3.Connection, first: date, last: date, zone: ZoneInfo) -> list[date]:
    """Newest first."""
    begin, end = formats.day_bounds(first, zone)[0], formats.day_bounds(last, zone)[1]
    quarters: Iterable[tuple[int]] = connection.execute(
        "SELECT quarter FROM tally_changes WHERE quarter >= ? AND quarter < ?", (begin // QUARTER_MS, end // QUARTER_MS)
    ).fetchall()
    return sorted({formats.day_of(quarter * QUARTER_MS, zone) for (quarter,) in quarters}, reverse=True)


def _band(value: float, begins: tuple[int, ...]) -> int:
    return max(number for number, begin in enumerate(begins) if value >= begin or number == 0)


def _nothing() -> Tally:
    shapes = ((KINDS, 24), (KINDS, len(DWELL_FROM_S)), (GENDERS, len(AGES_FROM) + 1))
    return Tally([0] * len(KINDS), *([[0] * width for _ in rows] for rows, width in shapes))


_TALLY, _TOTALS = msgspec.json.Decoder(Tally), msgspec.json.Decoder(Totals)
