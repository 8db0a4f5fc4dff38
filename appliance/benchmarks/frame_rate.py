"""Frames a second of a camera's pipeline against the same weights used as insightface.app.FaceAnalysis uses them, on the same frames.

Both take each block of frames in turn, in changing order. Ours is what a camera's process does with a frame: the motion gate, detection,
tracks, quality, embedding of what is worth it, and the message. It is timed once more without the gate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import msgspec

from appliance.benchmarks.footage import Shown, blocks
from appliance.benchmarks.overhead import WARM_UP_BLOCKS, watcher
from appliance.camera.messages import Seen, encoded
from appliance.camera.motion import MotionGate
from appliance.watch import FaceWatcher
from models.insightface_way import insightface_way
from models.pack import load_pack
from models.weights import Weights


class FrameRate(msgspec.Struct, frozen=True):
    """`fps_over_insightface` with the motion gate, as cameras run; `..._every_frame` with each frame analysed. Medians over blocks."""

    fps_over_insightface: float
    fps_over_insightface_every_frame: float
    pipeline_fps: float
    pipeline_every_frame_fps: float
    insightface_fps: float
    insightface_faces_a_frame: float
    frames_still: int
    frames: int
    compared: str


def measure_frame_rate(video: Path, pack_name: str, weights: Weights, frames: int) -> FrameRate:
    cv2.setNumThreads(1)  # As in a camera's process.
    pack = load_pack(pack_name, weights)
    theirs, compared = insightface_way(pack_name, weights)
    gated, always, gate = watcher(pack), watcher(pack), MotionGate()
    rows: list[tuple[float, float, float]] = []
    faces = still = seen = 0
    for number, block in enumerate(blocks(video, frames)):
        counts = [0, 0]

        def as_insightface(block: list[Shown] = block, counts: list[int] = counts) -> None:
            counts[0] = sum(theirs(shown.picture) for shown in block)

        def as_a_camera(block: list[Shown] = block, counts: list[int] = counts) -> None:
            counts[1] = sum(not _look(gated, gate, shown) for shown in block)

        def every_frame(block: list[Shown] = block) -> None:
            for shown in block:
                _look(always, None, shown)

        ways: list[Callable[[], None]] = [as_insightface, as_a_camera, every_frame]
        turn = number % len(ways)
        taken = {way: _seconds(way) for way in ways[turn:] + ways[:turn]}
        rows.append((taken[as_insightface], taken[as_a_camera], taken[every_frame]))
        faces, still, seen = faces + counts[0], still + counts[1], seen + len(block)
    timed = rows[WARM_UP_BLOCKS:] or rows
    share = seen * len(timed) / len(rows)
    their_s, our_s, every_s = (sum(row[i] for row in timed) for i in range(3))
    return FrameRate(
        fps_over_insightface=round(median(row[0] / row[1] for row in timed), 3),
        fps_over_insightface_every_frame=round(median(row[0] / row[2] for row in timed), 3),
        pipeline_fps=round(share / our_s, 1),
        pipeline_every_frame_fps=round(share / every_s, 1),
        insightface_fps=round(share / their_s, 1),
        insightface_faces_a_frame=round(faces / seen, 2),
        frames_still=still,
        frames=seen,
        compared=compared,
    )


def _look(watching: FaceWatcher, gate: MotionGate | None, shown: Shown) -> bool:
    """Whether the frame was analysed."""
    if gate is not None and not gate.open(shown.picture, shown.at_ms, watching.busy):
        return False
    for sighting in watching.see(shown.picture, shown.at_ms):
        encoded(Seen(sighting))
    return True


def _seconds(way: Callable[[], None]) -> float:
    began = time.perf_counter()
    way()
    return time.perf_counter() - began
