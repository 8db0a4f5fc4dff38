"""A sealed copy of the whole database, made while the hub runs, and put back while none does.

    PostgreSQL's own pg_dump → sync.sealed_stream under the master key → FILE

Everything is in it but the master key, the index (which follows from the tables) and the pictures. A server of somebody's own
(`database.url`) is backed up with its own means.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import psycopg
from psycopg import sql

from hub import lock, migrations, postgres, putting_back
from hub.config import Config
from hub.database import Database
from hub.database_errors import spoken
from hub.errors import CannotOpen, ConfigError, DatabaseError, DataFolderError, HubError
from hub.files import PART, refused, sync_folder
from hub.index_place import FOLDER as INDEX_FOLDER
from hub.master_key import MasterKey, master_key
from hub.milvus_lite import DIRTY
from hub.postgres import DATABASE, OWNER, SUPERUSER
from sync.at_rest import DoesNotOpen, derived
from sync.sealed_stream import Sort, open_stream, seal_stream

MAGIC = b"RGLH\x01"
USE, LABEL = "backup", b"regulars/v1/hub/backup"
NEW, OLD = "regulars_being_restored", "regulars_before"
"""Databases beside ours while one is put back; what a crash left of them goes with the next."""
WORDS_MAX = 300


@dataclass(frozen=True, slots=True)
class Restored:
    """`kept`: a backup of what was there before. `carried_over`: whether what was there before could tell who was forgotten since."""

    tenants: int
    kept: Path | None
    carried_over: bool


def own_server(config: Config) -> Path:
    """The data folder of a hub with a PostgreSQL of ours. Raises ConfigError."""
    if config.database.url:
        raise ConfigError(
            "This hub uses a server of your own (database.url): back that up with its own means. When you have put it back to an earlier "
            "day, run: regulars-hub backup restored"
        )
    return config.data.folder.resolve()


def make(folder: Path, master: MasterKey, file: Path) -> int:
    """Of the server that runs on this folder; how many bytes. FILE must not be there yet. Raises HubError, and then there is no FILE."""
    if file.exists():
        raise DataFolderError(f"{file} is there already. Name another file; a backup replaces none.")
    part = file.with_name(f"{file.name}.{secrets.token_hex(4)}{PART}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as out:
            _dumped(folder, _sort(master), out)
            out.flush()
            os.fsync(out.fileno())
        os.link(part, file)
        sync_folder(file.parent)
        return file.stat().st_size
    except OSError as error:
        raise refused(error, file) from None
    finally:
        part.unlink(missing_ok=True)


def restore(config: Config, file: Path, now: datetime) -> Restored:
    """The whole file is opened once before anything is touched. No hub may run. Raises HubError; then everything is as it was."""
    folder = own_server(config)
    master = master_key(folder, file=config.keys.master_file, given=config.keys.master, may_make=False)
    with Path(os.devnull).open("wb") as nowhere:
        _opened(file, _sort(master), nowhere)
    held = lock.take(folder, 0.0)
    try:
        server = postgres.start(folder)
        try:
            kept = _kept(folder, master, now)
            _fill(folder, file, master)
            migrations.migrate(postgres.line_to(folder, OWNER, NEW), master, now)
            carried, tenants = _begun_anew(folder, master, now)
            if (index := folder / INDEX_FOLDER).is_dir():
                # It is compared with the tables before it is searched.
                (index / DIRTY).touch(mode=0o600)
            _swap(folder)
        finally:
            server.stop()
        return Restored(tenants, kept, carried)
    finally:
        held.release()


def _sort(master: MasterKey) -> Sort:
    return Sort(MAGIC, lambda salt: derived(master.subkey(USE), LABEL, salt))


def _kept(folder: Path, master: MasterKey, now: datetime) -> Path | None:
    """A backup of what is there; None where nothing is."""
    with spoken(), psycopg.connect(**postgres.line_to(folder, SUPERUSER)) as connection:
        row = connection.execute("SELECT to_regclass('public.installation') IS NOT NULL").fetchone()
    if not row or not row[0]:
        return None
    file = folder / f"before-restore-{now:%Y%m%dT%H%M%SZ}.backup"
    make(folder, master, file)
    return file


def _fill(folder: Path, file: Path, master: MasterKey) -> None:
    with spoken(), psycopg.connect(**postgres.line_to(folder, SUPERUSER, "postgres"), autocommit=True) as connection:
        for name in (NEW, OLD):
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(NEW), sql.Identifier(OWNER)))
    arguments = ["--exit-on-error", "--single-transaction", f"--dbname={NEW}"]
    with tempfile.TemporaryFile() as said:
        process = _program(folder, "pg_restore", arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said)
        assert process.stdin is not None
        try:
            with suppress(BrokenPipeError), process.stdin as target:
                _opened(file, _sort(master), cast("BinaryIO", target))
        finally:
            status = process.wait()
        if status != 0:
            raise DatabaseError(f"PostgreSQL does not take the backup {file.name}: {_words(said)} Nothing was changed.")


def _begun_anew(folder: Path, master: MasterKey, now: datetime) -> tuple[bool, int]:
    restored = Database(postgres.line_to(folder, postgres.APPLICATION, NEW), master, connections_max=2)
    restored.open()
    try:
        carried = _carried_over(folder, master, restored, now)
        return carried, putting_back.begin_anew(restored, now)
    finally:
        restored.close()


def _carried_over(folder: Path, master: MasterKey, restored: Database, now: datetime) -> bool:
    before = Database(postgres.line_to(folder, postgres.APPLICATION), master, connections_max=2)
    try:
        before.open()
        putting_back.carry_over(before, restored, now)
        return True
    except HubError:
        # Empty, of another version or damaged: that is why a backup is put back.
        return False
    finally:
        before.close()


def _swap(folder: Path) -> None:
    """Both names in one transaction: a crash leaves the one database or the other under ours, and never none."""
    with spoken(), psycopg.connect(**postgres.line_to(folder, SUPERUSER, "postgres")) as connection:
        # A session of ours that was closed a moment ago may not have ended yet.
        connection.execute("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = ANY(%s)", [[DATABASE, NEW]])
        for name, then in ((DATABASE, OLD), (NEW, DATABASE)):
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(then)))
    with spoken(), psycopg.connect(**postgres.line_to(folder, SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(OLD)))


def _opened(file: Path, sort: Sort, target: BinaryIO) -> None:
    """Raises CannotOpen, DataFolderError."""
    try:
        with file.open("rb") as source:
            open_stream(sort, source, target, file.name)
    except DoesNotOpen as error:
        raise CannotOpen(str(error)) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DataFolderError(f"{file} cannot be read: {error.strerror}.") from None


def _dumped(folder: Path, sort: Sort, out: BinaryIO) -> None:
    with tempfile.TemporaryFile() as said:
        process = _program(
            folder, "pg_dump", ["--format=custom", f"--dbname={DATABASE}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
        )
        assert process.stdout is not None
        try:
            with process.stdout as source:
                seal_stream(sort, cast("BinaryIO", source), out, lambda: None)
        finally:
            status = process.wait()
        if status != 0:
            raise DatabaseError(f"PostgreSQL could not be copied: {_words(said)}")


def _program(folder: Path, name: str, arguments: list[str], **pipes: Any) -> subprocess.Popen[bytes]:
    """As the superuser, whom row security does not bind; the password is not among the arguments, which everybody can read."""
    line: Mapping[str, Any] = postgres.line_to(folder, SUPERUSER)
    command = [postgres.programs_for(folder).path(name), "--no-password", f"--host={line['host']}", f"--port={line['port']}"]
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "PGPASSWORD": str(line["password"])}
    return subprocess.Popen([*command, f"--username={line['user']}", *arguments], env=environment, **pipes)


def _words(said: Any) -> str:
    said.seek(0)
    return " ".join(said.read().decode("utf-8", "replace").split())[:WORDS_MAX] or "it does not say why."
