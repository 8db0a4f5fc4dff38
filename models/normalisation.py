"""Pixels to the numbers a net was trained on. It differs per model, and a wrong one costs accuracy without a word."""

from __future__ import annotations

import numpy as np

from models.faces import Floats, Picture
from models.manifest import Normalisation

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


def normalised(crops: Picture, scheme: Normalisation) -> Floats:
    """(N, S, S, 3) BGR 0..255 uint8 to (N, 3, S, S) float32 in the scheme's channel order and range."""
    ordered = crops if scheme == "bgr_0_255" else crops[..., ::-1]
    pixels = np.ascontiguousarray(ordered.transpose(0, 3, 1, 2), np.float32)
    match scheme:
        case "bgr_0_255" | "rgb_0_255":
            return pixels
        case "rgb_minus_127.5_over_127.5":
            return (pixels - np.float32(127.5)) / np.float32(127.5)
        case "rgb_minus_127.5_over_128":
            return (pixels - np.float32(127.5)) / np.float32(128)
        case "rgb_imagenet":
            # (x / 255 - mean) / deviation, folded into one multiplication and one addition.
            scale, shift = 1 / (255 * IMAGENET_DEVIATION), -IMAGENET_MEAN / IMAGENET_DEVIATION
            return pixels * scale[:, None, None] + shift[:, None, None]
        case "per_image_standardisation":
            # FaceNet's: each picture to mean 0 and deviation 1, with the deviation of a flat picture bounded as TensorFlow does.
            mean = pixels.mean(axis=(1, 2, 3), keepdims=True)
            deviation = pixels.std(axis=(1, 2, 3), keepdims=True)
            return np.asarray((pixels - mean) / np.maximum(deviation, np.float32(1 / np.sqrt(pixels[0].size))), np.float32)
