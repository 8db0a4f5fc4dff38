"""What a detector found in one picture, as arrays. Boxes and points are in pixels of the picture that was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]
"""(H, W, 3) BGR 0..255."""
Pictures = Picture | Sequence[Picture]
"""(N, H, W, 3), or N pictures of one size: what goes through a net in one run."""


@dataclass(frozen=True, slots=True)
class Faces:
    """boxes (N, 4) x1 y1 x2 y2; scores (N,) 0..1; points (N, 5, 2): left eye, right eye (as seen), nose, left and right mouth corner."""

    boxes: Floats
    scores: Floats
    points: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, which: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Faces:
        return Faces(self.boxes[which], self.scores[which], self.points[which])


def no_faces() -> Faces:
    return Faces(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))
