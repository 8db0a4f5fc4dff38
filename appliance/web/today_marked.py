"""What the page Today sets beside the day's figures: the same weekday before, and who of the VIPs and of the watchlist came."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from appliance.web.pages import Names
from appliance.web.visit_rows import AlsoAt, VisitRow, no_store, read_rows
from ui import formats

MARKED_MAX = 8
"""VIPs and watched people of a day that are listed; a store that marks more looks under People."""
COMPARED_FROM = 10
"""Visits a week ago, for a change to be said as a share: below, one family is a boom."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Visits of a week ago, until the same time of day. `share`: today's above them, as a part of them; None where there are too few."""

    day: date
    visits: int
    share: float | None


@dataclass(frozen=True, slots=True)
class Marked:
    row: VisitRow
    vip: bool
    watchlist: bool


def read_week_ago(connection: sqlite3.Connection, day: date, zone: ZoneInfo, now_ms: int, visits: int) -> Earlier | None:
    """By the store's own clock, also when that changed meanwhile. None where nobody was counted on that day. `visits`: today's so far."""
    before = day - timedelta(days=7)
    start, end = formats.day_bounds(before, zone)
    until = min(end, round(datetime.combine(before, formats.local(now_ms, zone).time(), zone).timestamp() * 1000))
    (counted, of_all) = connection.execute(
        """SELECT count(*) FILTER (WHERE first_seen_ms <= ?), count(*) FROM visits
            WHERE first_seen_ms >= ? AND first_seen_ms < ? AND state = 'settled' AND verdict <> 'staff'""",
        (until, start, end),
    ).fetchone()
    if not of_all:
        return None
    return Earlier(before, counted, (visits - counted) / counted if counted >= COMPARED_FROM else None)


def read_marked(connection: sqlite3.Connection, names: Names, day: date, zone: ZoneInfo, also_at: AlsoAt = no_store) -> list[Marked]:
    """Each with the last visit of the day, the last first."""
    start, end = formats.day_bounds(day, zone)
    found = connection.execute(
        """WITH marks AS (SELECT person_id, vip, watchlist FROM details WHERE vip OR watchlist
                UNION ALL SELECT person_id, vip, watchlist FROM chain WHERE vip OR watchlist),
            marked AS (SELECT person_id, max(vip) AS vip, max(watchlist) AS watchlist FROM marks GROUP BY person_id)
            SELECT (SELECT id FROM visits WHERE person_id = m.person_id AND last_seen_ms >= ?1 AND first_seen_ms < ?2 AND state = 'settled'
                ORDER BY last_seen_ms DESC LIMIT 1) AS visit_id, m.vip, m.watchlist FROM marked m WHERE visit_id IS NOT NULL""",
        (start, end),
    ).fetchall()
    marks = {visit: (bool(vip), bool(watchlist)) for visit, vip, watchlist in found}
    places = ",".join("?" * len(marks))
    order = f"WHERE v.id IN ({places}) ORDER BY v.first_seen_ms DESC LIMIT {MARKED_MAX}"
    return [Marked(row, *marks[row.id]) for row in read_rows(connection, names, order, list(marks), also_at)]
