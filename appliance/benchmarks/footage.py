"""The video that everything is measured on, and its frames as a camera's process would analyse them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.camera.frames import Grid
from appliance.camera.sources import VideoFile
from appliance.demo_feed import group_photo, write_feed
from appliance.errors import RegularsError
from models.faces import Picture

SCENE = Path("data", "scenario", "store_a", "entrance.mp4")
BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared"
VARIABLE = "REGULARS_SHARED"
ANALYSED_FPS = 5.0
BLOCK_FRAMES = 20
"""Frames held at a time: 55 MB at 720p."""


class NoFootage(RegularsError):
    """There is no video to measure on."""


@dataclass(frozen=True, slots=True)
class Shown:
    """picture: (H, W, 3) BGR; at_ms: since the first frame of the video."""

    picture: Picture
    at_ms: int


def footage(own: Path, environ: Mapping[str, str] | None = None, video: Path | None = None) -> Path:
    """The video named, else the shared scenario's, else one made into the folder `own`: the demo's. Raises NoFootage."""
    if video is not None:
        if not video.is_file():
            raise NoFootage(f"there is no video {video} to measure on")
        return video
    environ = os.environ if environ is None else environ
    path = Path(environ.get(VARIABLE) or BESIDE_THE_CHECKOUT) / SCENE
    if path.is_file():
        return path
    made = own / "demo.mp4"
    write_feed(group_photo(), made)
    return made


def blocks(video: Path, count: int, fps: float = ANALYSED_FPS) -> Iterator[list[Shown]]:
    """The first `count` frames that are due at `fps`, decoded, in blocks of consecutive ones."""
    source, grid = VideoFile(video, hardware=False), Grid(fps)
    block: list[Shown] = []
    try:
        while count > 0:
            at_ms = source.grab()
            if at_ms is None:
                break
            if not grid.due(at_ms) or (picture := source.picture()) is None:
                continue
            block.append(Shown(picture, round(at_ms)))
            count -= 1
            if len(block) == BLOCK_FRAMES:
                yield block
                block = []
    finally:
        source.close()
    if block:
        yield block
