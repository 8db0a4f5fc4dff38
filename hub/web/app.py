"""The hub's web app: its routes, who may ask for them, and what a request that goes wrong is answered."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from litestar import Litestar, Request, Response, get
from litestar.datastructures import MutableScopeHeaders, State
from litestar.di import Provide
from litestar.enums import MediaType, ScopeType
from litestar.exceptions import ClientException, HTTPException, NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.router import Router
from litestar.types import ASGIApp, ControllerRouterHandler, Message, Receive, Scope, Send

from hub import log as hub_log
from hub.errors import DatabaseAway, DatabaseBusy, HubError, NotAllowed, NotFound
from hub.metrics import Metrics
from hub.web import access, api, health, pages_of_tenant, sign_in, system
from hub.web.access import Access, Asker
from hub.web.pages import GivenPages, Pages, WebDeps
from ui import assets, frame
from ui.guard import Place, guarded
from ui.language import spoken
from ui.words import gettext as _

log = logging.getLogger(__name__)
HERE = Path(__file__).parent
BODY_BYTES_MAX = 64 << 10
"""A form or a small JSON document. Routes of appliances say their own."""
FOR_MACHINES = ("/sync/", "/healthz", "/readyz", "/metrics")
LINE = "/sync/v1/"
STATUS_OF: dict[type[HubError], int] = {NotFound: 404, NotAllowed: 400, DatabaseAway: 503, DatabaseBusy: 503}


@get("/static/{name:str}", opt={"access": Access.ANYONE}, sync_to_thread=False, include_in_schema=False)
def asset(pages: GivenPages, name: FromPath[str], v: FromQuery[str | None] = None) -> Response[bytes]:
    found = pages.assets.get(name)
    if found is None:
        raise NotFoundException(_("There is no such file."))
    kept = "public, max-age=31536000, immutable" if v == found.version else "no-cache"
    return Response(found.content, media_type=found.kind, headers={"cache-control": kept})


def given_asker(request: Request[Any, Any, State]) -> Asker:
    """Whom the guard has let through."""
    return request.scope["state"]["asker"]  # type: ignore[no-any-return]


def create_app(deps: WebDeps, more: Sequence[ControllerRouterHandler] = ()) -> Litestar:
    """`more`: the routes of appliances."""
    found = assets.load_assets((assets.FOLDER, HERE / "static"))
    pages = Pages(deps, frame.environment((HERE / "templates",), found), found)

    def answered(request: Request[Any, Any, State], status: int, words: str, headers: dict[str, str] | None = None) -> Response[Any]:
        if is_for_programs(request.url.path):
            return Response({"status": status, "words": words}, media_type=MediaType.JSON, status_code=status, headers=headers)
        asker = request.scope["state"].get("asker")
        return pages.page("refused.html", {"title": title(status), "detail": words, "asker": asker}, status, headers)

    def refused(request: Request[Any, Any, State], error: HTTPException) -> Response[Any]:
        if error.status_code == 401 and not is_for_programs(request.url.path):
            back = quote(request.url.path, safe="/") if request.method == "GET" else "/"
            return Redirect(f"/sign-in?to={back}", status_code=303)
        headers = {"www-authenticate": "Bearer"} if error.status_code == 401 else {}
        return answered(request, error.status_code, words_of(error), {**(error.headers or {}), **headers})

    def said(request: Request[Any, Any, State], error: HubError) -> Response[Any]:
        status = next((status for kind, status in STATUS_OF.items() if isinstance(error, kind)), 500)
        if status >= 500:
            log.error("event=request_refused route=%s %s", route_of(request.scope), hub_log.place_of(error))
        return answered(request, status, str(error), {"retry-after": "5"} if status == 503 else {})

    def failed(request: Request[Any, Any, State], error: Exception) -> Response[Any]:
        log.error("event=request_failed route=%s %s", route_of(request.scope), hub_log.place_of(error))
        words = _("Nothing is lost: what stores send is kept. Try again; if it fails again, the hub's log says where.")
        return answered(request, 500, words)

    # What appliances say is no part of the API.
    line = Router("/", route_handlers=list(more), include_in_schema=False)
    routes: list[ControllerRouterHandler] = [
        asset,
        *sign_in.ROUTES,
        *system.ROUTES,
        *pages_of_tenant.ROUTES,
        *health.ROUTES,
        *api.ROUTES,
        line,
    ]
    app = Litestar(
        # In one router: of a path that is registered a second time Litestar 2.25 wraps the first handler twice, and answers nothing.
        route_handlers=[Router("/", route_handlers=routes)],
        guards=[access.guard(lambda connection: sign_in.identify(deps, connection), deps.scrape_token)],
        dependencies={
            "pages": Provide(lambda: pages, sync_to_thread=False),
            "asker": Provide(given_asker, sync_to_thread=False),
        },
        exception_handlers={HTTPException: refused, HubError: said, Exception: failed},
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=api.OPENAPI,
        logging_config=None,
        debug=False,
    )
    place = Place(deps.place.origin, FOR_MACHINES)
    # Around the whole app and not as its middleware: an address without a route is guarded and logged too.
    app.asgi_handler = logged(spoken(guarded(app.asgi_handler, place), lambda: None), deps.metrics)
    return app


def logged(app: ASGIApp, metrics: Metrics) -> ASGIApp:
    """One line for each request: its id (also in the answer), the route and never the address, which may hold an id of somebody."""

    async def log_request(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.WEBSOCKET or "method" not in scope:
            await app(scope, receive, send)
            return
        request_id, began, status = secrets.token_hex(6), time.perf_counter(), 0
        hub_log.about(request=request_id, tenant="")

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", [])
                MutableScopeHeaders.from_message(message)["x-request-id"] = request_id
            await send(message)

        try:
            await app(scope, receive, send_with_id)
        finally:
            elapsed_s = time.perf_counter() - began
            if route_of(scope).startswith(LINE):
                metrics.answered(route_of(scope).removeprefix(LINE), elapsed_s)
            quiet = route_of(scope).startswith(("/static", "/healthz", "/readyz", "/metrics"))
            said = (scope["method"], route_of(scope), status, round(elapsed_s * 1000))
            log.log(logging.DEBUG if quiet else logging.INFO, "event=request method=%s route=%s status=%d ms=%d", *said)

    return log_request


def route_of(scope: Any) -> str:
    """/t/{tenant_id}/appliances/{id}; "none" for an address that is no route."""
    return str(scope.get("path_template") or "none")


def is_for_programs(path: str) -> bool:
    return path.startswith(("/api/", "/sync/", "/metrics", "/readyz", "/healthz")) and path != api.PAGE


def words_of(error: HTTPException) -> str:
    """Litestar's own words name types and tell a reader nothing; a 400's `extra` says which value it was."""
    if error.status_code == 400 and isinstance(error.extra, list):
        parts = "; ".join(_what(part) for part in error.extra if isinstance(part, dict) and part.get("key"))
        return _("What was sent does not fit: %(parts)s.") % {"parts": parts} if parts else _("What was sent does not fit.")
    if error.status_code == 400 and not error.extra and type(error) is ClientException:
        return _("What was sent cannot be read: %(why)s.") % {"why": error.detail}
    return {404: error.detail or _("There is no such page."), 405: _("That cannot be done here."), 413: _("That is too large.")}.get(
        error.status_code, error.detail
    )


def _what(part: dict[str, Any]) -> str:
    """Where in what was sent, and what is wrong there: "keep: Expected `str`, got `int`"."""
    key, said = str(part["key"]), str(part.get("message", ""))
    if key == "data":
        return said if said and said != "'data'" else _("there is no body")
    return f"{key}: {said}" if said else key


def title(status: int) -> str:
    said = {404: _("Not here"), 400: _("That does not fit"), 403: _("Not for you"), 503: _("Not just now")}
    return said.get(status, _("That did not work"))
