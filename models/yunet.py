"""YuNet (and the starter detector, which speaks its language): BGR 0..255 in, one face per grid cell out.

Decoding: score = sqrt(cls * obj); centre = (cell + d) * stride; size = exp(d) * stride; points = (cell + k) * stride.
Source: Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023.
"""

from __future__ import annotations

import numpy as np
import onnxruntime as ort

from models.detect import FAINT, fitted, planes, suppressed
from models.faces import Faces, Floats, Picture, no_faces

STRIDES = (8, 16, 32)
OUTPUTS = [f"{part}_{stride}" for part in ("cls", "obj", "bbox", "kps") for stride in STRIDES]


class YuNet:
    def __init__(self, session: ort.InferenceSession, model: str, *, score_min: float = 0.5, iou_max: float = 0.45) -> None:
        self.model = model
        self._session = session
        self.score_min = score_min
        self._iou_max = iou_max
        self._input = session.get_inputs()[0].name

    def detect(self, picture: Picture, side_px: int, *, faint: bool = False) -> Faces:
        padded, scale = fitted(picture, side_px)
        found = self._run(planes(padded), padded.shape[1], self.score_min * FAINT if faint else self.score_min)[0]
        return Faces(found.boxes / scale, found.scores, found.points / scale)

    def detect_crops(self, crops: Picture) -> list[Faces]:
        if not len(crops):
            return []
        return self._run(np.ascontiguousarray(crops.transpose(0, 3, 1, 2), np.float32), crops.shape[2], self.score_min)

    def _run(self, blob: Floats, width: int, score_min: float) -> list[Faces]:
        out = self._session.run(OUTPUTS, {self._input: blob})
        return [suppressed(_decode([o[i] for o in out], width, score_min), self._iou_max) for i in range(len(blob))]


def _decode(out: list[Floats], width: int, score_min: float) -> Faces:
    parts = []
    for level, stride in enumerate(STRIDES):
        cls, obj = out[level][:, 0], out[3 + level][:, 0]
        # A rough sieve first: nearly every cell is empty, and need not be clipped and rooted.
        hits = np.flatnonzero(cls * obj >= 0.99 * score_min * score_min)
        score = np.sqrt(np.clip(cls[hits], 0, 1) * np.clip(obj[hits], 0, 1))
        hits, score = hits[score >= score_min], score[score >= score_min]
        if not len(hits):
            continue
        columns = width // stride
        cell = np.stack([hits % columns, hits // columns], axis=1).astype(np.float32)
        box = out[6 + level][hits]
        centre, size = (cell + box[:, :2]) * stride, np.exp(np.minimum(box[:, 2:], 8)) * stride
        points = (out[9 + level][hits].reshape(-1, 5, 2) + cell[:, None]) * stride
        parts.append((np.concatenate([centre - size / 2, centre + size / 2], axis=1), score, points))
    if not parts:
        return no_faces()
    boxes, scores, all_points = (np.concatenate(p).astype(np.float32) for p in zip(*parts, strict=True))
    return Faces(boxes, scores, all_points)
