"""Who holds a hub's data folder: one hub exclusively, commands beside it shared. Advisory locks on files, freed by the system when a
process dies, however it dies.

`hub.lock` is held by whoever runs the folder's PostgreSQL. `guests.lock` is held, shared, by commands that use it meanwhile, so that it is
not stopped under them.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from hub.errors import AlreadyRunning
from hub.files import refused

LOCK_FILE = "hub.lock"
GUESTS_FILE = "guests.lock"
POLL_S = 0.02


class Lock:
    """An open, locked file. `release` may be called twice."""

    def __init__(self, file: int) -> None:
        self._file: int | None = file

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def take(folder: Path, wait_s: float) -> Lock:
    """The hub's lock of this data folder. Raises AlreadyRunning when another process keeps it for longer than `wait_s`."""
    lock = take_if_free(folder, wait_s)
    if lock is None:
        raise AlreadyRunning(f"A hub already runs on {folder}{_holder(folder)}. Stop it first, or give this one another data folder.")
    return lock


def take_if_free(folder: Path, wait_s: float = 0.0) -> Lock | None:
    """Raises DiskFull, DataFolderError."""
    file = _locked(folder / LOCK_FILE, fcntl.LOCK_EX, time.monotonic() + wait_s)
    if file is None:
        return None
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
    except OSError as error:
        os.close(file)
        raise refused(error, folder / LOCK_FILE) from None
    return Lock(file)


def be_guest(folder: Path) -> Lock | None:
    """None while the hub is being stopped."""
    file = _locked(folder / GUESTS_FILE, fcntl.LOCK_SH, time.monotonic())
    return None if file is None else Lock(file)


def wait_for_guests(folder: Path, wait_s: float) -> Lock | None:
    """No guest comes any more from here on. None when one was still there after `wait_s`."""
    file = _locked(folder / GUESTS_FILE, fcntl.LOCK_EX, time.monotonic() + wait_s)
    return None if file is None else Lock(file)


def _locked(path: Path, how: int, deadline_s: float) -> int | None:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise refused(error, path) from None
    while True:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() >= deadline_s:
                os.close(file)
                return None
            time.sleep(POLL_S)


def _holder(folder: Path) -> str:
    try:
        words = (folder / LOCK_FILE).read_text()[:20].strip()
    except OSError:
        return ""
    return f" (process {words})" if words.isdigit() else ""
