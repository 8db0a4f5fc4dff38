"""Where a face will be next: a constant-velocity Kalman filter over centre x, centre y and log width.

Log width, because somebody who walks up to a camera grows by the same factor in the same time. Source: Kalman, 1960; the state follows
SORT (Bewley et al., 2016) with the face's width in place of the box's area.
"""

from __future__ import annotations

import math

PLACE_NOISE = 0.06
"""Standard deviation of a detected centre, in face widths."""
SIZE_NOISE = 0.06
"""Standard deviation of a detected log width."""
PLACE_PUSH = 6.0
"""How fast a walking head changes its speed: face widths a second, a second."""
SIZE_PUSH = 1.0
"""The same for log width."""
FIRST_SPEED = 4.0
"""Speeds a face may enter with, in widths a second."""


class Axis:
    """One coordinate: place, speed, and their covariance (p, pv, v)."""

    __slots__ = ("p", "place", "pv", "speed", "v")

    def __init__(self, place: float, noise: float, speed_noise: float) -> None:
        self.place, self.speed = place, 0.0
        self.p, self.pv, self.v = noise * noise, 0.0, speed_noise * speed_noise

    def ahead(self, dt: float) -> tuple[float, float]:
        """Place and its standard deviation after `dt` seconds, without moving there."""
        variance = self.p + 2 * dt * self.pv + dt * dt * self.v
        return self.place + self.speed * dt, math.sqrt(max(variance, 0.0))

    def move(self, dt: float, push: float) -> None:
        q = push * push
        self.place += self.speed * dt
        self.p += 2 * dt * self.pv + dt * dt * self.v + q * dt**4 / 4
        self.pv += dt * self.v + q * dt**3 / 2
        self.v += q * dt * dt

    def correct(self, seen: float, noise: float) -> None:
        total = self.p + noise * noise
        gain_p, gain_v = self.p / total, self.pv / total
        off = seen - self.place
        self.place += gain_p * off
        self.speed += gain_v * off
        self.v -= gain_v * self.pv
        self.p, self.pv = (1 - gain_p) * self.p, (1 - gain_p) * self.pv


class Motion:
    """One face's motion. Times in milliseconds; places in pixels."""

    __slots__ = ("_asked_ms", "_told", "at_ms", "log_width", "x", "y")

    def __init__(self, at_ms: int, x: float, y: float, width: float) -> None:
        self.at_ms = at_ms
        self.x = Axis(x, PLACE_NOISE * width, FIRST_SPEED * width)
        self.y = Axis(y, PLACE_NOISE * width, FIRST_SPEED * width / 2)
        self.log_width = Axis(math.log(width), SIZE_NOISE, 1.0)
        self._asked_ms: int | None = None
        self._told = (x, y, width, 0.0)

    def ahead(self, at_ms: int) -> tuple[float, float, float, float]:
        """x, y, width and the place's uncertainty in pixels at a time. Asked for every face of a frame, worked out once."""
        if at_ms == self._asked_ms:
            return self._told
        dt = max(0, at_ms - self.at_ms) / 1000
        x, spread_x = self.x.ahead(dt)
        y, spread_y = self.y.ahead(dt)
        log_width, _ = self.log_width.ahead(min(dt, 0.6))
        self._asked_ms, self._told = at_ms, (x, y, math.exp(log_width), max(spread_x, spread_y))
        return self._told

    def correct(self, at_ms: int, x: float, y: float, width: float) -> None:
        dt = max(0, at_ms - self.at_ms) / 1000
        self.at_ms, self._asked_ms = max(self.at_ms, at_ms), None
        for axis, seen, noise, push in (
            (self.x, x, PLACE_NOISE * width, PLACE_PUSH * width),
            (self.y, y, PLACE_NOISE * width, PLACE_PUSH * width / 2),
            (self.log_width, math.log(width), SIZE_NOISE, SIZE_PUSH),
        ):
            axis.move(dt, push)
            axis.correct(seen, noise)
