"""The page Today: how many came, new against returning, hour by hour, who came just now, and whether everything works."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from litestar import Response, get, post
from litestar.enums import MediaType
from litestar.params import FromPath
from litestar.response import Redirect

from appliance.counting import REASON as COUNTED
from appliance.line import standing
from appliance.live import NoticesChanged
from appliance.notices import Notice, read_open
from appliance.web import retold
from appliance.web.access import Access
from appliance.web.cameras import health
from appliance.web.headquarters import line_health
from appliance.web.pages import GivenPages, Names, Pages
from appliance.web.today_marked import read_marked, read_week_ago
from appliance.web.visit_rows import AlsoAt, VisitRow, no_store, read_rows
from ui import formats

JUST_NOW_MAX = 12
NOTICES_MAX = 20
QUARTER_MS = 900_000
"""Every time zone's offset is whole quarters of an hour, so quarters counted in UTC add up to the store's own hours."""
SHOWN_HOURS = (8, 20)
"""The chart's first and last hour when nobody came earlier or later."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Visits of the day. `undecided` ones are in none of the others; `opted_out` ones are in `visitors` alone. `counted`: of the `unsure`
    ones, those of cameras that recognise nobody: there was no doubt about them."""

    visitors: int
    people: int
    new: int
    returning: int
    unsure: int
    counted: int
    undecided: int
    opted_out: int
    staff: int


@dataclass(frozen=True, slots=True)
class Hour:
    """`*_part`: share of the chart's height, 0..100."""

    hour: int
    new: int
    returning: int
    unsure: int
    new_part: float
    returning_part: float
    unsure_part: float
    now: bool
    later: bool

    @property
    def total(self) -> int:
        return self.new + self.returning + self.unsure


def read_figures(connection: sqlite3.Connection, day: date, zone: ZoneInfo) -> Figures:
    start, end = formats.day_bounds(day, zone)
    counts: dict[str, int] = dict(
        connection.execute(
            """SELECT CASE state WHEN 'settled' THEN verdict ELSE 'deciding' END, count(*) FROM visits
               WHERE first_seen_ms >= ? AND first_seen_ms < ? GROUP BY 1""",
            (start, end),
        ).fetchall()
    )
    (people,) = connection.execute(
        """SELECT count(DISTINCT person_id) FROM visits
           WHERE first_seen_ms >= ? AND first_seen_ms < ? AND state = 'settled' AND verdict IN ('new', 'returning')""",
        (start, end),
    ).fetchone()
    (counted,) = connection.execute(
        """SELECT count(*) FROM visits v WHERE v.first_seen_ms >= ? AND v.first_seen_ms < ? AND v.state = 'settled' AND v.verdict = 'unsure'
            AND EXISTS (SELECT 1 FROM sightings s WHERE s.visit_id = v.id AND s.reason = ?)""",
        (start, end, COUNTED),
    ).fetchone()
    row = connection.execute("SELECT visits FROM opted_out_counts WHERE day = ?", (day.isoformat(),)).fetchone()
    opted_out = row[0] if row else 0
    new, returning, unsure = (counts.get(verdict, 0) for verdict in ("new", "returning", "unsure"))
    return Figures(
        visitors=new + returning + unsure + opted_out,
        people=people,
        new=new,
        returning=returning,
        unsure=unsure,
        counted=counted,
        undecided=counts.get("deciding", 0),
        opted_out=opted_out,
        staff=counts.get("staff", 0),
    )


def read_hours(connection: sqlite3.Connection, day: date, zone: ZoneInfo, now_ms: int) -> list[Hour]:
    """Customers' visits by the store's own hour in which they began. An hour that the clocks repeat is one column."""
    start, end = formats.day_bounds(day, zone)
    counts: dict[int, dict[str, int]] = {}
    for quarter, verdict, count in connection.execute(
        f"""SELECT (first_seen_ms - ?) / {QUARTER_MS}, verdict, count(*) FROM visits
            WHERE first_seen_ms >= ? AND first_seen_ms < ? AND state = 'settled' AND verdict != 'staff' GROUP BY 1, 2""",
        (start, start, end),
    ):
        hour = formats.local(start + quarter * QUARTER_MS, zone).hour
        of_hour = counts.setdefault(hour, {})
        of_hour[verdict] = of_hour.get(verdict, 0) + count
    moment = formats.local(now_ms, zone)
    this_hour = moment.hour if moment.date() == day else 24 if moment.date() > day else -1
    first = min(SHOWN_HOURS[0], *counts, this_hour if 0 <= this_hour < 24 else 24)
    last = max(SHOWN_HOURS[1], *counts, this_hour if 0 <= this_hour < 24 else 0)
    most = max((sum(of_hour.values()) for of_hour in counts.values()), default=0) or 1

    def column(hour: int) -> Hour:
        new, returning, unsure = (counts.get(hour, {}).get(verdict, 0) for verdict in ("new", "returning", "unsure"))
        new_part, returning_part, unsure_part = (round(100 * count / most, 2) for count in (new, returning, unsure))
        now, later = hour == this_hour, hour > this_hour
        return Hour(hour, new, returning, unsure, new_part, returning_part, unsure_part, now, later)

    return [column(hour) for hour in range(first, last + 1)]


def read_notices(connection: sqlite3.Connection) -> list[Notice]:
    """Newest first, in the reader's language."""
    return [replace(notice, words=retold.said(notice.words)) for notice in read_open(connection, NOTICES_MAX)]


def read_just_now(connection: sqlite3.Connection, names: Names, day: date, zone: ZoneInfo, also_at: AlsoAt = no_store) -> list[VisitRow]:
    start, end = formats.day_bounds(day, zone)
    where = "WHERE v.first_seen_ms >= ? AND v.first_seen_ms < ? ORDER BY v.first_seen_ms DESC, v.id DESC LIMIT ?"
    return read_rows(connection, names, where, (start, end, JUST_NOW_MAX), also_at)


def read_visit_row(connection: sqlite3.Connection, names: Names, visit_id: str, also_at: AlsoAt = no_store) -> VisitRow | None:
    rows = read_rows(connection, names, "WHERE v.id = ?", (visit_id,), also_at)
    return rows[0] if rows else None


def today_values(pages: Pages) -> dict[str, object]:
    """Everything that the page shows. The mark is taken first: what happens while we read is told again by the stream."""
    deps = pages.deps
    mark, connection, zone, now = deps.live.mark(), deps.query(), deps.time_zone, deps.now()
    day = formats.day_of(now, zone)
    hours = read_hours(connection, day, zone, now)
    busiest = max(hours, key=lambda hour: hour.total)
    figures = read_figures(connection, day, zone)
    cameras = [health(line, zone) for line in deps.cameras()]
    return {
        "mark": mark,
        "figures": figures,
        "week_ago": read_week_ago(connection, day, zone, now, figures.visitors - figures.opted_out),
        "marked": read_marked(connection, deps.names, day, zone, deps.also_at) if pages.sees_people else [],
        "blind": [camera.name for camera in cameras if camera.mood == "bad"],
        "hours": hours,
        "busiest": busiest if busiest.total else None,
        "trouble": retold.said(deps.trouble()),
        # A notice may name somebody, and whoever may not see people cannot do anything about it.
        "notices": read_notices(connection) if pages.sees_people else [],
        "rows": read_just_now(connection, deps.names, day, zone, deps.also_at),
        "cameras": cameras,
        "headquarters": line_health(standing.read(connection), zone, now),
        "ever": connection.execute("SELECT EXISTS (SELECT 1 FROM visits)").fetchone()[0] == 1,
    }


@get("/", opt={"access": Access.VIEWER}, sync_to_thread=True)
def today_page(pages: GivenPages) -> Response[str]:
    return pages.page("today.html", "today", today_values(pages))


@get("/today/parts", opt={"access": Access.VIEWER}, sync_to_thread=True)
def today_parts(pages: GivenPages) -> Response[str]:
    """The page's parts without its frame: what an open page takes over when something changed."""
    return Response(pages.text("today_parts.html", today_values(pages)), media_type=MediaType.HTML)


@post("/notices/{notice_id:int}/dismiss", opt={"access": Access.MANAGER}, sync_to_thread=True)
def dismiss_notice(pages: GivenPages, notice_id: FromPath[int]) -> Redirect:
    """Dismissing twice is harmless."""
    pages.deps.dismiss_notice(notice_id)
    pages.deps.live.publish(NoticesChanged())
    return Redirect("/", status_code=303)
