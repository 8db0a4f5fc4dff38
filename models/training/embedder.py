"""The starter embedder: learns to land where the teacher does (distillation), from faces spoiled as a camera spoils them."""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from models.training.learning import Mean, clock, set_rate, step
from models.training.preparation import MARGIN_PX

CROP_PX = 80
BATCH = 96
RATE = 3e-3
WATCHED_PEOPLE = 400
"""Kept aside to watch the training by."""


class Embedder(nn.Module):
    """(B, 3, 80, 80) aligned face, BGR (x - 127.5) / 128 -> (B, 128), not of length 1."""

    def __init__(self) -> None:
        super().__init__()
        b = Bottleneck
        self.f = nn.Sequential(
            conv_p(3, 32, 3, 2),
            *(b(32, 32, 48, 2), b(32, 32, 64, 1), b(32, 32, 64, 1)),
            *(b(32, 64, 128, 2), b(64, 64, 128, 1), b(64, 64, 128, 1), b(64, 64, 128, 1)),
            *(b(64, 96, 192, 2), b(96, 96, 192, 1), b(96, 96, 192, 1)),
            conv_p(96, 256, 1, 1),
        )
        self.gd = nn.Sequential(nn.Conv2d(256, 256, 5, 1, 0, groups=256, bias=False), nn.BatchNorm2d(256))
        self.l, self.bn = nn.Conv2d(256, 128, 1, bias=False), nn.BatchNorm1d(128)

    def forward(self, x: Any) -> Any:
        return self.bn(self.l(self.gd(self.f(x))).flatten(1))


class Bottleneck(nn.Module):
    def __init__(self, i: int, o: int, wide: int, stride: int) -> None:
        super().__init__()
        self.r = stride == 1 and i == o
        self.n = nn.Sequential(
            conv_p(i, wide, 1, 1), conv_p(wide, wide, 3, stride, wide), nn.Conv2d(wide, o, 1, bias=False), nn.BatchNorm2d(o)
        )

    def forward(self, x: Any) -> Any:
        return x + self.n(x) if self.r else self.n(x)


def conv_p(i: int, o: int, k: int, stride: int, groups: int = 1) -> Any:
    return nn.Sequential(nn.Conv2d(i, o, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o), nn.PReLU(o))


def train_embedder(data: Path, hours: float, out: Path, say: Callable[[str], object]) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    rng, z = np.random.default_rng(0), np.load(data)
    crops, teacher = torch.from_numpy(z["crop"]).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(z["embedding"])
    names, who = np.unique(z["who"], return_inverse=True)
    aside = np.isin(who, rng.permutation(len(names))[:WATCHED_PEOPLE])
    train, watch = np.where(~aside)[0], np.where(aside)[0]
    net = Embedder().to(memory_format=torch.channels_last)
    optimiser, mean, order = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=1e-3), Mean(net), np.array([], int)
    for it, done in clock(hours):
        if len(order) < BATCH:
            order = rng.permutation(train)
        batch, order = order[:BATCH], order[BATCH:]
        set_rate(optimiser, RATE, it, done, warm=100)
        loss = distillation_loss(net(spoil(crops[batch]).contiguous(memory_format=torch.channels_last)), teacher[batch])
        step(optimiser, loss, net)
        mean.add(net, it)
        if it % 300 == 0:
            say(f"{done:4.0%} step {it} loss {loss.item():.3f} {watched(mean.state, crops[watch], teacher[watch], who[watch])}")
            torch.save(mean.state, out)
    torch.save(mean.state, out)
    say(watched(mean.state, crops[watch], teacher[watch], who[watch]))


def distillation_loss(out: Any, teacher: Any) -> Any:
    """Nearness to the teacher's vector, the same distances between faces, and a little of telling the batch's faces apart."""
    e = F.normalize(out)
    apart = F.cross_entropy(e @ teacher.T * 24, torch.arange(len(teacher)))
    return (1 - (e * teacher).sum(1)).mean() + 5 * ((e @ e.T - teacher @ teacher.T) ** 2).mean() + 0.15 * apart


def spoil(crops: Any) -> Any:
    """What a camera does to a face: tilt, shift, low resolution, light, grey, noise, something in front."""
    n, x = len(crops), crops.float()
    tilt, scale = torch.randn(n) * 5 * math.pi / 180, (1 + torch.randn(n) * 0.05) * 112 / (112 + 2 * MARGIN_PX)
    mirror = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = torch.cos(tilt) * scale * mirror, -torch.sin(tilt) * scale
    theta[:, 1, 0], theta[:, 1, 1] = torch.sin(tilt) * scale * mirror, torch.cos(tilt) * scale
    theta[:, :, 2] = torch.randn(n, 2) * 0.025
    grid = F.affine_grid(theta, [n, 3, CROP_PX, CROP_PX], align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    if torch.rand(1) < 0.4:
        side = int(torch.randint(24, 72, (1,)))
        x = F.interpolate(F.interpolate(x, (side, side), mode="area"), (CROP_PX, CROP_PX), mode="bilinear")
    x = x * (1 + 0.25 * torch.randn(n, 1, 1, 1)).clamp(0.5, 1.6) + torch.randn(n, 3, 1, 1) * 10
    light = x.mean((2, 3), keepdim=True)
    x = (x - light) * (1 + 0.2 * torch.randn(n, 1, 1, 1)).clamp(0.5, 1.5) + light
    grey = torch.rand(n) < 0.1
    x[grey] = x[grey].mean(1, keepdim=True).expand(-1, 3, -1, -1)
    x = x + torch.randn_like(x) * 4 * torch.rand(n, 1, 1, 1)
    if torch.rand(1) < 0.3:
        (top, left), (height, width) = torch.randint(0, 56, (2,)), torch.randint(8, 30, (2,))
        x[: n // 2, :, top : top + height, left : left + width] = torch.rand(1) * 255
    return (x.clamp(0, 255) - 127.5) / 128


def watched(state: Any, crops: Any, teacher: Any, who: Any) -> str:
    """How near the faces kept aside come to the teacher, and how well they are told apart."""
    net = Embedder()
    net.load_state_dict(state)
    net.eval()
    parts = []
    with torch.no_grad():
        for some in crops.split(128):
            inner = (some[:, :, MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX].float() - 127.5) / 128
            parts.append(F.normalize(net(F.interpolate(inner, (CROP_PX, CROP_PX), mode="bilinear", antialias=True, align_corners=False))))
    e = torch.cat(parts)
    scores, same, upper = (e @ e.T).numpy(), who[:, None] == who[None], np.triu_indices(len(who), 1)
    scores, same = scores[upper], same[upper]
    rates = [f"TAR@{far:g} {(scores[same] > np.quantile(scores[~same], 1 - far)).mean():.3f}" for far in (1e-2, 1e-3)]
    return f"cosine to teacher {(e * teacher).sum(1).mean():.3f} " + " ".join(rates)
