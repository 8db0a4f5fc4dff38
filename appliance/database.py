"""The store's database, opened: who may write, what a transaction is, and what happens to a broken file.

One process, the appliance, holds the data folder's lock, writes and checkpoints. Inside it any thread may write, one at a time: `with
store.transaction() as db:`. Everywhere else `store.db` is this thread's own read-only connection, so a write outside a transaction fails.
A command that runs beside the appliance is its guest: it writes through short transactions and never checkpoints.

SQLite 3.7.0 to 3.51.2 (but for 3.44.6 and 3.50.7) can lose commits when a write overlaps a checkpoint of another connection. It cannot
happen here: SQLite checkpoints nothing by itself, the appliance checkpoints on the connection it writes with, and a file lock keeps that
apart from a guest's transaction.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import uuid_utils
from sqlite_utils import Database

from appliance import backup, database_file, gone_rows, lock, notices
from appliance.data_key import KeyKeeper
from appliance.errors import DatabaseError
from appliance.files import make_folder, refuse_a_file, refused
from appliance.gone_rows import GONE
from appliance.migrations import migrations
from appliance.sql_errors import in_words
from appliance.vault import Vault
from sync import outbox
from sync.records import Record

BUSY_MS = 5_000
"""A guest's transaction takes milliseconds; somebody who holds the database for longer hangs."""
LOCK_WAIT_S = 3.0
"""A command that holds the folder ends within this time, or is one that has to be waited for by a person."""
COMMITS_A_CHECKPOINT = 200
"""About ten pages a commit: the log stays under 10 MB, and a checkpoint's syncs are shared by 200 commits."""
SNAPSHOTS = "snapshots"
TRACE_BYTES = 24
"""Version, nonce and the first bytes: what of a sealed value is without its nonce can never be opened."""
LOG_BYTES_KEPT = 16 << 20
"""After one large transaction the log is cut back to this when it is used anew."""

log = logging.getLogger(__name__)


class Store:
    """An open data folder. Made by `open_store` and `read_store`; `close` it."""

    def __init__(self, folder: Path, vault: Vault, writer: sqlite3.Connection | None, owned: lock.Lock | None) -> None:
        self.folder, self.vault, self.snapshots = folder, vault, folder / SNAPSHOTS
        self._writer = Database(writer, execute_plugins=False) if writer is not None else None
        self._owned = owned
        self._turn = threading.Lock()
        self._writing_thread: int | None = None
        self._commits = 0
        self._told: list[tuple[Record, int]] = []
        self._tracing: set[bytes] = set()
        self.traces: set[bytes] = set()
        """Beginnings of sealed values that were forgotten since the start and may still lie in free space (`clearing`)."""
        self._local = threading.local()
        self._readers: weakref.WeakSet[Database] = weakref.WeakSet()

    @property
    def db(self) -> Database:
        """Inside a transaction of this thread the writing connection, else a read-only one that sees what is committed. Fetch all rows:
        a half-read cursor keeps the log from being reused."""
        if self._writer is not None and self._writing_thread == threading.get_ident():
            return self._writer
        reader: Database | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = Database(_connection(self.folder, "ro"), execute_plugins=False)
            self._local.reader = reader
            self._readers.add(reader)
        return reader

    @property
    def owner(self) -> bool:
        """Whether this process holds the data folder, i.e. is the appliance or runs while there is none."""
        return self._owned is not None

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """All or nothing, on disk when the block is left. Does not nest: RuntimeError. Raises DiskFull, DataFolderError, DatabaseError;
        errors of the statements themselves (a broken constraint) stay sqlite3's."""
        if self._writer is None:
            raise DatabaseError(f"{database_file.path_in(self.folder)} was opened for reading only.")
        if self._writing_thread == threading.get_ident():
            raise RuntimeError("a transaction is open in this thread already; transactions do not nest")
        with self._turn:
            apart = None if self.owner else self._apart_from_checkpoint()
            try:
                self._writer.conn.execute("BEGIN IMMEDIATE")
                self._writing_thread = threading.get_ident()
                yield self._writer
                if self._told:
                    outbox.append_all(self._writer.conn, self._told, self.vault.seal)
                self._writer.conn.execute("COMMIT")
                self.traces |= self._tracing
            except BaseException as error:
                with suppress(sqlite3.Error):
                    self._writer.rollback()
                if isinstance(error, sqlite3.Error) and (said := in_words(error, self.folder)):
                    raise said from error
                raise
            finally:
                self._writing_thread = None
                self._told.clear()
                self._tracing.clear()
                if apart:
                    apart.release()
            if self.owner:
                self._checkpoint_now_and_then()

    @contextmanager
    def writing(self) -> Iterator[Database]:
        """The transaction this thread is in, or a new one: for functions that are called inside and outside of one."""
        if self._writing_thread == threading.get_ident():
            yield self.db
        else:
            with self.transaction() as db:
                yield db

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of this thread's transaction that may fail alone: nothing of it is left, and the error goes on."""
        db, told = self.db, len(self._told)
        db.conn.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            del self._told[told:]
            db.conn.execute("ROLLBACK TO part")
            raise
        finally:
            db.conn.execute("RELEASE part")

    def record(self, record: Record, now_ms: int) -> None:
        """A record for the hub: it is in the outbox when the transaction that this thread is in is committed. RuntimeError without one."""
        if self._writing_thread != threading.get_ident():
            raise RuntimeError("a record is made in the transaction of what it tells of; none is open")
        self._told.append((record, now_ms))
        if isinstance(record, GONE):
            gone_rows.remember(self.db.conn, record)

    def checkpoint(self) -> None:
        """Brings the log into the database now, after much was written at once; nothing for a guest or a reader."""
        with self._turn:
            if self.owner:
                self._commits = COMMITS_A_CHECKPOINT
                self._checkpoint_now_and_then()
    def trace(self, sealed: Iterable[bytes | None]) -> None:
        """Sealed values that this thread's transaction takes away for good: what is left of them elsewhere is looked for afterwards."""
        self._tracing.update(value[:TRACE_BYTES] for value in sealed if value)

    def checkpoint_whole(self) -> None:
        """Moves everything out of the write-ahead log and cuts that to nothing. For the owner. DatabaseError while somebody reads."""
        assert self._writer is not None and self.owner
        with self._turn:
            apart = self._apart_from_checkpoint()
            try:
                busy, _, _ = self._writer.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                apart.release()
        if busy:
            raise DatabaseError(f"The write-ahead log of {self.folder} is being read and could not be emptied. It is tried again.")

    def rewrite(self) -> None:
        """Writes the whole database anew, without what lies in its free space. Whoever wants to write waits: ten seconds a gigabyte."""
        assert self._writer is not None and self.owner
        with self._turn:
            self._writer.conn.execute("VACUUM")

    def close(self) -> None:
        """Waits for a transaction that is under way. May be called twice."""
        with self._turn:
            for reader in list(self._readers):
                reader.close()
            if self._writer is not None:
                self._writer.close()
            if self._owned is not None:
                self._owned.release()

    def _apart_from_checkpoint(self) -> lock.Lock:
        held = lock.take_checkpoint(self.folder, BUSY_MS / 1000)
        if held is None:
            raise DatabaseError(f"The database in {self.folder} was busy for {BUSY_MS // 1000} s. Try again.")
        return held

    def _checkpoint_now_and_then(self) -> None:
        self._commits += 1
        if self._commits < COMMITS_A_CHECKPOINT or self._writer is None:
            return
        if apart := lock.take_checkpoint(self.folder, 0.0):
            try:
                self._writer.conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                self._commits = 0
            except sqlite3.Error as error:
                # The commit is safe in the log; a full disk is no reason to call it failed. The next commit tries again.
                log.warning("checkpoint failed error=%s", error)
            finally:
                apart.release()


def open_store(
    folder: Path, now_ms: int, *, checkpoint: bool = True, backups: Path | None = None, keeper: KeyKeeper | None = None
) -> Store:
    """Opens the data folder for writing, making it if need be. A broken database is set aside, the newest good backup put in its place
    and a notice written.

    checkpoint: True for the appliance, which must be the only one (AlreadyRunning otherwise). False for a short command: it runs as a guest
    if an appliance is there, else as owner. backups: the folder of `backup.folder`. keeper: where the data key is kept, if not in the
    usual place.
    Raises AlreadyRunning, DataFolderError, DatabaseError, DiskFull, KeyUnavailable.
    """
    folder = folder.absolute()
    make_folder(folder)
    make_folder(folder / SNAPSHOTS)
    held = lock.take(folder, LOCK_WAIT_S) if checkpoint else lock.take_if_free(folder)
    if held is None:
        return _guest(folder, keeper)
    try:
        backup.sweep_parts(folder, backups)
        vault = Vault.open(folder, keeper)
        happened = _made_sound(folder, vault, now_ms, backups)
        store = Store(folder, vault, _connection(folder, "rwc"), held)
    except BaseException as error:
        held.release()
        if isinstance(error, sqlite3.Error) and (said := in_words(error, folder)):
            raise said from error
        raise
    with _closed_on_error(store):
        _brought_up_to_date(store)
        with store.transaction() as db:
            if not db.execute("SELECT 1 FROM settings WHERE key = ?", [backup.OUTBOX_LINE]).fetchone():
                db.execute("INSERT INTO settings VALUES (?, ?)", [backup.OUTBOX_LINE, str(uuid_utils.uuid7())])
            if happened:
                words, fault = happened
                log.error("%s (SQLite: %s)", words, fault)
                notices.notify(store, "database", words, now_ms)
    if affected(sqlite3.sqlite_version_info):
        # The fault that `affected` tells of cannot happen here: nobody has to do anything about it.
        log.debug("event=sqlite_version version=%s note=one_writer_at_a_time", sqlite3.sqlite_version)
    return store


def read_store(folder: Path, keeper: KeyKeeper | None = None) -> Store:
    """Opens the data folder for reading alone, beside whoever writes. Raises DatabaseError when there is nothing yet, KeyUnavailable."""
    folder = folder.absolute()
    try:
        refuse_a_file(folder)
        there = database_file.path_in(folder).exists()
    except OSError as error:
        raise refused(error, folder) from None
    if not there:
        raise DatabaseError(f"There is no data in {folder} yet. Start the appliance with `regulars run`, or name another folder.")
    store = Store(folder, Vault.open(folder, keeper), None, None)
    with _closed_on_error(store):
        _refuse_other_version(store.db, folder)
    return store


def open_copy(folder: Path, vault: Vault) -> Store:
    """A copy of the database, alone in a folder that nobody else knows; brought to this version's tables. Raises StoreErrors, and
    sqlite3.DatabaseError for one that is damaged."""
    store = Store(folder, vault, _connection(folder, "rw"), lock.take(folder, 0.0))
    with _closed_on_error(store):
        _brought_up_to_date(store)
    return store


def affected(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite can lose commits when a write overlaps another connection's checkpoint (sqlite.org/wal.html#walresetbug)."""
    return (3, 7, 0) <= version <= (3, 51, 2) and version not in {(3, 44, 6), (3, 50, 7)}


def _guest(folder: Path, keeper: KeyKeeper | None) -> Store:
    store = Store(folder, Vault.open(folder, keeper), _connection(folder, "rw"), None)
    with _closed_on_error(store):
        _refuse_other_version(store.db, folder)
        if migrations.pending(store.db):
            raise DatabaseError(f"The appliance that runs on {folder} is of an older version than this command. Start it again first.")
    return store


@contextmanager
def _closed_on_error(store: Store) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        store.close()
        if isinstance(error, sqlite3.Error) and (said := in_words(error, store.folder)):
            raise said from error
        raise


def _connection(folder: Path, mode: str) -> sqlite3.Connection:
    """mode: ro, rw, rwc as in SQLite's URIs."""
    path = database_file.path_in(folder)
    if mode == "rwc":
        database_file.made_private(path)
    try:
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000
        )
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA foreign_keys = ON")
        if mode != "ro":
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA journal_size_limit = {LOG_BYTES_KEPT}")
            connection.execute("PRAGMA synchronous = FULL")
            # macOS: without it fsync leaves data in the disk's own cache, and a power cut takes it.
            connection.execute("PRAGMA fullfsync = ON")
            # What is deleted is overwritten: a dropped template must not linger in free pages.
            connection.execute("PRAGMA secure_delete = ON")
    except sqlite3.Error as error:
        raise (in_words(error, folder) or error) from error
    return connection


def _made_sound(folder: Path, vault: Vault, now_ms: int, backups: Path | None) -> tuple[str, str] | None:
    """Sees to it that the database is sound or absent. What had to be done, if anything: in words for the manager, and in SQLite's."""
    path = database_file.path_in(folder)
    there = path.exists() and path.stat().st_size > 0
    if there:
        found = database_file.fault(path)
        if found is None:
            return None
    elif backup.list_backups(folder, backups) or any((folder / SNAPSHOTS).iterdir()):
        found = "missing or empty"
    else:
        # The first start, or one that was cut off before anything was written.
        database_file.set_aside(folder, now_ms, "empty")
        return None
    good = backup.newest_good(folder, vault, backups)
    aside = database_file.set_aside(folder, now_ms)
    was = f"was {'damaged' if there else 'empty'}. It is kept as {aside.name}" if aside else "was missing"
    if good is None:
        words = f"The database {was}. There was no good backup: Regulars started with an empty database, earlier visits are missing."
        return words, found
    restored, copy = good
    backup.put_in_place(folder, copy)
    made = datetime.fromtimestamp(restored.made_ms / 1000, UTC)
    return f"The database {was}. The backup of {made:%Y-%m-%d %H:%M} UTC was restored; visits after that are missing.", found


def _brought_up_to_date(store: Store) -> None:
    writer = store._writer
    assert writer is not None
    _refuse_other_version(writer, store.folder)
    migrations.apply(writer)
    writer.execute(f"PRAGMA application_id = {database_file.APPLICATION_ID}")


def _refuse_other_version(db: Database, folder: Path) -> None:
    path = database_file.path_in(folder)
    tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    mark = db.execute("PRAGMA application_id").fetchone()[0]
    if tables and mark not in (0, database_file.APPLICATION_ID):
        raise DatabaseError(f"{path} is the database of another program. Move it away, or name another data folder.")
    if {migration.name for migration in migrations.applied(db)} - {migration.name for migration in migrations._migrations}:
        raise DatabaseError(f"{path} was written by a newer version of Regulars. Install that version again.")
