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
    mean_s, mean_t = source.mean(0), target.mean(0)
    s, t = source - mean_s, target - mean_t
    spread = float((s * s).sum())
    if spread < 1e-6:
        raise ValueError("the five points of a face lie on one spot: it cannot be aligned")
    a = float((s * t).sum()) / spread
    b = float((s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0]).sum()) / spread
    turn = np.array([[a, -b], [b, a]], np.float32)
    return np.concatenate([turn, (mean_t - turn @ mean_s)[:, None]], axis=1).astype(np.float32)
