"""What a tenant switches on and off, and what its stores are told of it in the same transaction: what no store hears of is no switch."""

from __future__ import annotations

from datetime import datetime

from hub import audit, erasure, facts, known, tenants
from hub.database import Tx
from hub.tenants import Tenant
from hub.vault import Vault
from sync.facts import TenantSettings


def change(
    tx: Tx,
    vault: Vault,
    tenant_id: str,
    by: str,
    now: datetime,
    *,
    snapshots: bool | None = None,
    also_at: bool | None = None,
    guests: bool | None = None,
    guests_max: int | None = None,
    snapshot_days: int | None = None,
) -> Tenant:
    """What is None stays as it is. The tenant as it is then. Raises NotFound, NotAllowed."""
    erasure.hold_off_forgetting(tx)
    before = tenants.get(tx, tenant_id)
    after = tenants.set_switches(
        tx, tenant_id, snapshots=snapshots, also_at=also_at, guests=guests, guests_max=guests_max, snapshot_days=snapshot_days
    )
    if after != before:
        audit.note(tx, by, "switches changed", tenant_id, now)
    if (after.snapshots, after.also_at) != (before.snapshots, before.also_at):
        facts.tell(tx, vault, settings_of(after), appliance_id=None, subject=facts.SETTINGS, now=now)
    if after.also_at != before.also_at:
        rows = tx.execute("SELECT DISTINCT identity_id FROM persons WHERE identity_id IS NOT NULL ORDER BY 1").fetchall()
        known.tell(tx, vault, [row[0] for row in rows], now)
    return after


def settings_of(tenant: Tenant) -> TenantSettings:
    return TenantSettings(snapshots=tenant.snapshots, also_at=tenant.also_at)
