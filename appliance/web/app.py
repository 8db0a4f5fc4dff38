"""The store's web page: its routes, and what a request that goes wrong is answered."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from litestar import Litestar, Request, Response, Router, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from appliance.errors import DiskFull, StoreError
from appliance.sql_errors import in_words
from appliance.web import (
    access,
    account,
    alert_rules,
    alerts,
    audit,
    camera_adding,
    camera_list,
    camera_settings,
    door,
    live_page,
    network,
    person_changes,
    photo_search,
    privacy,
    privacy_requests,
    reports,
    settings,
    settings_models,
    sign_in,
    staff,
    staff_photos,
    upkeep,
    users,
)
from appliance.web.access import Access
from appliance.web.pages import GivenPages, Pages, WebDeps, given_to
from appliance.web.people import people_page
from appliance.web.person import person_page
from appliance.web.review import review_answer, review_page, review_undo
from appliance.web.stream import camera_picture, live_stream
from appliance.web.today import dismiss_notice, today_page, today_parts
from appliance.web.visit_detail import visit_face, visit_page
from appliance.web.visit_list import visits_file, visits_page
from ui import assets, frame
from ui.guard import guarded
from ui.language import spoken
from ui.words import gettext as _

log = logging.getLogger(__name__)
HERE = Path(__file__).parent
BODY_BYTES_MAX = 64 << 10
"""The largest form is a person's: 2,000 characters of notes, and as many that it was made from, at twelve bytes each when they are packed
for the way."""
FORMS_ARE_READ_IN = "litestar._multipart"
"""Raises what Python raises over a text that is none: the sender's mistake, and no failure of the page."""
ROUTES = (
    today_page, today_parts, dismiss_notice, visits_page, visits_file, visit_page, visit_face, people_page, person_page,
    *person_changes.ROUTES, review_page, review_undo, review_answer, live_stream, camera_picture,
    *sign_in.ROUTES, *account.ROUTES, *network.ROUTES, *users.ROUTES, audit.audit_page,
    *reports.ROUTES,
    *staff.ROUTES, *staff_photos.ROUTES, *photo_search.ROUTES,
    *privacy.ROUTES, *privacy_requests.ROUTES,
    *live_page.ROUTES, *camera_list.ROUTES, *camera_adding.ROUTES, *camera_settings.ROUTES,
    *alerts.ROUTES, *alert_rules.ROUTES, *settings.ROUTES, *settings_models.ROUTES, *upkeep.ROUTES,
)  # fmt: skip


@get("/static/{name:str}", opt={"access": Access.ANYONE}, sync_to_thread=False)
def asset(pages: GivenPages, name: FromPath[str], v: FromQuery[str | None] = None) -> Response[bytes]:
    found = pages.assets.get(name)
    if found is None:
        raise NotFoundException(_("There is no such file."))
    kept = "public, max-age=31536000, immutable" if v == found.version else "no-cache"
    return Response(found.content, media_type=found.kind, headers={"cache-control": kept})


def create_app(deps: WebDeps) -> Litestar:
    found = assets.load_assets((assets.FOLDER, HERE / "static"))
    pages = Pages(deps, frame.environment((HERE / "templates",), found), found, entrances(ROUTES))

    def given(request: Request[object, object, State]) -> Pages:
        return given_to(access.asker_of(request), pages)

    def refused(request: Request[object, object, State], error: HTTPException) -> Response[Any]:
        if error.status_code == 401 and request.method == "GET" and request.headers.get("sec-fetch-mode", "navigate") == "navigate":
            return Redirect(f"/sign-in?to={quote(request.url.path, safe='/')}", status_code=303)
        place = raised_at(error)
        # Litestar's own words are English and tell a reader nothing.
        theirs = place is not None and str(place.tb_frame.f_globals.get("__name__", "")).startswith("litestar.")
        values = {"title": title(error.status_code), "detail": plainly(error.status_code) if theirs else error.detail}
        return given(request).page("refused.html", "", values, error.status_code)

    def finished(request: Request[object, object, State], error: staff_photos.Finished) -> Response[str]:
        return staff_photos.finished_page(given(request), error.person_id, 200 if request.method == "GET" else 409)

    def failed(request: Request[object, object, State], error: Exception) -> Response[str]:
        # The route's own name, not the address; and where it failed, not the error's words: they may hold a name.
        place = raised_at(error)
        if place is not None and place.tb_frame.f_globals.get("__name__") == FORMS_ARE_READ_IN:
            words = _("What was sent is no form that can be read here. Load the page again and send it once more.")
            return given(request).page("refused.html", "", {"title": title(400), "detail": words}, 400)
        where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place is not None else "unknown"
        log.error("page_failed route=%s error=%s at=%s", request.route_handler.name or request.route_handler, type(error).__name__, where)
        if (why := not_stored(error, deps.desk.store.folder)) is not None:
            return given(request).page("refused.html", "", {"title": _("This could not be stored"), "detail": why}, 503)
        words = _("Nothing is lost: cameras and visits go on. Load the page again; if it fails again, the log says where.")
        return given(request).page("refused.html", "", {"title": _("This page could not be made"), "detail": words}, 500)

    app = Litestar(
        # One router: a second handler of a path that is added later would be wrapped in a thread twice.
        route_handlers=[Router("/", route_handlers=[*ROUTES, asset])],
        guards=[access.guard],
        dependencies={"pages": Provide(given, sync_to_thread=False)},
        exception_handlers={HTTPException: refused, staff_photos.Finished: finished, Exception: failed},
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    # Around the whole app and not as its middleware: an address without a route is guarded too.
    who = door.identify(deps.door, deps.desk.store, deps.now)
    inside = access.identified(app.asgi_handler, who)
    app.asgi_handler = spoken(guarded(inside, deps.door.place, lambda: deps.door.place.names), deps.language)
    return app


def not_stored(error: Exception, folder: Path) -> str | None:
    """What is the matter with the disk or the database, for whoever asked; None: it is something else. Where the data lie stays unsaid:
    it may be somebody who has not signed in."""
    said = in_words(error, folder) if isinstance(error, sqlite3.Error) else error
    if isinstance(said, DiskFull):
        return _(
            "The disk of the store's computer is full: nothing new is stored, visits neither. What was stored before is safe."
            " Free some space; it goes on by itself then."
        )
    if isinstance(said, StoreError):
        return _(
            "The store's database cannot be written or read just now. Try again; if it stays so, the log of the store's computer says why."
        )
    return None


def entrances(routes: Iterable[HTTPRouteHandler]) -> dict[str, Access]:
    """Who may open which page, by its address. `opt={"page": False}`: it is none."""
    readable = [handler for handler in routes if "GET" in handler.http_methods and handler.opt.get("page", True)]
    return {path: said for handler in readable for path in handler.paths if (said := access.access_of(handler)) is not None}


def raised_at(error: Exception) -> TracebackType | None:
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place


def plainly(status: int) -> str:
    """Why an address or what was sent is refused before any of our own code has seen it."""
    said = {404: _("There is no such page."), 405: _("That cannot be done here."), 413: _("That is too large.")}
    return said.get(status, _("What was sent does not fit here. Load the page again and try once more."))


def title(status: int) -> str:
    said = {401: _("Sign in first"), 403: _("Not for you"), 404: _("Not here"), 400: _("That does not fit"), 503: _("Too busy")}
    return said.get(status, _("That did not work"))
