"""What the appliance holds in memory, and whether that grows: a main process and one camera's, which reads its file as fast as it can.

At full pace ten minutes are an hour or more of a store. Growth is a robust slope, so that one large frame is no leak and a leak no noise.
The main process is this one: it holds the database, the gallery and recognition, and nothing of the other measurements.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from appliance.benchmarks.cameras import MAKER, BenchTrouble, Ear
from appliance.benchmarks.processes import memory_mb, slope
from appliance.benchmarks.shop import shop
from appliance.camera.messages import CameraSettings
from appliance.camera.supervisor import Supervisor
from models.weights import Weights

SAMPLE_S = 5.0
TEN_MINUTES_S = 600.0


class Memory(msgspec.Struct, frozen=True):
    """Megabytes of both processes together; main and camera by themselves below. `frames_analysed` while it was watched."""

    rss_mb: float
    rss_growth_mb_10min: float
    main_mb: float
    main_growth_mb_10min: float
    camera_mb: float
    camera_growth_mb_10min: float
    frames_analysed: int
    seconds: float
    samples: list[tuple[float, float, float]]
    """Seconds, main, camera: whether growth goes on or was the end of warming up."""


def measure_memory(
    video: Path,
    pack_name: str,
    weights: Weights,
    model_folders: Sequence[str],
    folder: Path,
    seconds: float,
    warm_up_s: float,
    sample_s: float = SAMPLE_S,
) -> Memory:
    """Raises BenchTrouble when the camera does not come up, or is restarted while it is watched."""
    settings = CameraSettings("camera", "camera", "file", str(video), loop=True, pace="full")
    with shop(folder, pack_name, weights) as recognition:
        ear = Ear(recognition)
        supervisor = Supervisor(ear.hear)
        try:
            supervisor.start(settings, MAKER, pack_name, model_folders)
            ear.await_frames(1)
            time.sleep(warm_up_s)
            camera = supervisor.state(settings.id).process_id
            began_s, frames = time.monotonic(), ear.analysed()
            at_s: list[float] = []
            mains: list[float] = []
            cameras: list[float] = []
            while time.monotonic() - began_s < seconds or len(at_s) < 2:
                at_s.append(time.monotonic() - began_s)
                mains.append(memory_mb(os.getpid()))
                cameras.append(memory_mb(camera))
                time.sleep(sample_s)
            frames = ear.analysed() - frames
            if supervisor.state(settings.id).process_id != camera or not all(cameras):
                raise BenchTrouble("the camera's process was restarted while its memory was watched: see the log above")
        finally:
            supervisor.stop_all()
    both = [main + camera_one for main, camera_one in zip(mains, cameras, strict=True)]
    return Memory(
        rss_mb=round(max(both), 1),
        rss_growth_mb_10min=_growth(at_s, both),
        main_mb=round(max(mains), 1),
        main_growth_mb_10min=_growth(at_s, mains),
        camera_mb=round(max(cameras), 1),
        camera_growth_mb_10min=_growth(at_s, cameras),
        frames_analysed=frames,
        seconds=round(time.monotonic() - began_s, 1),
        samples=[(round(t, 1), round(m, 1), round(c, 1)) for t, m, c in zip(at_s, mains, cameras, strict=True)],
    )


def _growth(at_s: list[float], values: list[float]) -> float:
    return round(slope(at_s, values) * TEN_MINUTES_S, 2)
