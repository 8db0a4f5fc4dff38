"""The main process's side of the cameras: starts a process for each, hears it, and kills and restarts one that hangs or died.

What is done next is decided in life.py. The threads here, one a camera, carry it out. Nothing waits without a limit, and stopping
works at any moment.
"""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

import msgspec

from appliance.camera.child import launched
from appliance.camera.life import Life, Limits, Step, after_heartbeat, next_step, why_kill
from appliance.camera.messages import (
    LIVE_KINDS,
    MESSAGE_BYTES_MAX,
    CameraSettings,
    Ended,
    FromCamera,
    Heartbeat,
    Look,
    Start,
    Stop,
    ToCamera,
    encoded,
    from_camera,
)

log = logging.getLogger(__name__)

POLL_S = 0.1
LOOK_EVERY_S = 0.5
"""Looks are not passed on more often: a process that hangs reads none, and the pipe must not fill with them."""
LOOK_PENDING_MAX_S = 60.0
KILLING_S = 2.0
"""Beyond the time to stop, for a process to be killed and what it said to be passed on."""
MESSAGES_A_TURN_MAX = 100


@dataclass(frozen=True, slots=True)
class CameraState:
    """For the page and the status command. `word` as in Heartbeat, or restarting, failed (given up: a file played once), stopped."""

    word: str
    fps: float = 0.0
    analysis_ms: float = 0.0
    width: int = 0
    height: int = 0
    frames_analysed: int = 0
    frames_dropped: int = 0
    restarts: int = 0
    error: str = ""
    last_frame_ms: int = 0
    process_id: int = 0
    """0: no process."""
    faces_flat: int = 0


class Supervisor:
    """All cameras of the appliance. `on_message` is called from the camera's own thread, in the order of its messages; while it does not
    return, that camera's process waits when its pipe is full, and loses nothing. Of a file played once the last message is Ended."""

    def __init__(self, on_message: Callable[[str, FromCamera], None], limits: Limits | None = None) -> None:
        self._on_message = on_message
        self._limits = limits or Limits()
        self._cameras: dict[str, _Camera] = {}
        self._lock = threading.Lock()

    def start(self, settings: CameraSettings, maker: str, pack: str = "", model_folders: Sequence[str] = ()) -> None:
        """Start watching; a camera of this id that runs is stopped first. `maker`: see messages.Start."""
        self.stop(settings.id)
        camera = _Camera(Start(settings, maker, pack, list(model_folders)), self._on_message, self._limits)
        with self._lock:
            self._cameras[settings.id] = camera
        camera.thread.start()

    def stop(self, camera_id: str) -> None:
        """Ask it to close its sightings and end; kill it when it does not. Returns when no process is left."""
        with self._lock:
            camera = self._cameras.pop(camera_id, None)
        if camera:
            camera.ask_to_stop()
            self._wait_for([camera])

    def stop_all(self) -> None:
        """As `stop`, all at the same time."""
        with self._lock:
            cameras, self._cameras = list(self._cameras.values()), {}
        for camera in cameras:
            camera.ask_to_stop()
        self._wait_for(cameras)

    def _wait_for(self, cameras: list[_Camera]) -> None:
        until_s = time.monotonic() + self._limits.stopping + KILLING_S
        for camera in cameras:
            if camera.thread is not threading.current_thread():
                camera.thread.join(max(0.0, until_s - time.monotonic()))
            camera.kill_what_is_left()

    def look(self, camera_id: str, seconds: float) -> None:
        """Have the camera send Boxes with pictures for this long."""
        with self._lock:
            camera = self._cameras.get(camera_id)
        if camera:
            camera.look(seconds)

    def state(self, camera_id: str) -> CameraState:
        with self._lock:
            camera = self._cameras.get(camera_id)
        return camera.state() if camera else CameraState("stopped")

    def over(self, camera_id: str) -> bool:
        """Whether nothing more will come of it: all its messages have been passed on, its process is gone, none will be started."""
        with self._lock:
            camera = self._cameras.get(camera_id)
        return camera is None or not camera.thread.is_alive()


class _Camera:
    """One camera, its thread and, most of the time, its process. Only the thread touches process and pipe."""

    def __init__(self, start: Start, on_message: Callable[[str, FromCamera], None], limits: Limits) -> None:
        settings = start.settings
        self._id = settings.id
        self._start = start
        self._on_message = on_message
        self._limits = limits
        self._life = Life(once=settings.kind not in LIVE_KINDS and not settings.loop)
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._beat: Heartbeat | None = None
        self._restarts = 0
        self._error = ""
        self._stop = threading.Event()
        self._look_until_s = 0.0
        self._look_sent_s = 0.0
        self._looked_to_s = 0.0
        self.thread = threading.Thread(target=self._run, name=f"camera {settings.name}", daemon=True)

    def ask_to_stop(self) -> None:
        self._stop.set()

    def look(self, seconds: float) -> None:
        self._look_until_s = max(self._look_until_s, time.monotonic() + min(seconds, LOOK_PENDING_MAX_S))

    def kill_what_is_left(self) -> None:
        """For a thread that on_message did not let go: the process must not outlive us."""
        process = self._process
        if process and process.poll() is None:
            process.kill()

    def state(self) -> CameraState:
        life, beat, process = self._life, self._beat, self._process
        if life.running:
            word = life.word
        elif life.once and life.failures:
            word = "failed"
        elif life.ended:
            word = "ended"
        else:
            word = "restarting" if life.failures else "starting"
        error = (beat.error if beat else "") or self._error
        process_id = process.pid if process and life.running else 0
        if beat is None:
            return CameraState(word, restarts=self._restarts, error=error, process_id=process_id)
        return CameraState(
            word=word,
            fps=beat.analysed_fps if life.running else 0.0,
            analysis_ms=beat.analysis_ms,
            width=beat.width,
            height=beat.height,
            frames_analysed=beat.frames_analysed,
            frames_dropped=beat.frames_dropped,
            restarts=self._restarts,
            error=error,
            last_frame_ms=beat.last_frame_ms,
            process_id=process_id,
            faces_flat=beat.faces_flat,
        )

    def _run(self) -> None:
        while True:
            if self._stop.is_set() and self._life.stop_asked_s is None:
                self._send(Stop())
                self._life = replace(self._life, stop_asked_s=time.monotonic())
            match next_step(self._life, time.monotonic(), self._limits):
                case Step.OVER:
                    self._part()
                    return
                case Step.START:
                    self._launch()
                case Step.KILL:
                    self._end(why_kill(self._life, time.monotonic(), self._limits))
                case Step.WAIT if self._pipe:
                    self._hear(self._pipe)
                    self._pass_look()
                case Step.WAIT:
                    self._stop.wait(POLL_S)

    def _launch(self) -> None:
        now_s = time.monotonic()
        failures = self._life.failures
        self._restarts += bool(failures)
        try:
            self._process, self._pipe = launched("appliance.camera.process")
        except OSError as error:
            self._error = f"its process could not be started: {error.strerror}"
            self._life = replace(self._life, since_s=now_s, failures=failures + 1)
            return
        self._life = replace(self._life, running=True, since_s=now_s, word="starting", heard_s=now_s, got_on_s=now_s, frames_done=0)
        self._send(self._start)

    def _hear(self, pipe: Connection) -> None:
        """Pass on what waits, before the next decision."""
        try:
            if not pipe.poll(POLL_S):
                return
            for _ in range(MESSAGES_A_TURN_MAX):
                self._take(from_camera(pipe.recv_bytes(MESSAGE_BYTES_MAX)))
                if not pipe.poll(0) or (self._stop.is_set() and self._life.stop_asked_s is None):
                    return
        except (EOFError, OSError):
            self._end("")
        except msgspec.DecodeError:
            self._end("sent what is no message")

    def _take(self, message: FromCamera) -> None:
        now_s = time.monotonic()
        match message:
            case Heartbeat():
                self._beat = message
                self._life = after_heartbeat(self._life, message, now_s)
                if message.state == "watching" and now_s - self._life.since_s >= self._limits.healthy:
                    self._life = replace(self._life, failures=0)
            case Ended():
                self._life = replace(self._life, ended=True, heard_s=now_s)
            case _:
                self._life = replace(self._life, heard_s=now_s)
        try:
            self._on_message(self._id, message)
        except Exception:
            # One message that the appliance cannot take must not blind it to the camera.
            log.exception("event=message_failed camera=%s kind=%s", self._id, type(message).__name__)
        # The time that was spent here is not held against the process.
        spent_s = time.monotonic() - now_s
        self._life = replace(self._life, heard_s=now_s + spent_s, got_on_s=self._life.got_on_s + spent_s)

    def _send(self, message: ToCamera) -> None:
        if self._pipe:
            try:
                self._pipe.send_bytes(encoded(message))
            except OSError:
                return  # It is gone; the next read says so.

    def _pass_look(self) -> None:
        now_s = time.monotonic()
        if self._look_until_s > max(now_s, self._looked_to_s) and now_s - self._look_sent_s >= LOOK_EVERY_S:
            self._looked_to_s = self._look_until_s
            self._look_sent_s = now_s
            self._send(Look(self._look_until_s - now_s))

    def _end(self, why: str) -> None:
        """The process is to be gone, and it is when this returns. `why` empty: it went by itself."""
        process, pipe = self._process, self._pipe
        if process is None or pipe is None:
            return
        if why:
            process.kill()
        try:
            code = process.wait(self._limits.stopping)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        self._hear_last_words(pipe)
        pipe.close()
        self._process = self._pipe = None
        self._looked_to_s = 0.0
        life = self._life
        asked = life.ended or life.stop_asked_s is not None
        failures = life.failures if asked else life.failures + 1
        self._life = replace(life, running=False, since_s=time.monotonic(), failures=failures)
        if not asked:
            self._error = f"its process {why}" if why else _fate(code)
            log.warning("event=camera_process_ended camera=%s why=%r failures=%d", self._id, self._error, failures)

    def _hear_last_words(self, pipe: Connection) -> None:
        """A killed process may have told of sightings that nobody has read yet."""
        until_s = time.monotonic() + KILLING_S / 2
        try:
            while time.monotonic() < until_s and pipe.poll(0):
                self._take(from_camera(pipe.recv_bytes(MESSAGE_BYTES_MAX)))
        except (EOFError, OSError, msgspec.DecodeError):
            return

    def _part(self) -> None:
        """A file whose process died is given up: whoever waits for its end is told."""
        if not self._life.ended and self._life.stop_asked_s is None:
            self._take(Ended(self._beat.last_frame_ms if self._beat else 0, (self._beat.error if self._beat else "") or self._error))


def _fate(code: int) -> str:
    return f"its process was ended by signal {-code}" if code < 0 else f"its process ended with code {code}"
