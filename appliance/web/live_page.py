"""The page Live: every camera's picture with whom it sees, and the last visits as they happen. Nothing is asked of a camera while nobody
looks: cameras.js asks for pictures only while they are on the screen of a visible page.
"""

from __future__ import annotations

import sqlite3

from litestar import Response, get
from litestar.enums import MediaType

from appliance.web.access import Access
from appliance.web.cameras import health
from appliance.web.pages import GivenPages, Names, Pages
from appliance.web.visit_rows import AlsoAt, VisitRow, no_store, read_rows

ROWS_MAX = 100
"""Some hours of a shop's day; more is what the page Visits is for."""


def read_last(connection: sqlite3.Connection, names: Names, also_at: AlsoAt = no_store) -> list[VisitRow]:
    return read_rows(connection, names, "ORDER BY v.first_seen_ms DESC, v.id DESC LIMIT ?", (ROWS_MAX,), also_at)


def live_values(pages: Pages) -> dict[str, object]:
    """The mark is taken first: what happens while we read is told again by the stream."""
    deps = pages.deps
    mark, rows = deps.live.mark(), read_last(deps.query(), deps.names, deps.also_at)
    return {
        "mark": mark,
        "rows": rows,
        "rows_max": ROWS_MAX,
        "cameras": [health(line, deps.time_zone) for line in deps.cameras()],
    }


@get("/live", opt={"access": Access.VIEWER}, sync_to_thread=True)
def live_page(pages: GivenPages) -> Response[str]:
    return pages.page("live.html", "live", live_values(pages))


@get("/live/parts", opt={"access": Access.VIEWER, "page": False}, sync_to_thread=True)
def live_parts(pages: GivenPages) -> Response[str]:
    return Response(pages.text("live_parts.html", live_values(pages)), media_type=MediaType.HTML)


ROUTES = (live_page, live_parts)
