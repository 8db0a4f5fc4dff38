"""The data folder opened: one writer, whole transactions, and what happens to broken, full and read-only ones."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database, Migrations

from appliance import backup, lock, notices, snapshots
from appliance.database import COMMITS_A_CHECKPOINT, affected, open_store, read_store
from appliance.errors import AlreadyRunning, DatabaseError, DataFolderError, DiskFull
from appliance.migrations import migrations
from tests.appliance.stores import DAY_MS, JPEG, NOON, a_store, add_visit, visits


def test_a_transaction_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with store.transaction():
        add_visit(store, "a")
    with pytest.raises(ZeroDivisionError), store.transaction():
        add_visit(store, "b")
        assert visits(store) == ["a", "b"]
        raise ZeroDivisionError
    assert visits(store) == ["a"]
    store.close()
    assert visits(read_store(tmp_path)) == ["a"]


def test_in_a_folder_that_others_may_enter_the_database_is_its_owners_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    store = a_store(tmp_path)
    with store.transaction():
        add_visit(store, "a")
    rights = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.glob("regulars.db*")}
    assert rights == dict.fromkeys(("regulars.db", "regulars.db-wal", "regulars.db-shm"), 0)
    store.close()


def test_transactions_do_not_nest_and_the_outer_one_is_undone(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with pytest.raises(RuntimeError, match="do not nest"), store.transaction():
        add_visit(store, "a")
        with store.transaction():
            pass
    assert visits(store) == []
    add_visit(store, "b")
    assert visits(store) == ["b"]


def test_a_write_outside_a_transaction_is_refused(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        store.db.execute("DELETE FROM visits")


def test_a_broken_constraint_stays_the_statements_own_error(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with pytest.raises(sqlite3.IntegrityError), store.transaction():
        add_visit(store, "a")
        add_visit(store, "a")
    assert visits(store) == []


def test_threads_write_one_after_another_and_readers_see_committed_rows_only(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    inside, go = threading.Event(), threading.Event()

    def write() -> None:
        with store.transaction():
            add_visit(store, "slow")
            inside.set()
            go.wait(5)

    first = threading.Thread(target=write)
    first.start()
    assert inside.wait(5)
    second = threading.Thread(target=add_visit, args=(store, "waits"))
    second.start()
    assert visits(store) == []
    go.set()
    first.join(5)
    second.join(5)
    assert visits(store) == ["slow", "waits"]
    store.close()


def test_the_settings_that_keep_visits_safe_are_on(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with store.transaction() as db:
        names = ("synchronous", "foreign_keys", "secure_delete", "wal_autocheckpoint")
        said = {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in names}
    assert said == {"synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "wal_autocheckpoint": 0}
    assert store.db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_the_log_is_checkpointed_and_stays_small(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    for number in range(450):
        add_visit(store, f"{number:04}")
    assert (tmp_path / "regulars.db-wal").stat().st_size < 10 << 20
    assert (tmp_path / "regulars.db").stat().st_size > 50_000
    assert len(visits(store)) == 450


def test_the_log_of_one_large_transaction_is_cut_back(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with store.transaction() as db:
        db.execute("INSERT INTO settings VALUES ('big', ?)", ["x" * (40 << 20)])
    assert (tmp_path / "regulars.db-wal").stat().st_size > 40 << 20
    for number in range(COMMITS_A_CHECKPOINT + 10):
        add_visit(store, f"{number:04}")
    assert (tmp_path / "regulars.db-wal").stat().st_size <= 17 << 20


@pytest.mark.parametrize(
    ("version", "has"),
    [((3, 6, 23), False), ((3, 40, 1), True), ((3, 44, 6), False), ((3, 50, 7), False), ((3, 51, 2), True), ((3, 51, 3), False)],
)
def test_the_versions_with_the_log_reset_fault_are_known(version: tuple[int, int, int], has: bool) -> None:
    assert affected(version) is has


def test_a_second_appliance_on_the_folder_is_refused_with_the_first_ones_process(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with pytest.raises(AlreadyRunning, match=rf"already runs on .* \(process {os.getpid()}\)"):
        a_store(tmp_path)
    store.close()
    a_store(tmp_path).close()


def test_a_command_beside_the_appliance_writes_as_a_guest_and_never_checkpoints(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    guest = a_store(tmp_path, checkpoint=False)
    assert store.owner and not guest.owner
    size = (tmp_path / "regulars.db").stat().st_size
    for number in range(250):
        add_visit(guest, f"guest {number}")
    assert (tmp_path / "regulars.db").stat().st_size == size
    add_visit(store, "own")
    assert len(visits(store)) == len(visits(guest)) == 251
    guest.close()
    store.close()


def test_a_guests_write_and_the_appliances_checkpoint_exclude_each_other(tmp_path: Path) -> None:
    store, guest = a_store(tmp_path), a_store(tmp_path, checkpoint=False)
    with guest.transaction():
        assert lock.take_checkpoint(tmp_path, 0.0) is None
    held = lock.take_checkpoint(tmp_path, 0.0)
    assert held is not None
    for number in range(210):
        add_visit(store, str(number))
    held.release()
    assert len(visits(store)) == 210


def test_a_command_without_an_appliance_is_the_owner_for_its_time(tmp_path: Path) -> None:
    store = a_store(tmp_path, checkpoint=False)
    assert store.owner
    store.close()
    a_store(tmp_path).close()


def test_reading_an_empty_folder_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"no data in .* yet"):
        read_store(tmp_path)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    a_store(tmp_path).close()
    reader = read_store(tmp_path)
    with pytest.raises(DatabaseError, match="reading only"), reader.transaction():
        pass


def test_migrations_are_repeatable_and_a_failing_one_leaves_nothing() -> None:
    db = Database(sqlite3.connect(":memory:", isolation_level=None), execute_plugins=False)
    migrations.apply(db)
    before = db.schema
    migrations.apply(db)
    assert db.schema == before
    later = Migrations("appliance")

    @later()
    def m002_fails(db: Database) -> None:
        db.execute("CREATE TABLE half (a TEXT)")
        db.execute("CREATE TABLE visits (a TEXT)")

    with pytest.raises(sqlite3.OperationalError):
        later.apply(db)
    assert db.schema == before and [m.name for m in later.pending(db)] == ["m002_fails"]


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    a_store(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "regulars.db")) as db, db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('appliance', 'm999_later', '')")
    for opening in (a_store, read_store):
        with pytest.raises(DatabaseError, match="newer version"):
            opening(tmp_path)
    assert not list(tmp_path.glob("*broken*"))


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    a_store(tmp_path).close()
    (tmp_path / "regulars.db").unlink()
    with closing(sqlite3.connect(tmp_path / "regulars.db")) as db, db:
        db.executescript("PRAGMA application_id = 7; CREATE TABLE recipes (a)")
    with pytest.raises(DatabaseError, match="another program"):
        a_store(tmp_path)
    assert not list(tmp_path.glob("*broken*"))


def spoil(path: Path, how: str) -> None:
    size = path.stat().st_size
    if how == "missing":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "rubbish":
        path.write_bytes(os.urandom(size))
    elif how == "cut short":
        os.truncate(path, size // 2)
    else:
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xee" * (size - 8192))


@pytest.mark.parametrize("how", ["missing", "empty", "rubbish", "cut short", "pages overwritten"])
def test_a_broken_database_is_set_aside_and_the_newest_good_backup_restored(tmp_path: Path, how: str) -> None:
    store = a_store(tmp_path)
    add_visit(store, "monday")
    backup.make_backup(tmp_path, store.vault, NOON)
    add_visit(store, "tuesday")
    newer = backup.make_backup(tmp_path, store.vault, NOON + DAY_MS)
    newer.path.write_bytes(newer.path.read_bytes()[:-1])
    line = store.db.execute("SELECT value FROM settings WHERE key = 'outbox_line'").fetchone()
    store.close()
    spoil(tmp_path / "regulars.db", how)
    store = a_store(tmp_path, NOON + 2 * DAY_MS)
    assert visits(store) == ["monday"]
    (notice,) = notices.open_notices(store)
    assert "The backup of 2026-09-21 14:13 UTC was restored" in notice.words and "SQLite" not in notice.words
    assert ("kept as regulars.db.broken-20260923T141320Z" in notice.words) is (how != "missing")
    assert len(list(tmp_path.glob("regulars.db.broken-*"))) == (how != "missing")
    assert store.db.execute("SELECT value FROM settings WHERE key = 'outbox_line'").fetchone() != line
    assert not list(tmp_path.glob("*.part*"))
    add_visit(store, "wednesday")
    store.close()
    assert visits(a_store(tmp_path)) == ["monday", "wednesday"]


def test_a_broken_database_without_a_backup_is_set_aside_and_said_loudly(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    a_store(tmp_path).close()
    spoil(tmp_path / "regulars.db", "rubbish")
    store = a_store(tmp_path)
    assert visits(store) == []
    assert "There was no good backup" in notices.open_notices(store)[0].words
    assert "There was no good backup" in caplog.text
    assert len(list(tmp_path.glob("regulars.db.broken-*"))) == 1


def test_a_log_left_by_a_lost_database_is_never_played_into_another(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    add_visit(store, "monday")
    backup.make_backup(tmp_path, store.vault, NOON)
    add_visit(store, "tuesday")
    left = (tmp_path / "regulars.db-wal").read_bytes()
    store.close()
    (tmp_path / "regulars.db").unlink()
    (tmp_path / "regulars.db-wal").write_bytes(left)
    store = a_store(tmp_path)
    assert visits(store) == ["monday"]
    assert store.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_first_start_says_nothing(tmp_path: Path) -> None:
    assert notices.open_notices(a_store(tmp_path)) == []


def test_a_full_database_refuses_clearly_keeps_what_it_has_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    add_visit(store, "before")
    with store.transaction() as db:
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}").fetchall()
    with pytest.raises(DiskFull, match=r"The disk with .* is full"), store.transaction() as db:
        add_visit(store, "half")
        db.execute("INSERT INTO settings VALUES ('big', ?)", ["x" * 100_000])
    assert visits(store) == ["before"]
    with store.transaction() as db:
        db.execute("PRAGMA max_page_count = 1000000").fetchall()
    add_visit(store, "when there is room")
    assert visits(store) == ["before", "when there is room"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True, timeout=20)


def test_a_full_disk_loses_nothing_and_is_used_again_when_there_is_space(small_disk: Path) -> None:
    store = a_store(small_disk)
    add_visit(store, "before")
    ballast = small_disk / "ballast"
    with pytest.raises(OSError) as caught, ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(DiskFull):
        for number in range(2_000):
            add_visit(store, f"maybe {number:04}")
    kept = visits(store)
    with pytest.raises(DiskFull):
        snapshots.save(store, "a", JPEG * 1000, NOON)
    with pytest.raises(DiskFull):
        backup.make_backup(small_disk, store.vault, NOON)
    assert not list(small_disk.glob("**/*.part*"))
    ballast.unlink()
    add_visit(store, "zz after")
    store.close()
    store = a_store(small_disk)
    assert visits(store) == [*kept, "zz after"] and kept[0] == "before"
    assert notices.open_notices(store) == []
    store.close()


def test_a_read_only_data_folder_is_said_at_the_start_and_used_again_when_it_is_writable(small_disk: Path) -> None:
    store = a_store(small_disk)
    add_visit(store, "before")
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True, timeout=20)
    for opening in (a_store, read_store):
        with pytest.raises(DataFolderError, match="disk is read-only"):
            opening(small_disk)
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True, timeout=20)
    store = a_store(small_disk)
    assert visits(store) == ["before"]
    store.close()


def test_a_file_where_the_data_folder_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("hello")
    with pytest.raises(DataFolderError, match="data is a file, not a folder"):
        open_store(tmp_path / "data", NOON)


WRITER = """
import sys
from pathlib import Path
from tests.appliance.stores import a_store, add_visit
from sync.records import VisitGone
store = a_store(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    number += 1
    with store.transaction():
        add_visit(store, f"{number:09}")
        store.record(VisitGone(id=f"{number:09}"), number)
    print(number, flush=True)
"""


def test_a_writer_killed_at_any_moment_loses_no_visit_that_it_had_logged(tmp_path: Path) -> None:
    logged, started = 0, 0
    for wait_s in (0.0, 0.05, 0.15):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(started)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        logged = int(writer.stdout.readline())
        time.sleep(wait_s)
        writer.send_signal(signal.SIGKILL)
        logged = max([logged, *(int(line) for line in writer.stdout.read().split("\n") if line.strip())])
        writer.wait(10)
        store = a_store(tmp_path)
        there = [int(visit) for visit in visits(store)]
        outbox = store.db.execute("SELECT made_ms, sequence FROM outbox ORDER BY sequence").fetchall()
        assert outbox == list(zip(there, range(1, len(there) + 1), strict=True))
        assert set(range(started + 1, logged + 1)) <= set(there) and len(there) - logged in (0, 1)
        started = len(there)
        store.close()
    assert started > 3
