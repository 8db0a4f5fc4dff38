"""The page Visits: one day of the store, newest first, in pages."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from litestar import Response, get
from litestar.exceptions import ValidationException
from litestar.params import FromQuery

from appliance.web.pages import GivenPages, Names
from appliance.web.visit_rows import AlsoAt, VisitRow, no_store, read_rows
from ui import formats
from ui.words import gettext as _

ROWS_MAX = 50
PAGE_MAX = 10_000
"""Beyond any real day; a larger number would only make SQLite count."""


@dataclass(frozen=True, slots=True)
class VisitList:
    """`earlier` and `later`: the nearest days with visits on either side."""

    day: date
    rows: list[VisitRow]
    total: int
    page: int
    pages: int
    earlier: date | None
    later: date | None


def read_visit_list(
    connection: sqlite3.Connection, names: Names, day: date, zone: ZoneInfo, page: int, also_at: AlsoAt = no_store
) -> VisitList:
    start, end = formats.day_bounds(day, zone)
    (total,) = connection.execute("SELECT count(*) FROM visits WHERE first_seen_ms >= ? AND first_seen_ms < ?", (start, end)).fetchone()
    where = "WHERE v.first_seen_ms >= ? AND v.first_seen_ms < ? ORDER BY v.first_seen_ms DESC, v.id DESC LIMIT ? OFFSET ?"
    rows = read_rows(connection, names, where, (start, end, ROWS_MAX, (page - 1) * ROWS_MAX), also_at)
    (before,) = connection.execute("SELECT max(first_seen_ms) FROM visits WHERE first_seen_ms < ?", (start,)).fetchone()
    (after,) = connection.execute("SELECT min(first_seen_ms) FROM visits WHERE first_seen_ms >= ?", (end,)).fetchone()
    return VisitList(
        day=day,
        rows=rows,
        total=total,
        page=page,
        pages=max(1, -(-total // ROWS_MAX)),
        earlier=formats.day_of(before, zone) if before is not None else None,
        later=formats.day_of(after, zone) if after is not None else None,
    )


def asked_day(written: str | None, today: date) -> date:
    """Raises ValidationException with words for the page."""
    if written is None:
        return today
    try:
        day = date.fromisoformat(written)
    except ValueError:
        day = date.min
    # Outside these years day bounds would leave the calendar or the clock's range.
    if not 1971 <= day.year <= 9998:
        raise ValidationException(_("There is no day “%(day)s”. A day is written like 2026-11-22.") % {"day": written[:20]})
    return day


def asked_page(written: int) -> int:
    if not 1 <= written <= PAGE_MAX:
        raise ValidationException(_("There is no page %(page)s.") % {"page": written})
    return written


@get("/visits", sync_to_thread=True)
def visits_page(pages: GivenPages, day: FromQuery[str | None] = None, page: FromQuery[int] = 1) -> Response[str]:
    deps = pages.deps
    asked = asked_day(day, formats.day_of(deps.now(), deps.time_zone))
    found = read_visit_list(deps.query(), deps.names, asked, deps.time_zone, asked_page(page), deps.also_at)
    return pages.page("visits.html", "visits", {"found": found})
