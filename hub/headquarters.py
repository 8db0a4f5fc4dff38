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
from pathlib import Path
from typing import Any

import psycopg

from hub import lock, migrations, postgres
from hub.config import Config
from hub.database import Database
from hub.database_errors import spoken
from hub.errors import AlreadyRunning, ConfigError, DatabaseAway, NotFound
from hub.files import make_folder
from hub.lock import Lock
from hub.master_key import MasterKey, master_key
from hub.migrations import Migration
from hub.partitions import make_ahead
from hub.postgres import Postgres

LOCK_S_MAX = 10.0
"""A command that holds the folder is done in a moment."""
GUEST_S_MAX = 60.0
"""A hub that is just starting after a crash reads its log first."""
LEAVE_S_MAX = 5.0
CONNECT_S_MAX = 10
POLL_S = 0.05

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


@dataclass(frozen=True, slots=True)
class Guest:
    """Of the hub that runs, which does not stop its PostgreSQL while we stay."""

    staying: Lock
    line: Line


@contextmanager
def open_headquarters(
    config: Config, now: datetime, *, serve: bool = False, may_make: bool = True, wait_s: float = LOCK_S_MAX
) -> Iterator[Headquarters]:
    """`serve`: as the hub of this folder, for which a command that holds it is waited for `wait_s`. `may_make`: whether a hub is begun in a
    folder that has none. Raises NotFound, AlreadyRunning, DatabaseError, KeyUnavailable, DataFolderError."""
    if not may_make and not config.database.url and not postgres.exists(config.data.folder):
        raise NotFound(f"There is no hub in {config.data.folder} yet. Begin one: regulars-hub tenant add NAME")
    make_folder(config.data.folder)
    if config.database.url:
        with _opened(config, by_url(config.database.url), None, None, now) as opened:
            yield opened
        return
    folder = config.data.folder.resolve()
    place = lock.take(folder, wait_s) if serve else _holder_or_guest(folder)
    with _as_holder(config, folder, place, now) if isinstance(place, Lock) else _as_guest(config, place, now) as opened:
        yield opened


def migrate(config: Config, now: datetime) -> tuple[Migration, ...]:
    """Brings the tables to this version; what was applied. A database by URL needs the owner's, too. Raises ConfigError, and as above."""
    if not config.database.url:
        with open_headquarters(config, now) as opened:
            return opened.applied
    if not config.database.owner_url:
        raise ConfigError("To migrate a database by URL the hub must go in as its owner once: set database.owner_url for this command.")
    make_folder(config.data.folder)
    owner = by_url(config.database.owner_url)
    with _opened(config, by_url(config.database.url), owner, None, now) as opened:
        return opened.applied


def by_url(url: str) -> Line:
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
def _as_holder(config: Config, folder: Path, held: Lock, now: datetime) -> Iterator[Headquarters]:
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


@contextmanager
def _as_guest(config: Config, guest: Guest, now: datetime) -> Iterator[Headquarters]:
    try:
        with _opened(config, guest.line, None, None, now) as opened:
            yield opened
    finally:
        guest.staying.release()


def _holder_or_guest(folder: Path) -> Lock | Guest:
    """Whichever is possible first: a hub may just be starting, or being stopped."""
    deadline_s = time.monotonic() + GUEST_S_MAX
    while True:
        if (held := lock.take_if_free(folder)) is not None:
            return held
        if (staying := lock.be_guest(folder)) is not None:
            try:
                line = postgres.line_to(folder, postgres.APPLICATION)
                psycopg.connect(**line, connect_timeout=CONNECT_S_MAX).close()
                return Guest(staying, line)
            except (DatabaseAway, psycopg.OperationalError):
                staying.release()
        if time.monotonic() > deadline_s:
            raise AlreadyRunning(f"A hub holds {folder}, but its database does not answer. Stop the hub and start it anew.")
        time.sleep(POLL_S)


def _is_installed(owner: Line) -> bool:
    with spoken(), psycopg.connect(**owner, connect_timeout=CONNECT_S_MAX) as connection:
        row = connection.execute("SELECT to_regclass('public.installation') IS NOT NULL").fetchone()
        return bool(row and row[0])
