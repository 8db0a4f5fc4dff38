"""Whether the computer's clock jumped: the time it shows against time that passed. A computer that slept did not jump."""

from __future__ import annotations

import time
from dataclasses import dataclass

JUMP_MS_MIN = 10_000
"""A clock that is kept right over the network is pulled by milliseconds; somebody who sets it moves it by minutes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the clock showed (UTC milliseconds) when so many seconds had passed."""

    wall_ms: int
    steady_s: float


def jumped_ms(before: Shown, now: Shown) -> int:
    """By how much the clock moved beside the time that passed; 0 when it did not."""
    moved = now.wall_ms - before.wall_ms - round(1000 * (now.steady_s - before.steady_s))
    return moved if abs(moved) >= JUMP_MS_MIN else 0


def steady_s() -> float:
    """Seconds that passed, sleep included: Linux calls that clock BOOTTIME; macOS's MONOTONIC does it, but not Python's own."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def words(moved_ms: int) -> str:
    seconds = abs(moved_ms) // 1000
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    length = f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
    way = "forward" if moved_ms > 0 else "back"
    return f"This computer's clock was set {way} by {length}. Visits around that time carry the time that it showed."
