"""The report: the figures that were asked for, each beside its goal, and the file they are kept in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from appliance.benchmarks.measurements import Values
from appliance.errors import RegularsError
from appliance.files import write_whole


@dataclass(frozen=True, slots=True)
class Goal:
    """`limit` None: a figure to know, without a goal."""

    key: str
    words: str
    side: Literal["at most", "at least", "under"] = "at most"
    limit: float | None = None
    unit: str = ""

    def met(self, value: float) -> bool | None:
        if self.limit is None:
            return None
        return {"at most": value <= self.limit, "at least": value >= self.limit, "under": value < self.limit}[self.side]

    def wanted(self) -> str:
        return "-" if self.limit is None else f"{self.side} {self.limit:g}{self.unit}"


GROWTH_MB_MAX = 2.0
"""In ten minutes: below what an allocator's pools wander by themselves. A frame kept by mistake each minute would be 27 MB."""

GOALS = (
    Goal("pipeline_over_bare", "whole pipeline over its nets alone", "at most", 1.15),
    Goal("fps_over_insightface", "frames a second over InsightFace's way", "at least", 2.0),
    Goal("cameras_5fps_2cores", "cameras at 5 fps on two cores", "at least", 12),
    Goal("face_to_log_p95_s", "face to visit log, 95 of 100", "under", 1.0, " s"),
    Goal("rss_mb", "memory, main and one camera", unit=" MB"),
    Goal("rss_growth_mb_10min", "its growth in ten minutes", "at most", GROWTH_MB_MAX, " MB"),
    Goal("gallery_ms_10k", "search among 10,000 templates", unit=" ms"),
    Goal("gallery_ms_100k", "search among 100,000 templates", unit=" ms"),
    Goal("gallery_recall_100k", "named as by exhaustive search", "at least", 1.0),
    Goal("page_ms_p50", "slowest page, a million visits, 50 of 100", "under", 100.0, " ms"),
    Goal("page_ms_p95", "slowest page, 95 of 100", unit=" ms"),
    Goal("report_frames_lost", "frames not analysed because of a report", "at most", 0.01),
)


class ReportTrouble(RegularsError):
    """The report cannot be written."""


def rows(values: Mapping[str, object]) -> list[tuple[str, str, str, str]]:
    """What was measured: in words, the figure, the goal, and whether it is met (nothing is said of a quick run's figures)."""
    found = []
    for goal in GOALS:
        value = values.get(goal.key)
        if isinstance(value, int | float):
            met = None if values.get("quick") else goal.met(value)
            found.append((goal.words, f"{value:g}{goal.unit}", goal.wanted(), "" if met is None else "yes" if met else "NO"))
    return found


def plain(values: Values) -> Values:
    """As it stands in the file."""
    found: Values = msgspec.to_builtins(values)
    return found


def write(path: Path, values: Values) -> None:
    """Raises ReportTrouble."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, msgspec.json.format(msgspec.json.encode(values), indent=2) + b"\n")
    except OSError as error:
        raise ReportTrouble(f"the report cannot be written to {path}: {error.strerror}") from error
