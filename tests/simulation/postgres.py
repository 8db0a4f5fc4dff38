"""One PostgreSQL for all runs, each in a database of its own. What makes a run slow and proves nothing is off: the disk's own caches.

Power cuts here are those of the hub's process; that the server itself survives being killed is seen in `tests/chaos`.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from hub import migrations, postgres
from tests.hub.chain import NOW
from tests.hub.conftest import MASTER, NOT_DURABLE, reachable_folder

QUICK = {"autovacuum": "off", "scram_iterations": "1"}
"""A resolver connects anew each time it takes its lock; a password's four thousand rounds are not what is tried here."""
TEMPLATE = "simulation_template"


class Server:
    """`folder`: whoever knows it may use the server, from other processes too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)

    def run(self, words: str) -> None:
        with psycopg.connect(**postgres.line_to(self.folder, postgres.SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(words)  # type: ignore[call-overload]

    @contextmanager
    def database(self) -> Iterator[str]:
        """A migrated one with nothing in it; its name."""
        name = f"simulated_{os.getpid()}_{next(self._numbers)}"
        self.copy(TEMPLATE, name)
        try:
            yield name
        finally:
            self.drop(name)

    def copy(self, source: str, name: str) -> None:
        """Whoever is connected to `source` no longer is."""
        self.run(f"SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = '{source}'")
        self.run(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY file_copy OWNER {postgres.OWNER}")
        self.run(f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {postgres.APPLICATION}")

    def drop(self, name: str) -> None:
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def line(self, name: str) -> dict[str, Any]:
        return postgres.line_to(self.folder, postgres.APPLICATION, name)


@contextmanager
def a_server() -> Iterator[Server]:
    folder = reachable_folder()
    running = postgres.start(folder, options={**NOT_DURABLE, **QUICK})
    try:
        server = Server(folder)
        server.run(f"CREATE DATABASE {TEMPLATE} OWNER {postgres.OWNER}")
        migrations.migrate(postgres.line_to(folder, postgres.OWNER, TEMPLATE), MASTER, NOW)
        yield server
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)
