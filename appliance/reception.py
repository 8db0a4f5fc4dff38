"""Where the cameras' sightings are received: one thread decides them, one after the other, so that there is one order of events.

While the store cannot be written (disk full, database busy) a sighting is tried again until it is in; meanwhile the queue fills and
then the cameras wait. What was seen is lost only if the appliance is stopped while it cannot write, and the log says how much.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial

from appliance import counting, notices
from appliance.errors import RegularsError, StoreError
from appliance.outcomes import Outcome
from appliance.recognition import Recognition
from appliance.sightings import Sighting

log = logging.getLogger(__name__)

WAITING_MAX = 256
"""Sightings in the queue, some 40 kB each. One is decided in milliseconds: a queue this long means that the disk does not take them."""
RETRY_S_FIRST = 0.2
RETRY_S_MAX = 5.0
ROOM_S = 0.5
"""Who waits for room looks this often whether the reception has closed."""
ASIDE_S_MAX = 60.0
"""For work that another thread hands over; the hourly check of the gallery takes under a second."""
NOTICE = "reception"


@dataclass(frozen=True, slots=True)
class Received:
    """What came of one telling. `moved_from`: the visit that the sighting stood in before, if it is another now."""

    outcome: Outcome
    moved_from: str | None


@dataclass(slots=True)
class _Work:
    """Something that another thread wants done on this one."""

    do: Callable[[], None]
    done: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None


_Item = tuple[Sighting, int] | _Work | None


class Reception:
    """`told` is called on the reception's thread after each commit; `trouble_changed` when writing begins or ceases to fail."""

    def __init__(
        self,
        recognition: Recognition,
        now: Callable[[], int],
        *,
        told: Callable[[Received], None],
        trouble_changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._recognition = recognition
        self._now = now
        self._told = told
        self._trouble_changed = trouble_changed
        self._queue: queue.Queue[_Item] = queue.Queue(WAITING_MAX)
        self._closed = threading.Event()
        self._given_up = threading.Event()
        self._trouble = ""
        self._held_back = False
        self._thread = threading.Thread(target=self._run, name="reception", daemon=True)

    @property
    def trouble(self) -> str:
        """Why nothing can be written just now, in words; empty while all is well."""
        return self._trouble

    @property
    def waiting(self) -> int:
        """Sightings and other work that nobody has come to yet."""
        return self._queue.qsize()

    def start(self) -> None:
        self._thread.start()

    def receive(self, sighting: Sighting, now_ms: int) -> None:
        """Hands it over. Waits while the queue is full: that is what holds the cameras back."""
        while not self._given_up.is_set():
            try:
                self._queue.put((sighting, now_ms), timeout=ROOM_S)
                return
            except queue.Full:
                self._held_back = bool(self._trouble)
                continue
        log.error("event=sighting_lost sighting=%s why=stopped_while_nothing_could_be_written", sighting.id)

    def ask(self, do: Callable[[], None]) -> None:
        """Has something done on the reception's thread, for which recognition and gallery are, and waits. Raises what it raised,
        TimeoutError after a minute. Never from within a transaction: the reception may be waiting for that. What it raises speaks the
        language of who asked."""
        work = _Work(partial(copy_context().run, do))
        try:
            self._queue.put(work, timeout=ASIDE_S_MAX)
        except queue.Full:
            raise TimeoutError("the visit log cannot be written, so nothing else is done either") from None
        until_s = time.monotonic() + ASIDE_S_MAX
        while not work.done.wait(ROOM_S):
            if self._given_up.is_set() or not self._thread.is_alive() or time.monotonic() > until_s:
                raise TimeoutError("the reception did not come to it")
        if work.error:
            raise work.error

    def stop(self, wait_s: float) -> int:
        """Decides what still waits. How many sightings could not be written in that time."""
        if not self._thread.ident:
            return 0
        if not self._closed.is_set():
            self._closed.set()
            threading.Thread(target=self._queue.put, args=(None,), daemon=True).start()
        self._thread.join(wait_s)
        if not self._thread.is_alive():
            return 0
        self._given_up.set()
        left = 1 + sum(isinstance(item, tuple) for item in list(self._queue.queue))
        log.error("event=sightings_lost count=%d why=stopped_while_nothing_could_be_written", left)
        return left

    def _run(self) -> None:
        while not self._given_up.is_set():
            item = self._queue.get()
            if item is None:
                return
            if isinstance(item, _Work):
                try:
                    item.do()
                except Exception as error:
                    item.error = error
                item.done.set()
            else:
                self._decide(*item)

    def _decide(self, sighting: Sighting, now_ms: int) -> None:
        """Until it is written. A sighting that cannot be understood is one line in the log: it must not hold up the others."""
        pause_s = RETRY_S_FIRST
        while not self._given_up.is_set():
            try:
                before = self._recognition.standing_of(sighting.id)
                outcome = self._outcome(sighting, now_ms)
            except (StoreError, sqlite3.OperationalError) as error:
                self._in_trouble(error)
                self._given_up.wait(pause_s)
                pause_s = min(2 * pause_s, RETRY_S_MAX)
                continue
            except Exception:
                log.exception("event=sighting_refused sighting=%s camera=%s", sighting.id, sighting.camera_id)
                return
            self._out_of_trouble()
            moved = before.visit_id if before and before.visit_id != outcome.visit_id else None
            try:
                self._told(Received(outcome, moved))
            except Exception:
                log.exception("event=telling_failed sighting=%s", sighting.id)
            return

    def _outcome(self, sighting: Sighting, now_ms: int) -> Outcome:
        if sighting.counted_only:
            return counting.receive(self._recognition.store, sighting, now_ms)
        return self._recognition.receive(sighting, now_ms)

    def _in_trouble(self, error: Exception) -> None:
        why = str(error) if isinstance(error, RegularsError) else "The database cannot be read."
        log.error("event=log_not_written waiting=%d why=%r", self._queue.qsize(), why)
        began = not self._trouble
        kept = "They are kept and tried again until they are; nothing is lost so far."
        if held_back := self._held_back:
            kept = f"{WAITING_MAX} looks are kept and tried again; there is room for no more, and who passes now may be missing."
        words = f"Visits cannot be written just now: {why} {kept}"
        began = began or (held_back and words != self._trouble)
        self._trouble = words
        if began:
            self._trouble_changed()

    def _out_of_trouble(self) -> None:
        """Said once more, in the table, for who did not look meanwhile."""
        if not self._trouble:
            return
        self._trouble = ""
        log.warning("event=log_written_again waiting=%d", self._queue.qsize())
        try:
            words = "For a while visits could not be written (see the log). They were kept, and all of them are in now."
            if self._held_back:
                words = "For a while visits could not be written (see the log). The first are in now; who came later may be missing."
            self._held_back = False
            notices.notify(self._recognition.store, NOTICE, words, self._now())
        except (RegularsError, sqlite3.Error) as error:
            log.error("event=notice_failed error=%s", type(error).__name__)
        self._trouble_changed()
