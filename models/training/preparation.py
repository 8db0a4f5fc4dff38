"""Photos to what both students learn from: the photo, the box and points that YuNet sees, the aligned face, the teacher's embedding."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from models.align import ARCFACE_POINTS, similarity
from models.detect import Detector
from models.embed import Embedder
from models.faces import Floats, Picture
from models.manifest import DetectorSpec, EmbedderSpec, manifest
from models.session import open_session
from models.yunet import YuNet

PHOTO_PX = 150
MARGIN_PX = 16
"""Round the aligned face, so that the student can be shown it tilted and shifted."""
SCORE_MIN = 0.6


def prepared(faces: Path, models_folder: Path, out: Path, leave_out: frozenset[str]) -> tuple[int, int]:
    """Writes `out` (.npz) and returns how many faces of how many people are in it."""
    detector, embedder = _teachers(models_folder)
    rows = []
    for folder in sorted(p for p in faces.iterdir() if p.is_dir() and p.name not in leave_out):
        for path in sorted(folder.glob("*.jpg")):
            photo = cv2.imread(str(path))
            if photo is None:
                raise ValueError(f"{path} is not a picture that can be read")
            row = _row(np.asarray(cv2.resize(photo, (PHOTO_PX, PHOTO_PX)), np.uint8), detector, embedder)
            if row is not None:
                rows.append((*row, folder.name))
    photo, box, points, alone, crop, embedding, who = zip(*rows, strict=True)
    np.savez(
        out,
        photo=np.array(photo),
        box=np.array(box, np.float32),
        points=np.array(points, np.float32),
        alone=np.array(alone),
        crop=np.array(crop),
        embedding=np.array(embedding, np.float32),
        who=np.array(who),
    )
    return len(rows), len(set(who))


def _teachers(folder: Path) -> tuple[Detector, Embedder]:
    known = manifest()
    detector, embedder = known.file("yunet_n"), known.file("arcface_mobilefacenet")
    assert isinstance(detector, DetectorSpec) and isinstance(embedder, EmbedderSpec)
    return (
        YuNet(open_session(folder / detector.file), detector.name, score_min=SCORE_MIN),
        Embedder(open_session(folder / embedder.file), embedder),
    )


def _row(photo: Picture, detector: Detector, embedder: Embedder) -> tuple[Picture, Floats, Floats, bool, Picture, Floats] | None:
    """Photo, box, points, whether it is the only face, wide aligned crop, embedding: of the face in the middle."""
    found = detector.detect(photo, PHOTO_PX)
    if not len(found):
        return None
    off = np.abs((found.boxes[:, :2] + found.boxes[:, 2:]) / 2 - PHOTO_PX / 2).sum(axis=1)
    nearest = int(np.argmin(off))
    matrix = similarity(found.points[nearest], ARCFACE_POINTS + MARGIN_PX)
    side = 112 + 2 * MARGIN_PX
    crop = np.asarray(cv2.warpAffine(photo, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    inner = np.ascontiguousarray(crop[None, MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX])
    return photo, found.boxes[nearest], found.points[nearest], len(found) == 1, crop, embedder.embed(inner, mirrored=True)[0]
