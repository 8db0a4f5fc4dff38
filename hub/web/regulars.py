"""The page People: identities seen in more than one store. "Came to Store A and Store B", with the visits of each; names where known, and a
face where the tenant keeps pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from litestar import Response, get
from litestar.exceptions import ValidationException
from litestar.params import FromPath, FromQuery

from hub import sites, snapshots, tenants
from hub.database import Tx
from hub.tenants import Tenant
from hub.vault import Vault
from hub.web.access import Access, GivenAsker
from hub.web.pages import GivenPages, WebDeps
from ui import formats
from ui.words import gettext as _

ROWS_MAX = 50
PAGE_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Stay:
    """What one store saw of an identity."""

    site: str
    visits: int
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Regular:
    id: str
    who: str
    named: bool
    role: str
    vip: bool
    watchlist: bool
    stays: list[Stay]
    last_seen_at: datetime | None
    face: str | None
    """The last part of an address under /snapshots/, which holds for some minutes."""

    @property
    def visits(self) -> int:
        return sum(stay.visits for stay in self.stays)


IN_SEVERAL = """
    SELECT i.id, i.number, i.name_sealed, i.role, i.vip, i.watchlist, max(p.last_seen_at) AS last
    FROM identities i JOIN persons p ON p.identity_id = i.id
    WHERE i.merged_into IS NULL AND i.role <> 'opted_out'
    GROUP BY i.tenant_id, i.id, i.number, i.name_sealed, i.role, i.vip, i.watchlist HAVING count(DISTINCT p.site_id) > 1"""


Link = Callable[[str], str]
"""A visit's id to a signed link to its picture."""


def face_links(deps: WebDeps, tenant: Tenant) -> Link | None:
    """None where no pictures are kept."""
    if not tenant.snapshots:
        return None
    return lambda visit_id: snapshots.signed_link(deps.database, tenant.tenant_id, visit_id, deps.now())


def read_regulars(tx: Tx, vault: Vault, link: Link | None, *, limit: int, offset: int) -> tuple[list[Regular], int]:
    """Seen last first, and how many there are in all."""
    (count,) = tx.execute(f"SELECT count(*) FROM ({IN_SEVERAL}) several").fetchone() or (0,)
    rows = tx.execute(f"{IN_SEVERAL} ORDER BY last DESC NULLS LAST, i.number DESC LIMIT %s OFFSET %s", (limit, offset)).fetchall()
    ids = [row[0] for row in rows]
    stays, pictured = read_stays(tx, ids), read_pictured(tx, ids) if link else {}
    found = []
    for id_, number, name_sealed, role, vip, watchlist, last in rows:
        who = called(vault, id_, number, name_sealed)
        face = link(pictured[id_]) if link and id_ in pictured else None
        found.append(Regular(id_, who, name_sealed is not None, role, vip, watchlist, stays.get(id_, []), last, face))
    return found, count


def read_stays(tx: Tx, identity_ids: list[str]) -> dict[str, list[Stay]]:
    names = {site.id: site.name for site in sites.every(tx)}
    rows = tx.execute(
        """SELECT identity_id, site_id, sum(visit_count), max(last_seen_at) FROM persons WHERE identity_id = ANY(%s::uuid[])
           GROUP BY identity_id, site_id ORDER BY min(first_seen_at) NULLS LAST, site_id""",
        (identity_ids,),
    ).fetchall()
    stays: dict[str, list[Stay]] = {}
    for identity_id, site_id, visits, last in rows:
        stays.setdefault(identity_id, []).append(Stay(names.get(site_id, _("a removed store")), int(visits), last))
    return stays


def read_pictured(tx: Tx, identity_ids: list[str]) -> dict[str, str]:
    """By identity: its newest visit with a picture."""
    rows = tx.execute(
        """SELECT DISTINCT ON (p.identity_id) p.identity_id, v.id FROM persons p JOIN visits v ON v.person_id = p.id
           WHERE p.identity_id = ANY(%s::uuid[]) AND v.snapshot IS NOT NULL ORDER BY p.identity_id, v.first_seen_at DESC, v.id""",
        (identity_ids,),
    )
    return dict(rows.fetchall())


def called(vault: Vault, identity_id: str, number: int, name_sealed: bytes | None) -> str:
    """The name, or "Person 1204": the number is the chain's own and not any store's "Visitor 1204"."""
    if name_sealed is None:
        return _("Person %(number)s") % {"number": formats.number(number)}
    return vault.unseal(name_sealed, table="identities", column="name_sealed", row=identity_id).decode()


def asked_page(page: int) -> int:
    if not 1 <= page <= PAGE_MAX:
        raise ValidationException(_("There is no page %(page)s.") % {"page": page})
    return page


@get("/t/{tenant_id:str}/people", opt={"access": Access.TENANT_READ}, sync_to_thread=True, include_in_schema=False)
def people_page(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], page: FromQuery[int] = 1) -> Response[str]:
    database = pages.deps.database
    with database.tenant(tenant_id) as tx:
        tenant = tenants.get(tx, tenant_id)
        vault, link, offset = database.vault(tx, tenant_id), face_links(pages.deps, tenant), (asked_page(page) - 1) * ROWS_MAX
        found, count = read_regulars(tx, vault, link, limit=ROWS_MAX, offset=offset)
        stores = len(sites.every(tx))
    values = {"found": found, "count": count, "number": page, "pages": max(1, -(-count // ROWS_MAX)), "stores": stores}
    return pages.of_tenant("people.html", "people", asker, tenant, values)
