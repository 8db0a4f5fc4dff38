"""The ceiling of an evaluation: the same shots, decisions and log, on tracks taken from the truth instead of followed."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.scenario import Truth, overlap
from appliance.tracks import Detection, Likeness, Track, Tracker

NEVER_ASKED = Likeness(stranger=-1.0, resembles=-1.0, acquainted=1.0)
SHOWS = 0.3
"""Intersection over union from which a detection shows the face in a true box."""


class TruthTracker(Tracker):
    """A tracker that looks the answer up. Times are milliseconds since the video's first frame."""

    def __init__(self, truth: Truth) -> None:
        super().__init__(lambda: "", NEVER_ASKED)
        self._truth = truth
        self._by_visit: dict[int, Track] = {}

    def alone(self, detections: Sequence[Detection], at_ms: int) -> list[Track | None]:
        return [None] * len(detections)

    def update(self, detections: Sequence[Detection], at_ms: int) -> list[Track | None]:
        found: list[Track | None] = [None] * len(detections)
        for index, visit in enumerate(self._truth.visits):
            box = visit.box_at(at_ms / 1000)
            if box is None or not detections:
                continue
            shown = [overlap(box, _box(d)) for d in detections]
            best = max(range(len(detections)), key=shown.__getitem__)
            if shown[best] >= SHOWS and found[best] is None:
                found[best] = self._track_of(index, detections[best], at_ms)
        for detection, track in zip(detections, found, strict=True):
            if track:
                self.follow(track, detection, at_ms)
        self.remember_who_met(found, detections)
        return found

    def _track_of(self, index: int, detection: Detection, at_ms: int) -> Track:
        if index not in self._by_visit:
            self._by_visit[index] = self.begin(detection, at_ms)
            self._by_visit[index].id = f"truth-{index:04d}"
        return self._by_visit[index]


def _box(detection: Detection) -> tuple[float, float, float, float]:
    half_width, half_height = detection.width / 2, detection.height / 2
    return detection.x - half_width, detection.y - half_height, detection.x + half_width, detection.y + half_height
