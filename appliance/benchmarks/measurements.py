"""The measurements by name, each as a value that can be handed to a process of its own, and how long it may take there.

Each has a process to itself: one's memory, threads and cores are nothing to the next.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from appliance.errors import RegularsError

NAMES = ("overhead", "frame_rate", "cameras", "memory", "gallery", "pages", "report_beside")
REPLY = "reply "
"""Begins the one line of a measurement's output that is its answer; libraries may print others."""


class Order(msgspec.Struct, frozen=True):
    """`model_folders` as in messages.Start. `quick`: small sizes, to see that all of it works; its figures are worth little."""

    name: str
    pack: str
    model_folders: list[str]
    video: str
    quick: bool = False
    minutes: float = 10.0


class MeasurementFailed(RegularsError):
    """A measurement ended without an answer."""


Values = dict[str, object]


def time_limit_s(order: Order) -> float:
    """Generous: a slow machine shall get its figure, a hang shall not last for ever."""
    return {"memory": order.minutes * 60 + 300, "cameras": 900.0, "pages": 1_200.0}.get(order.name, 600.0)


def measured_apart(order: Order) -> Values:
    """Runs the measurement in a process of its own. Raises MeasurementFailed with what that said last."""
    command = [sys.executable, "-m", "appliance.benchmarks", msgspec.json.encode(order).decode()]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=time_limit_s(order), check=False)
    except subprocess.TimeoutExpired:
        raise MeasurementFailed(f"the measurement {order.name!r} was not done after {time_limit_s(order):.0f} s") from None
    for line in answer.stdout.splitlines():
        if line.startswith(REPLY):
            return msgspec.json.decode(line[len(REPLY) :], type=Values)
    said = answer.stderr.strip().splitlines() or [f"it ended with code {answer.returncode} and said nothing"]
    raise MeasurementFailed(f"the measurement {order.name!r} failed: {said[-1]}")


def measured(order: Order) -> Values:
    """Runs the measurement here. Its libraries are imported only now: the memory of one must not hold those of the others."""
    from appliance.benchmarks.shop import require_pack, weights_in

    weights = weights_in(order.model_folders)
    require_pack(weights, order.pack)
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as folder:
        return _MEASUREMENTS[order.name](order, Path(folder))


def _overhead(order: Order, folder: Path) -> Values:
    from appliance.benchmarks.overhead import measure_overhead
    from appliance.benchmarks.shop import weights_in

    found = measure_overhead(Path(order.video), order.pack, weights_in(order.model_folders), folder, 100 if order.quick else 1000)
    return {"pipeline_over_bare": found.pipeline_over_bare, "overhead": msgspec.to_builtins(found)}


def _frame_rate(order: Order, folder: Path) -> Values:
    from appliance.benchmarks.frame_rate import measure_frame_rate
    from appliance.benchmarks.shop import weights_in

    found = measure_frame_rate(Path(order.video), order.pack, weights_in(order.model_folders), 100 if order.quick else 800)
    return {"fps_over_insightface": found.fps_over_insightface, "frame_rate": msgspec.to_builtins(found)}


def _cameras(order: Order, folder: Path) -> Values:
    from appliance.benchmarks.cameras import STEPS, measure_capacity
    from appliance.benchmarks.shop import weights_in

    steps, seconds = ((2,), 8.0) if order.quick else (STEPS, 25.0)
    found = measure_capacity(
        Path(order.video), order.pack, weights_in(order.model_folders), order.model_folders, folder, seconds, steps
    )
    return {
        "cameras_5fps_2cores": found.cameras_5fps_2cores,
        "face_to_log_p95_s": found.face_to_log_p95_s,
        "cameras": msgspec.to_builtins(found),
    }


def _memory(order: Order, folder: Path) -> Values:
    from appliance.benchmarks.memory import measure_memory
    from appliance.benchmarks.shop import weights_in

    seconds, warm_up_s, sample_s = (6.0, 2.0, 1.0) if order.quick else (60 * order.minutes, 60.0, 5.0)
    found = measure_memory(
        Path(order.video), order.pack, weights_in(order.model_folders), order.model_folders, folder, seconds, warm_up_s, sample_s
    )
    return {"rss_mb": found.rss_mb, "rss_growth_mb_10min": found.rss_growth_mb_10min, "memory": msgspec.to_builtins(found)}


def _gallery(order: Order, folder: Path) -> Values:
    from appliance.benchmarks.gallery_search import measure_search
    from appliance.benchmarks.shop import weights_in

    manifest = weights_in(order.model_folders).manifest()
    size = manifest.embedder(manifest.pack(order.pack)).output_size
    probes = 20 if order.quick else 200
    searches = [measure_search(templates, one, probes) for one in sorted({128, size}) for templates in (10_000, 100_000)]
    small, large = (next(s for s in searches if s.size == size and s.templates == count) for count in (10_000, 100_000))
    return {
        "gallery_ms_10k": small.ms,
        "gallery_ms_100k": large.ms,
        "gallery_recall_100k": large.recall,
        "gallery": msgspec.to_builtins(searches),
    }


def _pages(order: Order, folder: Path) -> Values:
    from appliance.benchmarks.pages import DAYS, PEOPLE, ROUNDS, VISITS, measure_pages

    sizes = (5_000, 1_000, 60, 3) if order.quick else (VISITS, PEOPLE, DAYS, ROUNDS)
    found = measure_pages(folder, order.pack, order.model_folders, *sizes)
    return {"page_ms_p50": found.slowest_p50_ms, "page_ms_p95": found.slowest_p95_ms, "pages": msgspec.to_builtins(found)}


def _report_beside(order: Order, folder: Path) -> Values:
    from appliance.benchmarks.report_beside import measure_beside
    from appliance.benchmarks.shop import weights_in

    seconds = 6.0 if order.quick else 40.0
    found = measure_beside(Path(order.video), order.pack, weights_in(order.model_folders), order.model_folders, folder, seconds)
    return {"report_frames_lost": found.frames_lost, "report_beside": msgspec.to_builtins(found)}


_MEASUREMENTS: dict[str, Callable[[Order, Path], Values]] = {
    "overhead": _overhead,
    "frame_rate": _frame_rate,
    "cameras": _cameras,
    "memory": _memory,
    "gallery": _gallery,
    "pages": _pages,
    "report_beside": _report_beside,
}
