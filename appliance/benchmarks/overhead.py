"""How much the whole pipeline takes beyond what its nets take: detection to visit log, against the nets' calls by themselves.

Three passes over each block of frames: one keeps the nets' inputs; one runs the pipeline; one repeats the kept calls alone. The last two
are timed, in changing order, so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median

import cv2
import msgspec
import numpy as np

from appliance import garbage
from appliance.benchmarks.footage import Shown, blocks
from appliance.benchmarks.shop import run_for_a_while, shop
from appliance.camera.messages import Seen, encoded, from_camera
from appliance.followed import sure_of
from appliance.recognition import Recognition
from appliance.tracks import Tracker, likeness_by
from appliance.watch import FaceWatcher
from models.calls import Calls
from models.pack import Pack, load_pack
from models.quality import Gate
from models.weights import Weights

SIDE_PX = 640
WARM_UP_BLOCKS = 1


class Overhead(msgspec.Struct, frozen=True):
    """Ratios are medians over blocks. Milliseconds are means of a frame."""

    pipeline_over_bare: float
    pipeline_over_bare_processor_time: float
    pipeline_ms: float
    bare_ms: float
    calls_a_frame: float
    frames: int


def measure_overhead(video: Path, pack_name: str, weights: Weights, folder: Path, frames: int) -> Overhead:
    cv2.setNumThreads(1)  # As in a camera's process.
    calls = Calls()
    pack = load_pack(pack_name, weights, around=calls.around)
    kept, timed = watcher(pack), watcher(pack)
    rows: list[tuple[float, float, float, float, int, int]] = []
    with shop(folder, pack_name, weights) as recognition:
        run_for_a_while(recognition.store)
        garbage.loaded()  # As each process does after it has loaded.
        for number, block in enumerate(blocks(video, frames)):
            calls.made.clear()
            calls.keeping = True
            for shown in block:
                kept.see(shown.picture, shown.at_ms)
            calls.keeping = False

            def piped(block: list[Shown] = block) -> tuple[float, float]:
                return _timed(timed, recognition, block)

            passes: list[Callable[[], tuple[float, float]]] = [piped, calls.replay]
            order = passes if number % 2 else passes[::-1]
            taken = {one: one() for one in order}
            rows.append((*taken[piped], *taken[calls.replay], len(calls.made), len(block)))
    rows = rows[WARM_UP_BLOCKS:] or rows
    seen = sum(row[5] for row in rows)
    return Overhead(
        pipeline_over_bare=round(median(wall / bare for wall, _, bare, _, _, _ in rows), 4),
        pipeline_over_bare_processor_time=round(sum(row[1] for row in rows) / sum(row[3] for row in rows), 4),
        pipeline_ms=round(1000 * sum(row[0] for row in rows) / seen, 3),
        bare_ms=round(1000 * sum(row[2] for row in rows) / seen, 3),
        calls_a_frame=round(sum(row[4] for row in rows) / seen, 2),
        frames=seen,
    )


def watcher(pack: Pack) -> FaceWatcher:
    """As a camera's process has it; ids count up, so that two watchers of the same frames say the same."""
    ids = count(1)
    tracker = Tracker(lambda: f"{next(ids):036d}", likeness_by(pack.bars), sure_of(pack.detector))
    return FaceWatcher("camera", pack.detector, pack.embedder, side_px=SIDE_PX, gate=Gate(), tracker=tracker)


def _timed(watching: FaceWatcher, recognition: Recognition, block: list[Shown]) -> tuple[float, float]:
    """Seconds of wall and processor time from decoded frames to the committed visit log, the message between the processes included.

    Each frame is first copied to one place: a camera's decoder has just written it there, so that it is in the processor's cache, as it
    is not after twenty frames were decoded ahead. The nets' inputs are given the same when they run alone.
    """
    wall_s = processor_s = 0.0
    there = np.empty_like(block[0].picture)
    for shown in block:
        np.copyto(there, shown.picture)
        processor, wall = time.process_time(), time.perf_counter()
        for sighting in watching.see(there, shown.at_ms):
            message = from_camera(encoded(Seen(sighting)))
            assert isinstance(message, Seen)
            recognition.receive(message.sighting, shown.at_ms)
        wall_s += time.perf_counter() - wall
        processor_s += time.process_time() - processor
    return wall_s, processor_s
