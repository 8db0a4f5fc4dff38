"""What every face detector here shares: how a picture is brought to the net's size, and non-maximum suppression.

A detector is given any picture and returns faces in that picture's own pixels, best first.
"""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

from models.faces import Faces, Floats, Picture

STRIDE = 32
"""The nets halve five times: both sides must be multiples of 32."""
CANDIDATES_MAX = 400
"""Boxes that enter suppression: far more than people fit before one camera; a picture of pure noise may not cost a second."""


FAINT = 0.7
"""Share of a detector's lowest score at which a face may still continue a track that a better one began."""


class Detector(Protocol):
    """`score_min`: the lowest score of what it calls a face."""

    model: str
    score_min: float

    def detect(self, picture: Picture, side_px: int, *, faint: bool = False) -> Faces:
        """Faces of one (H, W, 3) BGR picture, looked at with its longer side scaled to `side_px`; with the `faint` ones if wanted."""
        ...

    def detect_crops(self, crops: Picture) -> list[Faces]:
        """Faces of (N, S, S, 3) BGR crops of one size (S a multiple of 32), in one run."""
        ...


def fitted(picture: Picture, side_px: int) -> tuple[Picture, float]:
    """The picture with its longer side at `side_px`, padded with black to multiples of 32 at the right and below, and the scale applied."""
    height, width = picture.shape[:2]
    scale = side_px / max(height, width)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    padded = np.zeros((round_up(new_height), round_up(new_width), 3), np.uint8)
    inside = padded[:new_height, :new_width]
    if (new_height, new_width) == (height, width):
        inside[:] = picture
    else:
        cv2.resize(picture, (new_width, new_height), dst=inside, interpolation=cv2.INTER_AREA if scale < 0.4 else cv2.INTER_LINEAR)
    return padded, scale


def planes(picture: Picture, *, rgb: bool = False) -> Floats:
    """(H, W, 3) BGR uint8 to (1, 3, H, W) float32 0..255. OpenCV 5's blobFromImage does the same in twenty times the time."""
    out = np.empty((1, 3, *picture.shape[:2]), np.float32)
    channels = cv2.split(picture)
    for place, channel in enumerate(channels[::-1] if rgb else channels):
        out[0, place] = channel
    return out


def round_up(side: int) -> int:
    return -(-side // STRIDE) * STRIDE


def suppressed(faces: Faces, iou_max: float) -> Faces:
    """Greedy non-maximum suppression; best first."""
    if len(faces) < 2:
        return faces
    faces = faces.take(np.argsort(-faces.scores, kind="stable")[:CANDIDATES_MAX])
    overlap = iou(faces.boxes, faces.boxes)
    keep = np.ones(len(faces), bool)
    for i in range(len(faces)):
        if keep[i]:
            keep[i + 1 :] &= overlap[i, i + 1 :] <= iou_max
    return faces.take(keep)


def iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union of (N, 4) and (M, 4) boxes: (N, M)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inside = _area(high - low)
    union = _area(a[:, 2:] - a[:, :2])[:, None] + _area(b[:, 2:] - b[:, :2])[None] - inside
    return np.asarray(inside / np.maximum(union, 1e-9), np.float32)


def _area(sides: Floats) -> Floats:
    """Of (..., 2) widths and heights; 0 where one is negative."""
    held = np.maximum(sides, 0)
    return np.asarray(held[..., 0] * held[..., 1], np.float32)
