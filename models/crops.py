"""The piece of a picture that each kind of model wants to see of a face. Outside the picture is black."""

from __future__ import annotations

import cv2
import numpy as np

from models.align import align
from models.faces import Floats, Picture
from models.manifest import EmbedderSpec


def embedder_crop(picture: Picture, box: Floats, points: Floats, spec: EmbedderSpec) -> Picture:
    """The (S, S, 3) crop for an embedder: (4,) box x1 y1 x2 y2 and (5, 2) points in pixels of the picture."""
    if spec.alignment == "arcface_112":
        return align(picture, points, spec.input_side)
    return square_crop(picture, box, 1 + spec.margin, spec.input_side)


def square_crop(picture: Picture, box: Floats, scale: float, side_px: int) -> Picture:
    """(side, side, 3): a square about the box's middle, `scale` times its longer side."""
    x1, y1, x2, y2 = (float(v) for v in box)
    side = max(x2 - x1, y2 - y1, 1.0) * scale
    zoom = side_px / side
    left, top = (x1 + x2 - side) / 2, (y1 + y2 - side) / 2
    # Pixel centres: the square's corner at (left, top) becomes the corner of the first pixel.
    matrix = np.array([[zoom, 0, (0.5 - left) * zoom - 0.5], [0, zoom, (0.5 - top) * zoom - 0.5]], np.float32)
    return np.asarray(cv2.warpAffine(picture, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR), np.uint8)


def surroundings_crop(picture: Picture, box: Floats, scale: float, side_px: int) -> Picture:
    """(side, side, 3): the box enlarged `scale` times, less where the picture is too small for it, and moved to lie inside the picture.

    Source: minivision-ai/Silent-Face-Anti-Spoofing, which trained its liveness nets on such crops.
    """
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = (float(v) for v in box)
    box_width, box_height = max(x2 - x1, 1.0), max(y2 - y1, 1.0)
    scale = min(scale, (width - 1) / box_width, (height - 1) / box_height)
    crop_width, crop_height = max(box_width * scale, 1.0), max(box_height * scale, 1.0)
    left = min(max((x1 + x2 - crop_width) / 2, 0), max(width - 1 - crop_width, 0))
    top = min(max((y1 + y2 - crop_height) / 2, 0), max(height - 1 - crop_height, 0))
    crop = picture[int(top) : int(top + crop_height) + 1, int(left) : int(left + crop_width) + 1]
    return np.asarray(cv2.resize(crop, (side_px, side_px)), np.uint8)
