"""The motion gate: a still picture costs nothing. Looks at some 14,000 points of a frame, never at its 900,000.

Errs to the open side: noise, slow light and the whole picture getting brighter are not motion; anything else local is, but for what moves
in a zone that is ignored anyway: a street behind the door would keep the gate open all day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from appliance.camera.zones import Zone
from models.faces import Picture

POINTS_WIDE = 160
"""Points a row. At 1280 px that is one in 8 px: a face of 40 px covers 25 points."""
BLUR = (5, 5)
"""Over points: takes noise of 8 grey levels, a dark shop's, down to under 2."""
CHANGE_LEVELS = 10.0
"""Grey levels, after the blur, that a point must differ by: 4 times the difference of two noisy frames."""
POINTS_SHARE = 0.0006
"""Share of the points that must have changed: 8 of 14,400, less than a third of a small face."""
LEARNING_RATE = 0.05
"""For each frame. How fast the background follows: what was put down and stays is background after some 10 s at 5 fps."""
FORCE_MS = 2000
"""At least one frame is looked at in this time, whatever the gate thinks."""
BUSY_EVERY_MS = 1000
"""While somebody is being followed every frame is looked at anyway; the gate only keeps its background up to date, as often as this."""
BUSY_LEARNING_RATE = 0.2
LINGER_MS = 1000
"""The gate stays open this long after the last motion: somebody who stops to look is still there."""


class MotionGate:
    """Say for each due frame whether it is worth looking at."""

    def __init__(self, ignored: Sequence[Zone] = ()) -> None:
        self._ignored = ignored
        self._looked_at: npt.NDArray[np.bool_] | None = None
        """(H, W) of the points; None: all are."""
        self._background: npt.NDArray[np.float32] | None = None
        self._moved_ms = -FORCE_MS
        self._opened_ms: int | None = None
        self._compared_ms: int | None = None

    def open(self, picture: Picture, taken_ms: int, busy: bool) -> bool:
        """`busy`: somebody is being followed; their not moving must not lose them. picture: (H, W, 3) uint8 BGR, any size."""
        compared_ms = self._compared_ms
        if not busy or compared_ms is None or not compared_ms <= taken_ms < compared_ms + BUSY_EVERY_MS:
            self._compared_ms = taken_ms
            if self._moved(picture, BUSY_LEARNING_RATE if busy else LEARNING_RATE):
                self._moved_ms = taken_ms
        last_ms = self._opened_ms
        opens = (
            busy
            or last_ms is None
            or not last_ms <= taken_ms < last_ms + FORCE_MS  # Also when the clock was set back.
            or taken_ms - self._moved_ms < LINGER_MS
        )
        if opens:
            self._opened_ms = taken_ms
        return opens

    def _moved(self, picture: Picture, rate: float) -> bool:
        height, width = picture.shape[:2]
        step = max(1, math.ceil(width / POINTS_WIDE))
        top, left = min(step // 2, height - 1), min(step // 2, width - 1)
        # The green channel at every step-th point: a strided copy, so that the rest of the picture is not even read.
        points = cv2.blur(np.ascontiguousarray(picture[top::step, left::step, 1]), BLUR).astype(np.float32)
        background = self._background
        if background is None or background.shape != points.shape:
            self._background = points
            self._looked_at = outside(self._ignored, *points.shape) if self._ignored else None
            return True
        change = cv2.subtract(points, background)
        cv2.accumulateWeighted(points, background, rate)
        # A lamp or the camera's exposure moves all points alike; taking the mean away leaves what moved by itself.
        counted = change if self._looked_at is None else change[self._looked_at]
        if not counted.size:
            return False
        alone = np.abs(counted - np.float32(counted.mean()))
        return bool(np.count_nonzero(alone > CHANGE_LEVELS) > POINTS_SHARE * change.size)


def outside(zones: Sequence[Zone], height: int, width: int) -> npt.NDArray[np.bool_]:
    """(H, W) which points of so many rows and columns lie in no zone."""
    covered = np.zeros((height, width), np.uint8)
    for zone in zones:
        corners = np.array(zone, np.float64) * (width, height) - 0.5
        cv2.fillPoly(covered, [np.round(corners).astype(np.int32)], 1)
    return np.equal(covered, 0)
