"""What everything at headquarters stands on, opened in order and closed in reverse: data folder, PostgreSQL, master key, tables, database.

A hub that serves holds the data folder's lock and runs its PostgreSQL. A command beside it is its guest; where no hub runs, the command
holds the lock and the server for as long as it takes. With `database.url` there is no server of ours and hubs may run side by side.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from hub import lock, migrations, postgres
from hub.config import Config
from hub.database import Database
from hub.database_errors import spoken
from hub.errors import AlreadyRunning, ConfigError, DatabaseAway, NotFound
from hub.files import make_folder
from hub.master_key import MasterKey, master_key
from hub.migrations import Migration
from hub.partitions import make_ahead
from hub.postgres import Postgres

LOCK_S_MAX = 10.0
"""A command that holds the folder is done in a moment."""
GUEST_S_MAX = 60.0
"""A hub that is just starting after a crash reads its log first."""
LEAVE_S_MAX = 5.0
POLL_S = 0.1

Line = dict[str, Any]
"""Keywords of psycopg.connect."""


@dataclass(frozen=True, slots=True)
class Headquarters:
    """`postgres`: the server of ours, None with a server by URL or as a guest. `applied`: migrations that were due at this opening."""

    config: Config
    master: MasterKey
    database: Database
    postgres: Postgres | None
    applied: tuple[Migration, ...] = ()


@contextmanager
def open_headquarters(config: Config, now: datetime, *, serve: bool = False, may_make: bool = True) -> Iterator[Headquarters]:
    """`may_make`: whether a hub is begun in a folder that has none. Raises NotFound, AlreadyRunning, DatabaseError, KeyUnavailable,
    DataFolderError."""
    if not may_make and not config.database.url and not postgres.exists(config.data.folder):
        raise NotFound(f"There is no hub in {config.data.folder} yet. Begin one: regulars-hub tenant add NAME")
    make_folder(config.data.folder)
    if config.database.url:
        with _opened(config, by_url(config.database.url, config), None, None, now) as opened:
            yield opened
        return
    folder = config.data.folder.resolve()
    held = lock.take(folder, LOCK_S_MAX) if serve else lock.take_if_free(folder)
    if held is None:
        with _as_guest(config, now) as opened:
            yield opened
        return
    try:
        server = postgres.start(folder)
        try:
            owner = postgres.line_to(folder, postgres.OWNER)
            with _opened(config, postgres.line_to(folder, postgres.APPLICATION), owner, server, now) as opened:
                yield opened
        finally:
            last = lock.wait_for_guests(folder, LEAVE_S_MAX)
            server.stop()
            if last is not None:
                last.release()
    finally:
        held.release()


def migrate(config: Config, now: datetime) -> tuple[Migration, ...]:
    """Brings the tables to this version; what was applied. A database by URL needs the owner's, too. Raises ConfigError, and as above."""
    if not config.database.url:
        with open_headquarters(config, now) as opened:
            return opened.applied
    if not config.database.owner_url:
        raise ConfigError("To migrate a database by URL the hub must go in as its owner once: set database.owner_url for this command.")
    make_folder(config.data.folder)
    owner = by_url(config.database.owner_url, config)
    with _opened(config, by_url(config.database.url, config), owner, None, now) as opened:
        return opened.applied


def by_url(url: str, config: Config) -> Line:
    """Raises ConfigError, which does not repeat the URL: there may be a password in it."""
    try:
        return dict(psycopg.conninfo.conninfo_to_dict(url))
    except psycopg.Error:
        raise ConfigError("database.url or database.owner_url is no URL that PostgreSQL understands.") from None


@contextmanager
def _opened(config: Config, application: Line, owner: Line | None, server: Postgres | None, now: datetime) -> Iterator[Headquarters]:
    """`owner`: who may bring the tables to this version first, None if they must be there."""
    may_make = owner is not None and not _is_installed(owner)
    master = master_key(config.data.folder, file=config.keys.master_file, given=config.keys.master, may_make=may_make)
    applied = tuple(migrations.migrate(owner, master, now)) if owner is not None else ()
    database = Database(application, master, connections_max=config.database.connections_max)
    database.open()
    try:
        if applied:
            with database.anyone() as tx:
                make_ahead(tx, now)
        yield Headquarters(config, master, database, server, applied)
    finally:
        database.close()


@contextmanager
def _as_guest(config: Config, now: datetime) -> Iterator[Headquarters]:
    folder = config.data.folder.resolve()
    deadline_s = time.monotonic() + GUEST_S_MAX
    while True:
        staying = lock.be_guest(folder)
        try:
            if staying is None:
                raise DatabaseAway("The hub is just being stopped.")
            line = postgres.line_to(folder, postgres.APPLICATION)
            psycopg.connect(**line, connect_timeout=5).close()
            break
        except (DatabaseAway, psycopg.OperationalError):
            if staying is not None:
                staying.release()
            if time.monotonic() > deadline_s:
                raise AlreadyRunning(f"A hub holds {folder}, but its database does not answer. Stop the hub and start it anew.") from None
            time.sleep(POLL_S)
    try:
        with _opened(config, line, None, None, now) as opened:
            yield opened
    finally:
        staying.release()


def _is_installed(owner: Line) -> bool:
    with spoken(), psycopg.connect(**owner, connect_timeout=10) as connection:
        row = connection.execute("SELECT to_regclass('public.installation') IS NOT NULL").fetchone()
        return bool(row and row[0])
