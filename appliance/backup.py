"""Sealed copies of the database: made while it is in use, checked before they count, and put back.

A backup holds the database alone, not the snapshots, and opens only with the data key of the folder it was made in.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance import database_file, forgotten_list
from appliance.errors import BackupError, CannotOpen, DataFolderError, StoreError
from appliance.files import PART, make_folder, refused, sync_folder
from appliance.sealed_stream import open_stream, seal_stream
from appliance.sql_errors import in_words
from appliance.vault import Vault

FOLDER = "backups"
NAME = re.compile(r"regulars-(\d{8}T\d{6}Z)\.db\.sealed")
PAGES_A_STEP = 256
"""1 MB copied between two looks at whether to stop: a few milliseconds."""


WRITTEN_WITHIN_S = 600.0
"""A backup that is under way is written to all the time; one that was not for this long was left by a crash."""
OUTBOX_LINE = "outbox_line"
"""Settings row that names this run of the outbox's sequence numbers. A backup does not carry it: restored, it counts on from an older
number, so it must begin a new run."""


@dataclass(frozen=True, slots=True)
class Backup:
    name: str
    path: Path
    made_ms: int
    bytes: int


class Stopped(BackupError):
    """The appliance is being stopped; the unfinished backup is removed."""


def make_backup(
    folder: Path, vault: Vault, now_ms: int, *, into: Path | None = None, keep: int = 14, stopping: Callable[[], bool] = lambda: False
) -> Backup:
    """Copies the database of `folder` as it is at one moment, checks the copy, seals it and removes all but the newest `keep`.

    Others may read and write meanwhile. Raises BackupError, DataFolderError, DiskFull, Stopped.
    """
    target = into or folder / FOLDER
    make_folder(target)
    name = f"regulars-{datetime.fromtimestamp(now_ms / 1000, UTC):%Y%m%dT%H%M%SZ}.db.sealed"
    copy = folder / f"backup.{secrets.token_hex(4)}{PART}"
    sealed = target / f"{name}.{secrets.token_hex(4)}{PART}"

    def go_on() -> None:
        if stopping():
            raise Stopped("The backup was given up because Regulars stops; it is made at the next start.")

    try:
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        _copy(database_file.path_in(folder), copy, go_on)
        if found := database_file.fault(copy):
            raise BackupError(f"The copy of the database is not sound ({found}), so it was not kept. Earlier backups are still there.")
        with copy.open("rb") as plain, os.fdopen(os.open(sealed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            seal_stream(vault, plain, out, go_on)
            out.flush()
            os.fsync(out.fileno())
        sealed.replace(target / name)
        sync_folder(target)
    except sqlite3.Error as error:
        raise (in_words(error, folder) or BackupError(f"The database cannot be copied: {error}.")) from None
    except OSError as error:
        raise refused(error, target / name) from None
    finally:
        _remove(copy, sealed)
    for old in list_backups(folder, into)[keep:]:
        with suppress(OSError):
            old.path.unlink()
    return _read(target / name)


def seal_anew(vault: Vault, plain: Path, backup: Backup, stopping: Callable[[], bool] = lambda: False) -> None:
    """The database in `plain` takes the place of what the backup held, under its name and time. Raises DataFolderError, Stopped."""

    def go_on() -> None:
        if stopping():
            raise Stopped("A backup was not written anew because Regulars stops; it is done at the next start.")

    sealed = backup.path.with_name(f"{backup.name}.{secrets.token_hex(4)}{PART}")
    try:
        with plain.open("rb") as source, os.fdopen(os.open(sealed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            seal_stream(vault, source, out, go_on)
            out.flush()
            os.fsync(out.fileno())
        sealed.replace(backup.path)
        sync_folder(backup.path.parent)
    except OSError as error:
        raise refused(error, backup.path) from None
    finally:
        _remove(sealed)


def list_backups(folder: Path, into: Path | None = None) -> list[Backup]:
    """Newest first. Raises DataFolderError when the folder cannot be read."""
    target = into or folder / FOLDER
    try:
        found = [_read(path) for path in target.iterdir() if NAME.fullmatch(path.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataFolderError(f"The backups in {target} cannot be read: {error.strerror}.") from None
    return sorted(found, key=lambda backup: backup.made_ms, reverse=True)


def newest_good(folder: Path, vault: Vault, into: Path | None = None) -> tuple[Backup, Path] | None:
    """The newest backup that opens and is sound, with its opened copy in `folder` (a .part file); None if there is none."""
    for backup in list_backups(folder, into):
        with suppress(BackupError):
            return backup, opened(folder, vault, backup)
    return None


def opened(folder: Path, vault: Vault, backup: Backup) -> Path:
    """The backup's database as a checked file in `folder`, not yet in its place. Raises BackupError, DiskFull."""
    copy = folder / f"restore.{secrets.token_hex(4)}{PART}"
    try:
        with backup.path.open("rb") as sealed, os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            open_stream(vault, sealed, out, backup.name)
            out.flush()
            os.fsync(out.fileno())
        if found := database_file.fault(copy):
            raise BackupError(f"The backup {backup.name} opens but is not sound: {found}.")
        return copy
    except BaseException as error:
        _remove(copy)
        if isinstance(error, (CannotOpen, sqlite3.Error)):
            raise BackupError(f"The backup cannot be used: {error}") from None
        if isinstance(error, OSError):
            raise refused(error, copy) from None
        raise


def restore(folder: Path, vault: Vault, backup: Backup, now_ms: int) -> Path | None:
    """Puts the backup in the place of the database, which is set aside under the name that is given back. For the holder of the appliance's
    lock alone. Raises BackupError or DiskFull before anything is touched. Who was forgotten since is forgotten anew by `honouring.honour`,
    which whoever opens it next must call."""
    copy = opened(folder, vault, backup)
    _keep_the_list(folder, backup.path.parent)
    aside = database_file.set_aside(folder, now_ms, "replaced")
    put_in_place(folder, copy)
    return aside


def _keep_the_list(folder: Path, backups: Path) -> None:
    """The present database may know of somebody forgotten a moment ago whom the list does not have yet."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{database_file.path_in(folder).absolute().as_uri()}?mode=ro", uri=True)) as was:
        forgotten_list.publish(was, forgotten_list.places(folder, backups))


def put_in_place(folder: Path, copy: Path) -> None:
    """The opened copy becomes the database. The present one must have been set aside before."""
    path = database_file.path_in(folder)
    if path.exists():
        raise StoreError(f"{path} is still there; it must be set aside before a backup is restored.")
    try:
        copy.replace(path)
        sync_folder(folder)
    except OSError as error:
        raise refused(error, path) from None


def find(folder: Path, name: str, into: Path | None = None) -> Backup:
    backups = list_backups(folder, into)
    for backup in backups:
        if backup.name == name or (name == "newest" and backup is backups[0]):
            return backup
    there = f"The newest is {backups[0].name}." if backups else "There is none yet; make one with `regulars backup now`."
    raise BackupError(f"There is no backup {name} in {into or folder / FOLDER}. {there}")


def due(newest_ms: int | None, now_ms: int, hour: int, zone: ZoneInfo) -> bool:
    """Whether the nightly backup is still to be made: none was since `hour` struck last in `zone`. So a night that the computer was off
    or asleep for is made up for."""
    now = datetime.fromtimestamp(now_ms / 1000, zone)
    struck = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    if struck > now:
        struck = (struck - timedelta(days=1)).replace(hour=hour)
    # A backup from the future was made by a clock that was wrong; it must not put off the next one for ever.
    return newest_ms is None or newest_ms < struck.timestamp() * 1000 or newest_ms > now_ms


def under_way(folder: Path, into: Path | None, now_ms: int) -> bool:
    """Whether a backup is being made now, by whichever process."""
    parts = [*folder.glob(f"backup.*{PART}"), *(into or folder / FOLDER).glob(f"*.sealed.*{PART}")]
    return any(now_ms / 1000 - part.stat().st_mtime < WRITTEN_WITHIN_S for part in parts if part.exists())


def sweep_parts(folder: Path, into: Path | None = None) -> int:
    """Removes what a crash left half-written. To be called by the holder of the appliance's lock alone."""
    removed = 0
    for place in {folder, into or folder / FOLDER}:
        for part in place.glob(f"*{PART}*"):
            with suppress(OSError):
                shutil.rmtree(part) if part.is_dir() else part.unlink()
                removed += 1
    return removed


def _copy(source: Path, copy: Path, go_on: Callable[[], None]) -> None:
    with (
        closing(sqlite3.connect(source.absolute().as_uri() + "?mode=ro", uri=True, isolation_level=None, timeout=10.0)) as reading,
        closing(sqlite3.connect(copy, isolation_level=None)) as writing,
    ):
        # One read transaction around all steps: the copy is of one moment, and writers meanwhile do not make it begin again.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        reading.backup(writing, pages=PAGES_A_STEP, progress=lambda _status, _left, _all: go_on())
        writing.execute("PRAGMA journal_mode = DELETE")
        writing.execute("DELETE FROM settings WHERE key = ?", [OUTBOX_LINE])


def _read(path: Path) -> Backup:
    matched = NAME.fullmatch(path.name)
    assert matched is not None
    made = datetime.strptime(matched[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return Backup(path.name, path, int(made.timestamp() * 1000), path.stat().st_size)


def _remove(*paths: Path) -> None:
    for path in paths:
        for ending in ("", *database_file.COMPANIONS):
            with suppress(OSError):
                Path(f"{path}{ending}").unlink()
