"""A frame, which of a source's frames are analysed, and the one place where a frame waits for its turn.

The grid is laid over the source's own time, so that a file gives the same frames however fast it is played.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import dataclass

from models.faces import Picture

EARLY_MS = 1.0
"""A frame this little before its time is on time: presentation times are fractions of a second that were rounded."""
WAITING_MAX = 4
"""Decoded frames of a source that loses none, waiting for analysis: enough to decode and analyse side by side, 25 MB at 1080p."""


@dataclass(frozen=True, slots=True)
class Frame:
    """picture: (H, W, 3) uint8 BGR; taken_ms: UTC; index: its number among the frames read of its source."""

    picture: Picture
    taken_ms: int
    index: int


class Grid:
    """Says which frames are due: the first at or after each multiple of the interval since the first frame. Never drifts."""

    def __init__(self, analysed_fps: float) -> None:
        self._interval_ms = 1000.0 / analysed_fps
        self._first_ms: float | None = None
        self._due_ms = 0.0

    def due(self, at_ms: float) -> bool:
        """Whether the frame of this time is analysed. A clock that was set back by more than an interval starts the grid anew."""
        if self._first_ms is None or at_ms < self._due_ms - 2 * self._interval_ms:
            self._first_ms = at_ms
            self._due_ms = at_ms
        if at_ms + EARLY_MS < self._due_ms:
            return False
        passed = math.floor((at_ms + EARLY_MS - self._first_ms) / self._interval_ms) + 1
        self._due_ms = self._first_ms + passed * self._interval_ms
        return True


class Slot:
    """Between the thread that reads and the one that analyses. Newest only, or none lost: as the one who puts chooses."""

    def __init__(self) -> None:
        self._waiting: deque[Frame] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.dropped = 0

    def put_newest(self, frame: Frame) -> None:
        """A frame that is still waiting is replaced, and counted as dropped."""
        with self._changed:
            self.dropped += len(self._waiting)
            self._waiting.clear()
            self._waiting.append(frame)
            self._changed.notify_all()

    def put_waiting(self, frame: Frame) -> bool:
        """Waits for room. False: closed meanwhile, the frame was not taken."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._waiting) < WAITING_MAX)
            if self._closed:
                return False
            self._waiting.append(frame)
            self._changed.notify_all()
            return True

    def take(self, wait_s: float) -> Frame | None:
        """The next frame, or None when none came in time or the slot is closed and empty."""
        until = time.monotonic() + wait_s
        with self._changed:
            while not self._waiting and not self._closed:
                left = until - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    break
            if not self._waiting:
                return None
            frame = self._waiting.popleft()
            self._changed.notify_all()
            return frame

    def close(self) -> None:
        """No more frames will come; those that wait can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def over(self) -> bool:
        with self._changed:
            return self._closed and not self._waiting
