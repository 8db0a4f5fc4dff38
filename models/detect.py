"""What every face detector here shares: how a picture is brought to the net's size, and non-maximum suppression.

A detector is given any picture and returns faces in that picture's own pixels, best first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

from models.faces import Faces, Floats, Picture, Pictures

STRIDE = 32
"""The nets halve five times: both sides must be multiples of 32."""
CANDIDATES_MAX = 400
"""Boxes that enter suppression: far more than people fit before one camera; a picture of pure noise may not cost a second."""
INSIDE_MAX = 0.8
"""Share of a box that may lie in a better one's: heads are not transparent, a face inside a face is the same one at another size. The
starter detector finds many twice so; two people who cross come to 0.7."""
AREA_BELOW = 0.4
"""A picture made smaller than this has each of its pixels count; above, the four nearest of each new one do."""
FAINT = 0.7
"""Share of a detector's lowest score at which a face may still continue a track that a better one began."""


class Detector(Protocol):
    """`score_min`: the lowest score of what it calls a face."""

    model: str
    score_min: float

    def detect(self, picture: Picture, side_px: int, *, faint: bool = False) -> Faces:
        """Faces of one (H, W, 3) BGR picture, looked at with its longer side scaled to `side_px`; with the `faint` ones if wanted."""
        ...

    def detect_crops(self, crops: Pictures) -> list[Faces]:
        """Faces of N BGR crops (S, S, 3) of one size (S a multiple of 32), in one run."""
        ...


class Canvas:
    """Where one picture after the other is made ready for a net: in the same memory, which takes a quarter less time. height, width: of
    the picture on it; beyond that it is black, to multiples of 32. For one thread at a time."""

    def __init__(self, height: int, width: int) -> None:
        self._whole = np.zeros((round_up(height), round_up(width), 3), np.uint8)
        self._inside = self._whole[:height, :width]

    def pictures(self, picture: Picture) -> Picture:
        """(1, H, W, 3) of any picture (H, W, 3). Good until the next one."""
        _resized(picture, self._inside)
        return self._whole[None]


def fitted(picture: Picture, side_px: int) -> tuple[Picture, float]:
    """The picture with its longer side at `side_px`, padded with black to multiples of 32 at the right and below, and the scale applied."""
    (height, width), scale = fit(picture, side_px)
    padded = np.zeros((round_up(height), round_up(width), 3), np.uint8)
    _resized(picture, padded[:height, :width])
    return padded, scale


def fit(picture: Picture, side_px: int) -> tuple[tuple[int, int], float]:
    """Height and width of the picture with its longer side at `side_px`, and the scale."""
    height, width = picture.shape[:2]
    scale = side_px / max(height, width)
    return (max(1, round(height * scale)), max(1, round(width * scale))), scale


def _resized(picture: Picture, into: Picture) -> None:
    height, width = into.shape[:2]
    if picture.shape == into.shape:
        into[:] = picture
    else:
        much = max(height, width) < AREA_BELOW * max(picture.shape[:2])
        cv2.resize(picture, (width, height), dst=into, interpolation=cv2.INTER_AREA if much else cv2.INTER_LINEAR)


def round_up(side: int) -> int:
    return -(-side // STRIDE) * STRIDE


def suppressed(faces: Faces, iou_max: float) -> Faces:
    """Greedy non-maximum suppression; best first."""
    return faces.take(np.array(unsuppressed(faces.boxes, faces.scores, iou_max), np.intp))


def unsuppressed(boxes: Floats, scores: Floats, iou_max: float) -> list[int]:
    """Which of (N, 4) boxes with (N,) scores stay, best first."""
    # A frame has some thirty, nine to a face: with so few, plain numbers are quicker than arrays.
    corners = boxes.tolist()
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in corners]
    kept: list[int] = []
    for one in np.argsort(-scores, kind="stable")[:CANDIDATES_MAX].tolist():
        box, area = corners[one], areas[one]
        left, _, right, _ = box
        for better in kept:
            other = corners[better]
            if other[2] <= left or other[0] >= right:
                continue
            both = shared(box, other)
            if both > iou_max * (area + areas[better] - both) or both > INSIDE_MAX * min(area, areas[better]):
                break
        else:
            kept.append(one)
    return kept


def shared(a: Sequence[float], b: Sequence[float]) -> float:
    """Area in both of two boxes x1 y1 x2 y2; one that is inside out has none."""
    ax1, ay1, ax2, ay2 = a
    bx1, by1, bx2, by2 = b
    width = (ax2 if ax2 < bx2 else bx2) - (ax1 if ax1 > bx1 else bx1)
    if width <= 0:
        return 0.0
    height = (ay2 if ay2 < by2 else by2) - (ay1 if ay1 > by1 else by1)
    return width * height if height > 0 else 0.0
