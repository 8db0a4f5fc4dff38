"""Work that takes longer than a page may: one at a time, in a thread of its own, with how far it is, and a way to stop it."""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from appliance.errors import RegularsError, SettingError
from appliance.log import place_of
from ui.words import gettext as _

log = logging.getLogger(__name__)

STOP_S = 2.0


class GivenUp(Exception):
    """Somebody stopped it, or the program ends."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`kind`: backup, check or pack. `of` 0: nobody knows how much it is. `ended_ms` None: it is under way."""

    kind: str
    began_ms: int
    done: int = 0
    of: int = 0
    ended_ms: int | None = None
    words: str = ""
    failed: bool = False

    @property
    def share(self) -> int:
        """0..100."""
        return min(100, 100 * self.done // self.of) if self.of else 0


Step = Callable[[int, int], None]
"""Told how much is done, and of how much. Raises GivenUp when it is to end."""


class LongWork:
    """The last work is remembered until the next begins."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._progress: Progress | None = None

    @property
    def progress(self) -> Progress | None:
        return self._progress

    @property
    def under_way(self) -> bool:
        return self._progress is not None and self._progress.ended_ms is None

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def begin(self, kind: str, do: Callable[[Step], str]) -> None:
        """`do` gives what came of it, in words. Raises SettingError while something is under way."""
        with self._lock:
            if self.under_way:
                raise SettingError(_("Something else is under way. Wait until it has ended, or stop it."))
            self._stopping.clear()
            self._progress = Progress(kind, self._now())
            # It speaks the language of who began it.
            spoken = contextvars.copy_context()
            self._thread = threading.Thread(target=spoken.run, args=(self._run, do), name=f"work-{kind}", daemon=True)
            self._thread.start()

    def stop(self, wait_s: float = STOP_S) -> None:
        self._stopping.set()
        if self._thread:
            self._thread.join(wait_s)

    def _run(self, do: Callable[[Step], str]) -> None:
        try:
            self._ended(do(self._step), failed=False)
        except GivenUp:
            self._ended(_("It was stopped."), failed=True)
        except RegularsError as error:
            self._ended(str(error), failed=True)
        except Exception as error:
            log.error("event=work_failed%s", place_of(error))
            self._ended(_("It failed; the log says where."), failed=True)

    def _step(self, done: int, of: int) -> None:
        if self._stopping.is_set():
            raise GivenUp
        assert self._progress is not None
        self._progress = replace(self._progress, done=done, of=of)

    def _ended(self, words: str, *, failed: bool) -> None:
        assert self._progress is not None
        self._progress = replace(self._progress, ended_ms=self._now(), words=words, failed=failed)
