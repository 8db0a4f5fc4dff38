"""The thread of a camera's process that reads: opens the source, grabs every frame, hands on those that are due, opens again.

A live source is never given up. A file played once ends with its last frame, or with the reason why there was none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from appliance.camera.frames import Frame, Grid, Slot
from appliance.camera.messages import LIVE_KINDS, CameraSettings
from appliance.camera.sources import PictureFolder, Source, SourceTrouble, opened

PAUSES_S = (0.5, 1.0, 2.0)
"""Before opening again; the last one for ever. An attempt takes up to 5 s, and a camera that is back shall be seen within 10."""
SIGN_IN_PAUSES_S = (10.0, 20.0, 30.0)
"""After a refused password. Cameras lock an account after some five to ten wrong ones."""
STUCK_S = 30.0
"""A native call that is given 5 s and has not returned after this will not return; a slow name server takes 20."""


def pause_s(failures: int, sign_in: bool) -> float:
    """How long to wait before opening after this many failures in a row (1: the first)."""
    steps = SIGN_IN_PAUSES_S if sign_in else PAUSES_S
    return steps[min(failures, len(steps)) - 1]


class Reader(threading.Thread):
    """Fills `slot` until stopped or at the end. Its public fields are read by the heartbeat; only this thread writes them."""

    def __init__(self, settings: CameraSettings, slot: Slot, now_ms: Callable[[], int], changed: threading.Event) -> None:
        super().__init__(name="reader", daemon=True)
        self._settings = settings
        self._slot = slot
        self._now_ms = now_ms
        self._changed = changed
        self._stopping = threading.Event()
        self._grid = Grid(settings.analysed_fps)
        self._calling_since_s: float | None = None
        self._hardware = True
        self.state = "opening"
        self.error = ""
        self.failure: Exception | None = None
        self.frames_read = 0
        self.pictures_skipped = 0
        self.began_ms = 0

    @property
    def live(self) -> bool:
        return self._settings.kind in LIVE_KINDS

    def stuck(self, now_s: float) -> bool:
        since_s = self._calling_since_s
        return since_s is not None and now_s - since_s > STUCK_S

    def stop(self) -> None:
        self._stopping.set()
        self._slot.close()

    def run(self) -> None:
        try:
            if self.live:
                self._watch()
            else:
                self._play()
        except Exception as error:
            # A defect, or native code that raised: the process ends with it and is started again, the source is not at its end.
            self.failure = error
        finally:
            self._slot.close()

    def _say(self, state: str, error: str | None = None) -> None:
        if error is not None:
            self.error = error
        self.state = state
        self._changed.set()

    @contextmanager
    def _native(self) -> Iterator[None]:
        self._calling_since_s = time.monotonic()
        try:
            yield
        finally:
            self._calling_since_s = None

    def _open(self) -> Source:
        with self._native():
            return opened(self._settings, self._now_ms, self._hardware)

    def _watch(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            read_before = self.frames_read
            sign_in = came_open = False
            try:
                source = self._open()
                came_open = True
                try:
                    self._read_live(source)
                finally:
                    with self._native():
                        source.close()
            except SourceTrouble as trouble:
                sign_in = trouble.sign_in
                self._say("silent" if self.frames_read else "opening", str(trouble))
            if self.frames_read > read_before:
                failures = 0
            elif came_open:
                # Opened but gave nothing, perhaps for want of a working hardware decoder: the next attempt goes without.
                self._hardware = not self._hardware
            failures += 1
            self._stopping.wait(pause_s(failures, sign_in))

    def _read_live(self, source: Source) -> None:
        while not self._stopping.is_set():
            with self._native():
                at_ms = source.grab()
                picture = source.picture() if at_ms is not None and self._grid.due(at_ms) else None
            if at_ms is None:
                return
            self.frames_read += 1
            if self.state != "watching":
                self._say("watching", "")
            if picture is not None:
                self._slot.put_newest(Frame(picture, round(at_ms), self.frames_read - 1))

    def _play(self) -> None:
        clock = _Playing(self._settings)
        failures = 0
        while not self._stopping.is_set():
            try:
                source = self._open()
                try:
                    self._play_once(source, clock)
                finally:
                    source.close()
                failures = 0
                if not self._settings.loop:
                    break
            except SourceTrouble as trouble:
                if not self._settings.loop:
                    self._say("ended", str(trouble))
                    return
                self._say("silent" if self.frames_read else "opening", str(trouble))
                failures += 1
                self._stopping.wait(pause_s(failures, sign_in=False))
        self._say("ended")

    def _play_once(self, source: Source, clock: _Playing) -> None:
        clock.begin_round(time.monotonic(), self._now_ms())
        self.began_ms = clock.start_ms
        while not self._stopping.is_set():
            with self._native():
                at_ms = source.grab()
            if isinstance(source, PictureFolder):
                self.pictures_skipped = source.skipped
                self.error = source.skipped_why or self.error
            if at_ms is None:
                return
            self.frames_read += 1
            if self.state != "watching":
                self._say("watching")
            since_start_ms = clock.advanced(at_ms)
            if not self._grid.due(since_start_ms):
                continue
            with self._native():
                picture = source.picture()
            if picture is None:
                continue
            frame = Frame(picture, clock.start_ms + round(since_start_ms), self.frames_read - 1)
            if self._settings.pace == "full":
                self._slot.put_waiting(frame)
            elif not self._stopping.wait(max(0.0, clock.start_s + since_start_ms / 1000 - time.monotonic())):
                self._slot.put_newest(frame)


class _Playing:
    """Time of a file that is played: goes on through its rounds, so that no two frames have the same time."""

    def __init__(self, settings: CameraSettings) -> None:
        self._round_from_ms = 0.0
        self._last_ms = 0.0
        self._step_ms = 1000.0 / settings.analysed_fps
        self._started = False
        self.start_ms = settings.start_ms
        self.start_s = 0.0

    def begin_round(self, now_s: float, now_ms: int) -> None:
        if not self._started:
            self._started = True
            self.start_s = now_s
            self.start_ms = self.start_ms or now_ms
            return
        self._round_from_ms = self._last_ms + self._step_ms

    def advanced(self, at_ms: float) -> float:
        """ms since the first frame of the first round."""
        now_ms = self._round_from_ms + at_ms
        if now_ms > self._last_ms:
            self._step_ms = min(now_ms - self._last_ms, 1000.0)
            self._last_ms = now_ms
        return now_ms
