"""The starter detector: a small net with heads for three sizes of faces, trained on made-up scenes."""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from models.training.learning import Mean, clock, set_rate, step
from models.training.scenes import STRIDES, Scenes, targets

BATCH = 12
RATE = 4e-3
FACE_RARE = -4.5
"""The score's starting bias: almost every cell is no face."""


class Detector(nn.Module):
    """(B, 3, H, W) BGR 0..255, H and W multiples of 32 -> for strides 8, 16, 32: (B, cells, 15) score, box 4, points 10."""

    def __init__(self) -> None:
        super().__init__()
        pool = nn.MaxPool2d(2)
        self.a = nn.Sequential(conv(3, 16, 3, 2), light(16, 16), pool, light(16, 32), light(32, 32), pool, light(32, 64), light(64, 64))
        self.b, self.c = nn.Sequential(pool, light(64, 64), light(64, 64)), nn.Sequential(pool, light(64, 64), light(64, 64))
        self.l3, self.l4, self.l5 = light(64, 64), light(64, 64), light(64, 64)
        self.h = nn.ModuleList([Head(64) for _ in STRIDES])

    def forward(self, x: Any) -> list[Any]:
        a = self.a((x - 127.5) / 128)
        b = self.b(a)
        c = self.l5(self.c(b))
        b = self.l4(b + F.interpolate(c, scale_factor=2.0, mode="nearest"))
        a = self.l3(a + F.interpolate(b, scale_factor=2.0, mode="nearest"))
        return [head(level) for head, level in zip(self.h, (a, b, c), strict=True)]


class Head(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.t, self.o = light(channels, channels), nn.Conv2d(channels, 15, 1)
        nn.init.constant_(self.o.bias, 0)
        self.o.bias.data[0] = FACE_RARE

    def forward(self, x: Any) -> Any:
        return self.o(self.t(x)).permute(0, 2, 3, 1).flatten(1, 2)


def conv(i: int, o: int, k: int, stride: int = 1, groups: int = 1) -> Any:
    return nn.Sequential(nn.Conv2d(i, o, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o), nn.ReLU())


def light(i: int, o: int) -> Any:
    return nn.Sequential(nn.Conv2d(i, o, 1), conv(o, o, 3, groups=o))


def train_detector(data: Path, hours: float, out: Path, say: Callable[[str], object]) -> None:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    scenes, net = Scenes(np.load(data), np.random.default_rng(1)), Detector()
    optimiser, mean = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=5e-4), Mean(net)
    for it, done in clock(hours):
        batch = [scenes.sample() for _ in range(BATCH)]
        pictures = torch.from_numpy(np.stack([picture for picture, _ in batch])).permute(0, 3, 1, 2).float()
        is_face, wanted = (torch.from_numpy(np.stack(v)) for v in zip(*(targets(faces) for _, faces in batch), strict=True))
        set_rate(optimiser, RATE, it, done, warm=200)
        loss = detection_loss(torch.cat(net(pictures), 1), is_face, wanted)
        step(optimiser, loss, net)
        mean.add(net, it)
        if it % 200 == 0:
            say(f"{done:4.0%} step {it} loss {loss.item():.3f}")
            torch.save(mean.state, out)
    torch.save(mean.state, out)


def detection_loss(o: Any, is_face: Any, wanted: Any) -> Any:
    """Focal loss of the score; box and points as smooth distances in face sizes, where there is a face."""
    hit, p = is_face == 1, o[..., 0].sigmoid()
    n = max(1, int(hit.sum()))
    weight = torch.where(hit, (1 - p) ** 2 * 4, p**2) * (is_face >= 0)
    score = (F.binary_cross_entropy_with_logits(o[..., 0], hit.float(), reduction="none") * weight).sum() / n
    got, wanted = o[hit][:, 1:], wanted[hit]
    size = ((wanted[:, 2] + wanted[:, 3]) / 2).exp()[:, None]
    place = F.smooth_l1_loss(got[:, :2] / size, wanted[:, :2] / size, reduction="none", beta=0.05).sum() / n
    extent = F.smooth_l1_loss(got[:, 2:4], wanted[:, 2:4], reduction="none", beta=0.1).sum() / n
    points = F.smooth_l1_loss(got[:, 4:] / size, wanted[:, 4:] / size, reduction="none", beta=0.05).sum() / n
    return score + 2 * (place + extent) + 1.5 * points
