"""Identities with their persons, as the API gives them: what each store knows of somebody, and why it is taken for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.database import Tx
from hub.vault import Vault

PERSONS_MAX = 500
"""Of one identity; see `sync.facts`."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    id: str
    site_id: str
    appliance_id: str
    number: int
    visits: int
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    linked_by: str
    similarity: float | None
    bar: float | None


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """`name`: empty while nobody has said one. `merged_into`: whom it is today, if somebody else."""

    id: str
    number: int
    name: str
    role: str
    vip: bool
    watchlist: bool
    made_at: datetime
    merged_into: str | None
    persons: list[PersonRow]


COLUMNS = "i.id, i.number, i.name_sealed, i.role, i.vip, i.watchlist, i.made_at, i.merged_into"
LIVING = "i.merged_into IS NULL"
IN_SEVERAL = f"""{LIVING} AND (SELECT count(DISTINCT p.site_id) FROM persons p WHERE p.identity_id = i.id) > 1"""


def read_page(tx: Tx, vault: Vault, *, several: bool, limit: int, offset: int) -> tuple[list[IdentityRow], int]:
    """By number, newest first, and how many there are in all. `several`: those alone who came to more than one store."""
    which = IN_SEVERAL if several else LIVING
    (count,) = tx.execute(f"SELECT count(*) FROM identities i WHERE {which}").fetchone() or (0,)
    rows = tx.execute(
        f"SELECT {COLUMNS} FROM identities i WHERE {which} ORDER BY i.number DESC LIMIT %s OFFSET %s", (limit, offset)
    ).fetchall()
    return with_persons(tx, vault, rows), count


def read_one(tx: Tx, vault: Vault, identity_id: str) -> IdentityRow | None:
    rows = tx.execute(f"SELECT {COLUMNS} FROM identities i WHERE i.id = %s", (identity_id,)).fetchall()
    return next(iter(with_persons(tx, vault, rows)), None)


def with_persons(tx: Tx, vault: Vault, rows: Sequence[tuple[object, ...]]) -> list[IdentityRow]:
    persons: dict[str, list[PersonRow]] = {}
    found = tx.execute(
        """SELECT identity_id, id, site_id, appliance_id, number, visit_count, first_seen_at, last_seen_at, linked_by, similarity, bar
           FROM persons WHERE identity_id = ANY(%s::uuid[]) ORDER BY first_seen_at NULLS LAST, id""",
        ([row[0] for row in rows],),
    )
    for identity_id, *person in found:
        persons.setdefault(identity_id, []).append(PersonRow(*person))
    return [identity_row(vault, row, persons) for row in rows]


def identity_row(vault: Vault, row: tuple[object, ...], persons: dict[str, list[PersonRow]]) -> IdentityRow:
    id_, number, name_sealed, role, vip, watchlist, made_at, merged_into = row
    assert isinstance(id_, str) and isinstance(number, int) and isinstance(role, str) and isinstance(made_at, datetime)
    name = vault.unseal(name_sealed, table="identities", column="name_sealed", row=id_).decode() if isinstance(name_sealed, bytes) else ""
    into = merged_into if isinstance(merged_into, str) else None
    return IdentityRow(id_, number, name, role, bool(vip), bool(watchlist), made_at, into, persons.get(id_, [])[:PERSONS_MAX])
