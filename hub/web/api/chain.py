"""API: tenants, their sites and appliances, and how these do."""

from __future__ import annotations

from typing import Literal

import msgspec
from litestar import get
from litestar.params import FromPath

from hub import appliances, sites, tenants
from hub.moments import to_ms
from hub.tenants import Tenant
from hub.web.access import Access, GivenAsker
from hub.web.overview import camera_names, site_line
from hub.web.pages import GivenPages
from hub.web.standing import Standing, standing

BELOW = "/api/v1/tenants/{tenant_id:str}"


class TenantOut(msgspec.Struct, frozen=True):
    id: str
    name: str
    snapshots: bool
    also_at: bool
    guests: bool


class SiteOut(msgspec.Struct, frozen=True):
    id: str
    name: str
    time_zone: str
    visits_today: int
    new_today: int
    unsure_today: int


class CameraOut(msgspec.Struct, frozen=True):
    name: str
    mood: Literal["good", "warn", "bad", "idle"]
    words: str


class ApplianceOut(msgspec.Struct, frozen=True):
    """`mood` and `words`: as the page shows it. `clock_skew_ms`: its clock less the hub's. `waiting`: records in its outbox."""

    id: str
    site_id: str
    name: str
    mood: Literal["good", "warn", "bad", "idle"]
    words: str
    remarks: list[str]
    paired_ms: int
    last_contact_ms: int | None
    revoked_ms: int | None
    clock_skew_ms: int | None
    waiting: int
    set_aside: int
    cameras: list[CameraOut]


def of_tenant(tenant: Tenant) -> TenantOut:
    return TenantOut(tenant.tenant_id, tenant.name, tenant.snapshots, tenant.also_at, tenant.guests)


def of_appliance(how: Standing) -> ApplianceOut:
    found = how.appliance
    return ApplianceOut(
        id=found.id,
        site_id=found.site_id,
        name=found.name,
        mood=how.mood,
        words=how.words,
        remarks=how.more,
        paired_ms=to_ms(found.paired_at),
        last_contact_ms=to_ms(found.last_contact_at) if found.last_contact_at else None,
        revoked_ms=to_ms(found.revoked_at) if found.revoked_at else None,
        clock_skew_ms=found.clock_skew_ms,
        waiting=how.waiting,
        set_aside=found.set_aside_count,
        cameras=[CameraOut(line.name, line.mood, line.words) for line in how.cameras],
    )


@get("/api/v1/tenants", opt={"access": Access.SIGNED_IN}, sync_to_thread=True, tags=["chain"])
def list_tenants(pages: GivenPages, asker: GivenAsker) -> list[TenantOut]:
    """The tenants that whoever asks may see: one, or all for a system admin."""
    with pages.deps.database.anyone() as tx:
        return [of_tenant(tenant) for tenant in tenants.every(tx) if asker.may_see(tenant.tenant_id)]


@get(BELOW, opt={"access": Access.TENANT_READ}, sync_to_thread=True, tags=["chain"])
def get_tenant(pages: GivenPages, tenant_id: FromPath[str]) -> TenantOut:
    """One tenant and what it has switched on."""
    with pages.deps.database.tenant(tenant_id) as tx:
        return of_tenant(tenants.get(tx, tenant_id))


@get(f"{BELOW}/sites", opt={"access": Access.TENANT_READ}, sync_to_thread=True, tags=["chain"])
def list_sites(pages: GivenPages, tenant_id: FromPath[str]) -> list[SiteOut]:
    """The stores, with today's visits by each store's own day; staff are not counted."""
    now = pages.deps.now()
    with pages.deps.database.tenant(tenant_id) as tx:
        lines = [site_line(tx, site, [], now) for site in sites.every(tx)]
    return [
        SiteOut(line.site.id, line.site.name, line.site.time_zone, line.visits_today, line.new_today, line.unsure_today) for line in lines
    ]


@get(f"{BELOW}/appliances", opt={"access": Access.TENANT_READ}, sync_to_thread=True, tags=["chain"])
def list_appliances(pages: GivenPages, tenant_id: FromPath[str]) -> list[ApplianceOut]:
    """The stores' computers: when each was last heard from, its clock, what waits there, its cameras."""
    now = pages.deps.now()
    with pages.deps.database.tenant(tenant_id) as tx:
        names = camera_names(tx)
        return [of_appliance(standing(each, names.get(each.id, {}), now)) for each in appliances.every(tx)]


@get(f"{BELOW}/appliances/{{appliance_id:str}}", opt={"access": Access.TENANT_READ}, sync_to_thread=True, tags=["chain"])
def get_appliance(pages: GivenPages, tenant_id: FromPath[str], appliance_id: FromPath[str]) -> ApplianceOut:
    """One of them."""
    with pages.deps.database.tenant(tenant_id) as tx:
        found = appliances.get(tx, appliance_id)
        return of_appliance(standing(found, camera_names(tx).get(appliance_id, {}), pages.deps.now()))


ROUTES = (list_tenants, get_tenant, list_sites, list_appliances, get_appliance)
