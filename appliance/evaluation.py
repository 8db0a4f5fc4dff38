"""`regulars evaluate`: the real pipeline (camera process, tracks, identity, a fresh visit log) over a scenario, against the truth."""

from __future__ import annotations

import queue
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import msgspec
import numpy as np

from appliance import scenario
from appliance.camera.frames import Grid
from appliance.camera.messages import CameraSettings, Ended, FromCamera, Heartbeat, Seen
from appliance.camera.supervisor import Supervisor
from appliance.data_key import KeyFile
from appliance.database import open_store
from appliance.enrolment import Photo, enrol, look_at
from appliance.errors import RegularsError, ScenarioError
from appliance.files import make_folder, write_whole
from appliance.gallery import Gallery
from appliance.identity import Policy
from appliance.perfect_tracks import TruthTracker
from appliance.recognition import Recognition
from appliance.scenario import Figures, Logged, Truth
from appliance.sightings import Shot, Sighting
from appliance.watch import FaceWatcher
from models.faces import Picture
from models.pack import Pack
from models.quality import Gate

VIDEO = "entrance.mp4"
CAMERA_ID, CAMERA = "01900000-0000-7000-8000-00000000ca3e", "entrance"
"""An id as any camera has: headquarters takes no visit that names a camera by anything else."""
MAKER = "appliance.watch:open_watcher"
SILENCE_S_MAX = 120.0
"""A camera process that says nothing for so long is broken: loading a pack takes seconds, and it beats each second."""
DETECTOR_SIDE_PX = 640
QUEUE_MAX = 64
SHOWN = "shown.json"
"""In a data folder that is kept: visit id to the true name of whom it shows, for who goes on with the folder."""

Progress = Callable[[float], None]
"""Called with the share that is done, 0..1."""


class Report(msgspec.Struct, frozen=True):
    """`ceiling`: the same decisions on perfect tracks."""

    figures: Figures
    log_latency_p95_s: float
    frames_analysed: int
    frames_dropped: int
    pack: str
    pace: str
    ceiling: Figures | None


@dataclass(slots=True)
class Run:
    """What a run of the log told: shots by sighting, delays, and sightings of opted-out people that were counted."""

    shots: dict[str, list[Shot]] = field(default_factory=dict)
    delays_ms: dict[str, int] = field(default_factory=dict)
    opted_out: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Enrolled:
    name: str
    role: str
    photos: Sequence[Photo]


def evaluate(
    folder: Path,
    pack: Pack,
    model_folders: Sequence[str],
    *,
    pace: str,
    policy: Policy,
    analysed_fps: float,
    min_face_px: int,
    ceiling: bool,
    keep: Path | None = None,
    progress: Progress = lambda share: None,
) -> Report:
    """`pace`: "full" (as fast as possible, no frame dropped) or "own" (by the clock). `keep`: where the data folder stays, with SHOWN in
    it. Raises ScenarioError, StoreErrors."""
    truth = scenario.read_truth(folder)
    video = folder / VIDEO
    if not video.is_file():
        raise ScenarioError(f"{folder} is no scenario: it has no {VIDEO}.")
    enrolled = list(look_at_enrolled(folder, truth, pack))
    settings = CameraSettings(
        id=CAMERA_ID,
        name=CAMERA,
        kind="file",
        source=str(video),
        analysed_fps=analysed_fps,
        detector_side_px=DETECTOR_SIDE_PX,
        min_face_px=min_face_px,
        pace=pace,
    )
    camera = Watched(settings, pack.name, model_folders, truth.duration_s, progress)
    run, figures = _logged(truth, enrolled, pack, policy, camera.sightings(), camera, live=pace == "own", keep=keep)
    delays = sorted(run.delays_ms.values())
    best = None
    if ceiling:
        watched = perfect_sightings(video, truth, pack, analysed_fps, min_face_px, progress)
        _, best = _logged(truth, enrolled, pack, policy, watched, None, live=False, keep=None)
    return Report(
        figures=figures,
        log_latency_p95_s=round(delays[min(len(delays) - 1, int(0.95 * len(delays)))] / 1000, 3) if delays else 0.0,
        frames_analysed=camera.frames_analysed,
        frames_dropped=camera.frames_dropped,
        pack=pack.name,
        pace="real" if pace == "own" else "full",
        ceiling=best,
    )


def look_at_enrolled(folder: Path, truth: Truth, pack: Pack) -> Iterable[Enrolled]:
    for role, names in (("staff", truth.staff), ("opted_out", truth.opted_out)):
        for name in names:
            pictures = [(path, cv2.imread(str(path))) for path in sorted((folder / "enrol" / name).glob("*.jpg"))]
            broken = [path for path, picture in pictures if picture is None]
            if broken or not pictures:
                raise ScenarioError(f"{broken[0]} cannot be read." if broken else f"{folder / 'enrol' / name} has no photos of {role}.")
            photos = [look_at(np.asarray(picture, np.uint8), pack.detector, pack.embedder) for _, picture in pictures]
            yield Enrolled(name, role, photos)


class Watched:
    """The scenario's camera in a process of its own; `sightings` ends when the video does."""

    def __init__(self, settings: CameraSettings, pack: str, model_folders: Sequence[str], duration_s: float, progress: Progress) -> None:
        self._settings, self._pack, self._folders = settings, pack, model_folders
        self._duration_s, self._progress = duration_s, progress
        self._messages: queue.Queue[FromCamera] = queue.Queue(QUEUE_MAX)
        self.began_ms = 0
        self.frames_analysed = 0
        self.frames_dropped = 0

    def sightings(self) -> Iterable[Sighting]:
        supervisor = Supervisor(lambda _camera, message: self._messages.put(message))
        supervisor.start(self._settings, MAKER, self._pack, list(self._folders))
        try:
            while True:
                message = self._next()
                if isinstance(message, Seen):
                    yield message.sighting
                elif isinstance(message, Heartbeat):
                    self._note(message)
                elif isinstance(message, Ended):
                    if message.error:
                        raise ScenarioError(f"The video was not played to its end: {message.error}")
                    return
        finally:
            # Whoever waits to put a message must not keep the camera from stopping.
            self._messages = queue.Queue()
            supervisor.stop_all()

    def _next(self) -> FromCamera:
        try:
            return self._messages.get(timeout=SILENCE_S_MAX)
        except queue.Empty:
            raise ScenarioError(f"The camera's process has said nothing for {SILENCE_S_MAX:.0f} s. Look at what it wrote above.") from None

    def _note(self, beat: Heartbeat) -> None:
        self.began_ms = beat.began_ms or self.began_ms
        self.frames_analysed = beat.frames_analysed + beat.frames_still
        self.frames_dropped = beat.frames_dropped
        if beat.last_frame_ms:
            self._progress(min(1.0, (beat.last_frame_ms - self.began_ms) / 1000 / self._duration_s))


def perfect_sightings(
    video: Path, truth: Truth, pack: Pack, analysed_fps: float, min_face_px: int, progress: Progress
) -> Iterable[Sighting]:
    """Sightings on the truth's tracks, of the frames that the camera would have analysed."""
    watcher = FaceWatcher(
        CAMERA_ID,
        pack.detector,
        pack.embedder,
        side_px=DETECTOR_SIDE_PX,
        gate=Gate(width_px_min=min_face_px),
        tracker=TruthTracker(truth),
    )
    for at_ms, picture in frames(video, analysed_fps):
        progress(min(1.0, at_ms / 1000 / truth.duration_s))
        yield from watcher.see(picture, at_ms)
    yield from watcher.finish()


def frames(video: Path, analysed_fps: float) -> Iterable[tuple[int, Picture]]:
    """(ms since the first frame, picture) of the frames due for analysis."""
    capture, grid = cv2.VideoCapture(str(video), cv2.CAP_FFMPEG), Grid(analysed_fps)
    try:
        while capture.grab():
            at_ms = capture.get(cv2.CAP_PROP_POS_MSEC)
            if grid.due(at_ms):
                ok, picture = capture.retrieve()
                if ok:
                    yield round(at_ms), np.asarray(picture, np.uint8)
    finally:
        capture.release()


def _logged(
    truth: Truth,
    enrolled: Sequence[Enrolled],
    pack: Pack,
    policy: Policy,
    sightings: Iterable[Sighting],
    camera: Watched | None,
    *,
    live: bool,
    keep: Path | None,
) -> tuple[Run, Figures]:
    """Runs sightings through recognition into a fresh database, and scores what it holds afterwards."""
    failures: list[RegularsError | OSError] = []
    with _data_folder(keep) as folder:
        store = open_store(folder, _now_ms(), keeper=KeyFile(folder))
        try:
            gallery = Gallery(pack.embedder.model, pack.embedder.size)
            gap_ms = round(truth.revisit_gap_s * 1000 / 2)
            recognition = Recognition(store, gallery, pack.bars, policy, gap_ms, ZoneInfo("UTC"), failures.append)
            for one in enrolled:
                enrol(store, gallery, one.role, one.name if one.role == "staff" else "", one.photos, _now_ms())
            run = Run()
            for sighting in sightings:
                outcome = recognition.receive(sighting, _now_ms() if live else sighting.sent_ms)
                run.shots[sighting.id] = sighting.shots
                run.delays_ms.setdefault(sighting.id, outcome.log_latency_ms)
                if outcome.verdict == "opted_out" and outcome.settled:
                    run.opted_out.add(sighting.id)
                else:
                    run.opted_out.discard(sighting.id)
            if failures:
                raise failures[0]
            began_ms = camera.began_ms if camera else 0
            by_visit: dict[str, list[Shot]] = {}
            for sighting_id, visit_id in store.db.execute("SELECT id, visit_id FROM sightings").fetchall():
                by_visit.setdefault(visit_id, []).extend(run.shots[sighting_id])
            rows = store.db.execute("SELECT id, person_id, verdict FROM visits").fetchall()
            log = [Logged(visit, person, verdict, by_visit[visit]) for visit, person, verdict in rows]
            log += [Logged(f"opted-out {i}", None, "opted_out", run.shots[i]) for i in sorted(run.opted_out)]
            if keep:
                shown = {v.visit_id: scenario.visit_shown(truth, v.shots, began_ms) for v in log if v.verdict != "opted_out"}
                names = {visit_id: truth.visits[index].identity for visit_id, index in shown.items() if index is not None}
                write_whole(keep / SHOWN, msgspec.json.encode(names))
            return run, scenario.score(truth, log, began_ms)
        finally:
            store.close()


@contextmanager
def _data_folder(keep: Path | None) -> Iterator[Path]:
    """A folder that is thrown away, or the one to keep: a new one, so that nobody's own data is mixed with a scenario's."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="regulars-evaluate-") as name:
            yield Path(name)
        return
    make_folder(keep)
    if any(keep.iterdir()):
        raise ScenarioError(f"{keep} is not empty. Name a new folder for the scenario's data.")
    yield keep


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
