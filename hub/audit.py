"""Who saw or changed what, and what the hub noticed by itself: the table `audit`. Ids only, never a name."""

from __future__ import annotations

from datetime import datetime

import uuid_utils

from hub.database import Tx


def note(tx: Tx, who: str, what: str, subject: str, now: datetime) -> None:
    """In the transaction of what it tells of."""
    tx.execute(
        "INSERT INTO audit (tenant_id, id, at, who, what, subject) VALUES ((SELECT current_tenant()), %s, %s, %s, %s, %s)",
        [str(uuid_utils.uuid7()), now, who, what, subject],
    )
