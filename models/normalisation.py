"""Pixels to the numbers a net was trained on. It differs per model, and a wrong one costs accuracy without a word."""

from __future__ import annotations

import cv2
import numpy as np

from models.faces import Floats, Pictures
from models.manifest import Normalisation

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
STEPS: dict[Normalisation, tuple[tuple[np.ufunc, np.float32 | Floats], ...]] = {
    "bgr_0_255": (),
    "rgb_0_255": (),
    "rgb_minus_127.5_over_127.5": ((np.subtract, np.float32(127.5)), (np.divide, np.float32(127.5))),
    "rgb_minus_127.5_over_128": ((np.subtract, np.float32(127.5)), (np.divide, np.float32(128))),
    # (x / 255 - mean) / deviation, folded into one multiplication and one addition.
    "rgb_imagenet": (
        (np.multiply, np.asarray(1 / (255 * IMAGENET_DEVIATION), np.float32)[:, None, None]),
        (np.add, np.asarray(-IMAGENET_MEAN / IMAGENET_DEVIATION, np.float32)[:, None, None]),
    ),
}
"""What is done to each pixel."""


def normalised(pictures: Pictures, scheme: Normalisation) -> Floats:
    """N pictures (H, W, 3) BGR 0..255 uint8 of one size to (N, 3, H, W) float32 in the scheme's channel order and range.

    OpenCV 5's blobFromImage does the same in twenty times the time.
    """
    if not len(pictures):
        return np.zeros((0, 3, *np.shape(pictures)[1:3]), np.float32)
    height, width = pictures[0].shape[:2]
    out = np.empty((len(pictures), 3, height, width), np.float32)
    apart = np.empty((3, height, width), np.uint8)
    # Into memory that is there: leaving it to OpenCV to make each plane takes three times as long.
    channels = list(apart if scheme == "bgr_0_255" else apart[::-1])
    steps = STEPS.get(scheme, ())
    # One picture through all steps, then the next: it stays in the processor's cache.
    for place, picture in zip(out, pictures, strict=True):
        cv2.split(picture, channels)
        np.copyto(place, apart)
        for step, by in steps:
            step(place, by, out=place)
    return _standardised(out) if scheme == "per_image_standardisation" else out


def _standardised(pixels: Floats) -> Floats:
    """FaceNet's: each picture to mean 0 and deviation 1, with the deviation of a flat picture bounded as TensorFlow does."""
    mean = pixels.mean(axis=(1, 2, 3), keepdims=True)
    deviation = pixels.std(axis=(1, 2, 3), keepdims=True)
    return np.asarray((pixels - mean) / np.maximum(deviation, np.float32(1 / np.sqrt(pixels[0].size))), np.float32)
