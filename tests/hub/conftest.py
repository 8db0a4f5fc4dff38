"""A real PostgreSQL for the hub's tests: one server a run, a database of its own for each test, copied from a migrated one."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hub import migrations, postgres
from hub.database import Database
from hub.master_key import MasterKey
from tests.hub.chain import NOW, Chain, make_chain
from tests.hub.told import Hub

MASTER = MasterKey(bytes(range(32)))
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
"""For tests that look at rows; those of crashes start a server of their own."""
TEMPLATE = "regulars_template"


def reachable_folder() -> Path:
    """As root, PostgreSQL runs as a user who may not enter pytest's own folders."""
    folder = Path(tempfile.mkdtemp(prefix="regulars-hub-"))
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return folder


@pytest.fixture
def hub_folder() -> Iterator[Path]:
    """For a hub's data folder; use it instead of tmp_path wherever a PostgreSQL is started."""
    folder = reachable_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class Server:
    """The run's PostgreSQL, and fresh databases in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running = postgres.start(folder, options=NOT_DURABLE)
        self._numbers = itertools.count(1)
        self.run(f"CREATE DATABASE {TEMPLATE} OWNER {postgres.OWNER}")
        migrations.migrate(postgres.line_to(folder, postgres.OWNER, TEMPLATE), MASTER, NOW)

    def run(self, words: str) -> None:
        with psycopg.connect(**postgres.line_to(self.folder, postgres.SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(words)

    def new_database(self, template: str = TEMPLATE) -> str:
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy OWNER {postgres.OWNER}")
        # A copy does not carry who may come in.
        self.run(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        self.run(f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {postgres.APPLICATION}")
        return name

    def drop(self, name: str) -> None:
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        self._running.stop()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    folder = reachable_folder()
    running = Server(folder)
    yield running
    running.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_name(server: Server) -> Iterator[str]:
    """Of a fresh, migrated database with nothing in it."""
    name = server.new_database()
    yield name
    server.drop(name)


@pytest.fixture
def database(server: Server, database_name: str) -> Iterator[Database]:
    opened = Database(postgres.line_to(server.folder, postgres.APPLICATION, database_name), MASTER, connections_max=8)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def chain(database: Database) -> Chain:
    """Two tenants in the database: ours with two stores, Alice, Bob and Charlie; Dana's with one."""
    return make_chain(database)


@pytest.fixture
def hub(chain: Chain) -> Hub:
    """Our tenant's two stores, an exact index and the resolver."""
    return Hub(chain)
