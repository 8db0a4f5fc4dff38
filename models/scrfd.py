"""SCRFD and RetinaFace as InsightFace exports them: RGB (x - 127.5) / 128 in, two anchors per grid cell out.

Outputs come as scores, box distances and, where the net has them, points, each for strides 8, 16, 32; told apart by their last dimension.
Source: Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", 2021; Deng et al., "RetinaFace", 2019.
"""

from __future__ import annotations

import numpy as np
import onnxruntime as ort

from models.detect import FAINT, fitted, suppressed
from models.faces import Faces, Floats, Picture, Pictures, no_faces
from models.intake import Intake

STRIDES = (8, 16, 32)
ANCHORS = 2


class Scrfd:
    """InsightFace's exports have no batch dimension: crops are run one by one."""

    def __init__(self, session: ort.InferenceSession, model: str, *, score_min: float = 0.5, iou_max: float = 0.4) -> None:
        self.model = model
        self._session = session
        self.score_min = score_min
        self._iou_max = iou_max
        self._intake = Intake(session, "rgb_minus_127.5_over_128")
        height = self._intake.shape[1]
        self._fixed_side = height if isinstance(height, int) else None
        outputs = session.get_outputs()
        if len(outputs) != 9:
            raise ValueError(f"{model}: expected 9 outputs (score, box and points for strides 8, 16, 32), found {len(outputs)}")

    def detect(self, picture: Picture, side_px: int, *, faint: bool = False) -> Faces:
        padded, scale = fitted(picture, self._fixed_side or side_px)
        if self._fixed_side:
            below, right = self._fixed_side - padded.shape[0], self._fixed_side - padded.shape[1]
            padded = np.pad(padded, ((0, below), (0, right), (0, 0)))
        found = self._run(np.asarray(padded, np.uint8), self.score_min * FAINT if faint else self.score_min)
        return Faces(found.boxes / scale, found.scores, found.points / scale)

    def detect_crops(self, crops: Pictures) -> list[Faces]:
        if self._fixed_side:
            return [self.detect(crop, self._fixed_side) for crop in crops]
        return [self._run(crop, self.score_min) for crop in crops]

    def _run(self, padded: Picture, score_min: float) -> Faces:
        out = [o.reshape(-1, o.shape[-1]) for o in self._session.run(None, self._intake.fed(padded[None]))]
        return suppressed(_decode(out, padded.shape[1], score_min), self._iou_max)


def _decode(out: list[Floats], width: int, score_min: float) -> Faces:
    by_kind = {last: sorted((o for o in out if o.shape[1] == last), key=len, reverse=True) for last in (1, 4, 10)}
    parts = []
    for level, stride in enumerate(STRIDES):
        score = by_kind[1][level][:, 0]
        hits = np.flatnonzero(score >= score_min)
        if not len(hits):
            continue
        cell, columns = hits // ANCHORS, width // stride
        centre = np.stack([cell % columns, cell // columns], axis=1).astype(np.float32) * stride
        box, points = by_kind[4][level][hits] * stride, by_kind[10][level][hits] * stride
        corners = np.concatenate([centre - box[:, :2], centre + box[:, 2:]], axis=1)
        parts.append((corners, score[hits], centre[:, None] + points.reshape(-1, 5, 2)))
    if not parts:
        return no_faces()
    boxes, scores, all_points = (np.concatenate(p).astype(np.float32) for p in zip(*parts, strict=True))
    return Faces(boxes, scores, all_points)
