"""Which cameras are watched, and how each is doing. The table of cameras is the truth: what a command adds, changes or removes there is
started or stopped within seconds. How they do is also left in the data folder, for `regulars status`."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from appliance import camera_states, cameras
from appliance.camera.messages import CameraSettings
from appliance.camera.supervisor import CameraState, Supervisor
from appliance.camera_states import CameraStates
from appliance.cameras import Camera
from appliance.config import Config
from appliance.database import Store
from appliance.errors import RegularsError
from appliance.live import CameraChanged, Live
from appliance.web.cameras import CameraLine

log = logging.getLogger(__name__)

MAKER = "appliance.watch:open_watcher"
POLL_S = 2.0
SAID_AGAIN_MS = 10_000
"""Figures that change all the time are told to the page this often; a state at once."""
LEFT_AGAIN_MS = 10_000
"""What is left for `regulars status` is never much older than this."""
DAY_MS = 86_400_000
STATES = {
    "starting": "opening",
    "opening": "opening",
    "restarting": "opening",
    "watching": "watching",
    "silent": "silent",
    "stuck": "silent",
    "ended": "ended",
    "failed": "broken",
    "stopped": "off",
}
"""A supervisor's word as the page says it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the settings say of every camera."""

    pack: str
    model_folders: list[str]
    analysed_fps: float
    min_face_px: int
    attributes: bool = False


def choice_of(config: Config, pack: str) -> Choice:
    folders = [config.data.folder, *([config.models.folder] if config.models.folder else [])]
    wanted = config.recognition
    return Choice(pack, [str(folder) for folder in folders], wanted.analysed_fps, wanted.min_face_px, wanted.attributes)


@dataclass(slots=True)
class _Entry:
    camera: Camera
    settings: CameraSettings | None = None
    error: str = ""
    state: str = "off"
    since_ms: int = 0
    day: int = 0
    restarts_before: int = 0
    told: CameraLine | None = None
    told_ms: int = 0
    warned: str = ""
    """The reason that the log has been given, until the camera watches again: it is tried again for ever, and said once."""


class Roster:
    """`trouble`: what keeps the visit log from being written, in words."""

    def __init__(
        self,
        store: Store,
        supervisor: Supervisor,
        live: Live,
        choice: Choice,
        now: Callable[[], int],
        trouble: Callable[[], str] = lambda: "",
    ) -> None:
        self._store, self._supervisor, self._live, self._choice, self._now = store, supervisor, live, choice, now
        self._trouble = trouble
        self._left = CameraStates(0, "", [])
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="roster", daemon=True)

    def start(self) -> None:
        self.follow_table()
        self._thread.start()

    def stop(self) -> None:
        """All cameras close their sightings and end."""
        self._stopping.set()
        self._supervisor.stop_all()
        if self._thread.is_alive():
            self._thread.join(POLL_S)
        # The thread may have started one while the others were being stopped.
        self._supervisor.stop_all()
        camera_states.take_away(self._store.folder)

    def settings(self, camera_id: str) -> CameraSettings | None:
        entry = self._entries.get(camera_id)
        return entry.settings if entry else None

    def counts_only(self, camera_id: str) -> bool:
        settings = self.settings(camera_id)
        return settings is not None and settings.counting_only

    def lines(self) -> list[CameraLine]:
        """In the order the cameras were added."""
        with self._lock:
            entries = list(self._entries.values())
        return [self._line(entry) for entry in entries]

    def heard(self, camera_id: str) -> None:
        """The camera said something: tells the page when its line has changed."""
        entry = self._entries.get(camera_id)
        if entry is None:
            return
        line, now_ms = self._line(entry), self._now()
        told = entry.told
        changed = told is None or _gist(line) != _gist(told)
        if changed or (line != told and abs(now_ms - entry.told_ms) >= SAID_AGAIN_MS):
            if line.faces_flat > (told.faces_flat if told else 0):
                log.info("event=pictures_of_faces_left_out camera=%s since_its_start=%d", camera_id, line.faces_flat)
            entry.told, entry.told_ms = line, now_ms
            self._live.publish(CameraChanged(camera_id))
            if changed:
                self._log(entry, line)

    def leave_states(self) -> None:
        """For `regulars status`, which is another process: at once when something changed, else now and then."""
        lines, trouble, now_ms = self.lines(), self._trouble(), self._now()
        before = self._left
        same = trouble == before.trouble and [_gist(line) for line in lines] == [_gist(line) for line in before.cameras]
        if before.at_ms and same and abs(now_ms - before.at_ms) < LEFT_AGAIN_MS:
            return
        self._left = CameraStates(now_ms, trouble, lines)
        camera_states.leave(self._store.folder, self._left)

    def follow_table(self) -> None:
        """Starts and stops what differs from the table."""
        wanted = {camera.id: camera for camera in cameras.list_cameras(self._store)}
        for camera_id in self._entries.keys() - wanted.keys():
            self._supervisor.stop(camera_id)
            with self._lock:
                del self._entries[camera_id]
            log.info("event=camera_removed camera=%s", camera_id)
            self._live.publish(CameraChanged(camera_id))
        for camera in wanted.values():
            entry = self._entries.get(camera.id)
            if self._stopping.is_set() or (entry and entry.camera == camera):
                continue
            self._take_on(camera)
            self._live.publish(CameraChanged(camera.id))

    def _take_on(self, camera: Camera) -> None:
        entry = _Entry(camera, since_ms=self._now())
        try:
            entry.settings = self._for_process(camera)
        except RegularsError as error:
            entry.error = str(error)
            log.error("event=camera_not_started camera=%s why=%r", camera.id, entry.error)
        with self._lock:
            self._entries[camera.id] = entry
        if entry.settings and camera.enabled:
            self._supervisor.start(entry.settings, MAKER, self._choice.pack, self._choice.model_folders)
        else:
            self._supervisor.stop(camera.id)

    def _for_process(self, camera: Camera) -> CameraSettings:
        """With what the settings say. A camera that was given its own number of pictures a second keeps it."""
        settings = cameras.settings_of(self._store, camera)
        own = camera.analysed_fps != cameras.NewCamera.__dataclass_fields__["analysed_fps"].default
        fps = camera.analysed_fps if own else self._choice.analysed_fps
        return msgspec.structs.replace(settings, analysed_fps=fps, min_face_px=self._choice.min_face_px, attributes=self._choice.attributes)

    def _log(self, entry: _Entry, line: CameraLine) -> None:
        in_trouble = line.state in ("silent", "failed", "broken") or (line.state == "opening" and line.error)
        reason = (line.error or line.state) if in_trouble else ""
        level = logging.WARNING if reason and reason != entry.warned else logging.INFO
        if reason or line.state == "watching":
            entry.warned = reason
        log.log(level, "event=camera_%s camera=%s restarts=%d why=%r", line.state, line.id, line.restarts, line.error)

    def _line(self, entry: _Entry) -> CameraLine:
        found = self._supervisor.state(entry.camera.id) if entry.settings and entry.camera.enabled else CameraState("stopped")
        now_ms, state = self._now(), _state(found, entry.settings)
        if state != entry.state:
            entry.state, entry.since_ms = state, now_ms
        if now_ms // DAY_MS != entry.day:
            entry.day, entry.restarts_before = now_ms // DAY_MS, found.restarts
        line = CameraLine(entry.camera.id, entry.camera.name, state, entry.since_ms, error=found.error or entry.error)
        return replace(
            line,
            analysed_fps=round(found.fps, 1),
            analysis_ms=found.analysis_ms,
            frames_dropped=found.frames_dropped,
            restarts=found.restarts - entry.restarts_before,
            faces_flat=found.faces_flat,
        )

    def _run(self) -> None:
        while not self._stopping.wait(POLL_S):
            try:
                self.follow_table()
                # A process that hangs or died says nothing, and that too is to be seen.
                for camera_id in list(self._entries):
                    self.heard(camera_id)
                self.leave_states()
            except (RegularsError, sqlite3.Error) as error:
                log.error("event=cameras_not_read error=%s", type(error).__name__)


def _state(found: CameraState, settings: CameraSettings | None) -> str:
    """As the page says it. A camera watches from its first picture on; a source that ended with an error was not played to its end."""
    state, seen = STATES.get(found.word, "opening"), found.width > 0
    if settings is None:
        return state
    if state == "watching" and not seen:
        # A file that cannot be opened is still on its way to its end.
        return "failed" if found.error and settings.kind == "file" and not settings.loop else "opening"
    if state == "ended" and found.error:
        if not seen:
            return "failed"
        # A folder has skipped single pictures; a video broke off.
        return "ended" if settings.kind == "folder" else "broken"
    return "failed" if state == "broken" and not seen else state


def _gist(line: CameraLine) -> tuple[str, str, str, str, int]:
    """What is told at once when it changes."""
    return line.id, line.name, line.state, line.error, line.restarts
