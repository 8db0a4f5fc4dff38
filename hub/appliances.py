"""Appliances as the hub knows them: paired with a site, heard from, or revoked. Their rows are made by pairing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.database import Tx
from hub.errors import NotFound
from hub.names import as_id, found_id

SELECT = """
SELECT id, tenant_id, site_id, name, paired_at, revoked_at, last_contact_at, clock_skew_ms, set_aside_count, offline_since, status
FROM appliances
"""


@dataclass(frozen=True, slots=True)
class Appliance:
    """`clock_skew_ms`: its clock less ours, at the last contact. `status`: as it last told it (`sync.messages.Status`)."""

    id: str
    tenant_id: str
    site_id: str
    name: str
    paired_at: datetime
    revoked_at: datetime | None
    last_contact_at: datetime | None
    clock_skew_ms: int | None
    set_aside_count: int
    offline_since: datetime | None
    status: dict[str, Any]


def every(tx: Tx) -> list[Appliance]:
    return [Appliance(*row) for row in tx.execute(f"{SELECT} ORDER BY name, id")]


def get(tx: Tx, appliance_id: str) -> Appliance:
    """Raises NotFound."""
    row = tx.execute(f"{SELECT} WHERE id = %s", [appliance_id]).fetchone()
    if row is None:
        raise NotFound(f"There is no appliance {appliance_id}.")
    return Appliance(*row)


def named(tx: Tx, name_or_id: str) -> Appliance:
    """Raises NotFound, NotAllowed when several have that name."""
    return get(tx, as_id(name_or_id) or found_id(tx, "SELECT id FROM appliances WHERE name = %s", name_or_id, "appliance"))


def revoke(tx: Tx, appliance_id: str, now: datetime) -> Appliance:
    """From now on nothing is taken from it and it is told nothing; it works on by itself. Doing it twice is harmless. Raises NotFound."""
    tx.execute("UPDATE appliances SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL", [now, appliance_id])
    return get(tx, appliance_id)
