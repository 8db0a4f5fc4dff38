"""Records on their way to the hub, in a table of the appliance's database: `outbox (sequence, made_ms, kind, payload_sealed)`.

A record is appended in the transaction that changes what it tells of. Sequence numbers have no holes and are never used again, also not
after acknowledged records are gone. Payloads are sealed at rest by a function the caller brings: this package has no key.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sync import messages
from sync.records import PersonGone, PersonRecord, Record, VisitRecord, encoded, kind_of

TABLE, COLUMN = "outbox", "payload_sealed"
BATCH_BYTES_MAX = 1 << 20
"""A batch of this size crosses a shop's slow line (1 Mbit/s up) within ten seconds; packed, it is half of that."""
RECORDS_MAX = 2_000_000
BYTES_MAX = 2 << 30
"""A busy store makes 20,000 records of half a kilobyte a day: both bounds are more than three months without a line."""
WARN_SHARE = 0.5
SAMPLE = 1_000
"""Records of which the size of all is told, when there are more: an hour of a busy store, with every kind in its usual share."""


class Seal(Protocol):
    def __call__(self, value: bytes, /, *, table: str, column: str, row: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Entry:
    sequence: int
    made_ms: int
    kind: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Span:
    """Which numbers are in the outbox, without holes: `oldest` to `newest`, none if `oldest` is None. `newest` was given last, or is 0."""

    oldest: int | None
    newest: int


@dataclass(frozen=True, slots=True)
class Pressure:
    """How full the outbox is. `share` of its bound, 0..1 and more; `loud`: somebody should be told."""

    records: int
    bytes: int
    oldest_ms: int | None
    share: float

    @property
    def loud(self) -> bool:
        return self.share >= WARN_SHARE


def append(connection: sqlite3.Connection, record: Record, made_ms: int, seal: Seal) -> int:
    """The record's sequence number. Must run in the caller's transaction, so that fact and record are stored together or not at all."""
    if not connection.in_transaction:
        raise RuntimeError("a record is appended in the transaction of what it tells of; none is open")
    # SQLite counts AUTOINCREMENT numbers in this table and takes them back with the transaction: no hole, no reuse.
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [TABLE]).fetchone()
    sequence = (last[0] if last else 0) + 1
    sealed = seal(encoded(record), table=TABLE, column=COLUMN, row=str(sequence))
    connection.execute("INSERT INTO outbox VALUES (?, ?, ?, ?)", [sequence, made_ms, kind_of(record), sealed])
    return sequence


def append_all(connection: sqlite3.Connection, told: Sequence[tuple[Record, int]], seal: Seal) -> None:
    """The records of one transaction, each with the time it was made, in order; just before the transaction ends. A third cheaper than one
    by one. A person or visit that was told more than once counts as it was told last."""
    if not connection.in_transaction:
        raise RuntimeError("records are appended in the transaction of what they tell of; none is open")
    sequence = newest(connection)
    rows = []
    for record, made_ms in _as_told_last(told):
        sequence += 1
        sealed = seal(encoded(record), table=TABLE, column=COLUMN, row=str(sequence))
        rows.append((sequence, made_ms, kind_of(record), sealed))
    connection.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?)", rows)


def _as_told_last(told: Sequence[tuple[Record, int]]) -> list[tuple[Record, int]]:
    """A visit stands where it was told last, a person where they were told first: what names a person must not stand before them, or a
    batch that ends in between names somebody unknown."""
    last: dict[str, int] = {record.id: place for place, (record, _) in enumerate(told) if isinstance(record, VisitRecord)}
    kept: list[tuple[Record, int]] = []
    persons: dict[tuple[str, str], int] = {}
    for place, (record, made_ms) in enumerate(told):
        if isinstance(record, VisitRecord) and last[record.id] != place:
            continue
        if isinstance(record, PersonGone):
            persons = {key: at for key, at in persons.items() if key[0] != record.id}
        if isinstance(record, PersonRecord):
            at = persons.setdefault((record.id, record.role), len(kept))
            if at < len(kept):
                kept[at] = record, made_ms
                continue
        kept.append((record, made_ms))
    return kept


def pending(
    connection: sqlite3.Connection,
    unseal: Seal,
    *,
    after: int = 0,
    records_max: int = messages.RECORDS_MAX,
    bytes_max: int = BATCH_BYTES_MAX,
) -> list[Entry]:
    """The next records behind `after`, in order, at least one if there is any. Raises what `unseal` raises."""
    entries: list[Entry] = []
    size = 0
    rows = connection.execute(
        "SELECT sequence, made_ms, kind, payload_sealed FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?", [after, records_max]
    )
    for sequence, made_ms, kind, sealed in rows:
        payload = unseal(sealed, table=TABLE, column=COLUMN, row=str(sequence))
        if entries and size + len(payload) > bytes_max:
            break
        entries.append(Entry(sequence, made_ms, kind, payload))
        size += len(payload)
    rows.close()
    return entries


def of_kinds(connection: sqlite3.Connection, unseal: Seal, kinds: Sequence[str], after: int, numbers: int) -> list[Entry]:
    """The records of these kinds among the `numbers` sequence numbers behind `after`, in order. Raises what `unseal` raises."""
    marks = ",".join("?" * len(kinds))
    rows = connection.execute(
        f"SELECT sequence, made_ms, kind, payload_sealed FROM outbox WHERE sequence > ? AND sequence <= ? AND kind IN ({marks})",
        [after, after + numbers, *kinds],
    ).fetchall()
    return [Entry(n, made_ms, kind, unseal(sealed, table=TABLE, column=COLUMN, row=str(n))) for n, made_ms, kind, sealed in rows]


def replace(connection: sqlite3.Connection, sequence: int, record: Record, seal: Seal) -> None:
    """Another record under the same number, where what the first one told must not be told any more. Harmless when it was acknowledged
    meanwhile. A hub that has applied the first, and whose acknowledgement is under way, finds a mismatch and is told everything anew."""
    sealed = seal(encoded(record), table=TABLE, column=COLUMN, row=str(sequence))
    connection.execute("UPDATE outbox SET kind = ?, payload_sealed = ? WHERE sequence = ?", [kind_of(record), sealed, sequence])


def acknowledge(connection: sqlite3.Connection, through: int) -> int:
    """Drops what the hub has committed; how many. A repeated or old acknowledgement drops nothing. Raises ValueError for a number that was
    never given: that hub is talking of somebody else's records."""
    if through > newest(connection):
        raise ValueError(f"the hub acknowledges record {through}, but the newest is {newest(connection)}")
    return connection.execute("DELETE FROM outbox WHERE sequence <= ?", [through]).rowcount


def newest(connection: sqlite3.Connection) -> int:
    """The last sequence number that was given; 0 before the first."""
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [TABLE]).fetchone()
    return int(last[0]) if last else 0


def span(connection: sqlite3.Connection) -> Span:
    (oldest,) = connection.execute("SELECT min(sequence) FROM outbox").fetchone()
    return Span(oldest, newest(connection))


def pressure(connection: sqlite3.Connection, *, records_max: int = RECORDS_MAX, bytes_max: int = BYTES_MAX) -> Pressure:
    """Takes as long with a million records as with ten: there are no holes to count around, and the size is the newest ones' times all."""
    held = span(connection)
    if held.oldest is None:
        return Pressure(0, 0, None, 0.0)
    records = held.newest - held.oldest + 1
    (oldest_ms,) = connection.execute("SELECT made_ms FROM outbox WHERE sequence = ?", [held.oldest]).fetchone()
    (mean,) = connection.execute(
        "SELECT avg(length(payload_sealed)) FROM (SELECT payload_sealed FROM outbox ORDER BY sequence DESC LIMIT ?)", [SAMPLE]
    ).fetchone()
    size = round(mean * records)
    return Pressure(records, size, oldest_ms, max(records / records_max, size / bytes_max))


def shed(connection: sqlite3.Connection, *, records_max: int = RECORDS_MAX, bytes_max: int = BYTES_MAX) -> int:
    """Keeps the outbox within its bound by dropping the oldest records down to half of it; how many. The database still has the facts:
    the hub, which sees a first number later than the one it waits for, asks for them anew."""
    full = pressure(connection, records_max=records_max, bytes_max=bytes_max)
    if full.share <= 1.0:
        return 0
    kept = max(1, int(full.records / full.share / 2))
    return connection.execute("DELETE FROM outbox WHERE sequence <= ?", [newest(connection) - kept]).rowcount
