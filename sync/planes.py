"""Numbers as bytes that compress: each column is cut into planes (all first bytes, all second bytes, …), and planes that look alike lie
together.

Three piles: planes that repeat themselves, planes of few values, and planes of pure chance. Mixed in one stream they would spoil each
other's statistics; apart, zstd takes the first two down to what they say, and the third is left as it is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sync.errors import Malformed

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

PILES = 3
REGULAR_BITS = 3.0
"""Entropy a byte up to which a plane counts as regular: there, repeats matter more than single values."""
CHANCE_BITS = 7.0
"""Entropy a byte from which there is nothing to gain; what 200 bytes of pure chance show at least."""
PLAIN, STEPS, BESIDE = 0, 1, 2
"""How integers are told: as they are, by the step from the row before, or by the difference from the column before."""
WIDTH_MAX = 8


class Writer:
    """Puts columns on the piles; `plan` says how, in order, so that a reader takes them off in the same order."""

    def __init__(self) -> None:
        self.plan = bytearray()
        self.piles = [bytearray() for _ in range(PILES)]
        self._beside: Ints | None = None

    def planes(self, rows: Bytes) -> None:
        """rows: (N, W) uint8."""
        for plane in np.ascontiguousarray(rows.T):
            pile = _pile(plane)
            self.plan.append(pile)
            self.piles[pile] += plane.tobytes()

    def ints(self, values: Ints) -> None:
        """values: (N,) int64, any. Differences wrap around, and wrap back."""
        ways = [_zigzag(values), _zigzag(np.diff(values, prepend=np.int64(0)))]
        if self._beside is not None and len(self._beside) == len(values):
            ways.append(_zigzag(values - self._beside))
        way = min(range(len(ways)), key=lambda i: float(np.log2(ways[i].astype(np.float64) + 1).sum()))
        self._beside = values
        width = max(1, (int(ways[way].max(initial=0)).bit_length() + 7) // 8)
        self.plan += bytes((way, width))
        self.planes(ways[way].astype("<u8").view(np.uint8).reshape(len(values), 8)[:, :width])


class Reader:
    """Takes columns off the piles. Raises Malformed where there is less than the plan says."""

    def __init__(self, plan: bytes, piles: list[bytes]) -> None:
        self._plan, self._at = plan, 0
        self._piles = [np.frombuffer(pile, np.uint8) for pile in piles]
        self._offsets = [0] * PILES
        self._beside: Ints | None = None

    def byte(self) -> int:
        if self._at >= len(self._plan):
            raise Malformed("a batch ends before its plan does")
        self._at += 1
        return self._plan[self._at - 1]

    def planes(self, rows: int, width: int) -> Bytes:
        """(rows, width) uint8."""
        planes = []
        for _ in range(width):
            pile = self.byte()
            if pile >= PILES or self._offsets[pile] + rows > len(self._piles[pile]):
                raise Malformed("a batch holds less than its plan says")
            planes.append(self._piles[pile][self._offsets[pile] : self._offsets[pile] + rows])
            self._offsets[pile] += rows
        return np.ascontiguousarray(np.stack(planes, axis=1)) if planes else np.zeros((rows, 0), np.uint8)

    def ints(self, rows: int) -> Ints:
        """(rows,) int64."""
        way, width = self.byte(), self.byte()
        if not 1 <= width <= WIDTH_MAX:
            raise Malformed("a batch holds numbers of a width that cannot be")
        padded = np.zeros((rows, 8), np.uint8)
        padded[:, :width] = self.planes(rows, width)
        values = _unzigzag(padded.view("<u8").reshape(rows).astype(np.uint64))
        if way == STEPS:
            values = np.cumsum(values, dtype=np.int64)
        elif way == BESIDE:
            if self._beside is None or len(self._beside) != rows:
                raise Malformed("a batch compares a column with one that is not there")
            values = values + self._beside
        elif way != PLAIN:
            raise Malformed("a batch tells numbers in a way that is not known here")
        self._beside = values
        return values

    def done(self) -> bool:
        return self._at == len(self._plan) and all(offset == len(pile) for offset, pile in zip(self._offsets, self._piles, strict=True))


def _pile(plane: Bytes) -> int:
    counts = np.bincount(plane, minlength=256)
    shares = counts[counts > 0] / max(1, len(plane))
    bits = float(-(shares * np.log2(shares)).sum())
    return 0 if bits <= REGULAR_BITS else 1 if bits < CHANCE_BITS else 2


def _zigzag(values: Ints) -> npt.NDArray[np.uint64]:
    """Small numbers of either sign become small numbers."""
    return ((values << 1) ^ (values >> 63)).view(np.uint64)


def _unzigzag(values: npt.NDArray[np.uint64]) -> Ints:
    return (values >> np.uint64(1)).view(np.int64) ^ -(values & np.uint64(1)).view(np.int64)
