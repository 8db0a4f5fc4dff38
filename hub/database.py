"""The hub's way into Postgres: every transaction acts for one tenant, or for the hub itself, and proves it; outside one nothing is seen.

Whose a transaction is lies in a setting that ends with it, so a connection that goes back to the pool is nobody's. Trying again is the
caller's: DatabaseAway and DatabaseBusy say when, every other error of psycopg is a defect.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.string import TextLoader
from psycopg_pool import ConnectionPool

from hub import migrations
from hub.database_errors import spoken
from hub.errors import NotFound
from hub.master_key import THE_HUB, MasterKey
from hub.vault import Vault

Tx = Connection[TupleRow]
"""A connection inside one transaction that acts for somebody."""

CONNECTIONS_MAX = 16
"""Two cores serve no more at once; the rest waits in the pool instead of in the server."""
WAIT_S_MAX = 10.0
CONNECT_S_MAX = 5
STATEMENT_S = 30.0
LOCK_S = 10.0
IDLE_S = 60.0
"""A transaction in which nothing happens for so long holds locks for nobody."""
LIFETIME_S = 1800.0
VAULTS_MAX = 1_000
BEGIN = """
SELECT set_config('app.tenant', %s, true), set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true),
    set_config('idle_in_transaction_session_timeout', %s, true), set_config('TimeZone', 'UTC', true), set_config('row_security', 'on', true)
"""


class Database:
    """A pool of connections of the application's role. May be used from any thread."""

    def __init__(self, line: Mapping[str, Any], master: MasterKey, *, connections_max: int = CONNECTIONS_MAX) -> None:
        """`line`: keywords of psycopg.connect, for the application's role."""
        self.master = master
        self._line = {"connect_timeout": CONNECT_S_MAX, "application_name": "regulars-hub", **line}
        self._pool: ConnectionPool[Tx] = ConnectionPool(
            kwargs=self._line,
            connection_class=Connection,
            min_size=1,
            max_size=connections_max,
            open=False,
            configure=_speak_in_text,
            timeout=WAIT_S_MAX,
            max_lifetime=LIFETIME_S,
            # A server that is away for a night is no reason to give up: the pool asks again for as long as the hub runs.
            reconnect_timeout=float("inf"),
            check=ConnectionPool.check_connection,
        )
        self._vaults: OrderedDict[str, Vault] = OrderedDict()
        self._turn = threading.Lock()

    def open(self) -> None:
        """Raises DatabaseAway, DatabaseError, WrongVersion, KeyUnavailable."""
        with spoken(), psycopg.connect(**self._line) as connection:
            migrations.check(connection, self.master)
        self._pool.open()

    def close(self) -> None:
        self._pool.close()

    def tenant(self, tenant_id: str, *, lock: str = "", statement_s: float = STATEMENT_S) -> AbstractContextManager[Tx]:
        """One transaction that sees this tenant's rows alone. `lock`: only one transaction of this tenant and name at a time.

        Raises DatabaseAway, DatabaseBusy; ValueError for an id that is no UUID.
        """
        return self._transaction(tenant_id, lock, statement_s)

    def anyone(self, *, lock: str = "", statement_s: float = STATEMENT_S) -> AbstractContextManager[Tx]:
        """One transaction of the hub itself: tenants, users, sessions, the hub's keys, and no row of any tenant."""
        return self._transaction(THE_HUB, lock, statement_s)

    @contextmanager
    def _transaction(self, tenant_id: str, lock: str, statement_s: float) -> Iterator[Tx]:
        proven = self.master.acting_for(tenant_id)
        with spoken(), self._pool.connection() as connection, connection.transaction():
            connection.execute(BEGIN, [proven, _ms(statement_s), _ms(LOCK_S), _ms(IDLE_S)])
            if lock:
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [_number_of(lock, tenant_id)])
            yield connection

    @contextmanager
    def once(self, job: str, tenant_id: str = "") -> Iterator[bool]:
        """Whether this job is ours to do now; False while anybody else, here or in another process, is at it. For work of many
        transactions: the lock is held by a connection of its own, and is free again when that is gone. Raises DatabaseAway."""
        with spoken():
            connection = psycopg.connect(**self._line, autocommit=True)
        try:
            with spoken():
                row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_number_of(job, tenant_id)]).fetchone()
            yield bool(row and row[0])
        finally:
            # The server notices that a connection is gone a moment later; whoever asks next need not wait for that.
            with suppress(psycopg.Error):
                connection.execute("SELECT pg_advisory_unlock_all()")
            connection.close()

    def vault(self, tx: Tx, tenant_id: str) -> Vault:
        """The tenant's, opened once. `tx` acts for the tenant or for the hub. Raises NotFound, CannotOpen."""
        with self._turn:
            if tenant_id in self._vaults:
                self._vaults.move_to_end(tenant_id)
                return self._vaults[tenant_id]
        row = tx.execute("SELECT key_sealed FROM tenants WHERE tenant_id = %s", [tenant_id]).fetchone()
        if row is None:
            raise NotFound(f"There is no tenant {tenant_id}.")
        opened = Vault(self.master.unseal(row[0], table="tenants", column="key_sealed", row=tenant_id))
        with self._turn:
            self._vaults[tenant_id] = opened
            if len(self._vaults) > VAULTS_MAX:
                self._vaults.popitem(last=False)
        return opened


def _speak_in_text(connection: Tx) -> None:
    """Ids are text in all our code, as they are on the wire."""
    connection.adapters.register_loader("uuid", TextLoader)


def _number_of(name: str, tenant_id: str) -> int:
    """The advisory lock's 64 bits. Two names that meet in them would wait for each other, and no worse."""
    digest = hashlib.sha256(f"regulars/{name}/{tenant_id.lower()}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _ms(seconds: float) -> str:
    return f"{max(1, int(seconds * 1000))}ms"
