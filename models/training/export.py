"""Trained weights to the two ONNX files of the starter pack, by the names and meanings that the rest of models/ knows."""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from models.training.detector import Detector
from models.training.embedder import CROP_PX, Embedder
from models.training.scenes import STRIDES

OPSET = 17


class DetectorOut(nn.Module):
    """The outputs by YuNet's names and meaning, so that one decoder serves both: sqrt(cls * obj) is the score."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Any) -> tuple[Any, ...]:
        o = self.net(x)
        score = [v[..., :1].sigmoid() for v in o]
        # Times 1: an output of its own, though it says the same.
        return (*score, *[v * 1 for v in score], *[v[..., 1:5] for v in o], *[v[..., 5:] for v in o])


class EmbedderOut(nn.Module):
    """(B, 3, 112, 112) aligned face, BGR 0..255 -> (B, 128) unit vectors: size and scale are the graph's own business."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Any) -> Any:
        x = F.interpolate(x, (CROP_PX, CROP_PX), mode="bilinear", align_corners=False)
        return F.normalize(self.net((x - 127.5) / 128))


def exported(detector: Path, embedder: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    d, e = Detector(), Embedder()
    d.load_state_dict(torch.load(detector))
    e.load_state_dict(torch.load(embedder))
    names = [f"{n}_{s}" for n in ("cls", "obj", "bbox", "kps") for s in STRIDES]
    torch.onnx.export(
        DetectorOut(d).eval(),
        torch.zeros(1, 3, 320, 320),
        str(out / "starter_detector.onnx"),
        input_names=["input"],
        output_names=names,
        dynamic_axes={"input": {0: "batch", 2: "height", 3: "width"}, **{n: {0: "batch", 1: "cells"} for n in names}},
        opset_version=OPSET,
        dynamo=False,
    )
    torch.onnx.export(
        EmbedderOut(e).eval(),
        torch.zeros(1, 3, 112, 112),
        str(out / "starter_embedder.onnx"),
        input_names=["input"],
        output_names=["embedding"],
        dynamic_axes={"input": {0: "batch"}, "embedding": {0: "batch"}},
        opset_version=OPSET,
        dynamo=False,
    )
