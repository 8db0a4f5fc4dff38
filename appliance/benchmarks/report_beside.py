"""Whether a heavy report costs frames: a real camera at its own pace, for a while alone and for as long beside reports that are made one
after the other, in turn, so that whatever else the machine does falls on both."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec
import numpy as np

from appliance.benchmarks.cameras import MAKER, Ear
from appliance.benchmarks.footage import ANALYSED_FPS
from appliance.benchmarks.shop import shop
from appliance.camera.messages import CameraSettings
from appliance.camera.supervisor import Supervisor
from appliance.reports import paper, questions, tables
from appliance.reports.making import Making, Order
from appliance.reports.tallies import Counts
from models.weights import Weights

TURNS = 2
SETTLE_S = 4.0
TODAY = date(2026, 11, 24)
DAYS = 365


class Beside(msgspec.Struct, frozen=True):
    """`frames_lost`: the share of the due frames that is analysed alone and not beside reports (never below 0). `dropped_…`: frames that
    the camera replaced before they were looked at."""

    frames_lost: float
    analysed_alone: float
    analysed_beside: float
    dropped_alone: int
    dropped_beside: int
    reports: int
    report_s: float


def measure_beside(video: Path, pack_name: str, weights: Weights, model_folders: Sequence[str], folder: Path, seconds: float) -> Beside:
    """Raises BenchTrouble when the camera does not come up."""
    settings = CameraSettings("camera", "camera", "file", str(video), analysed_fps=ANALYSED_FPS, loop=True)
    alone: list[tuple[float, int]] = []
    beside: list[tuple[float, int]] = []
    made_s: list[float] = []
    with shop(folder, pack_name, weights) as recognition:
        ear = Ear(recognition)
        supervisor = Supervisor(ear.hear)
        try:
            supervisor.start(settings, MAKER, pack_name, model_folders)
            ear.await_frames(1)
            time.sleep(SETTLE_S)
            for _ in range(TURNS):
                alone.append(_watched(ear, seconds / TURNS))
                ends = threading.Event()
                maker = threading.Thread(target=_make_reports, args=(ends, made_s), daemon=True)
                maker.start()
                beside.append(_watched(ear, seconds / TURNS))
                ends.set()
                maker.join()
        finally:
            supervisor.stop_all()
    share_alone, share_beside = (sum(share for share, _ in found) / TURNS for found in (alone, beside))
    return Beside(
        frames_lost=round(max(0.0, share_alone - share_beside), 4),
        analysed_alone=round(share_alone, 4),
        analysed_beside=round(share_beside, 4),
        dropped_alone=sum(dropped for _, dropped in alone),
        dropped_beside=sum(dropped for _, dropped in beside),
        reports=len(made_s),
        report_s=round(sum(made_s) / len(made_s), 2) if made_s else 0.0,
    )


def _watched(ear: Ear, seconds: float) -> tuple[float, int]:
    """Share of the due frames that were analysed, and how many were dropped."""
    analysed, dropped, began_s = ear.analysed(), ear.dropped(), time.monotonic()
    time.sleep(seconds)
    # Both ends of the count are as old as the heartbeats, so their age cancels out.
    took_s = time.monotonic() - began_s
    return (ear.analysed() - analysed) / (ANALYSED_FPS * took_s), ear.dropped() - dropped


def _make_reports(ends: threading.Event, made_s: list[float]) -> None:
    making, order = Making(), an_order()
    while not ends.is_set():
        began_s = time.monotonic()
        making.make(order)
        made_s.append(time.monotonic() - began_s)


def an_order() -> Order:
    """A year of a busy store, every chart in it."""
    chance = np.random.default_rng(1)
    asked = questions.question(TODAY, "365d", "", "", "", "all", "")
    shapes = ((3, 24), (3, 6), (3, 7))
    hours, dwell, ages = (chance.integers(5, 60, (DAYS, *shape)) for shape in shapes)
    counts = Counts(asked.first, hours, dwell, ages, chance.integers(0, 4, DAYS))
    cameras = {name: chance.integers(10, 400, (DAYS, 3)) for name in ("Entrance", "Till", "Back door")}
    answered = tables.answered(asked, counts, cameras)
    return paper.report(asked, [chart(answered) for chart in tables.CHARTS.values()], [], "Bench", str(TODAY), "")
