"""Six real people who walk past a camera: a view that pans over the group photo, so that each comes in, goes through and leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from appliance.camera.messages import CameraSettings, Start
from appliance.sightings import Sighting
from appliance.watch import FaceWatcher, open_watcher
from models.faces import Picture
from tests.models.packs import group_photo

VIEW_PX = 640
STEP_PX = 40
FRAME_MS = 200
PEOPLE = 6
REAL_WIDTH_PX = 70
"""The six faces are about 100 px wide; the starter detector also takes a hand or two, of half that size, for a face."""


def watcher(
    folder: Path, camera: str = "door", pack: str = "starter", models: Path | None = None, *, attributes: bool = True
) -> FaceWatcher:
    """`models`: where the pack lies, if it is not the one that is always there."""
    settings = CameraSettings(camera, camera.title(), "file", "unused", attributes=attributes)
    return open_watcher(Start(settings, "unused", pack=pack, model_folders=[str(folder), *([str(models)] if models else [])]))


def walk_past() -> Iterator[Picture]:
    photo = group_photo()
    height, width = photo.shape[:2]
    canvas = np.full((height, width + 2 * VIEW_PX, 3), 90, np.uint8)
    canvas[:, VIEW_PX : VIEW_PX + width] = photo
    for x in range(0, width + VIEW_PX, STEP_PX):
        yield np.ascontiguousarray(canvas[:, x : x + VIEW_PX])


def seen(by: FaceWatcher, start_ms: int) -> list[Sighting]:
    """Everything that a walk past is told as, in order."""
    told = [s for i, picture in enumerate(walk_past()) for s in by.see(picture, start_ms + i * FRAME_MS)]
    return told + by.finish()
