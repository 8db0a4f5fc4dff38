"""The hub's database with a machine that may lose its power around it: before any statement, before a commit, and after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from hub.database import Database, Tx
from hub.master_key import MasterKey
from tests.simulation.power import Power

CONNECTIONS_MAX = 3


class SteppingDatabase(Database):
    """The real one; each statement is a step of `power`."""

    def __init__(self, line: Mapping[str, Any], master: MasterKey, power: Power) -> None:
        super().__init__(line, master, connections_max=CONNECTIONS_MAX)
        self.power = power

        class Stepping(psycopg.Cursor[TupleRow]):
            def execute(self, *given: Any, **more: Any) -> Stepping:
                power.step("hub")
                return super().execute(*given, **more)  # type: ignore[return-value]

        self._cursor = Stepping

    @contextmanager
    def tenant(self, tenant_id: str, *, lock: str = "", statement_s: float = 30.0) -> Iterator[Tx]:
        with super().tenant(tenant_id, lock=lock, statement_s=statement_s) as tx, self._watched(tx):
            yield tx
        self.power.step("hub, committed")

    @contextmanager
    def anyone(self, *, lock: str = "", statement_s: float = 30.0) -> Iterator[Tx]:
        with super().anyone(lock=lock, statement_s=statement_s) as tx, self._watched(tx):
            yield tx
        self.power.step("hub, committed")

    @contextmanager
    def _watched(self, tx: Tx) -> Iterator[None]:
        usual, tx.cursor_factory = tx.cursor_factory, self._cursor
        try:
            yield
            self.power.step("hub, before commit")
        finally:
            tx.cursor_factory = usual
