"""Whether the hub can do its work just now: each thing it stands on is asked, and which one does not answer is said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong

from hub.room import LittleRoom

Check = Callable[[], None]
"""Returns when the thing is there, raises when it is not."""
CHECK_S_MAX = 3.0
KEPT_S = 2.0
"""Probes may come from anywhere and as often as they like; each thing is asked this often at most."""
WORKERS = 8


class Readiness:
    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._lock = threading.Lock()
        self._found: dict[str, str] = {}
        self._at_s = float("-inf")

    def look(self) -> dict[str, str]:
        """By thing: "ok", or what it is in one word, or how much room is left. No error's own words: they may quote an address."""
        with self._lock:
            if time.monotonic() - self._at_s >= KEPT_S:
                self._found, self._at_s = asked(self._checks), time.monotonic()
            return dict(self._found)


def asked(checks: Mapping[str, Check]) -> dict[str, str]:
    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="readiness")
    try:
        asking = {name: pool.submit(check) for name, check in checks.items()}
        until_s = time.monotonic() + CHECK_S_MAX
        found = {}
        for name, answer in asking.items():
            try:
                answer.result(max(0.0, until_s - time.monotonic()))
                found[name] = "ok"
            except TookTooLong:
                found[name] = "silent"
            except LittleRoom as error:
                found[name] = str(error)
            except Exception as error:
                found[name] = type(error).__name__
        return found
    finally:
        # One that hangs is left to itself: its own time-out ends it.
        pool.shutdown(wait=False, cancel_futures=True)
