"""Connections that pages read through: read-only, one for each thread, so that a page can neither write nor checkpoint.

SQLite before 3.51.3 can lose commits when a write overlaps a checkpoint of another connection; a read-only one never makes any.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

WAIT_S_MAX = 2.0
"""For a lock while the main process recovers the log; a page that takes longer has failed."""


def readers(database: Path) -> Callable[[], sqlite3.Connection]:
    """A function that gives the calling thread's own connection to `database`, opened at its first call."""
    own = threading.local()

    def reader() -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(own, "connection", None)
        if connection is None:
            connection = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True, timeout=WAIT_S_MAX, isolation_level=None)
            connection.execute("PRAGMA query_only = ON")
            own.connection = connection
        return connection

    return reader
