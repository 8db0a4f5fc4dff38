"""A face before the camera, or a picture of one: the mean of nets that each look at the face with another amount of what is about it.

Source: minivision-ai/Silent-Face-Anti-Spoofing (MiniFASNet), which averages the same way.
"""

from __future__ import annotations

import numpy as np
import onnxruntime as ort

from models.crops import surroundings_crop
from models.faces import Floats, Picture
from models.manifest import LivenessSpec
from models.normalisation import normalised

REAL = 1
"""The class of the three that means a real face; the others are attacks of two kinds."""


class Liveness:
    def __init__(self, nets: list[tuple[ort.InferenceSession, LivenessSpec]]) -> None:
        if not nets:
            raise ValueError("liveness needs at least one net")
        self._nets = nets

    def real(self, picture: Picture, boxes: Floats) -> Floats:
        """(N,) probability that each of the (N, 4) boxes in the (H, W, 3) BGR picture is a real face; one run a net."""
        if not len(boxes):
            return np.zeros(0, np.float32)
        each = []
        for session, spec in self._nets:
            crops = np.stack([surroundings_crop(picture, box, spec.crop_scale, spec.input_side) for box in boxes])
            logits = session.run(None, {session.get_inputs()[0].name: normalised(crops, spec.normalisation)})[0]
            each.append(softmax(logits)[:, REAL])
        return np.asarray(np.mean(each, axis=0), np.float32)


def softmax(logits: Floats) -> Floats:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)
