"""The two lines that stay open while a page is looked at: news as server-sent events, and each camera's newest picture."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from litestar import Request, Response, get
from litestar.concurrency import sync_to_thread
from litestar.datastructures import State
from litestar.exceptions import NotFoundException, ServiceUnavailableException
from litestar.params import FromPath, FromQuery
from litestar.response import ServerSentEvent, ServerSentEventMessage

from appliance.live import LOOK_SECONDS, Missed, Told, TooManyPages, VisitChanged
from appliance.web.access import Access
from appliance.web.cameras import boxes_header
from appliance.web.pages import GivenPages, Pages
from appliance.web.today import read_visit_row
from ui.words import gettext as _

RETRY_MS = 2_000
"""How soon a browser tries again by itself after a lost line."""


@get("/live/news", opt={"access": Access.VIEWER, "page": False})
async def live_stream(request: Request[object, object, State], pages: GivenPages, after: FromQuery[str | None] = None) -> ServerSentEvent:
    # A browser that comes back by itself asks the old address again but says in a header what it saw last.
    try:
        told = pages.deps.live.open(request.headers.get("last-event-id") or after)
    except TooManyPages:
        raise ServiceUnavailableException(_("Too many pages are open. Close some and load this one again.")) from None
    return ServerSentEvent(messages(pages, told))


async def messages(pages: Pages, told: AsyncIterator[Told]) -> AsyncIterator[ServerSentEventMessage]:
    yield ServerSentEventMessage(event="hello", data="{}", retry=RETRY_MS)
    async for news in told:
        if not await sync_to_thread(pages.still_in):
            # The page asks for itself anew, and is led to the sign-in.
            yield ServerSentEventMessage(event="reload", id=news.mark, data="{}")
            return
        yield await message(pages, news)


async def message(pages: Pages, news: Told) -> ServerSentEventMessage:
    """`beat` when nothing happened, `visit` with the line to show (empty: the visit is gone), `changed`, or `reload`."""
    event = news.event
    if event is None:
        return ServerSentEventMessage(event="beat", id=news.mark, data="{}")
    if isinstance(event, Missed):
        return ServerSentEventMessage(event="reload", id=news.mark, data="{}")
    if isinstance(event, VisitChanged):
        line = await sync_to_thread(visit_line, pages, event.id)
        return ServerSentEventMessage(event="visit", id=news.mark, data=json.dumps({"id": event.id, "html": line}))
    return ServerSentEventMessage(event="changed", id=news.mark, data=json.dumps({"what": type(event).__name__}))


def visit_line(pages: Pages, visit_id: str) -> str:
    row = read_visit_row(pages.deps.query(), pages.deps.names, visit_id, pages.deps.also_at)
    return pages.text("visit_line.html", {"row": row}) if row is not None else ""


@get("/cameras/{camera_id:str}/picture", opt={"access": Access.MANAGER}, sync_to_thread=True)
def camera_picture(pages: GivenPages, camera_id: FromPath[str], after: FromQuery[int] = 0) -> Response[bytes | None]:
    """The newest picture, or 204 while there is none newer than `after`. Asking is looking: it keeps the camera sending."""
    deps = pages.deps
    # One that was just added is in the table before it is watched.
    if all(line.id != camera_id for line in deps.cameras()) and not _in_table(pages, camera_id):
        raise NotFoundException(_("There is no such camera. It may have been removed."))
    now = deps.now()
    if deps.live.must_ask(camera_id, now):
        deps.look(camera_id, LOOK_SECONDS)
    picture = deps.live.picture(camera_id, now)
    if picture is None or picture.number == after:
        return Response(None, status_code=204)
    headers = {"regulars-number": str(picture.number), "regulars-boxes": boxes_header(picture)}
    return Response(picture.jpeg, media_type="image/jpeg", headers=headers)


def _in_table(pages: Pages, camera_id: str) -> bool:
    return pages.deps.query().execute("SELECT 1 FROM cameras WHERE id = ?", (camera_id,)).fetchone() is not None
