"""Which of a camera's tracks show a picture of a face (a print, a phone, a screen): by the mean of a few looks at each of them.

Nobody is told of before they have been looked at often enough; who was told of once stays told of. Costs nothing where it is switched off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from models.faces import Picture
from models.liveness import Liveness

Box = tuple[float, float, float, float]

REAL_MIN = 0.4
"""Mean probability of a real face from which a track is a visitor's. Measured: docs/cameras.md, "A face or a picture of one"."""
LOOKS_TO_TELL = 3
"""Before that many looks nothing is said: a single one is wrong too often. 0.6 s at 5 frames a second."""
LOOKS_MAX = 12
"""More change the mean no more, and each costs two nets' work."""


@dataclass(slots=True)
class FlatFaces:
    """`liveness` None: switched off, everybody is real."""

    liveness: Liveness | None
    count: int = 0
    """Tracks that ended as pictures of faces."""
    _scores: dict[str, list[float]] = field(default_factory=dict)
    _believed: set[str] = field(default_factory=set)

    def look(self, picture: Picture, faces: Sequence[tuple[str, Box]]) -> None:
        """Tracks and where their faces are in this picture, x1 y1 x2 y2."""
        if self.liveness is None:
            return
        wanted = [(track_id, box) for track_id, box in faces if len(self._scores.get(track_id, ())) < LOOKS_MAX]
        if not wanted:
            return
        real = self.liveness.real(picture, np.array([box for _, box in wanted], np.float32))
        for (track_id, _), score in zip(wanted, real.tolist(), strict=True):
            self._scores.setdefault(track_id, []).append(score)

    def doubted(self, track_id: str) -> bool:
        """Whether nothing may be told of it, or not yet."""
        if self.liveness is None or track_id in self._believed:
            return False
        scores = self._scores.get(track_id, [])
        if len(scores) < LOOKS_TO_TELL or _mean(scores) < REAL_MIN:
            return True
        self._believed.add(track_id)
        return False

    def is_flat(self, track_id: str) -> bool:
        """Looked at often enough, and taken for a picture."""
        scores = self._scores.get(track_id, [])
        return len(scores) >= LOOKS_TO_TELL and track_id not in self._believed and _mean(scores) < REAL_MIN

    def end(self, track_id: str, told: bool) -> bool:
        """The track is over: whether it is to be kept quiet about. One that went before it was looked at often is a visitor's."""
        flat = not told and self.is_flat(track_id)
        self._scores.pop(track_id, None)
        self._believed.discard(track_id)
        self.count += flat
        return flat


def _mean(scores: list[float]) -> float:
    return sum(scores) / len(scores)
