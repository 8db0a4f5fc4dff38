"""YuNet (and the starter detector, which speaks its language): BGR 0..255 in, one face per grid cell out.

Decoding: score = sqrt(cls * obj); centre = (cell + d) * stride; size = exp(d) * stride; points = (cell + k) * stride.
Source: Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023.
"""

from __future__ import annotations

from functools import lru_cache

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
        blob = np.concatenate([planes(crop) for crop in crops])
        return self._run(blob, crops.shape[2], self.score_min)

    def _run(self, blob: Floats, width: int, score_min: float) -> list[Faces]:
        out = self._session.run(OUTPUTS, {self._input: blob})
        return [suppressed(_decode([o[i] for o in out], width, score_min), self._iou_max) for i in range(len(blob))]


def _decode(out: list[Floats], width: int, score_min: float) -> Faces:
    # All strides at once: what this costs is the number of numpy calls, not the number of cells.
    cls, obj = np.concatenate(out[0:3])[:, 0], np.concatenate(out[3:6])[:, 0]
    # A rough sieve first: nearly every cell is empty, and need not be clipped and rooted.
    hits = np.flatnonzero(cls * obj >= 0.99 * score_min * score_min)
    score = np.sqrt(np.clip(cls[hits], 0, 1) * np.clip(obj[hits], 0, 1))
    hits, score = hits[score >= score_min], score[score >= score_min]
    if not len(hits):
        return no_faces()
    cells, strides = _grid(width, tuple(len(o) for o in out[0:3]))
    cell, stride = cells[hits], strides[hits]
    box = np.concatenate(out[6:9])[hits]
    centre, half = (cell + box[:, :2]) * stride, np.exp(np.minimum(box[:, 2:], 8)) * stride / 2
    points = (np.concatenate(out[9:12])[hits].reshape(-1, 5, 2) + cell[:, None]) * stride[:, None]
    return Faces(np.concatenate([centre - half, centre + half], axis=1), score, points)


@lru_cache(maxsize=32)
def _grid(width: int, lengths: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Column and row (N, 2) and stride (N, 1) of each cell of all strides."""
    cells, strides = [], []
    for stride, length in zip(STRIDES, lengths, strict=True):
        index, columns = np.arange(length), width // stride
        cells.append(np.stack([index % columns, index // columns], axis=1))
        strides.append(np.full((length, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)
