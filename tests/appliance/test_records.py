"""A change and the record of it for the hub: together or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync import outbox
from sync.records import VisitGone, decoded
from tests.appliance.stores import NOON, a_store, add_visit, visits


def test_a_record_and_its_visit_are_stored_together_or_not_at_all(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with pytest.raises(ZeroDivisionError), store.transaction():
        add_visit(store, "a")
        store.record(VisitGone(id="a"), NOON)
        raise ZeroDivisionError
    with store.transaction():
        add_visit(store, "b")
        store.record(VisitGone(id="b"), NOON)
    assert store.db.execute("SELECT (SELECT count(*) FROM visits), (SELECT count(*) FROM outbox)").fetchone() == (1, 1)
    with pytest.raises(RuntimeError, match="none is open"):
        store.record(VisitGone(id="c"), NOON)


def test_a_part_that_fails_leaves_neither_rows_nor_records_and_the_rest_stands(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with store.transaction():
        add_visit(store, "a")
        store.record(VisitGone(id="a"), NOON)
        with pytest.raises(ZeroDivisionError), store.part():
            add_visit(store, "b")
            store.record(VisitGone(id="b"), NOON)
            raise ZeroDivisionError
        with store.part():
            store.record(VisitGone(id="c"), NOON)
    assert visits(store) == ["a"]
    told = [decoded(entry.payload) for entry in outbox.pending(store.db.conn, store.vault.unseal)]
    assert told == [VisitGone(id="a"), VisitGone(id="c")]
    with store.transaction():
        pass
    assert outbox.newest(store.db.conn) == 2
    store.close()
