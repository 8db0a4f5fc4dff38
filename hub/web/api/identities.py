"""API: the people of a chain as the hub knows them. To read them; what may be changed of them is in `decisions` and `forgetting`."""

from __future__ import annotations

from typing import Literal

import msgspec
from litestar import get
from litestar.params import FromPath, FromQuery

from hub.errors import NotFound
from hub.moments import to_ms
from hub.web.access import Access
from hub.web.api.chain import BELOW
from hub.web.identity_rows import IdentityRow, PersonRow, read_one, read_page
from hub.web.pages import GivenPages
from hub.web.regulars import asked_page

ROWS_MAX = 100


class PersonOut(msgspec.Struct, frozen=True):
    """What one store knows. `linked_by`: machine, person or guest; `similarity` and `bar`: why the machine took them for one."""

    id: str
    site_id: str
    appliance_id: str
    number: int
    visits: int
    first_seen_ms: int | None
    last_seen_ms: int | None
    linked_by: str
    similarity: float | None
    bar: float | None


class IdentityOut(msgspec.Struct, frozen=True):
    """`name`: empty while nobody has said one. `merged_into`: the identity that this one is today, if another."""

    id: str
    number: int
    name: str
    role: Literal["customer", "staff", "opted_out"]
    vip: bool
    watchlist: bool
    made_ms: int
    merged_into: str | None
    persons: list[PersonOut]


class IdentitiesOut(msgspec.Struct, frozen=True):
    total: int
    page: int
    items: list[IdentityOut]


def of_person(row: PersonRow) -> PersonOut:
    first, last = (to_ms(at) if at else None for at in (row.first_seen_at, row.last_seen_at))
    seen = (row.id, row.site_id, row.appliance_id, row.number, row.visits)
    return PersonOut(*seen, first, last, row.linked_by, row.similarity, row.bar)


def of_identity(row: IdentityRow) -> IdentityOut:
    role = msgspec.convert(row.role, Literal["customer", "staff", "opted_out"])
    flags = (role, row.vip, row.watchlist)
    return IdentityOut(
        row.id, row.number, row.name, *flags, to_ms(row.made_at), row.merged_into, [of_person(person) for person in row.persons]
    )


@get(f"{BELOW}/identities", opt={"access": Access.TENANT_READ}, sync_to_thread=True, tags=["people"])
def list_identities(
    pages: GivenPages, tenant_id: FromPath[str], several: FromQuery[bool] = False, page: FromQuery[int] = 1
) -> IdentitiesOut:
    """The people of the chain, newest first; 100 a page. `several=true`: those alone who came to more than one store."""
    database = pages.deps.database
    with database.tenant(tenant_id) as tx:
        vault, offset = database.vault(tx, tenant_id), (asked_page(page) - 1) * ROWS_MAX
        found, count = read_page(tx, vault, several=several, limit=ROWS_MAX, offset=offset)
    return IdentitiesOut(count, page, [of_identity(row) for row in found])


@get(f"{BELOW}/identities/{{identity_id:str}}", opt={"access": Access.TENANT_READ}, sync_to_thread=True, tags=["people"])
def get_identity(pages: GivenPages, tenant_id: FromPath[str], identity_id: FromPath[str]) -> IdentityOut:
    """One of them, with what each store knows and why it was taken for them."""
    database = pages.deps.database
    with database.tenant(tenant_id) as tx:
        found = read_one(tx, database.vault(tx, tenant_id), identity_id)
    if found is None:
        raise NotFound(f"There is no identity {identity_id}.")
    return of_identity(found)


ROUTES = (list_identities, get_identity)
