"""Which faces are good enough to recognise by, and why not.

Faces too small, blurred, dark or turned away do not give a random embedding but one that resembles other such faces: they must be
kept out, for no bar sorts them out later.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models.faces import Faces, Picture

HEAD = 0.2
"""Hair, ears and chin reach this share of the box's size beyond it."""


class Flaw(enum.Enum):
    SMALL = "too small"
    CUT = "cut by the picture's edge"
    COVERED = "covered by another face"
    UNSURE = "detector unsure"
    TURNED = "turned away"
    DARK = "too dark"
    BRIGHT = "too bright"
    BLURRED = "too blurred"


@dataclass(frozen=True, slots=True)
class Gate:
    """Limits of acceptance. Sharpness is that of the 112 px crop, so that it does not depend on the distance."""

    width_px_min: float = 40.0
    score_min: float = 0.6
    turn_max: float = 0.8
    """Nose's way from the middle between the eyes, in half eye distances; a face in profile is at 1."""
    light_min: float = 35.0
    light_max: float = 225.0
    sharpness_min: float = 14.0
    covered_max: float = 0.12
    """Share of the face under another face's box."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`value` 0..1: how much the face counts among the shots of its track; 0 for a flaw."""

    value: float
    flaw: Flaw | None


def at_a_glance(faces: Faces, height: int, width: int, gate: Gate) -> list[Flaw | None]:
    """What is wrong with each face as far as its box, score and points tell: cheap, before any crop is cut."""
    flaws: list[Flaw | None] = []
    boxes = faces.boxes.tolist()
    for i, ((x1, y1, x2, y2), score) in enumerate(zip(boxes, faces.scores.tolist(), strict=True)):
        if x2 - x1 < gate.width_px_min:
            flaws.append(Flaw.SMALL)
        elif x1 < 1 or y1 < 1 or x2 > width - 1 or y2 > height - 1:
            flaws.append(Flaw.CUT)
        elif score < gate.score_min:
            flaws.append(Flaw.UNSURE)
        elif covered(i, boxes) > gate.covered_max:
            flaws.append(Flaw.COVERED)
        elif turn(faces.points[i]) > gate.turn_max:
            flaws.append(Flaw.TURNED)
        else:
            flaws.append(None)
    return flaws


def judge(crop: Picture, points: np.ndarray, width_px: float, score: float, gate: Gate) -> Verdict:
    """Of an aligned (S, S, 3) crop of a face that passed the glance: light, sharpness, and how much it counts."""
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    side = grey.shape[0]
    face = grey[side // 5 : -side // 8, side // 6 : -side // 6]
    light = cv2.mean(face)[0]
    if light < gate.light_min:
        return Verdict(0, Flaw.DARK)
    if light > gate.light_max:
        return Verdict(0, Flaw.BRIGHT)
    sharp = sharpness(face)
    if sharp < gate.sharpness_min:
        return Verdict(0, Flaw.BLURRED)
    size = min(1.0, width_px / 112)
    front = 1 - 0.6 * min(1.0, turn(points))
    return Verdict(size * front * min(1.0, score) * min(1.0, 0.5 + sharp / 200), None)


def sharpness(grey: np.ndarray) -> float:
    """Variance of the Laplacian of a (H, W) grey picture: near 0 for a blurred one. Source: Pech-Pacheco et al., 2000."""
    deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1]
    return float(deviation[0, 0]) ** 2


def turn(points: np.ndarray) -> float:
    """How far (5, 2) points say the head is turned to a side: 0 looks at the camera, 1 is a profile."""
    (left_x, left_y), (right_x, right_y), (nose_x, nose_y) = points[:3].tolist()
    across_x, across_y = right_x - left_x, right_y - left_y
    squared = across_x * across_x + across_y * across_y
    if squared < 1e-6:
        return 1.0
    return float(2 * abs((nose_x - (left_x + right_x) / 2) * across_x + (nose_y - (left_y + right_y) / 2) * across_y) / squared)


def covered(which: int, boxes: Sequence[Sequence[float]]) -> float:
    """Share of one face's box that lies under any one nearer (larger) face, whose head is larger than its box."""
    x1, y1, x2, y2 = boxes[which]
    area = (x2 - x1) * (y2 - y1)
    most = 0.0
    for left, top, right, bottom in boxes:
        size_x, size_y = right - left, bottom - top
        if size_x * size_y <= area:
            continue
        width = min(x2, right + HEAD * size_x) - max(x1, left - HEAD * size_x)
        height = min(y2, bottom + HEAD * size_y) - max(y1, top - HEAD * size_y)
        if width > 0 and height > 0:
            most = max(most, width * height)
    return most / max(area, 1e-6)
