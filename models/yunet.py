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
LEAST, PLACES, STRIDE_OF = "least", "places", "strides"
SCORE, CORNERS, SHAPE, PICTURE = DECODED = ["scores", "corners", "shapes", "pictures"]
"""What models/joining.py gives the graph. In: squared scores above this one (1,), and of each cell column and row six times (cells, 12) and
stride (cells, 1). Out, for each cell above: score (F,), corners in pixels (F, 4), points (F, 10), and which picture of the batch (F,)."""
PLACES_WIDTH = 12
LOG_SIZE_MAX = 8.0
"""exp of more is no face, and of much more no number."""
CANVASES_MAX = 2
"""Sizes that memory is kept for: a camera's, and another's while it is tried. One of 640x384 takes .7 MB."""


class YuNet:
    def __init__(self, session: ort.InferenceSession, model: str, *, score_min: float = 0.5, iou_max: float = 0.45) -> None:
        self.model = model
        self._session = session
        self.score_min = score_min
        self._iou_max = iou_max
        self._intake = Intake(session, "bgr_0_255")
        self._decodes = set(DECODED) <= {output.name for output in session.get_outputs()}
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
        feed, width = self._intake.fed(pictures), pictures[0].shape[1]
        if not self._decodes:
            return _decode(self._session.run(OUTPUTS, feed), width, score_min, self._iou_max)
        places, strides = _places(width, pictures[0].shape[0])
        found = self._session.run(DECODED, {**feed, LEAST: _just_below(score_min), PLACES: places, STRIDE_OF: strides})
        return _best(found, len(pictures), self._iou_max)


def _best(found: list[Floats], count: int, iou_max: float) -> list[Faces]:
    """Faces of each picture, best first, of what the net decoded."""
    scores, corners, shapes, picture_of = found
    if count == 1:
        return [_apart(scores, corners, shapes, iou_max)]
    ends = np.searchsorted(picture_of, np.arange(count + 1)).tolist()
    return [_apart(scores[a:b], corners[a:b], shapes[a:b], iou_max) for a, b in pairwise(ends)]


def _apart(scores: Floats, corners: Floats, shapes: Floats, iou_max: float) -> Faces:
    if not len(scores):
        return no_faces()
    kept = unsuppressed(corners, scores, iou_max)
    return Faces(corners.take(kept, axis=0), scores.take(kept), shapes.take(kept, axis=0).reshape(-1, 5, 2))


@lru_cache(maxsize=32)
def _just_below(score: float) -> Floats:
    """(1,): the net takes what is above, and a face may have just that score."""
    return np.nextafter(np.array([score * score], np.float32), np.float32(0))


@lru_cache(maxsize=32)
def _places(width: int, height: int) -> tuple[Floats, Floats]:
    grid = _grid(width, tuple((width // stride) * (height // stride) for stride in STRIDES))
    return np.tile(grid[:, :2], PLACES_WIDTH // 2), np.ascontiguousarray(grid[:, 2:])


def _decode(out: list[Floats], width: int, score_min: float, iou_max: float) -> list[Faces]:
    """Faces of each picture, best first. What this costs is the number of numpy calls, not of cells: all pictures and strides at once,
    and the points of what is kept alone."""
    cls, obj, box = (np.concatenate(out[i : i + 3], axis=1) for i in (0, 3, 6))
    squared, points_of = cls * obj, out[9:]
    count, cells = squared.shape[:2]
    # The net's own last step keeps both between 0 and 1. Nearly every cell is empty, and need not be rooted.
    (hits,) = (squared.ravel() >= score_min * score_min).nonzero()
    if not len(hits):
        return [no_faces()] * count
    score = np.sqrt(squared.take(hits))
    grid = _grid(width, tuple(o.shape[1] for o in points_of)).take(hits if count == 1 else hits % cells, axis=0)
    place, stride = grid[:, :2], grid[:, 2:]
    shape = box.reshape(-1, 4).take(hits, axis=0)
    centre, half = (place + shape[:, :2]) * stride, np.exp(np.minimum(shape[:, 2:], LOG_SIZE_MAX)) * (stride / 2)
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
