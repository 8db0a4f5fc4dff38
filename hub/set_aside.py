"""Records that could not be taken, with the reason, sealed: the table `set_aside`. They block nothing and are kept until somebody has
looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.database import Tx
from hub.vault import Vault

TABLE, COLUMN = "set_aside", "payload_sealed"
KEPT_MAX = 5_000
"""Of one appliance. One that tells nothing but rubbish shows that with far fewer."""
KEPT_DAYS = 180


@dataclass(frozen=True, slots=True)
class Aside:
    sequence: int
    kind: str
    reason: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """As a page shows it: without what the record says."""

    appliance_id: str
    line: str
    sequence: int
    kind: str
    reason: str
    at: datetime


def keep(tx: Tx, vault: Vault, appliance_id: str, line: str, asides: Sequence[Aside], now: datetime) -> None:
    """Beyond the bound the oldest go."""
    if not asides:
        return
    tx.execute(
        """INSERT INTO set_aside (tenant_id, appliance_id, line, sequence, kind, reason, payload_sealed, at)
            SELECT (SELECT current_tenant()), %s, %s, t.*, %s FROM unnest(%s::bigint[], %s::text[], %s::text[], %b::bytea[]) AS t
            ON CONFLICT DO NOTHING""",
        [
            appliance_id,
            line,
            now,
            [one.sequence for one in asides],
            [one.kind for one in asides],
            [one.reason for one in asides],
            [vault.seal(one.payload, table=TABLE, column=COLUMN, row=f"{appliance_id}/{line}/{one.sequence}") for one in asides],
        ],
    )
    tx.execute(
        """DELETE FROM set_aside WHERE appliance_id = %(appliance)s AND (line, sequence) IN (SELECT line, sequence FROM set_aside
            WHERE appliance_id = %(appliance)s ORDER BY at DESC, sequence DESC OFFSET %(kept)s)""",
        {"appliance": appliance_id, "kept": KEPT_MAX},
    )


def newest(tx: Tx, *, limit: int = 100) -> list[Row]:
    rows = tx.execute(
        "SELECT appliance_id, line, sequence, kind, reason, at FROM set_aside ORDER BY at DESC, sequence DESC LIMIT %s", [limit]
    )
    return [Row(*row) for row in rows]


def drop_mentions(tx: Tx, vault: Vault, ids: Sequence[str]) -> int:
    """Deletes what was set aside of somebody forgotten; how many. Only the records themselves say of whom they are, so each is opened."""
    if not ids:
        return 0
    wanted = [one.encode() for one in ids]
    gone = []
    for appliance_id, line, sequence, sealed in tx.execute("SELECT appliance_id, line, sequence, payload_sealed FROM set_aside").fetchall():
        payload = vault.unseal(sealed, table=TABLE, column=COLUMN, row=f"{appliance_id}/{line}/{sequence}")
        if any(one in payload for one in wanted):
            gone.append((appliance_id, line, sequence))
    if gone:
        tx.execute(
            """DELETE FROM set_aside AS s USING unnest(%s::uuid[], %s::text[], %s::bigint[]) AS t (appliance_id, line, sequence)
                WHERE s.appliance_id = t.appliance_id AND s.line = t.line AND s.sequence = t.sequence""",
            [[row[0] for row in gone], [row[1] for row in gone], [row[2] for row in gone]],
        )
    return len(gone)


def expire(tx: Tx, now: datetime) -> int:
    return tx.execute("DELETE FROM set_aside WHERE at < %s", [now - timedelta(days=KEPT_DAYS)]).rowcount
