"""Who may ask for what. Each route says it with `opt={"access": …}`; a route that says nothing is refused to everybody.

A viewer is shown counts and visits without a name or a picture: not because each page thinks of it, but because what pages are given
names nobody then (`pages.given_to`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from anyio import to_thread
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers.base import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from ui.words import gettext as _

Connection = ASGIConnection[Any, Any, Any, Any]
Role = Literal["viewer", "manager", "owner"]
ROLES: tuple[Role, ...] = ("viewer", "manager", "owner")
"""Each may what the one before it may."""
ASSETS = "/static/"


class Access(StrEnum):
    ANYONE = "anyone"
    """Signing in, assets, the certificate: nothing of anybody."""
    VIEWER = "viewer"
    MANAGER = "manager"
    """Runs the store: people, review, staff, cameras, reports, requests about privacy, alerts."""
    OWNER = "owner"
    """Besides: users, settings, models, backups."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who is let in. `user_id`: empty where there is no account, as in the demo. `session`: the hash of its token."""

    user_id: str
    name: str
    role: Role
    session: bytes = b""

    def may(self, access: Access) -> bool:
        return access is Access.ANYONE or ROLES.index(self.role) >= ROLES.index(access.value)

    @property
    def sees_people(self) -> bool:
        """Names, faces and cameras' pictures."""
        return self.may(Access.MANAGER)


Identify = Callable[[Connection], Asker | None]
"""Reads the database, so it runs in a thread."""


def identified(app: ASGIApp, identify: Identify) -> ASGIApp:
    """Middleware: who asks is found out once, before the address is looked at, so that a page that says "not here" knows it too."""

    async def find_out(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and not scope["path"].startswith(ASSETS):
            scope.setdefault("state", {})["asker"] = await to_thread.run_sync(identify, ASGIConnection(scope))
        await app(scope, receive, send)

    return find_out


def asker_of(connection: Connection) -> Asker | None:
    found = connection.scope.get("state", {}).get("asker")
    return found if isinstance(found, Asker) else None


def guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """A Litestar guard for the whole app. Raises 401 or 403."""
    access = access_of(handler)
    if access is None:
        raise PermissionDeniedException(_("Nobody may ask for this."))
    if access is Access.ANYONE:
        return
    asker = asker_of(connection)
    if asker is None:
        raise NotAuthorizedException(_("Sign in first."))
    if not asker.may(access):
        raise PermissionDeniedException(_(WHO_MAY[access]))


def access_of(handler: BaseRouteHandler) -> Access | None:
    said = handler.opt.get("access")
    return Access(said) if said is not None else None


WHO_MAY = {
    Access.VIEWER: _("Sign in first."),
    Access.MANAGER: _("This is for the store's managers. Ask one of them, or sign in as one."),
    Access.OWNER: _("This is for the store's owner. Ask them, or sign in as one."),
}
