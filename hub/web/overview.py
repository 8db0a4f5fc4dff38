"""The first page of a tenant: its sites and appliances, today's visits by each site's own day, and who comes to more than one store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from litestar import Response, get
from litestar.params import FromPath

from hub import appliances, sites, tenants
from hub.database import Tx
from hub.sites import Site
from hub.tenants import Tenant
from hub.vault import Vault
from hub.web.access import Access, GivenAsker
from hub.web.pages import GivenPages, own_day
from hub.web.regulars import Link, Regular, face_links, read_regulars
from hub.web.standing import Standing, standing

REGULARS_MAX = 6
"""On the first page; the page People has them all."""


@dataclass(frozen=True, slots=True)
class SiteLine:
    site: Site
    visits_today: int
    new_today: int
    unsure_today: int
    clock: str
    """The site's own time of day: whoever reads this may be in another zone."""
    appliances: list[Standing]


@dataclass(frozen=True, slots=True)
class Overview:
    sites: list[SiteLine]
    visits_today: int
    new_today: int
    identities: int
    staff: int
    regulars: list[Regular]
    regulars_count: int
    to_resolve: int
    to_review: int
    outstanding: int

    @property
    def appliances(self) -> list[Standing]:
        return [each for line in self.sites for each in line.appliances]

    @property
    def in_service(self) -> list[Standing]:
        """Without those that were revoked: they work on by themselves, and nothing is expected of them."""
        return [each for each in self.appliances if each.appliance.revoked_at is None]

    @property
    def set_aside(self) -> int:
        return sum(each.appliance.set_aside_count for each in self.appliances)

    @property
    def out_of_touch(self) -> int:
        return sum(each.mood == "bad" for each in self.appliances)


def read_overview(tx: Tx, vault: Vault, link: Link | None, now: datetime) -> Overview:
    names = camera_names(tx)
    standings = [standing(each, names.get(each.id, {}), now) for each in appliances.every(tx)]
    lines = [site_line(tx, site, [each for each in standings if each.appliance.site_id == site.id], now) for site in sites.every(tx)]
    found, count = read_regulars(tx, vault, link, limit=REGULARS_MAX, offset=0)
    identities, staff, to_resolve, to_review, outstanding = counts(tx)
    return Overview(
        sites=lines,
        visits_today=sum(line.visits_today for line in lines),
        new_today=sum(line.new_today for line in lines),
        identities=identities,
        staff=staff,
        regulars=found,
        regulars_count=count,
        to_resolve=to_resolve,
        to_review=to_review,
        outstanding=outstanding,
    )


def camera_names(tx: Tx) -> dict[str, dict[str, str]]:
    """By appliance: its cameras' names by id, switched-off ones too."""
    names: dict[str, dict[str, str]] = {}
    for appliance_id, id_, name in tx.execute("SELECT appliance_id, id, name FROM cameras ORDER BY name, id").fetchall():
        names.setdefault(appliance_id, {})[id_] = name
    return names


def site_line(tx: Tx, site: Site, standings: list[Standing], now: datetime) -> SiteLine:
    zone = ZoneInfo(site.time_zone)
    first, after, _day = own_day(zone, now)
    row = tx.execute(
        """SELECT count(*) FILTER (WHERE verdict <> 'staff'), count(*) FILTER (WHERE verdict = 'new'),
               count(*) FILTER (WHERE verdict = 'unsure')
           FROM visits WHERE site_id = %s AND first_seen_at >= %s AND first_seen_at < %s""",
        (site.id, first, after),
    ).fetchone()
    visits, new, unsure = row or (0, 0, 0)
    return SiteLine(site, visits, new, unsure, now.astimezone(zone).strftime("%H:%M"), standings)


def counts(tx: Tx) -> tuple[int, int, int, int, int]:
    """Identities of customers and of staff, persons not resolved yet, open cases of review, requests to be forgotten not carried out."""
    row = tx.execute(
        """SELECT (SELECT count(*) FROM identities WHERE merged_into IS NULL AND role = 'customer'),
               (SELECT count(*) FROM identities WHERE merged_into IS NULL AND role = 'staff'),
               (SELECT count(*) FROM resolve_queue), (SELECT count(*) FROM review WHERE decision IS NULL),
               (SELECT count(DISTINCT erasure_id) FROM erasure_receipts WHERE done_at IS NULL)"""
    ).fetchone()
    assert row is not None
    return row


def overview_of(pages: GivenPages, tenant_id: str) -> tuple[Tenant, Overview]:
    database, now = pages.deps.database, pages.deps.now()
    with database.tenant(tenant_id) as tx:
        tenant = tenants.get(tx, tenant_id)
        return tenant, read_overview(tx, database.vault(tx, tenant_id), face_links(pages.deps, tenant), now)


@get("/t/{tenant_id:str}", opt={"access": Access.TENANT_READ}, sync_to_thread=True, include_in_schema=False)
def overview_page(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str]) -> Response[str]:
    tenant, found = overview_of(pages, tenant_id)
    return pages.of_tenant("overview.html", "overview", asker, tenant, {"found": found, "fingerprint": pages.deps.fingerprint()})
