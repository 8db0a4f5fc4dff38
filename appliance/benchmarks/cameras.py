"""How many cameras two cores carry: real camera processes on a file played at its own pace, and the visit log they end in.

Cameras are added until they are too many: until a face takes longer than a second into the log, or frames that were due are not
analysed. Starts are staggered, so that not everybody walks in at every entrance in the same moment.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from appliance.benchmarks.footage import ANALYSED_FPS
from appliance.benchmarks.processes import machine_busy_s, processor_s
from appliance.benchmarks.shop import now_ms, shop
from appliance.camera.messages import CameraSettings, FromCamera, Heartbeat, Seen
from appliance.camera.supervisor import Supervisor
from appliance.errors import RegularsError
from appliance.recognition import Recognition
from appliance.sightings import Phase
from models.weights import Weights

MAKER = "appliance.watch:open_watcher"
CORES = 2
STEPS = (4, 8, 12, 14, 16, 20)
P95_S_MAX = 1.0
ANALYSED_SHARE_MIN = 0.95
STAGGER_S = 0.7
READY_S_MAX = 90.0
SETTLE_S = 5.0
"""After the last camera of a step began: what it costs to start shall not count."""


class BenchTrouble(RegularsError):
    """Something that was to be measured did not come about."""


class Step(msgspec.Struct, frozen=True):
    """With so many cameras. `analysed_share` of the frames that were due; `cores_busy` with our processes, and with what
    else the machine does (0 where it cannot be told)."""

    cameras: int
    analysed_share: float
    frames_dropped: int
    faces_logged: int
    face_to_log_p50_s: float
    face_to_log_p95_s: float
    cores_busy: float
    cores_busy_with_others: float
    held: bool


class Capacity(msgspec.Struct, frozen=True):
    """`face_to_log_p95_s` is that of the largest step that held. `cores`: how many the processes could use."""

    cameras_5fps_2cores: int
    face_to_log_p95_s: float
    cores: int
    steps: list[Step]


@dataclass(slots=True)
class Ear:
    """Hears all cameras, in their threads, and logs what they sight."""

    recognition: Recognition
    lock: threading.Lock = field(default_factory=threading.Lock)
    beats: dict[str, Heartbeat] = field(default_factory=dict)
    waits_s: list[float] = field(default_factory=list)

    def hear(self, camera_id: str, message: FromCamera) -> None:
        match message:
            case Heartbeat():
                with self.lock:
                    self.beats[camera_id] = message
            case Seen(sighting):
                with self.lock:
                    self.recognition.receive(sighting, now_ms())
                    if sighting.phase is Phase.OPENED:
                        self.waits_s.append((now_ms() - sighting.first_shot_ms) / 1000)
            case _:
                return

    def analysed(self) -> int:
        with self.lock:
            return sum(beat.frames_analysed + beat.frames_still for beat in self.beats.values())

    def dropped(self) -> int:
        with self.lock:
            return sum(beat.frames_dropped for beat in self.beats.values())

    def watching(self) -> int:
        with self.lock:
            return Counter(beat.state for beat in self.beats.values())["watching"]

    def await_frames(self, cameras: int) -> None:
        """Until so many cameras watch. Raises BenchTrouble with what a camera says, at once where it cannot read its file."""
        until_s = time.monotonic() + READY_S_MAX
        while self.watching() < cameras:
            with self.lock:
                errors = sorted({beat.error for beat in self.beats.values() if beat.error and not beat.frames_read})
            if errors:
                raise BenchTrouble(f"a camera does not come up: {'; '.join(errors)}")
            if time.monotonic() > until_s:
                raise BenchTrouble(f"{self.watching()} of {cameras} cameras came up within {READY_S_MAX:.0f} s")
            time.sleep(0.1)

    def take_waits(self) -> list[float]:
        with self.lock:
            waits, self.waits_s = self.waits_s, []
            return waits


def measure_capacity(
    video: Path, pack_name: str, weights: Weights, model_folders: Sequence[str], folder: Path, seconds: float, steps: Sequence[int] = STEPS
) -> Capacity:
    """Raises BenchTrouble when the cameras do not come up."""
    cores = confined()
    done: list[Step] = []
    with shop(folder, pack_name, weights) as recognition:
        ear = Ear(recognition)
        supervisor = Supervisor(ear.hear)
        try:
            running = 0
            for cameras in steps:
                for number in range(running, cameras):
                    name = f"camera-{number}"
                    settings = CameraSettings(name, name, "file", str(video), analysed_fps=ANALYSED_FPS, loop=True)
                    supervisor.start(settings, MAKER, pack_name, model_folders)
                    time.sleep(STAGGER_S)
                running = cameras
                ear.await_frames(cameras)
                time.sleep(SETTLE_S)
                done.append(_step(ear, supervisor, cameras, seconds))
                if not done[-1].held:
                    break
        finally:
            supervisor.stop_all()
    held = [step for step in done if step.held]
    return Capacity(
        cameras_5fps_2cores=held[-1].cameras if held else 0,
        face_to_log_p95_s=(held or done)[-1].face_to_log_p95_s,
        cores=cores,
        steps=done,
    )


def confined() -> int:
    """Keep this process and its children to two cores; how many they have. macOS has no such limit."""
    if not hasattr(os, "sched_setaffinity"):
        return os.cpu_count() or 1
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, cores)
    return len(cores)


def _step(ear: Ear, supervisor: Supervisor, cameras: int, seconds: float) -> Step:
    processes = [os.getpid(), *(supervisor.state(camera_id).process_id for camera_id in ear.beats)]
    ear.take_waits()
    busy_s, machine_s = sum(processor_s(one) for one in processes), machine_busy_s()
    analysed, dropped, began_s = ear.analysed(), ear.dropped(), time.monotonic()
    time.sleep(seconds)
    # Both ends of the count are as old as the heartbeats, so their age cancels out.
    analysed, dropped, took_s = ear.analysed() - analysed, ear.dropped() - dropped, time.monotonic() - began_s
    busy_s = sum(processor_s(one) for one in processes) - busy_s
    machine_s = machine_busy_s() - machine_s
    waits = sorted(ear.take_waits())
    share = analysed / (cameras * ANALYSED_FPS * took_s)
    p95_s = quantile(waits, 0.95)
    return Step(
        cameras=cameras,
        analysed_share=round(share, 3),
        frames_dropped=dropped,
        faces_logged=len(waits),
        face_to_log_p50_s=round(quantile(waits, 0.5), 3),
        face_to_log_p95_s=round(p95_s, 3),
        cores_busy=round(busy_s / took_s, 2),
        cores_busy_with_others=round(max(0.0, machine_s - busy_s) / took_s, 2),
        held=bool(waits) and p95_s < P95_S_MAX and share >= ANALYSED_SHARE_MIN,
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of them does not exceed; 0 for none."""
    return ordered[math.ceil(len(ordered) * share) - 1] if ordered else 0.0
