"""The first page of whoever signs in: a system admin sees the tenants and chooses; a tenant's admin is led to their own."""

from __future__ import annotations

from dataclasses import dataclass

from litestar import Response, get
from litestar.response import Redirect

from hub import appliances, sites, tenants
from hub.tenants import Tenant
from hub.web.access import Access, GivenAsker
from hub.web.pages import GivenPages, WebDeps
from hub.web.standing import contact

TENANTS_MAX = 500
"""Each is looked into; a hub with more needs a page of another kind."""


@dataclass(frozen=True, slots=True)
class TenantLine:
    tenant: Tenant
    sites: int
    appliances: int
    offline: int
    identities: int


def read_tenants(deps: WebDeps) -> list[TenantLine]:
    """Each in its own scope: nothing can look at two tenants at once."""
    now = deps.now()
    with deps.database.anyone() as tx:
        known = tenants.every(tx)[:TENANTS_MAX]
    lines = []
    for tenant in known:
        with deps.database.tenant(tenant.tenant_id) as tx:
            running = [each for each in appliances.every(tx) if each.revoked_at is None]
            (identities,) = tx.execute("SELECT count(*) FROM identities WHERE merged_into IS NULL").fetchone() or (0,)
            offline = sum(contact(each, now)[0] == "bad" for each in running)
            lines.append(TenantLine(tenant, len(sites.every(tx)), len(running), offline, identities))
    return lines


@get("/", opt={"access": Access.SIGNED_IN}, sync_to_thread=True, include_in_schema=False)
def first_page(pages: GivenPages, asker: GivenAsker) -> Response[str] | Redirect:
    if not asker.is_system:
        return Redirect(f"/t/{asker.tenant_id}", status_code=303)
    values = {"asker": asker, "here": "tenants", "lines": read_tenants(pages.deps), "fingerprint": pages.deps.fingerprint()}
    return pages.page("tenants.html", values)


ROUTES = (first_page,)
