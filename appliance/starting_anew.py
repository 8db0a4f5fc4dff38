"""How a page asks the program to start anew: for settings that hold from the start, and for a backup that is put back in between.

The page only asks. The command that runs the store ends it in its own time, does what was asked while nothing is open, and begins again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance import backup, lock, notices
from appliance.database import Store
from appliance.errors import RegularsError
from appliance.vault import Vault

log = logging.getLogger(__name__)

LOCK_WAIT_S = 5.0


class StartingAnew:
    """`asked` until `done`. One restart at a time; the backup that was named last is restored."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._backup = ""
        self.failure = ""
        """Why the backup was not put back, in words, until somebody took it."""

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def ask(self, backup_name: str = "") -> None:
        self._backup = backup_name or self._backup
        self._asked.set()

    def between(self, folder: Path, backups: Path | None, now: Callable[[], int]) -> None:
        """What is done while nothing of the store is open. Raises nothing: the store must start again, and says what went wrong."""
        name, self._backup = self._backup, ""
        self._asked.clear()
        if not name:
            return
        try:
            restore(folder, backups, name, now())
        except RegularsError as error:
            self.failure = str(error)
            log.error("event=backup_not_restored error=%s", type(error).__name__)


@dataclass(frozen=True, slots=True)
class Outside:
    """What the program that runs the store knows of it: `said`: settings that the file or the environment says; `anew`: how it is asked to
    start anew, None where it cannot; `log_lines`: the log's newest lines."""

    said: frozenset[str] = frozenset()
    anew: StartingAnew | None = None
    log_lines: Callable[[], Sequence[str]] = lambda: ()


def restore(folder: Path, backups: Path | None, name: str, now_ms: int) -> Path | None:
    """Puts a backup in the place of the database; what the present one is kept as. Raises BackupError, AlreadyRunning, DiskFull."""
    chosen = backup.find(folder, name, backups)
    held = lock.take(folder, LOCK_WAIT_S)
    try:
        return backup.restore(folder, Vault.open(folder), chosen, now_ms)
    finally:
        held.release()


def notice_of_failure(store: Store, outside: Outside, now_ms: int) -> None:
    """A backup that could not be put back is said on the page of the store that started all the same."""
    if outside.anew and outside.anew.failure:
        notices.notify(store, "restore", f"The backup was not put back, and nothing was changed. {outside.anew.failure}", now_ms)
        outside.anew.failure = ""
