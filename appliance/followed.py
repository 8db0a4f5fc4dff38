"""When a face that is followed is worth telling of: it moved, and it was seen twice. The same for a camera that recognises and one that
only counts.
"""

from __future__ import annotations

from appliance.tracks import SURE, Detection, Track
from models.detect import Detector

TRAVEL_MIN = 0.35
"""Widths that a face must go to be a visitor's. A poster's box trembles by less than 0.15; a step is more than 1."""
SHOTS_TO_OPEN = 2
APART_MS_MIN = 200
"""Two shots nearer in time than this are one look."""
FIXTURE_MS = 8000
"""A face that has not moved for this long is part of the room: no embedding is spent on it."""


def fixture(track: Track) -> bool:
    return track.travel < TRAVEL_MIN and track.seen_ms - track.began_ms > FIXTURE_MS


def detection_of(box: list[float], score: float) -> Detection:
    """box: x1 y1 x2 y2 in pixels."""
    x1, y1, x2, y2 = box
    return Detection((x1 + x2) / 2, (y1 + y2) / 2, max(x2 - x1, 1.0), max(y2 - y1, 1.0), score)


def sure_of(detector: Detector) -> float:
    """Score from which a face may begin a track."""
    return max(SURE, detector.score_min)
