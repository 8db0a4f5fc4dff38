"""Getting in: the owner's account at the first start, with the code that the terminal shows; signing in, with a one-time code where the
account has one; signing out."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.enums import MediaType, RequestEncodingType
from litestar.params import Body, FromQuery
from litestar.response import Redirect

from appliance import audit, one_time_codes, users
from appliance.errors import AccountError, StoreError
from appliance.web.access import Access
from appliance.web.door import PROGRAM, token_of
from appliance.web.pages import GivenPages, Pages
from ui import passwords, sessions, sign_in
from ui.words import gettext as _

log = logging.getLogger(__name__)

AnyRequest = Request[Any, Any, State]
Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
FIRST = "the first account"
"""Under which name wrong codes are counted."""
SHOWN_MAX = 100


def outside_the_frame(pages: Pages, template: str, values: dict[str, object], status: int = 200, wait_s: int = 0) -> Response[str]:
    headers = {"retry-after": str(wait_s)} if wait_s else {}
    return Response(pages.text(template, values), media_type=MediaType.HTML, status_code=status, headers=headers)


def sign_in_door(pages: Pages, words: str = "", name: str = "", to: str = "/", status: int = 200, wait_s: int = 0) -> Response[str]:
    values: dict[str, object] = {"words": words, "name": name[:SHOWN_MAX], "to": to}
    return outside_the_frame(pages, "store_sign_in.html", values, status, wait_s)


def failed(pages: Pages, request: AnyRequest, user_id: str) -> None:
    """Notes it. The answer is the same even if that cannot be noted. One that was slowed was not looked at and has no row."""
    try:
        audit.failed(pages.deps.desk.store, user_id, sign_in.came_from(request), pages.deps.now())
    except StoreError as error:
        log.error("event=failed_sign_in_not_noted error=%s", type(error).__name__)


@get("/sign-in", opt={"access": Access.ANYONE}, sync_to_thread=True)
def sign_in_page(pages: GivenPages, to: FromQuery[str] = "/") -> Response[str] | Redirect:
    if users.no_owner_yet(pages.deps.desk.store):
        return Redirect("/first-start", status_code=303)
    return sign_in_door(pages, to=sign_in.inside(to))


@get("/sign-in/holds", opt={"access": Access.ANYONE, "page": False}, sync_to_thread=True)
def still_signed_in(pages: GivenPages) -> Response[str]:
    """Asked before a form is sent, so that what somebody wrote is not lost."""
    return Response("yes" if pages.asker else "no", media_type=MediaType.TEXT)


@post("/sign-in", opt={"access": Access.ANYONE}, sync_to_thread=True)
def sign_in_form(pages: GivenPages, request: AnyRequest, data: Form) -> Response[str] | Redirect:
    deps, store, door = pages.deps, pages.deps.desk.store, pages.deps.door
    name, password, to = data.get("name", ""), data.get("password", ""), sign_in.inside(data.get("to", "/"))
    try:
        storage, address = users.UserStorage(store), sign_in.came_from(request)
        account = sign_in.whose(storage, door.attempts, name, password, address, deps.now(), door.cost)
    except sign_in.Refused as refused:
        if not refused.wait_s:
            meant = users.UserStorage(store).account(name)
            failed(pages, request, meant.id if meant else "")
        return sign_in_door(pages, str(refused), name, to, 429 if refused.wait_s else 401, refused.wait_s)
    if one_time_codes.asked_of(store, account.id):
        return code_door(pages, door.halfway.begin(account.id, deps.now()), to)
    return let_in(pages, request, account, to)


def code_door(pages: Pages, owed: str, to: str, words: str = "", status: int = 200, wait_s: int = 0) -> Response[str]:
    return outside_the_frame(pages, "sign_in_code.html", {"words": words, "owed": owed, "to": to}, status, wait_s)


@post("/sign-in/code", opt={"access": Access.ANYONE}, sync_to_thread=True)
def sign_in_code(pages: GivenPages, request: AnyRequest, data: Form) -> Response[str] | Redirect:
    deps, store = pages.deps, pages.deps.desk.store
    owed, to, now_ms = data.get("owed", ""), sign_in.inside(data.get("to", "/")), deps.now()
    user_id = deps.door.halfway.user_of(owed, now_ms)
    if user_id is None:
        words = _("That took too long, or the code was wrong too often. Begin again with the password.")
        return sign_in_door(pages, words, to=to, status=401)
    counted = f"code of {user_id}"
    try:
        sign_in.begin_try(deps.door.attempts, counted, sign_in.came_from(request), now_ms)
    except sign_in.Refused as refused:
        return code_door(pages, owed, to, str(refused), 429, refused.wait_s)
    if not one_time_codes.passes(store, user_id, data.get("code", "")[:SHOWN_MAX], now_ms):
        failed(pages, request, user_id)
        return code_door(pages, owed, to, _("That code does not hold. Each is good once; type the one that the app shows now."), 401)
    deps.door.attempts.right(counted, sign_in.came_from(request))
    deps.door.halfway.done(owed)
    user = users.one(store, user_id)
    return let_in(pages, request, sign_in.Account(user.id, user.name, user.role, None, ""), to)


def let_in(pages: Pages, request: AnyRequest, account: sign_in.Account, to: str) -> Redirect:
    """A session of its own for this browser; the one that it had before ends."""
    deps, store = pages.deps, pages.deps.desk.store
    end(pages, request)
    begun = sign_in.begin_session(users.UserStorage(store), account, request.headers.get("user-agent", ""), deps.now())
    with store.transaction():
        audit.note(store, "sign_in", account.id, deps.now(), who=account.name)
    secure = deps.door.place.secure
    set_cookie = sessions.cookie(sessions.cookie_name(PROGRAM, secure), begun.token, secure)
    return Redirect(to, status_code=303, headers={"set-cookie": set_cookie})


def end(pages: Pages, request: AnyRequest) -> None:
    """The session that the browser brought, if any."""
    if brought := token_of(pages.deps.door, request):
        users.UserStorage(pages.deps.desk.store).end_session(sessions.token_hash(brought))


@post("/sign-out", opt={"access": Access.ANYONE}, sync_to_thread=True)
def sign_out(pages: GivenPages, request: AnyRequest) -> Redirect:
    end(pages, request)
    secure = pages.deps.door.place.secure
    set_cookie = sessions.no_cookie(sessions.cookie_name(PROGRAM, secure), secure)
    return Redirect("/sign-in", status_code=303, headers={"set-cookie": set_cookie})


def first_page(pages: Pages, words: str = "", name: str = "", code: str = "", status: int = 200, wait_s: int = 0) -> Response[str]:
    values = {"words": words, "name": name[:SHOWN_MAX], "code": code[:SHOWN_MAX], "least": passwords.LENGTH_MIN, "program": "regulars run"}
    return outside_the_frame(pages, "store_first_start.html", values, status, wait_s)


@get("/first-start", opt={"access": Access.ANYONE}, sync_to_thread=True)
def first_start_page(pages: GivenPages) -> Response[str] | Redirect:
    if not users.no_owner_yet(pages.deps.desk.store):
        return Redirect("/sign-in", status_code=303)
    return first_page(pages)


@post("/first-start", opt={"access": Access.ANYONE}, sync_to_thread=True)
def first_start_form(pages: GivenPages, request: AnyRequest, data: Form) -> Response[str] | Redirect:
    deps, store = pages.deps, pages.deps.desk.store
    if not users.no_owner_yet(store):
        return Redirect("/sign-in", status_code=303)
    name, code, address = data.get("name", "").strip(), data.get("code", "").strip(), sign_in.came_from(request)
    try:
        sign_in.begin_try(deps.door.attempts, FIRST, address, deps.now())
    except sign_in.Refused as refused:
        return first_page(pages, str(refused), name, status=429, wait_s=refused.wait_s)
    if not sign_in.is_code(code, deps.door.first_code):
        failed(pages, request, "")
        words = _("That is not the code. It is printed where `regulars run` runs, and in its log; each start has its own.")
        return first_page(pages, words, name, status=401)
    deps.door.attempts.right(FIRST, address)
    if data.get("password", "") != data.get("again", ""):
        return first_page(pages, _("The two passwords are not the same. Type them again."), name, code, 400)
    try:
        made = users.add(store, name, "owner", data.get("password", ""), deps.now(), first=True, who=name, cost=deps.door.cost)
    except AccountError as refused_account:
        return first_page(pages, str(refused_account), name, code, 400)
    return let_in(pages, request, sign_in.Account(made.id, made.name, made.role, None, ""), "/")


ROUTES = (sign_in_page, still_signed_in, sign_in_form, sign_in_code, sign_out, first_start_page, first_start_form)
