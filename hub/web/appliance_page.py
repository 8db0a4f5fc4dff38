"""One appliance: how it does, what of it was set aside, and revoking it; and the code with which a new one is paired."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect

from hub import appliances, pairing, sites, tenants
from hub.database import Tx
from hub.sites import Site
from hub.tenants import Tenant
from hub.web.access import Access, GivenAsker
from hub.web.overview import camera_names
from hub.web.pages import GivenPages, Pages
from hub.web.standing import Standing, standing

SET_ASIDE_MAX = 50
"""Newest first; further ones have the same few reasons."""


@dataclass(frozen=True, slots=True)
class SetAside:
    sequence: int
    kind: str
    reason: str
    at: datetime


def read_set_aside(tx: Tx, appliance_id: str) -> list[SetAside]:
    rows = tx.execute(
        "SELECT sequence, kind, reason, at FROM set_aside WHERE appliance_id = %s ORDER BY at DESC, sequence DESC LIMIT %s",
        (appliance_id, SET_ASIDE_MAX),
    ).fetchall()
    return [SetAside(*row) for row in rows]


def read_appliance(pages: Pages, tenant_id: str, appliance_id: str) -> tuple[Tenant, Site, Standing, list[SetAside]]:
    """Raises NotFound."""
    with pages.deps.database.tenant(tenant_id) as tx:
        found = appliances.get(tx, appliance_id)
        how = standing(found, camera_names(tx).get(appliance_id, {}), pages.deps.now())
        return tenants.get(tx, tenant_id), sites.get(tx, found.site_id), how, read_set_aside(tx, appliance_id)


@get("/t/{tenant_id:str}/appliances/{appliance_id:str}", opt={"access": Access.TENANT_READ}, sync_to_thread=True, include_in_schema=False)
def appliance_page(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], appliance_id: FromPath[str]) -> Response[str]:
    tenant, site, how, left = read_appliance(pages, tenant_id, appliance_id)
    values = {"site": site, "how": how, "set_aside": left, "most": SET_ASIDE_MAX}
    return pages.of_tenant("appliance.html", "overview", asker, tenant, values)


REVOKE = "/t/{tenant_id:str}/appliances/{appliance_id:str}/revoke"


@get(REVOKE, opt={"access": Access.TENANT_ADMIN}, sync_to_thread=True, include_in_schema=False)
def revoke_page(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], appliance_id: FromPath[str]) -> Response[str]:
    tenant, site, how, _left = read_appliance(pages, tenant_id, appliance_id)
    return pages.of_tenant("revoke.html", "overview", asker, tenant, {"site": site, "how": how})


@post(REVOKE, opt={"access": Access.TENANT_ADMIN}, sync_to_thread=True, include_in_schema=False)
def revoke_form(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], appliance_id: FromPath[str]) -> Redirect:
    deps = pages.deps
    with deps.database.tenant(tenant_id) as tx:
        pairing.revoke(tx, deps.database.vault(tx, tenant_id), appliance_id, asker.words, deps.now())
    return Redirect(f"/t/{tenant_id}/appliances/{appliance_id}", status_code=303)


class CodeForm(msgspec.Struct, frozen=True):
    site_id: str = ""


CodeData = Annotated[CodeForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


@post("/t/{tenant_id:str}/codes", opt={"access": Access.TENANT_ADMIN}, sync_to_thread=True, include_in_schema=False)
def code_page(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], data: CodeData) -> Response[str]:
    """The code is in this answer and nowhere else: loading the page again makes another."""
    deps, now = pages.deps, pages.deps.now()
    with deps.database.tenant(tenant_id) as tx:
        tenant, site = tenants.get(tx, tenant_id), sites.named(tx, data.site_id)
    made = pairing.make_code(deps.database, tenant_id, site.id, asker.words, now)
    values = {"site": site, "code": made.shown, "expires_at": made.expires_at, "address": deps.address(), "fingerprint": deps.fingerprint()}
    return pages.of_tenant("code.html", "overview", asker, tenant, values)


ROUTES = (appliance_page, revoke_page, revoke_form, code_page)
