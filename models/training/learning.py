"""What both trainings share: how long they run, how fast they learn, and the running mean of the weights that is kept."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn


def clock(hours: float) -> Iterator[tuple[int, float]]:
    """Steps and the share of the time that is used up, until it is."""
    start, it = time.monotonic(), 0
    while (done := (time.monotonic() - start) / (hours * 3600)) < 1:
        yield it, done
        it += 1


def set_rate(optimiser: Any, top: float, it: int, done: float, warm: int) -> None:
    """A short rise to `top`, then half a cosine down."""
    for group in optimiser.param_groups:
        group["lr"] = top * min(1, (it + 1) / warm) * 0.5 * (1 + math.cos(math.pi * done)) + 1e-5


def step(optimiser: Any, loss: Any, net: Any) -> None:
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 10)
    optimiser.step()


class Mean:
    """The running mean of the weights: steadier than any one step's."""

    def __init__(self, net: Any) -> None:
        self.state = {k: v.clone() for k, v in net.state_dict().items()}

    def add(self, net: Any, it: int) -> None:
        keep = min(0.998, (it + 1) / (it + 51))
        with torch.no_grad():
            for k, v in net.state_dict().items():
                if v.dtype.is_floating_point:
                    self.state[k].mul_(keep).add_(v, alpha=1 - keep)
                else:
                    self.state[k] = v.clone()
