"""API: requests to be forgotten, and the receipt of each place."""

from __future__ import annotations

from typing import Literal

import msgspec
from litestar import get
from litestar.params import FromPath, FromQuery

from hub.moments import to_ms
from hub.web.access import Access
from hub.web.api.chain import BELOW
from hub.web.forgotten import PlaceLine, RequestLine, read_requests
from hub.web.pages import GivenPages
from hub.web.regulars import asked_page

ROWS_MAX = 100


class ReceiptOut(msgspec.Struct, frozen=True):
    """`place`: in words. `done_ms` null: still outstanding there; with `revoked` it will never be carried out by itself."""

    place: str
    done_ms: int | None
    revoked: bool
    persons: int
    templates: int
    snapshots: int


class RequestOut(msgspec.Struct, frozen=True):
    id: str
    kind: Literal["erase", "opt_out"]
    asked_ms: int
    asked_by: str
    reason: str
    ended_ms: int | None
    outstanding: int
    receipts: list[ReceiptOut]


class RequestsOut(msgspec.Struct, frozen=True):
    total: int
    page: int
    items: list[RequestOut]


def of_request(line: RequestLine) -> RequestOut:
    return RequestOut(
        id=line.id,
        kind="erase" if line.kind == "erase" else "opt_out",
        asked_ms=to_ms(line.asked_at),
        asked_by=line.asked_by,
        reason=line.reason,
        ended_ms=to_ms(line.ended_at) if line.ended_at else None,
        outstanding=line.outstanding,
        receipts=[of_place(place) for place in line.places],
    )


def of_place(place: PlaceLine) -> ReceiptOut:
    done_ms = to_ms(place.done_at) if place.done_at else None
    return ReceiptOut(place.words, done_ms, place.revoked, place.persons, place.templates, place.snapshots)


@get(f"{BELOW}/erasures", opt={"access": Access.TENANT_READ}, sync_to_thread=True, tags=["requests to be forgotten"])
def list_requests(pages: GivenPages, tenant_id: FromPath[str], page: FromQuery[int] = 1) -> RequestsOut:
    """Erasures and opt-outs, those that are outstanding somewhere first, with a receipt for each place; 100 a page."""
    with pages.deps.database.tenant(tenant_id) as tx:
        found, count = read_requests(tx, limit=ROWS_MAX, offset=(asked_page(page) - 1) * ROWS_MAX)
    return RequestsOut(count, page, [of_request(line) for line in found])


ROUTES = (list_requests,)
