"""A hub whose disk is full says so in one sentence, wherever it is asked, and goes on when there is space."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import lock, postgres, postgres_words, room
from hub.commands.status import disk_words
from hub.errors import DatabaseAway, DiskFull
from hub.readiness import Readiness
from hub.room import ROOM_BYTES_MIN, LittleRoom, Room


@pytest.fixture
def small_disk(hub_folder: Path) -> Iterator[Path]:
    disk = hub_folder / "disk"
    disk.mkdir()
    size = "size=120m,mode=755"
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True, timeout=20)


def filled(disk: Path) -> Path:
    ballast = disk / "ballast"
    with pytest.raises(OSError) as caught, ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    assert caught.value.errno == errno.ENOSPC
    return ballast


def test_a_folder_that_cannot_be_held_on_a_full_disk_is_one_sentence_and_free_again_afterwards(small_disk: Path) -> None:
    ballast = filled(small_disk)
    for _ in range(2):
        with pytest.raises(DiskFull, match=r"The disk is full: .*hub\.lock cannot be written\. Free some space"):
            lock.take(small_disk, 0.0)
    ballast.unlink()
    lock.take(small_disk, 0.0).release()


def test_postgres_on_a_full_disk_says_that_it_is_full_and_starts_when_there_is_space(small_disk: Path) -> None:
    folder = small_disk / "data"
    postgres.start(folder).stop()
    ballast = filled(small_disk)
    with pytest.raises(DiskFull, match=r"The disk is full: PostgreSQL cannot start in .*Free some space; what was .* safe\.$"):
        postgres.start(folder)
    ballast.unlink()
    postgres.start(folder).stop()


def test_a_database_that_cannot_be_made_on_a_full_disk_leaves_nothing_there(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(100_000_000))
    with pytest.raises(DiskFull, match="The disk is full"):
        postgres.start(small_disk / "data")
    assert not list((small_disk / "data").glob("*.part"))


def test_the_newest_line_that_ended_postgres_is_quoted_and_older_ones_are_not(tmp_path: Path) -> None:
    logs, start_log = tmp_path / "log", tmp_path / "start.log"
    logs.mkdir()
    start_log.write_text("2026-11-24 LOG:  redirecting log output to logging collector process\n")
    log = logs / "postgres-Tue.log"
    log.write_text('2026-11-24 [7] FATAL:  could not write to file "old": No space left on device\n')
    before = postgres_words.sizes(logs)
    with log.open("a") as file:
        file.write('2026-11-24 [8] LOG:  nothing\n2026-11-24 [8] PANIC:  could not open file "x": Permission denied\n')
    found = postgres_words.not_started(tmp_path, start_log, logs, before)
    assert isinstance(found, DatabaseAway)
    assert str(found).startswith('PostgreSQL did not start: could not open file "x": Permission denied. See')
    with log.open("a") as file:
        file.write('2026-11-24 [8] FATAL:  could not write to file "pg_wal/xlogtemp.8": No space left on device\n')
    found = postgres_words.not_started(tmp_path, start_log, logs, before)
    assert isinstance(found, DiskFull) and str(found) == (
        f'The disk is full: PostgreSQL cannot start in {tmp_path} (could not write to file "pg_wal/xlogtemp.8": No space left on device). '
        "Free some space; what was stored before is safe."
    )


def test_too_little_room_is_not_ready_and_says_how_much_is_left(tmp_path: Path) -> None:
    assert not Room(ROOM_BYTES_MIN).little and Room(ROOM_BYTES_MIN - 1).little and room.left(tmp_path).free_bytes > 0
    with pytest.raises(LittleRoom):
        room.ask(Room(0))
    found = Readiness({"disk": lambda: room.ask(Room(12_345_678)), "index": lambda: room.ask(Room(ROOM_BYTES_MIN))}).look()
    assert found == {"disk": "only 12 MB left", "index": "ok"}


def test_the_status_says_what_to_do_only_when_there_is_too_little_room() -> None:
    assert disk_words(118_000_000_000, 3) == "118 GB left"
    assert disk_words(12_000_000, 0) == "only 12.0 MB left. Free some space; what was stored before is safe."
    assert "left. 1 person waits to be recognised. Free" in disk_words(12_000_000, 1)
