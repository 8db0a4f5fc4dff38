"""What a model was asked, kept, so that the same questions can be put to it again with nothing around them.

For measuring only: it stands between a detector or embedder and its session.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from models.faces import Floats

Array = npt.NDArray[Any]


@dataclass(slots=True)
class Calls:
    """`keeping`: whether calls are kept; otherwise they only pass through."""

    keeping: bool = False
    made: list[tuple[ort.InferenceSession, Sequence[str] | None, dict[str, Array]]] = field(default_factory=list)
    _places: dict[tuple[tuple[int, ...], str], Array] = field(default_factory=dict)

    def around(self, session: ort.InferenceSession) -> Overheard:
        return Overheard(session, self)

    def replay(self) -> tuple[float, float]:
        """Seconds of wall and of processor time that the kept calls take by themselves.

        Each input is first copied to one place for its shape: a net finds it in the processor's cache, as it does in the pipeline.
        """
        wall_s = processor_s = 0.0
        for session, names, feed in self.made:
            there = {name: self._placed(value) for name, value in feed.items()}
            processor, wall = time.process_time(), time.perf_counter()
            session.run(names, there)
            wall_s += time.perf_counter() - wall
            processor_s += time.process_time() - processor
        return wall_s, processor_s

    def _placed(self, value: Array) -> Array:
        place = self._places.setdefault((value.shape, value.dtype.str), np.empty(value.shape, value.dtype))
        np.copyto(place, value)
        return place


class Overheard:
    """Behaves as the session does, as far as detectors and embedders use one."""

    def __init__(self, session: ort.InferenceSession, calls: Calls) -> None:
        self._session = session
        self._calls = calls

    def run(self, names: Sequence[str] | None, feed: dict[str, Array]) -> list[Floats]:
        if self._calls.keeping:
            # A copy: who asks may use the memory of one question for the next.
            self._calls.made.append((self._session, names, {name: value.copy() for name, value in feed.items()}))
        return list(self._session.run(names, feed))

    def get_inputs(self) -> list[Any]:
        return list(self._session.get_inputs())

    def get_outputs(self) -> list[Any]:
        return list(self._session.get_outputs())
