"""The line to headquarters as this store knows it: the one row of the table `link`. No row, no line: nothing is sent.

The private keys are sealed at rest and leave this module only as keys. Whoever asks how the line does gets words, never a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from appliance import backup
from appliance.database import Store
from sync import keys
from sync.keys import OwnKeys
from sync.messages import PairAnswer, PublicKeys

TABLE = "link"
FROM_THE_START = "start"
"""`retell` before the first record is told anew; see `retelling`."""
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


def begin(store: Store, hub_url: str, answer: PairAnswer, own: OwnKeys, now_ms: int) -> None:
    """The appliance is paired, in place of whatever was there. Everything is told, from the first person on; of another chain nothing that
    it told is kept."""
    with store.writing() as db:
        before = db.execute("SELECT tenant_id FROM link").fetchone()
        if before and before[0] != answer.tenant_id:
            db.execute("DELETE FROM guests")
        _let_go(store)
        db.execute(
            """INSERT INTO link (id, hub_url, tenant_id, tenant_name, site_id, site_name, appliance_id, state, own_keys_sealed, hub_seal,
                hub_sign, line, retell, paired_ms, skew_ms) VALUES (1, ?, ?, ?, ?, ?, ?, 'paired', ?, ?, ?, ?, ?, ?, ?)""",
            [
                *(hub_url, answer.tenant_id, answer.tenant_name, answer.site_id, answer.site_name, answer.appliance_id),
                *(_sealed(store, "own_keys", own), answer.keys.seal, answer.keys.sign, line_of(store)),
                *(FROM_THE_START, now_ms, now_ms - answer.now_ms),
            ],
        )


def end(store: Store) -> None:
    """The appliance is paired with nobody. What the chain told of people goes; who opted out anywhere is still not stored here."""
    with store.writing():
        _let_go(store)


def own_keys(store: Store) -> list[OwnKeys]:
    """The keys that the hub knows, and behind them those that replace them, while they are being changed."""
    row = store.db.execute("SELECT own_keys_sealed, next_keys_sealed FROM link").fetchone()
    unseal = store.vault.unseal
    return [
        keys.from_stored(unseal(sealed, table=TABLE, column=column, row="1"))
        for column, sealed in zip(("own_keys", "next_keys"), row or (), strict=False)
        if sealed is not None
    ]


def rotate(store: Store, fresh: OwnKeys) -> None:
    """New keys, offered to the hub with the next message. Already begun: those that were offered first stay, or an answer that was lost
    would leave the hub with keys that nobody has."""
    with store.writing() as db:
        db.execute("UPDATE link SET next_keys_sealed = coalesce(next_keys_sealed, ?)", [_sealed(store, "next_keys", fresh)])


def rotated(store: Store, fresh: OwnKeys) -> None:
    """The hub has taken them: the old ones are gone."""
    with store.writing() as db:
        db.execute("UPDATE link SET own_keys_sealed = ?, next_keys_sealed = NULL", [_sealed(store, "own_keys", fresh)])


def tried(store: Store, now_ms: int, error: str, *, revoked: bool = False) -> None:
    """A try that failed, and why."""
    with store.writing() as db:
        db.execute(
            "UPDATE link SET tried_ms = ?, error = ?, state = CASE WHEN ? THEN 'revoked' ELSE state END", [now_ms, error, revoked]
        )


def tell_anew(store: Store) -> None:
    """From now on everything is told anew, behind what still waits."""
    with store.writing() as db:
        db.execute("UPDATE link SET retell = CASE retell WHEN '' THEN ? ELSE retell END", [FROM_THE_START])


def _let_go(store: Store) -> None:
    store.db.execute("DELETE FROM link")
    store.db.execute("DELETE FROM chain")
    store.db.execute("DELETE FROM guests WHERE role <> 'opted_out'")


def _sealed(store: Store, column: str, own: OwnKeys) -> bytes:
    return store.vault.seal(own.stored, table=TABLE, column=column, row="1")
