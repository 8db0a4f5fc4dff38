"""How loyal somebody is: from their visits in the last 30 and 180 days, weighed as the store's settings say. Pure."""

from __future__ import annotations

from dataclasses import dataclass

RECENT_DAYS, HALF_YEAR_DAYS = 30, 180


@dataclass(frozen=True, slots=True)
class Weights:
    """Points for a visit in the last 30 days, and for one in the last 180 (a recent one gets both); points that make somebody a regular,
    and a loyal one."""

    recent: float = 1.0
    half_year: float = 0.25
    regular_from: float = 3.0
    loyal_from: float = 8.0


USUAL = Weights()


def level(recent: int, half_year: int, weights: Weights) -> str:
    """loyal, regular, occasional, or away: not seen for half a year. `half_year` counts the recent ones as well."""
    if not half_year:
        return "away"
    points = weights.recent * recent + weights.half_year * half_year
    if points >= weights.loyal_from:
        return "loyal"
    return "regular" if points >= weights.regular_from else "occasional"
