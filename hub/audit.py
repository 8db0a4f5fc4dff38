"""Who changed or saw what of a tenant, written in the transaction that does it. Ids and never names of people the cameras saw."""

from __future__ import annotations

from datetime import datetime

from uuid_utils import uuid7

from hub.database import Tx

WORDS_MAX = 200


def note(tx: Tx, tenant_id: str, who: str, what: str, subject: str, now: datetime) -> None:
    """`who`: a user's or token's name; `what`: a few words such as "appliance revoked"; `subject`: an id."""
    tx.execute(
        "INSERT INTO audit (tenant_id, id, at, who, what, subject) VALUES (%s, %s, %s, %s, %s, %s)",
        (tenant_id, str(uuid7()), now, who[:WORDS_MAX], what[:WORDS_MAX], subject[:WORDS_MAX]),
    )
