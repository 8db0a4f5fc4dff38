"""The page People: identities seen in more than one store. "Came to Store A and Store B", with the visits of each; names where known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from litestar import Response, get
from litestar.exceptions import ValidationException
from litestar.params import FromPath, FromQuery

from hub import sites, tenants
from hub.database import Tx
from hub.vault import Vault
from hub.web.access import Access, GivenAsker
from hub.web.pages import GivenPages
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

    @property
    def visits(self) -> int:
        return sum(stay.visits for stay in self.stays)


IN_SEVERAL = """
    SELECT i.id, i.number, i.name_sealed, i.role, i.vip, i.watchlist, max(p.last_seen_at) AS last
    FROM identities i JOIN persons p ON p.identity_id = i.id
    WHERE i.merged_into IS NULL AND i.role <> 'opted_out'
    GROUP BY i.tenant_id, i.id, i.number, i.name_sealed, i.role, i.vip, i.watchlist HAVING count(DISTINCT p.site_id) > 1"""


def read_regulars(tx: Tx, vault: Vault, *, limit: int, offset: int) -> tuple[list[Regular], int]:
    """Seen last first, and how many there are in all."""
    (count,) = tx.execute(f"SELECT count(*) FROM ({IN_SEVERAL}) several").fetchone() or (0,)
    rows = tx.execute(f"{IN_SEVERAL} ORDER BY last DESC NULLS LAST, i.number DESC LIMIT %s OFFSET %s", (limit, offset)).fetchall()
    stays = read_stays(tx, [row[0] for row in rows])
    found = []
    for id_, number, name_sealed, role, vip, watchlist, last in rows:
        who = called(vault, id_, number, name_sealed)
        found.append(Regular(id_, who, name_sealed is not None, role, vip, watchlist, stays.get(id_, []), last))
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
        found, count = read_regulars(tx, database.vault(tx, tenant_id), limit=ROWS_MAX, offset=(asked_page(page) - 1) * ROWS_MAX)
        stores = len(sites.every(tx))
    values = {"found": found, "count": count, "number": page, "pages": max(1, -(-count // ROWS_MAX)), "stores": stores}
    return pages.of_tenant("people.html", "people", asker, tenant, values)
