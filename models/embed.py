"""Aligned crops to unit vectors whose inner product says how alike two faces are."""

from __future__ import annotations

import cv2
import numpy as np
import onnxruntime as ort

from models.faces import Floats, Picture, Pictures
from models.intake import Intake
from models.manifest import EmbedderSpec

BATCH_MAX = 16
"""Crops a run: larger batches are no faster on a CPU and make the arena grow for good."""


class Embedder:
    def __init__(self, session: ort.InferenceSession, spec: EmbedderSpec) -> None:
        self.spec = spec
        self.model = spec.name
        self.size = spec.output_size
        self._session = session
        self._intake = Intake(session, spec.normalisation)
        batch = self._intake.shape[0]
        self._batch_max = batch if isinstance(batch, int) else BATCH_MAX

    def embed(self, crops: Pictures, *, mirrored: bool = False) -> Floats:
        """N BGR crops (S, S, 3) to (N, D) float32 unit vectors.

        `mirrored` embeds each crop and its mirror image and returns their mean: twice the work, for a vector that is less led astray
        by light from one side.
        """
        if mirrored:
            both = self.embed([*crops, *(mirror_image(crop) for crop in crops)])
            return unit(both[: len(crops)] + both[len(crops) :])
        if not len(crops):
            return np.zeros((0, self.size), np.float32)
        step = self._batch_max
        out = [self._session.run(None, self._intake.fed(crops[i : i + step]))[0] for i in range(0, len(crops), step)]
        return unit(out[0] if len(out) == 1 else np.concatenate(out))


def mirror_image(crop: Picture) -> Picture:
    """(S, S, 3), left and right exchanged; a copy, since nets want pixels in order."""
    return np.asarray(cv2.flip(crop, 1), np.uint8)


def unit(vectors: Floats) -> Floats:
    """(…, D) scaled to length 1. A zero vector stays zero: it resembles nobody."""
    length = np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True))
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)
