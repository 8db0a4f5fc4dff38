"""Five points to an upright face crop of the size and place that embedders were trained on.

Source of the template: InsightFace, "ArcFace" (Deng et al., 2019), five points in 112x112 pixels.
"""

from __future__ import annotations

import cv2
import numpy as np

from models.faces import Floats, Picture

ARCFACE_POINTS = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32)
"""(5, 2) x y: left eye, right eye (as seen), nose, left and right mouth corner."""


def align(picture: Picture, points: Floats, side_px: int = 112) -> Picture:
    """The (side, side, 3) crop in which (5, 2) `points` of the picture lie nearest to the template. Outside the picture is black."""
    matrix = similarity(points, ARCFACE_POINTS * (side_px / 112))
    return np.asarray(cv2.warpAffine(picture, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR), np.uint8)


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
