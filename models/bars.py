"""Bars: which cosine similarity stands for which rate of false matches, for one embedder on one detector's points.

A bar is chosen for the false matches of a search, not of a comparison: the chance of one grows with the gallery.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

EXTRAPOLATED_DECADES_MAX = 3.0
"""The tail of the impostor scores is measured to FAR 1e-5 or 1e-6; the line through its last decade is trusted this far and no further."""
SIMILARITY_MAX = 0.99
"""A bar above this would let nobody in: no photo of a person is that near to another."""


@dataclass(frozen=True, slots=True)
class Bars:
    """`far`: rate of false accepts per comparison -> cosine. At least two rates; stricter rates have higher cosines."""

    far: Mapping[float, float]

    def __post_init__(self) -> None:
        if len(self.far) < 2:
            raise ValueError(f"bars need at least two rates of false accepts, got {len(self.far)}")
        table = sorted(self.far.items(), reverse=True)
        for (rate, bar), (stricter_rate, stricter_bar) in pairwise(table):
            if not 0 < stricter_rate < rate < 1:
                raise ValueError(f"a rate of false accepts lies between 0 and 1, got {rate:g} and {stricter_rate:g}")
            if not -1 <= bar < stricter_bar <= 1:
                raise ValueError(f"the bar at {stricter_rate:g} must be above the one at {rate:g}, got {stricter_bar:g} and {bar:g}")
        object.__setattr__(self, "far", dict(table))

    def bar_at(self, far: float) -> float:
        """The cosine at this rate of false accepts per comparison: between the measured rates along log(rate), beyond the strictest
        along its last decade, above the loosest that of the loosest."""
        if not far > 0:
            raise ValueError(f"a rate of false accepts is above 0, got {far:g}")
        rates, bars = [math.log10(rate) for rate in self.far], list(self.far.values())
        wanted = max(math.log10(far), rates[-1] - EXTRAPOLATED_DECADES_MAX)
        if wanted >= rates[-1]:
            return float(np.interp(wanted, rates[::-1], bars[::-1]))
        slope = (bars[-1] - bars[-2]) / (rates[-1] - rates[-2])
        return min(bars[-1] + slope * (wanted - rates[-1]), SIMILARITY_MAX)

    def bar_for_search(self, gallery_size: int, false_match_per_search: float) -> float:
        """The cosine at which a stranger's search among `gallery_size` templates names somebody with this chance."""
        return self.bar_at(far_for_search(gallery_size, false_match_per_search))


def far_for_search(gallery_size: int, false_match_per_search: float) -> float:
    """The rate per comparison that leaves this chance of at least one false match among `gallery_size` independent comparisons."""
    if not 0 < false_match_per_search < 1:
        raise ValueError(f"the chance of a false match per search lies between 0 and 1, got {false_match_per_search:g}")
    # -expm1(log1p(-p) / n) is 1 - (1 - p) ** (1 / n) without losing the small numbers.
    return -math.expm1(math.log1p(-false_match_per_search) / max(1, gallery_size))
