"""How the program is told to end: the first control-C or SIGTERM asks, the second ends it there and then.

An end that was asked for and does not come within its time is forced: whoever switches a computer off does not wait longer.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

END_S_MAX = 5.0
WAIT_S = 0.2
"""Python runs a signal's handler between two waits of the main thread."""
FORCED = 130
SAME_PRESS_S = 0.4
"""A terminal and a program in between may both pass one control-C on."""


class Ending:
    """`kills` gives the process ids, `removes` the folder, that must not outlive a forced end."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._asked_s = 0.0
        self._folder: Path | None = None
        self._children: Callable[[], list[int]] = list

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def kills(self, children: Callable[[], list[int]]) -> None:
        self._children = children

    def removes(self, folder: Path) -> None:
        self._folder = folder

    def wait(self, seconds: float = float("inf")) -> bool:
        """Whether an end was asked for, within that time at the latest."""
        until_s = time.monotonic() + seconds
        while not self._asked.is_set() and (left_s := until_s - time.monotonic()) > 0:
            self._asked.wait(min(WAIT_S, left_s))
        return self._asked.is_set()

    def ask(self) -> None:
        """The first time asks; a second ends the program."""
        if self._asked.is_set():
            if time.monotonic() - self._asked_s > SAME_PRESS_S:
                self.force()
            return
        self._asked_s = time.monotonic()
        self._asked.set()
        forced = threading.Timer(END_S_MAX, self.force)
        forced.daemon = True
        forced.start()

    def force(self) -> None:
        """What is committed is safe; a camera's process ends by itself too, when its pipe does."""
        for process_id in self._children():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process_id, signal.SIGKILL)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        os._exit(FORCED)


@contextmanager
def asked_for() -> Iterator[Ending]:
    """Signals mean this while the block lasts. On the main thread alone."""
    ending = Ending()

    def told(_number: int, _frame: FrameType | None) -> None:
        ending.ask()

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
