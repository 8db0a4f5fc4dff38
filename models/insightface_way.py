"""The same weights, used as insightface.app.FaceAnalysis uses them: each frame by itself, detected at 640x640, every face cropped and
embedded one after the other. For comparing speed, never for recognising.

Where the weights are of InsightFace's own kinds, its own model classes run them; YuNet and embedders with another normalisation, which
it has no class for, run through ours in its order and at its sizes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from insightface.model_zoo.scrfd import SCRFD
from insightface.utils.face_align import norm_crop

from models.embed import Embedder
from models.faces import Floats, Picture
from models.manifest import DetectorSpec, EmbedderSpec
from models.session import open_session
from models.weights import Weights, find
from models.yunet import YuNet

SIDE_PX = 640
"""FaceAnalysis' own default."""

Points = Callable[[Picture], Floats]
"""A (H, W, 3) BGR picture to the (N, 5, 2) points of its faces."""
Embed = Callable[[Picture], Floats]
"""An aligned (112, 112, 3) BGR crop to (D,)."""


def insightface_way(pack_name: str, weights: Weights) -> tuple[Callable[[Picture], int], str]:
    """What does it to one frame and returns how many faces it embedded, and in words whose code runs. One thread, as ours."""
    manifest = weights.manifest()
    pack = manifest.pack(pack_name)
    points, whose_detector = _detector(manifest.detector(pack), weights)
    embed, whose_embedder = _embedder(manifest.embedder(pack), weights)

    def analyse(picture: Picture) -> int:
        found = points(picture)
        for one in found:
            embed(np.asarray(norm_crop(picture, one), np.uint8))
        return len(found)

    # norm_crop uses what scikit-image will drop, and says so on every face.
    warnings.filterwarnings("ignore", category=FutureWarning, module="insightface")
    return analyse, f"detector by {whose_detector}, norm_crop by insightface, embedder by {whose_embedder}"


def _detector(spec: DetectorSpec, weights: Weights) -> tuple[Points, str]:
    path = find(weights, spec)
    if spec.decoding == "yunet":
        net = YuNet(open_session(path), spec.name, score_min=spec.score_min, iou_max=spec.iou_max)
        return lambda picture: net.detect(_boxed(picture), SIDE_PX).points / _scale(picture), "ours"
    scrfd = SCRFD(str(path), open_session(path))
    scrfd.prepare(-1, input_size=(SIDE_PX, SIDE_PX), det_thresh=spec.score_min, nms_thresh=spec.iou_max)
    return lambda picture: np.asarray(scrfd.detect(picture)[1], np.float32), "insightface"


def _embedder(spec: EmbedderSpec, weights: Weights) -> tuple[Embed, str]:
    path: Path = find(weights, spec)
    if spec.normalisation != "rgb_minus_127.5_over_127.5" or spec.input_side != 112:
        ours = Embedder(open_session(path), spec)
        return lambda crop: ours.embed(crop[None])[0], "ours"
    theirs = ArcFaceONNX(str(path), open_session(path))
    return lambda crop: np.asarray(theirs.get_feat(crop)[0], np.float32), "insightface"


def _boxed(picture: Picture) -> Picture:
    """In the upper left corner of a black square of 640, as insightface's SCRFD does it."""
    scale, (height, width) = _scale(picture), picture.shape[:2]
    square = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8)
    small = cv2.resize(picture, (int(width * scale), int(height * scale)))
    square[: small.shape[0], : small.shape[1]] = small
    return square


def _scale(picture: Picture) -> float:
    height, width = picture.shape[:2]
    return float(SIDE_PX / max(height, width))
