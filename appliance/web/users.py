"""The page Users: who may use the store's page, and as what. The owner's alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from appliance import one_time_codes, users
from appliance.meanwhile import Met
from appliance.users import User
from appliance.web import meanwhile, network
from appliance.web.access import ROLES, Access, Role
from appliance.web.account import Answer, refusal, session_lines
from appliance.web.meanwhile import Matter
from appliance.web.pages import GivenPages, Pages
from appliance.web.sign_in import Form
from ui import passwords
from ui.words import gettext as _

ADDRESSES_SHOWN = 4
"""The first are those that somebody chose and those of the network."""
ROLE_WORDS = {
    "owner": _("owner"),
    "manager": _("manager"),
    "viewer": _("viewer"),
}
ROLE_SAYS = {
    "owner": _("everything, users and settings as well"),
    "manager": _("runs the store: people, review, staff, cameras, reports, privacy, alerts"),
    "viewer": _("sees counts and visits, without a name or a picture"),
}
SAID = {
    "added": _("They may sign in now. Tell them the password in person; they can change it under My account."),
    "role": _("Saved. It holds from their next page on."),
    "password": _("They have a new password and are signed out everywhere."),
    "codes_off": _("They sign in with the password alone, until they turn one-time codes on again."),
    "ended": _("They are signed out everywhere."),
    "removed": _("Removed, and signed out everywhere. What they did stays in the audit log."),
}


def roles() -> list[tuple[str, str, str]]:
    return [(role, _(ROLE_WORDS[role]), _(ROLE_SAYS[role])) for role in reversed(ROLES)]


def found_user(pages: Pages, user_id: str) -> User:
    """Raises NotFoundException."""
    try:
        return users.one(pages.deps.desk.store, user_id)
    except LookupError:
        raise NotFoundException(_("There is no such user. They may have been removed.")) from None


def role_shown(_field: str, role: str) -> str:
    return f"{_(ROLE_WORDS[role])}: {_(ROLE_SAYS[role])}"


def asked_role(data: Mapping[str, str]) -> Any:
    """A role as it may be stored; raises NotFoundException for any other word."""
    if (role := data.get("role", "")) not in ROLES:
        raise NotFoundException(_("There is no such role."))
    return role


def users_view(pages: Pages, words: str = "", said: str = "", data: dict[str, str] | None = None, status: int = 200) -> Response[str]:
    store, given = pages.deps.desk.store, data or {}
    values = {
        "found": users.every(store),
        "roles": roles(),
        "role_words": {role: _(words) for role, words in ROLE_WORDS.items()},
        "least": passwords.LENGTH_MIN,
        "words": words,
        "said_so": said,
        "name": given.get("name", "")[:100],
        "role": given.get("role", "manager"),
        "certificate": pages.deps.door.certificate,
        "addresses": pages.deps.door.addresses[:ADDRESSES_SHOWN],
        "chosen_here": network.chosen_here(pages),
    }
    return pages.page("users.html", "users", values, status)


@get("/users", opt={"access": Access.OWNER}, sync_to_thread=True)
def users_page(pages: GivenPages, said: FromQuery[str] = "") -> Response[str]:
    return users_view(pages, said=_(SAID.get(said, "")))


@post("/users", opt={"access": Access.OWNER}, sync_to_thread=True)
def add_user(pages: GivenPages, data: Form) -> Answer:
    deps, role, cost = pages.deps, asked_role(data), pages.deps.door.cost
    name, password = data.get("name", ""), data.get("password", "")
    if words := refusal(lambda: users.add(deps.desk.store, name, role, password, deps.now(), who=pages.who, cost=cost)):
        return users_view(pages, words, data=data, status=400)
    return Redirect("/users?said=added", status_code=303)


def user_view(pages: Pages, user: User, wrong: dict[str, str] | None = None, said: str = "", status: int = 200) -> Response[str]:
    values = {
        "user": user,
        "sessions": session_lines(pages, user),
        "roles": roles(),
        "role_words": {role: _(words) for role, words in ROLE_WORDS.items()},
        "least": passwords.LENGTH_MIN,
        "wrong": wrong or {},
        "said_so": said,
        "was": meanwhile.carried(pages, {"role": user.role}),
    }
    return pages.page("user.html", "users", values, status)


@get("/users/{user_id:str}", opt={"access": Access.OWNER}, sync_to_thread=True)
def user_page(pages: GivenPages, user_id: FromPath[str], said: FromQuery[str] = "") -> Response[str]:
    return user_view(pages, found_user(pages, user_id), said=_(SAID.get(said, "")))


@post("/users/{user_id:str}/role", opt={"access": Access.OWNER}, sync_to_thread=True)
def change_role(pages: GivenPages, user_id: FromPath[str], data: Form) -> Answer:
    user, role, settle = found_user(pages, user_id), asked_role(data), meanwhile.settling(data)
    store, now_ms = pages.deps.desk.store, pages.deps.now()

    def settled(now: Role, asked: Role) -> Role:
        role: Role = asked_role(settle({"role": now}, {"role": asked}))
        return role

    try:
        if words := refusal(lambda: users.set_role(store, user_id, role, now_ms, who=pages.who, settled=settled)):
            return user_view(pages, user, {"role": words}, status=409)
    except Met as met:
        here_at, labels = f"/users/{user_id}", {"role": _("They may")}
        matter = Matter("users", user.name, f"{here_at}/role", here_at, labels, ("user_changed",), (user_id,), role_shown)
        return meanwhile.decide(pages, met, matter)
    return Redirect(f"/users/{user_id}?said=role", status_code=303)


@post("/users/{user_id:str}/password", opt={"access": Access.OWNER}, sync_to_thread=True)
def give_password(pages: GivenPages, user_id: FromPath[str], data: Form) -> Answer:
    user, own = found_user(pages, user_id), pages.asker.session if pages.asker else b""
    store, now_ms, password = pages.deps.desk.store, pages.deps.now(), data.get("password", "")
    cost = pages.deps.door.cost
    if words := refusal(lambda: users.set_password(store, user, password, now_ms, but=own, who=pages.who, cost=cost)):
        return user_view(pages, user, {"password": words}, status=400)
    return Redirect(f"/users/{user_id}?said=password", status_code=303)


@post("/users/{user_id:str}/codes/off", opt={"access": Access.OWNER}, sync_to_thread=True)
def reset_codes(pages: GivenPages, user_id: FromPath[str]) -> Redirect:
    found_user(pages, user_id)
    one_time_codes.turn_off(pages.deps.desk.store, user_id, pages.deps.now(), who=pages.who)
    return Redirect(f"/users/{user_id}?said=codes_off", status_code=303)


@post("/users/{user_id:str}/sessions/end", opt={"access": Access.OWNER}, sync_to_thread=True)
def sign_user_out(pages: GivenPages, user_id: FromPath[str]) -> Redirect:
    found_user(pages, user_id)
    users.end_sessions(pages.deps.desk.store, user_id)
    return Redirect(f"/users/{user_id}?said=ended", status_code=303)


def remove_view(pages: Pages, user: User, words: str = "", status: int = 200) -> Response[str]:
    return pages.page("user_remove.html", "users", {"user": user, "words": words}, status)


@get("/users/{user_id:str}/remove", opt={"access": Access.OWNER}, sync_to_thread=True)
def remove_page(pages: GivenPages, user_id: FromPath[str]) -> Response[str]:
    return remove_view(pages, found_user(pages, user_id))


@post("/users/{user_id:str}/remove", opt={"access": Access.OWNER}, sync_to_thread=True)
def remove_user(pages: GivenPages, user_id: FromPath[str]) -> Answer:
    user = found_user(pages, user_id)
    if words := refusal(lambda: users.remove(pages.deps.desk.store, user_id, pages.deps.now(), who=pages.who)):
        return remove_view(pages, user, words, 409)
    return Redirect("/users?said=removed", status_code=303)


@get("/certificate", opt={"access": Access.ANYONE, "page": False}, sync_to_thread=True)
def root_certificate(pages: GivenPages) -> Response[bytes]:
    """The store's own root, for a device to trust. It is no secret."""
    found = pages.deps.door.certificate
    if found is None or not found.root:
        raise NotFoundException(_("This page has no root certificate of its own: it is not open to the network, or has the shop's."))
    headers = {"content-disposition": 'attachment; filename="regulars-root.crt"'}
    return Response(found.root, media_type="application/x-x509-ca-cert", headers=headers)


ROUTES = (
    users_page, add_user, user_page, change_role, give_password, reset_codes, sign_user_out, remove_page, remove_user,
    root_certificate,
)  # fmt: skip
