"""The page Forgotten: requests to be erased or never stored again, and for each place whether it has been carried out there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from hub import tenants
from hub.database import Tx
from hub.web.access import Access, GivenAsker
from hub.web.pages import GivenPages
from hub.web.regulars import asked_page
from ui.words import gettext as _

ROWS_MAX = 25
PLACES = {"postgres": _("database"), "index": _("index of faces"), "snapshots": _("pictures")}


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """`revoked`: an appliance that will not be heard from again, so that somebody has to see to it there."""

    words: str
    done_at: datetime | None
    revoked: bool
    last_contact_at: datetime | None
    persons: int
    templates: int
    snapshots: int


@dataclass(frozen=True, slots=True)
class RequestLine:
    id: str
    kind: str
    asked_at: datetime
    asked_by: str
    reason: str
    ended_at: datetime | None
    places: list[PlaceLine] = field(default_factory=list)

    @property
    def outstanding(self) -> int:
        return sum(place.done_at is None for place in self.places)


def read_requests(tx: Tx, *, limit: int, offset: int) -> tuple[list[RequestLine], int]:
    """Those that are outstanding somewhere first, then the newest; and how many there are in all."""
    (count,) = tx.execute("SELECT count(*) FROM erasures").fetchone() or (0,)
    rows = tx.execute(
        """SELECT e.id, e.kind, e.asked_at, e.asked_by, e.reason, e.ended_at FROM erasures e
           ORDER BY EXISTS (SELECT FROM erasure_receipts r WHERE r.erasure_id = e.id AND r.done_at IS NULL) DESC, e.asked_at DESC, e.id
           LIMIT %s OFFSET %s""",
        (limit, offset),
    ).fetchall()
    found = {row[0]: RequestLine(*row) for row in rows}
    for erasure_id, place in read_places(tx, found):
        found[erasure_id].places.append(place)
    return list(found.values()), count


def read_places(tx: Tx, erasure_ids: Iterable[str]) -> list[tuple[str, PlaceLine]]:
    rows = tx.execute(
        """SELECT r.erasure_id, r.place, r.done_at, r.persons, r.templates, r.snapshots, a.name, s.name, a.revoked_at, a.last_contact_at
           FROM erasure_receipts r LEFT JOIN appliances a ON a.id::text = r.place LEFT JOIN sites s ON s.id = a.site_id
           WHERE r.erasure_id = ANY(%s::uuid[]) ORDER BY r.done_at NULLS FIRST, r.place""",
        (list(erasure_ids),),
    ).fetchall()
    lines = []
    for erasure_id, place, done_at, persons, templates, snapshots, appliance, site, revoked_at, contact_at in rows:
        words = f"{site}, {appliance}" if appliance else _(PLACES[place]) if place in PLACES else _("a removed appliance")
        lines.append((erasure_id, PlaceLine(words, done_at, revoked_at is not None, contact_at, persons, templates, snapshots)))
    return lines


@get("/t/{tenant_id:str}/forgotten", opt={"access": Access.TENANT_READ}, sync_to_thread=True, include_in_schema=False)
def forgotten_page(pages: GivenPages, asker: GivenAsker, tenant_id: FromPath[str], page: FromQuery[int] = 1) -> Response[str]:
    with pages.deps.database.tenant(tenant_id) as tx:
        tenant = tenants.get(tx, tenant_id)
        found, count = read_requests(tx, limit=ROWS_MAX, offset=(asked_page(page) - 1) * ROWS_MAX)
    values = {"found": found, "count": count, "number": page, "pages": max(1, -(-count // ROWS_MAX))}
    return pages.of_tenant("forgotten.html", "forgotten", asker, tenant, values)
