"""A camera's own process: reads, looks, reports over one pipe to the main process, and ends when that pipe does.

Three threads beside the main one, which analyses: the reader, one that listens, one that beats. A sighting is never dropped: a full
pipe makes this process wait. Boxes for who looks on are dropped first.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import importlib
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import cast

import cv2
import msgspec

from appliance import garbage
from appliance.camera.address import masked
from appliance.camera.frames import Frame, Slot
from appliance.camera.messages import MESSAGE_BYTES_MAX, Boxes, Ended, FromCamera, Heartbeat, Look, Seen, Start, Stop, encoded, to_camera
from appliance.camera.motion import MotionGate
from appliance.camera.reader import Reader
from appliance.camera.watcher import Watcher
from appliance.sightings import Sighting
from models.faces import Picture

HEARTBEAT_S = 1.0
START_WAIT_S = 10.0
TAKE_S = 0.5
SILENCE_S = 3.0
"""A live source without a frame for this long: nobody on it is followed any more."""
CLOCK_BACK_MS = 2000
"""A wall clock set back by less is smoothed over; by more, following starts anew."""
RATE_OVER_S = 5.0
LOOK_S_MAX = 60.0
LOOK_INTERVAL_S = 0.2
LOOK_WIDTH_PX_MAX = 960
LOOK_JPEG_QUALITY = 75
NICER = 5
"""So that the page and the database stay quick while cameras take every core."""
PR_SET_PDEATHSIG = 1


class Report:
    """The pipe to the main process, shared by the threads."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, message: FromCamera) -> None:
        """Waits while the pipe is full. The main process gone: this one ends here and now."""
        packed = encoded(message)
        try:
            with self._lock:
                self._pipe.send_bytes(packed)
        except OSError:
            os._exit(0)

    def has_room(self) -> bool:
        return bool(select.select([], [self._pipe], [], 0)[1])


class Rate:
    """Frames a second and milliseconds a frame over the last seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: deque[tuple[float, float]] = deque(maxlen=1000)

    def add(self, now_s: float, took_ms: float) -> None:
        with self._lock:
            self._done.append((now_s, took_ms))

    def at(self, now_s: float) -> tuple[float, float]:
        with self._lock:
            lately = [took_ms for at_s, took_ms in self._done if now_s - at_s < RATE_OVER_S]
        return len(lately) / RATE_OVER_S, sum(lately) / len(lately) if lately else 0.0


class CameraProcess:
    """One camera's life in its process."""

    def __init__(self, start: Start, report: Report, now_ms: Callable[[], int]) -> None:
        self._settings = start.settings
        self._start = start
        self._report = report
        self._now_ms = now_ms
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._slot = Slot()
        self._reader = Reader(start.settings, self._slot, now_ms, self._changed)
        self._gate = MotionGate(self._settings.ignored)
        self._rate = Rate()
        self._state = "starting"
        self._error = ""
        self._size = (0, 0)
        self._analysed = 0
        self._still = 0
        self._faces_flat = 0
        self._last_frame_ms = 0
        self._look_until_s = 0.0
        self._looked_s = 0.0

    def look(self, seconds: float) -> None:
        self._look_until_s = max(self._look_until_s, time.monotonic() + min(seconds, LOOK_S_MAX))

    def stop(self) -> None:
        # Only sets flags: it is also called by a signal, which may come while this thread holds the slot's lock.
        self._stopping.set()

    def run(self) -> int:
        """Until the end of the source or a stop. The exit code."""
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        try:
            watcher = _made(self._start)
            garbage.loaded()
            self._state = ""
            self._reader.start()
            self._watch(watcher)
            self._tell(watcher.finish())
        except Exception as error:
            self._error = masked(f"{type(error).__name__}: {error}", self._settings.kind, self._settings.source)
            self._state = "failed"
            print(masked(traceback.format_exc(), self._settings.kind, self._settings.source), file=sys.stderr, flush=True)
            self._report.send(self._heartbeat())
            return 1
        self._state = "ended"
        self._report.send(self._heartbeat())
        if not self._stopping.is_set():
            self._report.send(Ended(self._last_frame_ms or self._now_ms(), self._reader.error))
        return 0

    def _watch(self, watcher: Watcher) -> None:
        fresh_s = time.monotonic()
        while not self._stopping.is_set():
            frame = self._slot.take(TAKE_S)
            if frame is None:
                if self._slot.over:
                    if self._reader.failure:
                        raise self._reader.failure
                    return
                if self._reader.live and self._last_frame_ms and time.monotonic() - fresh_s > SILENCE_S:
                    self._tell(watcher.finish())
                    fresh_s = time.monotonic()
                continue
            fresh_s = time.monotonic()
            self.see(watcher, frame)
        self._reader.stop()

    def see(self, watcher: Watcher, frame: Frame) -> None:
        """Look at one frame and report what changed."""
        began_s = time.monotonic()
        taken_ms = frame.taken_ms
        if taken_ms <= self._last_frame_ms:
            if taken_ms < self._last_frame_ms - CLOCK_BACK_MS:
                self._tell(watcher.finish())
            else:
                taken_ms = self._last_frame_ms + 1
        picture = frame.picture
        self._size = (picture.shape[1], picture.shape[0])
        self._last_frame_ms = taken_ms
        if self._settings.motion_gate and not self._gate.open(picture, taken_ms, watcher.busy):
            self._still += 1
            self._show(watcher, picture, taken_ms, still=True)
            return
        sightings = watcher.see(picture, taken_ms)
        self._analysed += 1
        self._rate.add(time.monotonic(), (time.monotonic() - began_s) * 1000)
        self._faces_flat = watcher.faces_flat
        self._tell(sightings)
        self._show(watcher, picture, taken_ms, still=False)

    def _tell(self, sightings: list[Sighting]) -> None:
        for sighting in sightings:
            self._report.send(Seen(sighting))

    def _show(self, watcher: Watcher, picture: Picture, taken_ms: int, still: bool) -> None:
        """To who looks on. Boxes with each analysed frame, a picture now and then, nothing into a pipe that is full."""
        now_s = time.monotonic()
        if now_s > self._look_until_s or not self._report.has_room():
            return
        jpeg = b""
        if now_s - self._looked_s >= LOOK_INTERVAL_S:
            self._looked_s = now_s
            jpeg = small_jpeg(picture)
        if jpeg or not still:
            self._report.send(Boxes(taken_ms, watcher.boxes, jpeg))

    def _heartbeat(self) -> Heartbeat:
        now_s = time.monotonic()
        fps, analysis_ms = self._rate.at(now_s)
        reader = self._reader
        return Heartbeat(
            at_ms=self._now_ms(),
            state="stuck" if reader.stuck(now_s) else self._state or ("watching" if reader.state == "ended" else reader.state),
            width=self._size[0],
            height=self._size[1],
            frames_read=reader.frames_read,
            frames_analysed=self._analysed,
            frames_still=self._still,
            frames_dropped=self._slot.dropped,
            analysed_fps=fps,
            analysis_ms=analysis_ms,
            error=self._error or masked(reader.error, self._settings.kind, self._settings.source),
            last_frame_ms=self._last_frame_ms,
            began_ms=reader.began_ms,
            pictures_skipped=reader.pictures_skipped,
            faces_flat=self._faces_flat,
        )

    def _beat(self) -> None:
        """Beats while the main thread works or hangs: it is the counts in it that prove that frames flow."""
        while True:
            self._report.send(self._heartbeat())
            self._changed.wait(HEARTBEAT_S)
            self._changed.clear()


def small_jpeg(picture: Picture) -> bytes:
    """At most LOOK_WIDTH_PX_MAX wide. Empty when it cannot be encoded."""
    height, width = picture.shape[:2]
    if width > LOOK_WIDTH_PX_MAX:
        size = (LOOK_WIDTH_PX_MAX, max(1, round(height * LOOK_WIDTH_PX_MAX / width)))
        picture = cast("Picture", cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, LOOK_JPEG_QUALITY])
    return jpeg.tobytes() if done else b""


def _made(start: Start) -> Watcher:
    module, _, name = start.maker.partition(":")
    return cast("Watcher", getattr(importlib.import_module(module), name)(start))


def _listen(pipe: Connection, camera: CameraProcess) -> None:
    while True:
        try:
            message = to_camera(pipe.recv_bytes(MESSAGE_BYTES_MAX))
        except (EOFError, OSError):
            os._exit(0)  # The main process is gone: nobody is left to report to.
        except msgspec.DecodeError:
            continue
        match message:
            case Look(seconds):
                camera.look(seconds)
            case Stop():
                camera.stop()


def die_with_parent() -> None:
    """Linux ends this process with the thread that started it, even while native code hangs. Elsewhere the pipe's end must do."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def awaited_start(pipe: Connection) -> Start | None:
    """The first message of the main process; None when it does not come."""
    try:
        if not pipe.poll(START_WAIT_S):
            return None
        message = to_camera(pipe.recv_bytes(MESSAGE_BYTES_MAX))
    except (EOFError, OSError, msgspec.DecodeError):
        return None
    return message if isinstance(message, Start) else None


def main() -> None:
    """`python -m appliance.camera.process FD`: FD is this process's end of the pipe."""
    faulthandler.enable()
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Control-C reaches the whole group; the main process decides.
    cv2.setNumThreads(1)
    os.nice(NICER)
    pipe = Connection(int(sys.argv[1]))
    start = awaited_start(pipe)
    if start is None:
        os._exit(2)
    camera = CameraProcess(start, Report(pipe), lambda: time.time_ns() // 1_000_000)
    signal.signal(signal.SIGTERM, lambda *_: camera.stop())
    threading.Thread(target=_listen, args=(pipe, camera), name="listener", daemon=True).start()
    # Not sys.exit: a reader that hangs in native code would keep the interpreter from ending.
    code = camera.run()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
