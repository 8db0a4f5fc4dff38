"""The page My account: one's own password, one-time codes and open sessions. Whoever asks can reach nobody else's.

What would let a stranger stay who finds a browser open (another password, codes on or off) asks for the password, and that is slowed like
signing in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from appliance import one_time_codes, users
from appliance.errors import AccountError
from appliance.users import User
from appliance.web.access import Access
from appliance.web.pages import GivenPages, Pages
from appliance.web.sign_in import AnyRequest, Form, failed
from ui import passwords, sign_in
from ui.words import gettext as _

Answer = Response[str] | Redirect
BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Mac OS", "Mac"), ("Windows", "Windows"), ("Linux", "Linux"))
"""The first that is found: each says it is several of the others, too."""


@dataclass(frozen=True, slots=True)
class SessionLine:
    """`handle`: of the session in addresses; `own`: the one that asks."""

    handle: str
    words: str
    made_ms: int
    used_ms: int
    own: bool


SAID = {
    "password": _("The password is changed. Everybody else who was signed in with the old one is signed out."),
    "codes_off": _("One-time codes are off. The password alone opens this account again."),
    "ended": _("That session has ended."),
    "others": _("All other sessions have ended."),
}


def device(agent: str) -> str:
    """Firefox on Windows; what is not known is said so."""
    browser = next((name for mark, name in BROWSERS if mark in agent), _("a browser"))
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return _("%(browser)s on %(system)s") % {"browser": browser, "system": system} if system else browser


def own_user(pages: Pages) -> User:
    """Raises NotFoundException where there is no account, as in the demo."""
    if pages.asker is None or not pages.asker.user_id:
        raise NotFoundException(_("Nobody is signed in here: this page is on this computer alone and asks nobody who they are."))
    return users.one(pages.deps.desk.store, pages.asker.user_id)


def session_lines(pages: Pages, user: User) -> list[SessionLine]:
    own = pages.asker.session if pages.asker else b""
    found = users.sessions_of(pages.deps.desk.store, user.id, pages.deps.now())
    return [SessionLine(each.id_hash.hex(), device(each.agent), each.made_ms, each.used_ms, each.id_hash == own) for each in found]


def account_view(pages: Pages, wrong: dict[str, str] | None = None, said: str = "", status: int = 200) -> Response[str]:
    """`wrong`: what is wrong with a form, by the form."""
    user = own_user(pages)
    values = {
        "user": user,
        "sessions": session_lines(pages, user),
        "recovery_left": one_time_codes.recovery_left(pages.deps.desk.store, user.id),
        "least": passwords.LENGTH_MIN,
        "wrong": wrong or {},
        "said_so": said,
    }
    return pages.page("account.html", "account", values, status)


def proved(pages: Pages, request: AnyRequest, user: User, password: str) -> str:
    """Empty when it is their password, else words for the form."""
    deps = pages.deps
    try:
        storage = users.UserStorage(deps.desk.store)
        sign_in.whose(storage, deps.door.attempts, user.name, password, sign_in.came_from(request), deps.now(), deps.door.cost)
    except sign_in.Refused as refused:
        if not refused.wait_s:
            failed(pages, request, user.id)
        return str(refused) if refused.wait_s else _("That is not your password.")
    return ""


def refusal(do: Callable[[], object]) -> str:
    """Does it; what kept it from being done, in words."""
    try:
        do()
    except AccountError as error:
        return str(error)
    return ""


@get("/account", opt={"access": Access.VIEWER}, sync_to_thread=True)
def account_page(pages: GivenPages, said: FromQuery[str] = "") -> Response[str]:
    return account_view(pages, said=_(SAID.get(said, "")))


@post("/account/password", opt={"access": Access.VIEWER}, sync_to_thread=True)
def change_password(pages: GivenPages, request: AnyRequest, data: Form) -> Answer:
    user, store, new = own_user(pages), pages.deps.desk.store, data.get("new", "")
    own, now_ms, cost = pages.asker.session if pages.asker else b"", pages.deps.now(), pages.deps.door.cost
    words = proved(pages, request, user, data.get("password", ""))
    if not words and new != data.get("again", ""):
        words = _("The two new passwords are not the same. Type them again.")
    if not words:
        words = refusal(lambda: users.set_password(store, user, new, now_ms, but=own, what="password", who=pages.who, cost=cost))
    if words:
        return account_view(pages, {"password": words}, status=400)
    return Redirect("/account?said=password", status_code=303)


def codes_view(pages: Pages, user: User, secret: str, words: str = "", status: int = 200) -> Response[str]:
    picture = one_time_codes.picture(one_time_codes.address(secret, user.name, pages.deps.site_name))
    spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    values = {"picture": picture, "secret": secret, "spaced": spaced, "words": words, "codes": []}
    return pages.page("account_codes.html", "account", values, status)


@get("/account/codes", opt={"access": Access.VIEWER}, sync_to_thread=True)
def codes_page(pages: GivenPages) -> Response[str]:
    return codes_view(pages, own_user(pages), one_time_codes.new_secret())


@post("/account/codes", opt={"access": Access.VIEWER}, sync_to_thread=True)
def turn_codes_on(pages: GivenPages, request: AnyRequest, data: Form) -> Response[str]:
    """The secret comes back with the form: nothing is kept before a code has shown that the telephone has it."""
    user, given = own_user(pages), data.get("secret", "")
    secret = given if one_time_codes.SECRET.fullmatch(given) else one_time_codes.new_secret()
    if words := proved(pages, request, user, data.get("password", "")):
        return codes_view(pages, user, secret, words, 400)
    codes: list[str] = []
    code = data.get("code", "")[:20]
    store, now_ms = pages.deps.desk.store, pages.deps.now()
    if words := refusal(lambda: codes.extend(one_time_codes.turn_on(store, user.id, secret, code, now_ms, who=pages.who))):
        return codes_view(pages, user, secret, words, 400)
    return pages.page("account_codes.html", "account", {"codes": codes, "words": ""})


@post("/account/codes/off", opt={"access": Access.VIEWER}, sync_to_thread=True)
def turn_codes_off(pages: GivenPages, request: AnyRequest, data: Form) -> Answer:
    user = own_user(pages)
    if words := proved(pages, request, user, data.get("password", "")):
        return account_view(pages, {"codes": words}, status=400)
    one_time_codes.turn_off(pages.deps.desk.store, user.id, pages.deps.now(), who=pages.who)
    return Redirect("/account?said=codes_off", status_code=303)


@post("/account/sessions/{handle:str}/end", opt={"access": Access.VIEWER}, sync_to_thread=True)
def end_session(pages: GivenPages, handle: FromPath[str]) -> Redirect:
    """Twice is harmless."""
    user = own_user(pages)
    try:
        id_hash = bytes.fromhex(handle)
    except ValueError:
        raise NotFoundException(_("There is no such session.")) from None
    users.end_sessions(pages.deps.desk.store, user.id, one_only=id_hash)
    return Redirect("/account?said=ended", status_code=303)


@post("/account/sessions/end-others", opt={"access": Access.VIEWER}, sync_to_thread=True)
def end_other_sessions(pages: GivenPages) -> Redirect:
    user = own_user(pages)
    users.end_sessions(pages.deps.desk.store, user.id, but=pages.asker.session if pages.asker else b"")
    return Redirect("/account?said=others", status_code=303)


ROUTES = (
    account_page, change_password, codes_page, turn_codes_on, turn_codes_off, end_session, end_other_sessions,
)  # fmt: skip
