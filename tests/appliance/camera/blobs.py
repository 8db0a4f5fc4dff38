"""A small watcher for tests of the camera's process: the brightest blob is a face. It needs no weights and takes 0.1 ms."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

import cv2
import numpy as np

from appliance.camera.life import Limits
from appliance.camera.messages import Box, CameraSettings, FromCamera, Seen, Start
from appliance.camera.supervisor import Supervisor
from appliance.sightings import Phase, Sighting
from models.faces import Faces, Picture

BRIGHT = 200
MAKER = "tests.appliance.camera.blobs:blob_watcher"
DETECTOR = "tests.appliance.camera.blobs:blob_detector"


class BlobWatcher:
    """One sighting while a blob is in view. It opens with the first frame of the blob, and improves with each."""

    def __init__(self, camera_id: str, see_s: float = 0.0) -> None:
        self._camera_id = camera_id
        self._see_s = see_s
        self._open: Sighting | None = None
        self._count = 0
        self.boxes: list[Box] = []
        self.faces_flat = 0

    @property
    def busy(self) -> bool:
        return self._open is not None

    def see(self, picture: Picture, taken_ms: int) -> list[Sighting]:
        time.sleep(self._see_s)
        found = blob(picture)
        self.boxes = []
        if found is None:
            return self.finish()
        height, width = picture.shape[:2]
        phase = Phase.IMPROVED
        if self._open is None:
            phase, self._count = Phase.OPENED, self._count + 1
            name = f"{self._camera_id}-{self._count}"
            self._open = Sighting(name, self._camera_id, phase, "blob", taken_ms, taken_ms, [], 0, 0, 0, taken_ms, 0.0)
        x1, y1, x2, y2 = found
        self.boxes = [Box(x1 / width, y1 / height, (x2 - x1) / width, (y2 - y1) / height, self._open.id)]
        self._open = replaced(self._open, phase, taken_ms, self._open.shot_count + 1)
        return [self._open]

    def finish(self) -> list[Sighting]:
        if self._open is None:
            return []
        closed, self._open = replaced(self._open, Phase.CLOSED, self._open.ended_ms, self._open.shot_count), None
        return [closed]


def replaced(sighting: Sighting, phase: Phase, ended_ms: int, shot_count: int) -> Sighting:
    kept = {name: getattr(sighting, name) for name in sighting.__struct_fields__}
    return Sighting(**(kept | {"phase": phase, "ended_ms": ended_ms, "shot_count": shot_count}))


def blob(picture: Picture) -> tuple[int, int, int, int] | None:
    rows, columns = np.nonzero(picture[:, :, 1] > BRIGHT)
    return (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1) if len(rows) else None


def blob_watcher(start: Start) -> BlobWatcher:
    return BlobWatcher(start.settings.id)


def slow_watcher(start: Start) -> BlobWatcher:
    return BlobWatcher(start.settings.id, see_s=0.25)


def hanging_watcher(start: Start) -> BlobWatcher:
    """Hangs with the third frame, as native code would."""
    return _Trouble(start.settings.id, lambda: time.sleep(3600))


def dying_watcher(start: Start) -> BlobWatcher:
    """Dies with the third frame, as native code would."""
    return _Trouble(start.settings.id, os.abort)


def raising_watcher(start: Start) -> BlobWatcher:
    raise RuntimeError(f"no weights for {start.settings.source}")


class _Trouble(BlobWatcher):
    def __init__(self, camera_id: str, make_it) -> None:  # type: ignore[no-untyped-def]
        super().__init__(camera_id)
        self._make_it = make_it
        self._frames = 0

    def see(self, picture: Picture, taken_ms: int) -> list[Sighting]:
        self._frames += 1
        if self._frames == 3:
            self._make_it()
        return super().see(picture, taken_ms)


def blob_detector(_: Start):  # type: ignore[no-untyped-def]
    def detect(picture: Picture) -> Faces:
        found = blob(picture)
        count = 0 if found is None else 1
        boxes = np.array([found] if found else [], np.float32).reshape(count, 4)
        return Faces(boxes, np.ones(count, np.float32), np.zeros((count, 5, 2), np.float32))

    return detect


def make_video(path: Path, frames: int, fps: float = 12.5, size: tuple[int, int] = (320, 240), visible: range | None = None) -> Path:
    """A bright square that wanders over grey; `visible`: the frames that it is in (default: all)."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
    for index in range(frames):
        picture = np.full((size[1], size[0], 3), 90, np.uint8)
        if visible is None or index in visible:
            x = 20 + index * 5 % (size[0] - 100)
            picture[80:140, x : x + 60] = 255
        writer.write(picture)
    writer.release()
    return path


@dataclasses.dataclass
class Heard:
    """What a supervisor under test passed on."""

    messages: list[FromCamera] = dataclasses.field(default_factory=list)

    def __call__(self, camera_id: str, message: FromCamera) -> None:
        self.messages.append(message)

    def of(self, kind):  # type: ignore[no-untyped-def]
        return [message for message in list(self.messages) if isinstance(message, kind)]

    def shots(self) -> list[int]:
        return [one.sighting.ended_ms for one in self.of(Seen) if one.sighting.phase is not Phase.CLOSED]


def wait_until(condition, seconds: float, what: str) -> float:  # type: ignore[no-untyped-def]
    """Seconds that it took."""
    began_s = time.monotonic()
    while not condition():
        if time.monotonic() - began_s > seconds:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
    return time.monotonic() - began_s


def file_camera(path: Path, **changes: object) -> CameraSettings:
    return CameraSettings(**({"id": "cam", "name": "Entrance", "kind": "file", "source": str(path)} | changes))  # type: ignore[arg-type]


def supervised(heard: Heard, **limits: float) -> Supervisor:
    return Supervisor(heard, Limits(**limits))


def gone(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return False
