"""Five points to an upright face crop of the size and place that embedders were trained on.

Source of the template: InsightFace, "ArcFace" (Deng et al., 2019), five points in 112x112 pixels.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from models.faces import Floats, Picture

ARCFACE_POINTS = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32)
"""(5, 2) x y: left eye, right eye (as seen), nose, left and right mouth corner."""


def align(picture: Picture, points: Floats, side_px: int = 112) -> Picture:
    """The (side, side, 3) crop in which (5, 2) `points` of the picture lie nearest to the template. Outside the picture is black."""
    matrix = similarity(points, _template(side_px))
    left, top, right, bottom = _needed(matrix, side_px, picture.shape[0], picture.shape[1])
    if left >= right or top >= bottom:
        return np.zeros((side_px, side_px, 3), np.uint8)
    matrix[:, 2] += matrix[:, :2] @ np.array([left, top], np.float32)
    # OpenCV warps four channels in half the time of three, to the same values.
    piece = cv2.cvtColor(picture[top:bottom, left:right], cv2.COLOR_BGR2BGRA)
    return np.asarray(cv2.cvtColor(cv2.warpAffine(piece, matrix, (side_px, side_px)), cv2.COLOR_BGRA2BGR), np.uint8)


def _needed(matrix: Floats, side_px: int, height: int, width: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the part of the picture that lands in the crop, and a pixel around it to mix with."""
    (a, _, x), (b, _, y) = matrix.tolist()
    squared = a * a + b * b
    off_x, off_y = side_px / 2 - x, side_px / 2 - y
    middle_x, middle_y = (a * off_x + b * off_y) / squared, (a * off_y - b * off_x) / squared
    reach = (abs(a) + abs(b)) / squared * side_px / 2 + 2
    left, top = max(0, math.floor(middle_x - reach)), max(0, math.floor(middle_y - reach))
    return left, top, min(width, math.ceil(middle_x + reach)), min(height, math.ceil(middle_y + reach))


@lru_cache(maxsize=4)
def _template(side_px: int) -> Floats:
    return ARCFACE_POINTS * np.float32(side_px / 112)


def similarity(source: Floats, target: Floats) -> Floats:
    """The (2, 3) rotation, scale and shift that takes (N, 2) source nearest to target in the least squares sense, without mirroring.

    Source: Umeyama, "Least-squares estimation of transformation parameters between two point patterns", 1991; in two dimensions the
    solution is a closed form with a = scale * cos, b = scale * sin.
    """
    # Five points: plain numbers are quicker than arrays of them.
    s, t = source.tolist(), target.tolist()
    n = len(s)
    sx, sy, tx, ty = sum(x for x, _ in s) / n, sum(y for _, y in s) / n, sum(x for x, _ in t) / n, sum(y for _, y in t) / n
    spread = a = b = 0.0
    for (x, y), (u, v) in zip(s, t, strict=True):
        x, y, u, v = x - sx, y - sy, u - tx, v - ty
        spread += x * x + y * y
        a += x * u + y * v
        b += x * v - y * u
    if spread < 1e-6:
        raise ValueError("the five points of a face lie on one spot: it cannot be aligned")
    a, b = a / spread, b / spread
    return np.array([[a, -b, tx - a * sx + b * sy], [b, a, ty - b * sx - a * sy]], np.float32)
