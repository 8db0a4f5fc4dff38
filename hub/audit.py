"""Who saw or changed what of a tenant, and what the hub noticed by itself: the table `audit`, written in the transaction that does it. Ids,
and never names of people whom the cameras saw."""

from __future__ import annotations

from datetime import datetime

import uuid_utils

from hub.database import Tx

WORDS_MAX = 200


def note(tx: Tx, who: str, what: str, subject: str, now: datetime) -> None:
    """`who`: a user's, a token's or a store's name; `what`: a few words such as "appliance revoked"; `subject`: an id."""
    tx.execute(
        "INSERT INTO audit (tenant_id, id, at, who, what, subject) VALUES ((SELECT current_tenant()), %s, %s, %s, %s, %s)",
        [str(uuid_utils.uuid7()), now, who[:WORDS_MAX], what[:WORDS_MAX], subject[:WORDS_MAX]],
    )
