"""What of psycopg's errors is no defect of ours: a server that is away, and a transaction that may be tried again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout

from hub.errors import DatabaseAway, DatabaseBusy, DatabaseError

AWAY = ("08", "57P01", "57P02", "57P03", "57P05", "53", "58")
"""Connection; admin shutdown, crash, starting, idle session; out of disk, memory or connections; the system beneath."""
BUSY = ("40001", "40P01", "55P03", "57014", "25P03", "25P04")
"""Serialization, deadlock, lock not available, time limit of a statement, of an idle or of a whole transaction."""
REFUSED = ("28", "3D000")
"""Password or name of a role, no such database."""


@contextmanager
def spoken() -> Iterator[None]:
    """Raises DatabaseAway, DatabaseBusy or DatabaseError in place of what they stand for; every other error as it is."""
    try:
        yield
    except PoolTimeout:
        raise DatabaseAway("The database gives no connection: it is away, or all are in use. It is tried again.") from None
    except PoolClosed:
        raise DatabaseAway("The hub is being stopped: its database is closed.") from None
    except psycopg.Error as error:
        state = error.sqlstate or ""
        if state.startswith(BUSY):
            raise DatabaseBusy(f"The database is busy ({type(error).__name__}); it may be tried again.") from error
        if state.startswith(REFUSED):
            raise DatabaseError(
                f"The database does not let the hub in ({type(error).__name__}). Check user, password and name in its URL."
            ) from None
        if state.startswith(AWAY) or (not state and isinstance(error, psycopg.OperationalError)):
            raise DatabaseAway(f"The database is away ({type(error).__name__}); it is tried again.") from error
        raise
