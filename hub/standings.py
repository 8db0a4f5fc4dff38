"""The figures that a monitor is given out of the database: tenant by tenant, each in its own scope."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from hub import tenants
from hub.database import Database, Tx
from hub.metrics import Standing

FIGURES = """
SELECT count(*) FILTER (WHERE revoked_at IS NULL AND last_contact_at > %(since)s),
    count(*) FILTER (WHERE revoked_at IS NULL AND (last_contact_at IS NULL OR last_contact_at <= %(since)s)),
    coalesce(sum(set_aside_count), 0),
    coalesce(sum(CASE WHEN jsonb_typeof(status->'waiting') = 'number' AND revoked_at IS NULL THEN (status->'waiting')::bigint END), 0),
    min(CASE WHEN jsonb_typeof(status->'oldest_ms') = 'number' AND revoked_at IS NULL THEN (status->'oldest_ms')::bigint END),
    (SELECT count(*) FROM resolve_queue), (SELECT count(*) FROM erasure_receipts WHERE done_at IS NULL)
FROM appliances
"""


def look_up(database: Database, now: Callable[[], datetime], offline_after: timedelta, labels: bool) -> Callable[[], list[Standing]]:
    """For `Metrics.look_up`. `labels`: whether a tenant's id may be told."""

    def standings() -> list[Standing]:
        with database.anyone() as tx:
            ids = [tenant.tenant_id for tenant in tenants.every(tx)]
        found = []
        for tenant_id in ids:
            with database.tenant(tenant_id) as tx:
                found.append(standing(tx, tenant_id if labels else "", now(), offline_after))
        return found

    return standings


def standing(tx: Tx, label: str, now: datetime, offline_after: timedelta) -> Standing:
    row = tx.execute(FIGURES, {"since": now - offline_after}).fetchone()
    assert row is not None
    online, offline, aside, waiting, oldest_ms, to_resolve, outstanding = row
    oldest_s = max(0.0, now.timestamp() - oldest_ms / 1000) if oldest_ms else 0.0
    return Standing(label, online, offline, to_resolve, int(aside), int(waiting), oldest_s, outstanding)
