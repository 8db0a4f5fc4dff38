"""Getting in: the first account, with the code that the terminal shows; signing in; signing out."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery
from litestar.response import Redirect

from hub import users
from hub.errors import NotAllowed
from hub.web.access import Access, Asker, Connection
from hub.web.pages import PROGRAM, GivenPages, Pages, WebDeps
from ui import passwords, sessions, sign_in
from ui.words import gettext as _

AnyRequest = Request[Any, Any, State]
FIRST = "the first account"
"""Under which name wrong codes are counted."""
FIRST_PAGE = {"least": passwords.LENGTH_MIN, "program": "regulars-hub serve"}


class SignInForm(msgspec.Struct, frozen=True):
    name: str = ""
    password: str = ""
    to: str = "/"


class FirstForm(msgspec.Struct, frozen=True):
    code: str = ""
    name: str = ""
    password: str = ""
    again: str = ""


SignInData = Annotated[SignInForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
FirstData = Annotated[FirstForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


def identify(deps: WebDeps, connection: Connection) -> Asker | None:
    """By a token, or else by the browser's session; a request that brings a token never goes by its cookie."""
    from hub import tokens

    given = connection.headers.get("authorization", "")
    if given:
        kind, _space, token = given.partition(" ")
        if kind.lower() != "bearer":
            return None
        with deps.database.anyone() as tx:
            bearer = tokens.bearer(tx, token.strip(), deps.now())
        return Asker(bearer.token_id, bearer.name, bearer.scope, bearer.tenant_id, True) if bearer else None
    token_found = sessions.token_in(connection.headers.get("cookie", ""), sessions.cookie_name(PROGRAM, deps.secure))
    account = sign_in.recognised(users.UserStorage(deps.database), token_found, deps.now_ms())
    return Asker(account.id, account.name, account.role, account.tenant_id) if account else None


def nobody_yet(deps: WebDeps) -> bool:
    with deps.database.anyone() as tx:
        return users.nobody_yet(tx)


def door(pages: Pages, words: str = "", name: str = "", to: str = "/", status: int = 200, wait_s: int = 0) -> Response[str]:
    headers = {"retry-after": str(wait_s)} if wait_s else {}
    return pages.page("sign_in.html", {"words": words, "name": name, "to": to}, status, headers)


@get("/sign-in", opt={"access": Access.ANYONE}, sync_to_thread=True, include_in_schema=False)
def sign_in_page(pages: GivenPages, to: FromQuery[str] = "/") -> Response[str] | Redirect:
    return Redirect("/first-start", status_code=303) if nobody_yet(pages.deps) else door(pages, to=sign_in.inside(to))


@post("/sign-in", opt={"access": Access.ANYONE}, sync_to_thread=True, include_in_schema=False)
def sign_in_form(pages: GivenPages, request: AnyRequest, data: SignInData) -> Response[str] | Redirect:
    deps = pages.deps
    storage = users.UserStorage(deps.database)
    agent, address = request.headers.get("user-agent", ""), sign_in.came_from(request)
    try:
        begun = sign_in.sign_in(storage, deps.attempts, data.name, data.password, address, agent, deps.now_ms(), deps.cost)
    except sign_in.Refused as refused:
        return door(pages, str(refused), data.name[:100], sign_in.inside(data.to), 429 if refused.wait_s else 401, refused.wait_s)
    end(deps, request)
    return let_in(deps, begun.token, sign_in.inside(data.to))


def let_in(deps: WebDeps, token: str, to: str) -> Redirect:
    name = sessions.cookie_name(PROGRAM, deps.secure)
    return Redirect(to, status_code=303, headers={"set-cookie": sessions.cookie(name, token, deps.secure)})


def end(deps: WebDeps, request: AnyRequest) -> None:
    """The session that the browser brought, if any."""
    brought = sessions.token_in(request.headers.get("cookie", ""), sessions.cookie_name(PROGRAM, deps.secure))
    if brought:
        users.UserStorage(deps.database).end_session(sessions.token_hash(brought))


@post("/sign-out", opt={"access": Access.ANYONE}, sync_to_thread=True, include_in_schema=False)
def sign_out(pages: GivenPages, request: AnyRequest) -> Redirect:
    end(pages.deps, request)
    name = sessions.cookie_name(PROGRAM, pages.deps.secure)
    return Redirect("/sign-in", status_code=303, headers={"set-cookie": sessions.no_cookie(name, pages.deps.secure)})


@get("/first-start", opt={"access": Access.ANYONE}, sync_to_thread=True, include_in_schema=False)
def first_start_page(pages: GivenPages) -> Response[str] | Redirect:
    if not nobody_yet(pages.deps):
        return Redirect("/sign-in", status_code=303)
    return first_page(pages)


def first_page(pages: Pages, words: str = "", name: str = "", code: str = "", status: int = 200) -> Response[str]:
    return pages.page("hub_first_start.html", {"words": words, "name": name, "code": code, **FIRST_PAGE}, status)


@post("/first-start", opt={"access": Access.ANYONE}, sync_to_thread=True, include_in_schema=False)
def first_start_form(pages: GivenPages, request: AnyRequest, data: FirstData) -> Response[str] | Redirect:
    deps = pages.deps
    if not nobody_yet(deps):
        return Redirect("/sign-in", status_code=303)
    name, code, now = data.name.strip(), data.code.strip(), deps.now()
    if wait_ms := deps.attempts.begin(FIRST, sign_in.came_from(request), deps.now_ms()):
        words = _("Too many tries with a wrong code. The next is looked at in %(n)s seconds.") % {"n": -(-wait_ms // 1000)}
        return first_page(pages, words, name[:100], status=429)
    if not sign_in.is_code(code, deps.first_code):
        words = _("That is not the code. It is printed where `regulars-hub serve` runs; each start has its own.")
        return first_page(pages, words, name[:100], status=401)
    deps.attempts.right(FIRST, sign_in.came_from(request))
    if data.password != data.again:
        return first_page(pages, _("The two passwords are not the same. Type them again."), name[:100], code, 400)
    try:
        with deps.database.anyone() as tx:
            made = users.add(tx, name, "system_admin", None, data.password, now, first=True, cost=deps.cost)
    except NotAllowed as refused:
        return first_page(pages, str(refused), name[:100], code, 400)
    account = sign_in.Account(made.id, made.name, made.role, None, "")
    begun = sign_in.begin_session(users.UserStorage(deps.database), account, request.headers.get("user-agent", ""), deps.now_ms())
    return let_in(deps, begun.token, "/")


ROUTES = (sign_in_page, sign_in_form, sign_out, first_start_page, first_start_form)
