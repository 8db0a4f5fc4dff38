"""Who may ask for what. Each route says it with `opt={"access": …}`; a route that says nothing is refused to everybody.

A route of a tenant has `tenant_id` in its address, and that alone is compared, here and nowhere else: a tenant's admin gets the same
answer for another tenant as for one that does not exist. The row security of the database stands behind it.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from anyio import to_thread
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException, NotFoundException, PermissionDeniedException
from litestar.handlers.base import BaseRouteHandler
from litestar.params import SkipValidation

from hub import log as hub_log
from ui.guard import OWN_NAMES
from ui.words import gettext as _

Connection = ASGIConnection[Any, Any, Any, Any]


class Access(StrEnum):
    ANYONE = "anyone"
    """Sign-in, assets, whether the hub is alive: nothing of anybody."""
    MACHINE = "machine"
    """An appliance, which proves itself by its signature in the message."""
    SCRAPE = "scrape"
    """Figures for a monitor on this machine, or with the token of the settings."""
    SIGNED_IN = "signed_in"
    SYSTEM = "system"
    TENANT_READ = "tenant_read"
    TENANT_ADMIN = "tenant_admin"


OF_TENANT = (Access.TENANT_READ, Access.TENANT_ADMIN)
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""What a proxy adds: then the sender's address is the proxy's and says nothing."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody signed in, or a program with a token. `tenant_id` None: a system admin, who may ask for any tenant's."""

    id: str
    name: str
    role: str
    """A user's (system_admin, tenant_admin, site_manager) or a token's scope (read, admin)."""
    tenant_id: str | None
    by_token: bool = False

    @property
    def words(self) -> str:
        """For the audit and for "made by"."""
        return f"token {self.name}" if self.by_token else self.name

    @property
    def is_system(self) -> bool:
        return self.role == "system_admin"

    def may_see(self, tenant_id: str) -> bool:
        return self.is_system or self.tenant_id == tenant_id

    @property
    def may_change(self) -> bool:
        return self.role in ("system_admin", "tenant_admin", "admin")


GivenAsker = NamedDependency[SkipValidation[Asker]]
Identify = Callable[[Connection], Asker | None]
"""Reads the database, so it runs in a thread."""


def guard(identify: Identify, scrape_token: str) -> Callable[[Connection, BaseRouteHandler], Any]:
    """A Litestar guard for the whole app. Raises 401, 403 or 404."""

    async def check(connection: Connection, handler: BaseRouteHandler) -> None:
        if not all(is_id(value) for name, value in connection.path_params.items() if name.endswith("_id")):
            raise NotFoundException(_("There is no such page."))
        access = Access(handler.opt["access"]) if "access" in handler.opt else None
        if access is None:
            raise PermissionDeniedException(_("Nobody may ask for this."))
        if access in (Access.ANYONE, Access.MACHINE):
            return
        if access is Access.SCRAPE:
            if not may_scrape(connection, scrape_token):
                raise PermissionDeniedException(_("Figures are given on this machine alone, or with the token of the settings."))
            return
        asker = await to_thread.run_sync(identify, connection)
        if asker is None:
            token = connection.headers.get("authorization")
            raise NotAuthorizedException(_("This token does not hold: it is mistyped or was revoked.") if token else _("Sign in first."))
        connection.scope["state"]["asker"] = asker
        judge(asker, access, connection.path_params.get("tenant_id"))
        if access in OF_TENANT:
            hub_log.about(tenant=str(connection.path_params["tenant_id"]))

    return check


def judge(asker: Asker, access: Access, tenant_id: object) -> None:
    """Raises what the asker is answered; returns when they may."""
    if access is Access.SYSTEM and not asker.is_system:
        raise NotFoundException(_("There is no such page."))
    if access in OF_TENANT:
        if tenant_id is None or not asker.may_see(str(tenant_id)):
            raise NotFoundException(_("There is no such tenant."))
        if asker.role == "site_manager":
            raise PermissionDeniedException(_("This page is for the chain's admins."))
        if access is Access.TENANT_ADMIN and not asker.may_change:
            raise PermissionDeniedException(_("This token may only read. Make one with the scope admin."))


def for_this_machine(host: str) -> bool:
    return host.lower().rpartition(":")[0] in OWN_NAMES or host.lower() in OWN_NAMES


def is_id(value: object) -> bool:
    """As we write it: the database would take other spellings for the same."""
    try:
        return str(UUID(str(value))) == value
    except ValueError:
        return False


def may_scrape(connection: Connection, token: str) -> bool:
    given = connection.headers.get("authorization", "")
    if token:
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    # A page elsewhere whose name was made to lead here asks under that name.
    if any(name in connection.headers for name in FORWARDED) or not for_this_machine(connection.headers.get("host", "")):
        return False
    try:
        return connection.client is not None and ipaddress.ip_address(connection.client.host).is_loopback
    except ValueError:
        return False
