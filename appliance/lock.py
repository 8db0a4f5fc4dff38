"""One appliance for one data folder: an advisory lock on a file, held for as long as the process lives and freed by the system when it
dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from appliance.errors import AlreadyRunning
from appliance.files import refused

LOCK_FILE = "appliance.lock"
CHECKPOINT_FILE = "checkpoint.lock"
POLL_S = 0.05


class Lock:
    """An open, locked file. `release` may be called twice."""

    def __init__(self, file: int) -> None:
        self._file: int | None = file

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def take(folder: Path, wait_s: float) -> Lock:
    """The appliance's lock of this data folder. Raises AlreadyRunning when another process keeps it for longer than `wait_s`."""
    path = folder / LOCK_FILE
    lock = _try_until(path, time.monotonic() + wait_s)
    if lock is None:
        raise AlreadyRunning(f"Regulars already runs on {folder}{_holder(path)}. Stop it first, or give this one another data folder.")
    file = lock._file
    assert file is not None
    os.ftruncate(file, 0)
    os.pwrite(file, str(os.getpid()).encode(), 0)
    return lock


def take_if_free(folder: Path) -> Lock | None:
    return _try_until(folder / LOCK_FILE, 0.0)


def take_checkpoint(folder: Path, wait_s: float) -> Lock | None:
    """Held by a guest's write and by the appliance's checkpoint, so that the two never overlap. None if it was not free in time."""
    return _try_until(folder / CHECKPOINT_FILE, time.monotonic() + wait_s)


def _try_until(path: Path, deadline_s: float) -> Lock | None:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise refused(error, path) from None
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return Lock(file)
        except BlockingIOError:
            if time.monotonic() >= deadline_s:
                os.close(file)
                return None
            time.sleep(POLL_S)


def _holder(path: Path) -> str:
    try:
        words = path.read_text()[:20].strip()
    except OSError:
        return ""
    return f" (process {words})" if words.isdigit() else ""
