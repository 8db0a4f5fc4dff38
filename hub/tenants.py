"""Tenants: the chains this hub works for, and what each switched on. Listed and added by the hub itself, seen each by itself alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
import uuid_utils

from hub.database import Tx
from hub.errors import NotAllowed, NotFound
from hub.master_key import MasterKey
from hub.names import as_id, found_id, proper
from hub.vault import new_key

GUESTS_MAX = 20_000
"""Templates of guests lie in each store's memory: eight of two kilobytes each make 320 MB."""
SNAPSHOT_DAYS_MAX = 365
SELECT = "SELECT tenant_id, name, made_at, snapshots, also_at, guests, guests_max, snapshot_days FROM tenants"


@dataclass(frozen=True, slots=True)
class Tenant:
    """`snapshots`: stores send pictures, kept here for `snapshot_days`. `also_at`: stores are told where else somebody comes. `guests`:
    stores are lent templates of at most `guests_max` frequent visitors of the others."""

    tenant_id: str
    name: str
    made_at: datetime
    snapshots: bool
    also_at: bool
    guests: bool
    guests_max: int
    snapshot_days: int


def add(tx: Tx, master: MasterKey, name: str, now: datetime) -> Tenant:
    """`tx` acts for the hub. Makes the tenant's data key. Raises NotAllowed."""
    tenant_id = str(uuid_utils.uuid7())
    sealed = master.seal(new_key(), table="tenants", column="key_sealed", row=tenant_id)
    called = proper(name, "A tenant")
    try:
        with tx.transaction():
            tx.execute(
                "INSERT INTO tenants (tenant_id, name, key_sealed, made_at) VALUES (%s, %s, %s, %s)", [tenant_id, called, sealed, now]
            )
    except psycopg.errors.UniqueViolation:
        raise NotAllowed(f"There is already a tenant called '{called}'.") from None
    return get(tx, tenant_id)


def every(tx: Tx) -> list[Tenant]:
    """`tx` acts for the hub."""
    return [Tenant(*row) for row in tx.execute(f"{SELECT} ORDER BY name")]


def get(tx: Tx, tenant_id: str) -> Tenant:
    """Raises NotFound."""
    row = tx.execute(f"{SELECT} WHERE tenant_id = %s", [tenant_id]).fetchone()
    if row is None:
        raise NotFound(f"There is no tenant {tenant_id}.")
    return Tenant(*row)


def named(tx: Tx, name_or_id: str) -> Tenant:
    """`tx` acts for the hub. Raises NotFound."""
    tenant_id = as_id(name_or_id) or found_id(tx, "SELECT tenant_id FROM tenants WHERE name = %s", name_or_id, "tenant")
    return get(tx, tenant_id)


def set_switches(
    tx: Tx,
    tenant_id: str,
    *,
    snapshots: bool | None = None,
    also_at: bool | None = None,
    guests: bool | None = None,
    guests_max: int | None = None,
    snapshot_days: int | None = None,
) -> Tenant:
    """What is None stays as it is. Raises NotFound, NotAllowed."""
    if guests_max is not None and not 0 <= guests_max <= GUESTS_MAX:
        raise NotAllowed(f"A store is lent 0 to {GUESTS_MAX} guests, not {guests_max}.")
    if snapshot_days is not None and not 1 <= snapshot_days <= SNAPSHOT_DAYS_MAX:
        raise NotAllowed(f"Snapshots are kept for 1 to {SNAPSHOT_DAYS_MAX} days, not {snapshot_days}.")
    values: list[Any] = [snapshots, also_at, guests, guests_max, snapshot_days, tenant_id]
    tx.execute(
        """
        UPDATE tenants SET snapshots = coalesce(%s, snapshots), also_at = coalesce(%s, also_at), guests = coalesce(%s, guests),
            guests_max = coalesce(%s, guests_max), snapshot_days = coalesce(%s, snapshot_days)
        WHERE tenant_id = %s
        """,
        values,
    )
    return get(tx, tenant_id)
