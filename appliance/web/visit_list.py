"""The page Visits: a day, or all days, newest first, in pages; of one camera, of one kind, of one person; and the same as a file."""

from __future__ import annotations

import csv
import io
import sqlite3
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from litestar import Response, get
from litestar.exceptions import ValidationException
from litestar.params import FromQuery

from appliance import audit
from appliance.web.access import Access
from appliance.web.pages import GivenPages, Names, Pages, PersonRow
from appliance.web.visit_rows import AlsoAt, VisitRow, no_store, read_rows
from ui import formats
from ui.words import gettext as _

ROWS_MAX = 50
PAGE_MAX = 10_000
"""Beyond any real day; a larger number would only make SQLite count."""
FILE_ROWS_MAX = 20_000
"""Of a file: a busy day has 3,000 visits, a busy week fits."""
ROWS_A_READ = 500
KINDS = {
    "new": "v.verdict = 'new'",
    "back": "v.verdict = 'returning'",
    "unsure": "v.verdict = 'unsure'",
    "staff": "v.verdict = 'staff'",
}
"""What may be asked for, as SQL of ours."""
SORTS = {"newest": "v.first_seen_ms DESC, v.id DESC", "oldest": "v.first_seen_ms, v.id"}


@dataclass(frozen=True, slots=True)
class Asked:
    """`person`: an id; then the visits of all days are meant. Empty: not asked for."""

    day: date
    camera: str = ""
    kind: str = ""
    person: str = ""
    sort: str = "newest"
    page: int = 1

    def address(self, path: str, **other: object) -> str:
        """The same question but for what is given."""
        day = "" if self.person else self.day.isoformat()
        sort = self.sort if self.sort != "newest" else ""
        values = {"day": day, "camera": self.camera, "kind": self.kind, "person": self.person, "sort": sort, **other}
        left = {key: value for key, value in values.items() if value not in ("", 1)}
        return f"{path}?{urlencode(left)}" if left else path


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


def read_visit_list(connection: sqlite3.Connection, names: Names, asked: Asked, zone: ZoneInfo, also_at: AlsoAt = no_store) -> VisitList:
    start, end = formats.day_bounds(asked.day, zone)
    where, values = condition(asked, zone)
    (total,) = connection.execute(f"SELECT count(*) FROM visits v WHERE {where}", values).fetchone()
    order = f"WHERE {where} ORDER BY {SORTS[asked.sort]} LIMIT ? OFFSET ?"
    rows = read_rows(connection, names, order, (*values, ROWS_MAX, (asked.page - 1) * ROWS_MAX), also_at)
    (before,) = connection.execute("SELECT max(first_seen_ms) FROM visits WHERE first_seen_ms < ?", (start,)).fetchone()
    (after,) = connection.execute("SELECT min(first_seen_ms) FROM visits WHERE first_seen_ms >= ?", (end,)).fetchone()
    return VisitList(
        day=asked.day,
        rows=rows,
        total=total,
        page=asked.page,
        pages=max(1, -(-total // ROWS_MAX)),
        earlier=formats.day_of(before, zone) if before is not None else None,
        later=formats.day_of(after, zone) if after is not None else None,
    )


def condition(asked: Asked, zone: ZoneInfo) -> tuple[str, list[object]]:
    """What follows WHERE, and its values."""
    if asked.person:
        where, values = "v.person_id = ?", list[object]([asked.person])
    else:
        where, values = "v.first_seen_ms >= ? AND v.first_seen_ms < ?", list[object](formats.day_bounds(asked.day, zone))
    if asked.kind:
        where = f"{where} AND v.state = 'settled' AND {KINDS[asked.kind]}"
    if asked.camera:
        where = f"{where} AND EXISTS (SELECT 1 FROM sightings s WHERE s.visit_id = v.id AND s.camera_id = ?)"
        values.append(asked.camera)
    return where, values


def asked_day(written: str | None, today: date) -> date:
    """Raises ValidationException with words for the page."""
    if not written:
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


def asked_for(pages: Pages, day: str | None, camera: str, kind: str, person: str, sort: str, page: int) -> Asked:
    """Raises ValidationException with words for the page."""
    if kind and kind not in KINDS:
        raise ValidationException(_("There is no kind of visit “%(kind)s”.") % {"kind": kind[:20]})
    if sort not in SORTS:
        raise ValidationException(_("There is no order “%(sort)s”.") % {"sort": sort[:20]})
    today = formats.day_of(pages.deps.now(), pages.deps.time_zone)
    return Asked(asked_day(day, today), camera[:64], kind, person[:64], sort, asked_page(page))


def who(pages: Pages, person_id: str) -> str:
    """What to call the person whose visits are listed; empty for nobody."""
    row = pages.deps.query().execute(
        "SELECT id, number, role, name_sealed FROM persons WHERE id = ? AND role <> 'opted_out'", (person_id,)
    ).fetchone()
    return pages.deps.names(PersonRow(*row)) if row else ""


@get("/visits", opt={"access": Access.MANAGER}, sync_to_thread=True)
def visits_page(
    pages: GivenPages,
    day: FromQuery[str | None] = None,
    camera: FromQuery[str] = "",
    kind: FromQuery[str] = "",
    person: FromQuery[str] = "",
    sort: FromQuery[str] = "newest",
    page: FromQuery[int] = 1,
) -> Response[str]:
    deps = pages.deps
    asked = asked_for(pages, day, camera, kind, person, sort, page)
    found = read_visit_list(deps.query(), deps.names, asked, deps.time_zone, deps.also_at)
    cameras = deps.query().execute("SELECT id, name FROM cameras ORDER BY name").fetchall()
    values = {"found": found, "asked": asked, "cameras": cameras, "who": who(pages, person) if person else ""}
    return pages.page("visits.html", "visits", values)


@get("/visits.csv", opt={"access": Access.MANAGER}, sync_to_thread=True)
def visits_file(
    pages: GivenPages,
    day: FromQuery[str | None] = None,
    camera: FromQuery[str] = "",
    kind: FromQuery[str] = "",
    person: FromQuery[str] = "",
    sort: FromQuery[str] = "newest",
) -> Response[str]:
    """What the page lists, all pages of it, for a spreadsheet."""
    deps = pages.deps
    asked = asked_for(pages, day, camera, kind, person, sort, 1)
    name = f"visits-{'person' if person else asked.day}.csv"
    with deps.desk.store.transaction():
        audit.note(deps.desk.store, "export", person, deps.now(), who=pages.who)
    text = as_csv(deps.query(), deps.names, asked, deps.time_zone)
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/csv", headers=headers)


def as_csv(connection: sqlite3.Connection, names: Names, asked: Asked, zone: ZoneInfo) -> str:
    """Times are the store's own, with their offset."""
    written = io.StringIO()
    # The mark at the beginning makes Excel read UTF-8.
    written.write("\ufeff")
    lines = csv.writer(written)
    lines.writerow(("visit", "first_seen", "last_seen", "kind", "who", "words", "cameras"))
    where, values = condition(asked, zone)
    for start in range(0, FILE_ROWS_MAX, ROWS_A_READ):
        order = f"WHERE {where} ORDER BY {SORTS[asked.sort]} LIMIT ? OFFSET ?"
        rows = read_rows(connection, names, order, (*values, ROWS_A_READ, start))
        for row in rows:
            first, last = formats.machine_time(row.first_seen_ms, zone), formats.machine_time(row.last_seen_ms, zone)
            cells = (row.id, first, last, row.kind, row.who, row.words, ", ".join(row.cameras))
            lines.writerow([harmless(cell) for cell in cells])
        if len(rows) < ROWS_A_READ:
            break
    return written.getvalue()


def harmless(cell: str) -> str:
    """A spreadsheet takes what begins like a formula for one, and names are written by people."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
