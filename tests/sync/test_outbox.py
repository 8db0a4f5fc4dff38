"""The outbox on a plain SQLite connection: numbers without holes, whole or not at all, bounded."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator

import pytest

from sync import outbox
from sync.records import PersonRecord, Record, VisitGone, decoded, encoded

CREATE = """CREATE TABLE outbox (sequence INTEGER PRIMARY KEY AUTOINCREMENT, made_ms INTEGER NOT NULL, kind TEXT NOT NULL,
    payload_sealed BLOB NOT NULL) STRICT"""
"""As in appliance/migrations.py; tests/appliance/test_database.py runs the same through the real one."""


def seal(value: bytes, /, *, table: str, column: str, row: str) -> bytes:
    return f"{table}.{column}.{row}:".encode() + value


def unseal(value: bytes, /, *, table: str, column: str, row: str) -> bytes:
    place, _, payload = value.partition(b":")
    assert place.decode() == f"{table}.{column}.{row}"
    return payload


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(CREATE)
    yield connection
    connection.close()


def append(db: sqlite3.Connection, *ids: str) -> list[int]:
    db.execute("BEGIN IMMEDIATE")
    numbers = [outbox.append(db, VisitGone(id=i), 1, seal) for i in ids]
    db.execute("COMMIT")
    return numbers


def ids(entries: list[outbox.Entry]) -> list[str]:
    return [decoded(entry.payload).id for entry in entries]  # type: ignore[union-attr]


def test_numbers_begin_at_one_and_have_no_holes_after_a_rollback(db: sqlite3.Connection) -> None:
    assert append(db, "a", "b") == [1, 2]
    db.execute("BEGIN IMMEDIATE")
    assert outbox.append(db, VisitGone(id="lost"), 1, seal) == 3
    db.execute("ROLLBACK")
    assert append(db, "c") == [3]
    assert ids(outbox.pending(db, unseal)) == ["a", "b", "c"]


def test_numbers_are_not_used_again_after_everything_is_acknowledged(db: sqlite3.Connection) -> None:
    append(db, "a", "b")
    assert outbox.acknowledge(db, 2) == 2
    assert outbox.pending(db, unseal) == []
    assert append(db, "c") == [3]


def test_an_acknowledgement_repeated_or_late_is_harmless_and_one_too_high_is_refused(db: sqlite3.Connection) -> None:
    append(db, "a", "b", "c")
    assert [outbox.acknowledge(db, 2), outbox.acknowledge(db, 2), outbox.acknowledge(db, 1)] == [2, 0, 0]
    with pytest.raises(ValueError, match="acknowledges record 4, but the newest is 3"):
        outbox.acknowledge(db, 4)
    assert ids(outbox.pending(db, unseal)) == ["c"]


def test_a_record_outside_a_transaction_is_refused(db: sqlite3.Connection) -> None:
    with pytest.raises(RuntimeError, match="none is open"):
        outbox.append(db, VisitGone(id="a"), 1, seal)


def test_what_is_pending_comes_in_order_and_in_bounds_but_never_none(db: sqlite3.Connection) -> None:
    append(db, *"abcdef")
    size = len(encoded(VisitGone(id="a")))
    assert ids(outbox.pending(db, unseal, after=2, records_max=3)) == ["c", "d", "e"]
    assert ids(outbox.pending(db, unseal, bytes_max=2 * size)) == ["a", "b"]
    assert ids(outbox.pending(db, unseal, after=5, bytes_max=1)) == ["f"]


def test_a_record_moved_to_another_number_does_not_open(db: sqlite3.Connection) -> None:
    append(db, "a", "b")
    db.execute("UPDATE outbox SET payload_sealed = (SELECT payload_sealed FROM outbox WHERE sequence = 1) WHERE sequence = 2")
    with pytest.raises(AssertionError):
        outbox.pending(db, unseal)


def test_records_of_one_transaction_are_numbered_in_order_and_told_as_they_were_last(db: sqlite3.Connection) -> None:
    append(db, "a")
    bob = PersonRecord(id="bob", number=1, role="customer")
    again = PersonRecord(id="bob", number=1, role="customer", visit_count=1)
    staff = PersonRecord(id="bob", number=1, role="staff", visit_count=1)
    told: list[Record] = [bob, VisitGone(id="b"), again, VisitGone(id="b"), staff]
    db.execute("BEGIN IMMEDIATE")
    outbox.append_all(db, [(record, n) for n, record in enumerate(told)], seal)
    db.execute("COMMIT")
    found = outbox.pending(db, unseal, after=1)
    assert [decoded(entry.payload) for entry in found] == [again, VisitGone(id="b"), VisitGone(id="b"), staff]
    assert [(entry.sequence, entry.made_ms) for entry in found] == [(2, 2), (3, 1), (4, 3), (5, 4)]
    with pytest.raises(RuntimeError, match="none is open"):
        outbox.append_all(db, [], seal)


def test_the_span_says_what_is_held_and_what_was_given_last(db: sqlite3.Connection) -> None:
    assert outbox.span(db) == outbox.Span(None, 0)
    append(db, "a", "b", "c")
    outbox.acknowledge(db, 1)
    assert outbox.span(db) == outbox.Span(2, 3)
    outbox.acknowledge(db, 3)
    assert outbox.span(db) == outbox.Span(None, 3)


def test_pressure_counts_exactly_and_weighs_by_the_newest(db: sqlite3.Connection) -> None:
    append(db, *(f"{n:03}" for n in range(outbox.SAMPLE + 50)))
    outbox.acknowledge(db, 20)
    size = len(unsealed := encoded(VisitGone(id="000"))) + len("outbox.payload_sealed.0000:")
    full = outbox.pressure(db)
    assert full.records == outbox.SAMPLE + 30 and full.oldest_ms == 1
    assert abs(full.bytes / (full.records * size) - 1) < 0.05, unsealed
    assert outbox.pressure(db, bytes_max=full.bytes).share == pytest.approx(1.0)


def test_pressure_is_told_long_before_the_bound_and_the_oldest_are_shed_beyond_it(db: sqlite3.Connection) -> None:
    assert outbox.pressure(db) == outbox.Pressure(0, 0, None, 0.0)
    append(db, *(str(n) for n in range(6)))
    assert outbox.pressure(db, records_max=10).loud and not outbox.pressure(db, records_max=13).loud
    assert outbox.shed(db, records_max=6) == 0
    assert outbox.shed(db, records_max=4) == 4
    assert ids(outbox.pending(db, unseal)) == ["4", "5"]
    assert append(db, "x") == [7]


def test_any_order_of_appends_rollbacks_and_acknowledgements_leaves_no_hole(db: sqlite3.Connection) -> None:
    rng = random.Random(20261122)
    given, acknowledged = 0, 0
    for _ in range(500):
        if rng.random() < 0.3 and given:
            acknowledged = max(acknowledged, rng.randint(0, given))
            outbox.acknowledge(db, acknowledged)
            continue
        db.execute("BEGIN IMMEDIATE")
        count = rng.randint(1, 4)
        numbers = [outbox.append(db, VisitGone(id="x"), 1, seal) for _ in range(count)]
        assert numbers == list(range(given + 1, given + count + 1))
        if rng.random() < 0.5:
            db.execute("ROLLBACK")
        else:
            db.execute("COMMIT")
            given += count
    assert [e.sequence for e in outbox.pending(db, unseal, records_max=10_000)] == list(range(acknowledged + 1, given + 1))
