"""Electricity of one machine. Every step it takes is counted, and the power goes before the one that was chosen: between any two steps."""

from __future__ import annotations

from dataclasses import dataclass


class PowerCut(BaseException):
    """No Exception: nothing that a program does about its errors runs when the power is gone."""


@dataclass(slots=True)
class Power:
    """`cuts`: how often it went. `at`: where it went last, for the log of a run."""

    steps: int = 0
    cuts: int = 0
    at: str = ""
    _left: int | None = None

    def cut_in(self, steps: int) -> None:
        """The power goes before this many steps more are done."""
        self._left = steps

    def keep(self) -> None:
        self._left = None

    def step(self, where: str = "") -> None:
        """To be called before each thing that changes what lasts."""
        self.steps += 1
        if self._left is None:
            return
        self._left -= 1
        if self._left <= 0:
            self._left = None
            self.cuts += 1
            self.at = where
            raise PowerCut(where)
