"""Age and gender from a face. An estimate for statistics: off by 6 years on average against another model, gender right for 9 in 10."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnxruntime as ort

from models.crops import square_crop
from models.faces import Floats, Picture
from models.manifest import AgeGenderSpec
from models.normalisation import normalised


@dataclass(frozen=True, slots=True)
class Attributes:
    """`age` (N,) years; `male` (N,) probability 0..1."""

    age: Floats
    male: Floats


class AgeGender:
    def __init__(self, session: ort.InferenceSession, spec: AgeGenderSpec) -> None:
        self.model = spec.name
        self._session, self._spec = session, spec
        self._input = session.get_inputs()[0].name

    def crop(self, picture: Picture, box: Floats) -> Picture:
        """What the net sees of a face: the square about its box."""
        return square_crop(picture, box, 1.0, self._spec.input_side)

    def attributes(self, crops: Picture) -> Attributes:
        """Of (N, S, S, 3) BGR crops, in one run."""
        if not len(crops):
            return Attributes(np.zeros(0, np.float32), np.zeros(0, np.float32))
        age, gender = self._session.run(["age", "gender"], {self._input: normalised(crops, self._spec.normalisation)})
        return Attributes(np.asarray(age[:, 0], np.float32), np.asarray(gender[:, 0], np.float32))

    def of_faces(self, picture: Picture, boxes: Floats) -> Attributes:
        """Of the (N, 4) boxes in one (H, W, 3) BGR picture."""
        if not len(boxes):
            return self.attributes(np.zeros((0, 0, 0, 3), np.uint8))
        return self.attributes(np.stack([self.crop(picture, box) for box in boxes]))
