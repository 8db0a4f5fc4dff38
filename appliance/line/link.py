"""The line to headquarters as this store knows it: the one row of the table `link`. No row, no line: nothing is sent.

The private keys are sealed at rest and leave this module only as keys. Whoever asks how the line does gets words, never a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from appliance import backup
from appliance.database import Store
from sync import keys
from sync.messages import PublicKeys

COLUMNS = """hub_url, tenant_id, tenant_name, site_id, site_name, appliance_id, state, hub_seal, hub_sign, line, acknowledged,
    abandoned_through, retell, cursor, snapshots, also_at, paired_ms, tried_ms, contact_ms, error, skew_ms, bytes_per_s,
    facts_passed_over, set_aside, next_keys_sealed IS NOT NULL AS rotating"""
NAMES = [column.split()[-1] for column in COLUMNS.split(",")]


@dataclass(frozen=True, slots=True)
class Link:
    """`state`: paired or revoked. `error`: why the last try failed, in words; empty after one that went well. `skew_ms`: how far this
    computer's clock is ahead of headquarters'. `retell`: how far everything is told anew, empty when it need not be."""

    hub_url: str
    tenant_id: str
    tenant_name: str
    site_id: str
    site_name: str
    appliance_id: str
    state: str
    hub: PublicKeys
    line: str
    acknowledged: int
    abandoned_through: int
    retell: str
    cursor: int
    snapshots: bool
    also_at: bool
    paired_ms: int
    tried_ms: int | None
    contact_ms: int | None
    error: str
    skew_ms: int | None
    bytes_per_s: float | None
    facts_passed_over: int
    set_aside: int
    rotating: bool

    @property
    def fingerprint(self) -> str:
        """Of headquarters' keys; the same is shown there."""
        return keys.fingerprint(self.hub)


def read(store: Store) -> Link | None:
    row = store.db.execute(f"SELECT {COLUMNS} FROM link").fetchone()
    if row is None:
        return None
    values: dict[str, Any] = dict(zip(NAMES, row, strict=True))
    values["hub"] = PublicKeys(seal=values.pop("hub_seal"), sign=values.pop("hub_sign"))
    for flag in ("snapshots", "also_at", "rotating"):
        values[flag] = bool(values[flag])
    return Link(**values)


def line_of(store: Store) -> str:
    """The run of sequence numbers that the outbox is in."""
    (line,) = store.db.execute("SELECT value FROM settings WHERE key = ?", [backup.OUTBOX_LINE]).fetchone()
    return str(line)


def advance(store: Store, cursor: int, passed_over: int) -> None:
    """Facts are applied up to here. In the transaction that applies them."""
    store.db.execute("UPDATE link SET cursor = ?, facts_passed_over = facts_passed_over + ?", [cursor, passed_over])


def switch(store: Store, *, snapshots: bool, also_at: bool) -> None:
    """What the tenant wants."""
    store.db.execute("UPDATE link SET snapshots = ?, also_at = ?", [snapshots, also_at])
