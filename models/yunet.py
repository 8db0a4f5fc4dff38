"""YuNet (and the starter detector, which speaks its language): BGR 0..255 in, one face per grid cell out.

Decoding: score = sqrt(cls * obj); centre = (cell + d) * stride; size = exp(d) * stride; points = (cell + k) * stride.
Source: Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import onnxruntime as ort

from models.detect import FAINT, Canvas, fit, unsuppressed
from models.faces import Faces, Floats, Picture, Pictures, no_faces
from models.intake import Intake

STRIDES = (8, 16, 32)
CLS, OBJ, BOX, POINTS = ([f"{part}_{stride}" for stride in STRIDES] for part in ("cls", "obj", "bbox", "kps"))
OUTPUTS = [*CLS, *OBJ, *BOX, *POINTS]
SQUARED, BOXES = "squared_scores", "boxes"
"""What models/joining.py adds to the graph: the strides' cls * obj (N, cells, 1) and boxes (N, cells, 4), one behind the other."""
CANVASES_MAX = 2
"""Sizes that memory is kept for: a camera's, and another's while it is tried. One of 640x384 takes .7 MB."""


class YuNet:
    def __init__(self, session: ort.InferenceSession, model: str, *, score_min: float = 0.5, iou_max: float = 0.45) -> None:
        self.model = model
        self._session = session
        self.score_min = score_min
        self._iou_max = iou_max
        self._intake = Intake(session, "bgr_0_255")
        given = {output.name for output in session.get_outputs()}
        self._outputs = [SQUARED, BOXES, *POINTS] if {SQUARED, BOXES} <= given else OUTPUTS
        self._canvases: dict[tuple[int, int], Canvas] = {}

    def detect(self, picture: Picture, side_px: int, *, faint: bool = False) -> Faces:
        size, scale = fit(picture, side_px)
        # Taken out while it is used: another thread makes one of its own.
        canvas = self._canvases.pop(size, None) or Canvas(*size)
        found = self._run(canvas.pictures(picture), self.score_min * FAINT if faint else self.score_min)[0]
        if len(self._canvases) < CANVASES_MAX:
            self._canvases[size] = canvas
        return Faces(found.boxes / scale, found.scores, found.points / scale)

    def detect_crops(self, crops: Pictures) -> list[Faces]:
        return self._run(crops, self.score_min) if len(crops) else []

    def _run(self, pictures: Pictures, score_min: float) -> list[Faces]:
        out = self._session.run(self._outputs, self._intake.fed(pictures))
        if len(out) == len(OUTPUTS):
            cls, obj, box = (np.concatenate(out[i : i + 3], axis=1) for i in (0, 3, 6))
            out = [cls * obj, box, *out[9:]]
        return _decode(out, pictures[0].shape[1], score_min, self._iou_max)


def _decode(out: list[Floats], width: int, score_min: float, iou_max: float) -> list[Faces]:
    """Faces of each picture, best first. What this costs is the number of numpy calls, not of cells: all pictures and strides at once,
    and the points of what is kept alone."""
    squared, box, *points_of = out
    count, cells = squared.shape[:2]
    # The net's own last step keeps both between 0 and 1. Nearly every cell is empty, and need not be rooted.
    (hits,) = (squared.ravel() >= score_min * score_min).nonzero()
    if not len(hits):
        return [no_faces()] * count
    score = np.sqrt(squared.take(hits))
    grid = _grid(width, tuple(o.shape[1] for o in points_of)).take(hits if count == 1 else hits % cells, axis=0)
    place, stride = grid[:, :2], grid[:, 2:]
    shape = box.reshape(-1, 4).take(hits, axis=0)
    centre, half = (place + shape[:, :2]) * stride, np.exp(np.minimum(shape[:, 2:], 8)) * (stride / 2)
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    bounds = np.searchsorted(hits, np.arange(count + 1) * cells).tolist() if count > 1 else [0, len(hits)]
    faces = []
    for picture, (first, end) in enumerate(pairwise(bounds)):
        if first == end:
            faces.append(no_faces())
            continue
        kept = [first + i for i in unsuppressed(boxes[first:end], score[first:end], iou_max)]
        near = [_at(points_of, picture, hit - picture * cells) for hit in hits.take(kept).tolist()]
        points = (np.array(near, np.float32).reshape(-1, 5, 2) + place.take(kept, axis=0)[:, None]) * stride.take(kept, axis=0)[:, None]
        faces.append(Faces(boxes.take(kept, axis=0), score.take(kept), points))
    return faces


def _at(levels: list[Floats], picture: int, cell: int) -> Floats:
    """What the strides' outputs (N, cells, K), one behind the other, say of a picture's cell."""
    for level in levels:
        if cell < level.shape[1]:
            break
        cell -= level.shape[1]
    return np.asarray(level[picture, cell], np.float32)


@lru_cache(maxsize=32)
def _grid(width: int, lengths: tuple[int, ...]) -> Floats:
    """Column, row and stride (N, 3) of each cell of all strides."""
    parts = []
    for stride, length in zip(STRIDES, lengths, strict=True):
        index, columns = np.arange(length), width // stride
        parts.append(np.stack([index % columns, index // columns, np.full(length, stride)], axis=1))
    return np.asarray(np.concatenate(parts), np.float32)
