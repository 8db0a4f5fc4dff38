"""Five bugs that such a system could have, each a part that is handed in broken. The simulation must find every one, given seeds enough."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from appliance.database import Store, open_store
from hub import ingest
from hub.database import Database, Tx
from sync import envelope
from sync.errors import SyncError
from tests.simulation.parts import Parts
from tests.simulation.power import PowerCut
from tests.simulation.stepping import SteppingDatabase


class AnswersBeforeCommit(SteppingDatabase):
    """What a transaction wrote is not on the disk yet when its answer goes out: if the power goes just then, it is lost."""

    @contextmanager
    def tenant(self, tenant_id: str, *, lock: str = "", statement_s: float = 30.0) -> Iterator[Tx]:
        try:
            with super().tenant(tenant_id, lock=lock, statement_s=statement_s) as tx:
                yield tx
        except PowerCut as cut:
            if cut.args != ("hub, before commit",):
                raise
            self.power.cut_in(1)


def _as_applied(deps: ingest.Deps, message: bytes, applied: str) -> None:
    """Puts the hub's memory of how far an appliance came elsewhere. `applied`: SQL of the header's first and last."""
    try:
        header = envelope.read_header(message).header
    except SyncError:
        return
    with deps.database.tenant(header.tenant) as tx:
        values = {"first": header.first, "last": header.last, "line": header.line, "appliance": header.appliance}
        tx.execute(
            f"UPDATE appliances SET applied = {applied} WHERE id = %(appliance)s AND line = %(line)s AND %(first)s <= %(last)s", values
        )


def applies_a_repeat(deps: ingest.Deps, message: bytes, now: datetime) -> bytes:
    _as_applied(deps, message, "least(applied, %(first)s::bigint - 1)")
    return ingest.exchange(deps, message, now)


def skips_a_gap(deps: ingest.Deps, message: bytes, now: datetime) -> bytes:
    _as_applied(deps, message, "greatest(applied, %(first)s::bigint - 1)")
    return ingest.exchange(deps, message, now)


def forgets_tombstones(database: Database, tenant_id: str) -> None:
    with database.tenant(tenant_id) as tx:
        tx.execute("DELETE FROM tombstones")


def reuses_sequences(*arguments: Any, **more: Any) -> Store:
    """As a table without AUTOINCREMENT counts: on from the largest number that is there."""
    store = open_store(*arguments, **more)
    with store.transaction() as db:
        db.execute(
            """CREATE TRIGGER IF NOT EXISTS reuse AFTER DELETE ON outbox BEGIN
                UPDATE sqlite_sequence SET seq = (SELECT coalesce(max(sequence), 0) FROM outbox) WHERE name = 'outbox'; END"""
        )
    return store


PLANTED = {
    "acknowledges before the commit": Parts(database=AnswersBeforeCommit),
    "forgets a tombstone": Parts(after_erasure=forgets_tombstones),
    "applies a repeat": Parts(exchange=applies_a_repeat),
    "skips a gap": Parts(exchange=skips_a_gap),
    "reuses a sequence": Parts(open_store=reuses_sequences),
}
