"""The line to headquarters as this store knows it: the one row of the table `link`. No row, no line: nothing is sent.

The private keys are sealed at rest and leave this module only as keys. Whoever asks how the line does gets words, never a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import uuid_utils

from appliance import backup
from appliance.database import Store
from appliance.errors import LineError
from sync import contact, keys, outbox
from sync.keys import OwnKeys
from sync.messages import PairAnswer, PublicKeys

TABLE = "link"
FROM_THE_START = "start"
"""`retell` before the first record is told anew; see `retelling`."""
COLUMNS = """hub_url, tenant_id, tenant_name, site_id, site_name, appliance_id, state, hub_seal, hub_sign, line,
    abandoned_through, retell, cursor, hub_mark, hub_life, acknowledged, snapshots, also_at, paired_ms, tried_ms, contact_ms, error,
    skew_ms, bytes_per_s, facts_passed_over, set_aside, next_keys_sealed IS NOT NULL AS rotating"""
NAMES = [column.split()[-1] for column in COLUMNS.split(",")]


@dataclass(frozen=True, slots=True)
class Link:
    """`state`: paired or revoked. `error`: why the last try failed, in words; empty after one that went well. `skew_ms`: how far this
    computer's clock is ahead of headquarters'. `retell`: how far everything is told anew, empty when it need not be. `hub_life`: of
    headquarters' database, in which `cursor` counts; `hub_mark`: headquarters' own of that number. `acknowledged`: the last record that
    headquarters said to have."""

    hub_url: str
    tenant_id: str
    tenant_name: str
    site_id: str
    site_name: str
    appliance_id: str
    state: str
    hub: PublicKeys
    line: str
    abandoned_through: int
    retell: str
    cursor: int
    hub_mark: str
    hub_life: str
    acknowledged: int
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


def is_still(store: Store, asked: Link) -> bool:
    """Whether the store is paired as it was: a command may pair it anew while an answer is on its way."""
    row = store.db.execute("SELECT appliance_id, paired_ms FROM link").fetchone()
    return row is not None and tuple(row) == (asked.appliance_id, asked.paired_ms)


def require_still(store: Store, asked: Link) -> None:
    """Raises LineError."""
    if not is_still(store, asked):
        raise LineError("This store was paired anew while headquarters answered; the answer is not for it any more.")


def line_of(store: Store) -> str:
    """The run of sequence numbers that the outbox is in."""
    (line,) = store.db.execute("SELECT value FROM settings WHERE key = ?", [backup.OUTBOX_LINE]).fetchone()
    return str(line)


def advance(store: Store, cursor: int, mark: str, passed_over: int) -> None:
    """Facts are applied up to here. In the transaction that applies them."""
    store.db.execute("UPDATE link SET cursor = ?, hub_mark = ?, facts_passed_over = facts_passed_over + ?", [cursor, mark, passed_over])


def switch(store: Store, *, snapshots: bool, also_at: bool) -> None:
    """What the tenant wants."""
    store.db.execute("UPDATE link SET snapshots = ?, also_at = ?", [snapshots, also_at])


def begin(store: Store, hub_url: str, answer: PairAnswer, own: OwnKeys, now_ms: int) -> None:
    """The appliance is paired, in place of whatever was there. It tells everything, from the first person on; of another chain nothing is
    kept that it told."""
    with store.writing() as db:
        before = db.execute("SELECT tenant_id FROM link").fetchone()
        if before and before[0] != answer.tenant_id:
            db.execute("DELETE FROM guests")
            db.execute("DELETE FROM had_forgotten")
        _let_go(store)
        db.execute(
            """INSERT INTO link (id, hub_url, tenant_id, tenant_name, site_id, site_name, appliance_id, state, own_keys_sealed, hub_seal,
                hub_sign, line, retell, paired_ms, skew_ms) VALUES (1, ?, ?, ?, ?, ?, ?, 'paired', ?, ?, ?, ?, ?, ?, ?)""",
            [
                *(hub_url, answer.tenant_id, answer.tenant_name, answer.site_id, answer.site_name, answer.appliance_id),
                *(_sealed(store, "own_keys", own), answer.keys.seal, answer.keys.sign, line_of(store)),
                *("" if _whole(store) else FROM_THE_START, now_ms, now_ms - answer.now_ms),
            ],
        )


def end(store: Store) -> None:
    """The appliance is paired with nobody. What the chain told of people goes; who opted out anywhere is still not stored here."""
    with store.writing() as db:
        _let_go(store)
        db.execute("DELETE FROM had_forgotten")


def for_pushing(store: Store) -> contact.Link | None:
    """What `sync.pushing` needs. Raises CannotOpen, WrongKey: then only pairing anew helps."""
    found = read(store)
    if found is None:
        return None
    own, following = store.db.execute("SELECT own_keys_sealed, next_keys_sealed FROM link").fetchone()
    return contact.Link(
        tenant=found.tenant_id,
        appliance=found.appliance_id,
        line=found.line,
        hub=found.hub,
        keys=_unsealed(store, "own_keys", own),
        next_keys=_unsealed(store, "next_keys", following) if following else None,
        cursor=found.cursor,
        abandoned_through=found.abandoned_through,
        life=found.hub_life,
        acknowledged=found.acknowledged,
        mark=found.hub_mark,
    )


def rotate(store: Store, fresh: OwnKeys) -> None:
    """New keys, offered to the hub with the next message. Already begun: those that were offered first stay, or an answer that was lost
    would leave the hub with keys that nobody has."""
    with store.writing() as db:
        db.execute("UPDATE link SET next_keys_sealed = coalesce(next_keys_sealed, ?)", [_sealed(store, "next_keys", fresh)])


def use_next_keys(store: Store) -> None:
    """The hub has taken them: the old ones are gone."""
    with store.writing() as db:
        row = db.execute("SELECT next_keys_sealed FROM link").fetchone()
        if row and row[0]:
            own = _sealed(store, "own_keys", _unsealed(store, "next_keys", row[0]))
            db.execute("UPDATE link SET own_keys_sealed = ?, next_keys_sealed = NULL", [own])


def swap_keys(store: Store) -> None:
    """The keys that were to come are tried in the place of the old ones, which are kept in theirs."""
    with store.writing() as db:
        own, following = db.execute("SELECT own_keys_sealed, next_keys_sealed FROM link").fetchone()
        if following is not None:
            pair = _unsealed(store, "next_keys", following), _unsealed(store, "own_keys", own)
            sealed = [_sealed(store, column, key) for column, key in zip(("own_keys", "next_keys"), pair, strict=True)]
            db.execute("UPDATE link SET own_keys_sealed = ?, next_keys_sealed = ?", sealed)


def learn_hub(store: Store, hub: PublicKeys) -> None:
    with store.writing() as db:
        db.execute("UPDATE link SET hub_seal = ?, hub_sign = ?", [hub.seal, hub.sign])


def note(store: Store, stands: contact.Contact, set_aside: int, now_ms: int) -> None:
    """How the line does, for who asks from another process. Nothing rests on it."""
    with store.writing() as db:
        db.execute(
            """UPDATE link SET tried_ms = ?, contact_ms = coalesce(?, contact_ms), error = ?, skew_ms = coalesce(?, skew_ms),
                bytes_per_s = coalesce(?, bytes_per_s), set_aside = set_aside + ?, state = CASE WHEN ? THEN 'revoked' ELSE 'paired' END""",
            [
                *(now_ms, stands.last_contact_ms, stands.trouble, stands.skew_ms),
                *(stands.speed.bytes_per_s or None, set_aside, stands.stopped),
            ],
        )


def tell_anew(store: Store, abandoned_through: int | None = None) -> None:
    """Everything is told anew from now on, behind what still waits. `abandoned_through`: records up to this one are gone."""
    with store.writing() as db:
        db.execute("UPDATE link SET retell = ?, abandoned_through = coalesce(?, abandoned_through)", [FROM_THE_START, abandoned_through])


def acknowledge(store: Store, through: int) -> None:
    """Headquarters has committed the records up to this one. Raises ValueError, as `outbox.acknowledge`."""
    with store.writing() as db:
        outbox.acknowledge(db.conn, through)
        db.execute("UPDATE link SET acknowledged = max(acknowledged, ?)", [through])


def learn_life(store: Store, life: str) -> None:
    with store.writing() as db:
        db.execute("UPDATE link SET hub_life = ?", [life])


def hub_put_back(store: Store, life: str, abandoned_through: int) -> None:
    """Headquarters was put back to an earlier day: what it told since is no longer so, and it misses what it was told. All begins anew
    but for who opted out."""
    with store.writing() as db:
        db.execute("UPDATE link SET hub_life = ?, cursor = 0, hub_mark = '', acknowledged = 0", [life])
        _untold(store)
        tell_anew(store, abandoned_through)


def begin_line(store: Store, *, fresh: bool) -> None:
    """The outbox counts in a new run: of its own making (a restored backup), or (`fresh`) because the hub knows other records by these
    numbers."""
    with store.writing() as db:
        if fresh:
            db.execute("UPDATE settings SET value = ? WHERE key = ?", [str(uuid_utils.uuid7()), backup.OUTBOX_LINE])
        db.execute("UPDATE link SET line = ?, retell = ?, abandoned_through = 0, acknowledged = 0", [line_of(store), FROM_THE_START])


def _whole(store: Store) -> bool:
    """Whether the outbox holds every record that was ever made."""
    span = outbox.span(store.db.conn)
    return span.oldest == 1 or span.newest == 0


def _let_go(store: Store) -> None:
    store.db.execute("DELETE FROM link")
    store.db.execute("DELETE FROM receipts")
    _untold(store)


def _untold(store: Store) -> None:
    """As if headquarters had told nothing of people, and had no picture."""
    store.db.execute("DELETE FROM chain")
    store.db.execute("DELETE FROM guests WHERE role <> 'opted_out'")
    store.db.execute("UPDATE visits SET snapshot_sent = NULL WHERE snapshot_sent IS NOT NULL")


def _sealed(store: Store, column: str, own: OwnKeys) -> bytes:
    return store.vault.seal(own.stored, table=TABLE, column=column, row="1")


def _unsealed(store: Store, column: str, sealed: bytes) -> OwnKeys:
    return keys.from_stored(store.vault.unseal(sealed, table=TABLE, column=column, row="1"))
