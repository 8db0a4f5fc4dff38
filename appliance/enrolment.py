"""People whom somebody enters on purpose, by photos: staff, and those who opted out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from appliance import persons
from appliance.database import Store
from appliance.gallery import Gallery
from models.crops import embedder_crop
from models.detect import Detector
from models.embed import Embedder
from models.faces import Faces, Floats, Picture
from models.landmarks import refined
from models.quality import Flaw, Gate, at_a_glance, judge

SIDE_PX = 640
PHOTO_GATE = Gate(width_px_min=32, turn_max=0.8, sharpness_min=6)
"""Looser than for a camera: a person chose the photo, and there is only this one."""


@dataclass(frozen=True, slots=True)
class Photo:
    """What one photo is good for: an embedding, or the reason why not. `faces`: how many it shows; `box`: x1 y1 x2 y2 of the one that was
    looked at, in pixels."""

    embedding: Floats | None
    quality: float
    flaw: str
    faces: int = 0
    box: tuple[float, float, float, float] | None = None


def look_at(picture: Picture, detector: Detector, embedder: Embedder, *, largest: bool = False) -> Photo:
    """The face in the middle of a photo; `largest`: the nearest one, for a camera's picture, in whose middle is the door."""
    height, width = picture.shape[:2]
    faces = detector.detect(picture, min(SIDE_PX, 2 * max(height, width)))
    faces = faces.take(faces.scores >= PHOTO_GATE.score_min)
    if not len(faces):
        return Photo(None, 0, "no face found")
    which, count = _which(faces, height, width, largest), len(faces)
    x1, y1, x2, y2 = faces.boxes[which].tolist()
    flaw = at_a_glance(faces, height, width, PHOTO_GATE)[which]
    if flaw and flaw is not Flaw.COVERED:
        return Photo(None, 0, flaw.value, count, (x1, y1, x2, y2))
    face = refined(detector, picture, faces.take(np.array([which])))
    crop = embedder_crop(picture, face.boxes[0], face.points[0], embedder.spec)
    verdict = judge(crop, face.points[0], float(face.boxes[0, 2] - face.boxes[0, 0]), float(face.scores[0]), PHOTO_GATE)
    if verdict.flaw:
        return Photo(None, 0, verdict.flaw.value, count, (x1, y1, x2, y2))
    return Photo(embedder.embed(crop[None], mirrored=True)[0], verdict.value, "", count, (x1, y1, x2, y2))


def _which(faces: Faces, height: int, width: int, largest: bool) -> int:
    if largest:
        return int(np.argmax(faces.boxes[:, 2] - faces.boxes[:, 0]))
    off = np.abs((faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2 - np.array([width / 2, height / 2], np.float32)).sum(axis=1)
    return int(np.argmin(off))


def enrol(store: Store, gallery: Gallery, role: str, name: str, photos: Sequence[Photo], now_ms: int) -> str:
    """A new person with a template for each usable photo, in the gallery at once. Raises ValueError when none is usable."""
    with store.transaction():
        person_id = entered(store, gallery.model, role, name, photos, now_ms)
    gallery.add(template for template, _, _ in persons.templates_of(store, person_id, gallery.model))
    return person_id


def entered(store: Store, model: str, role: str, name: str, photos: Sequence[Photo], now_ms: int) -> str:
    """The same in the caller's transaction; the gallery is the caller's to bring in line. Raises ValueError when none is usable."""
    usable_ones(photos)
    person_id = persons.create(store, role, now_ms, name)
    teach(store, model, person_id, role, photos, now_ms)
    return person_id


def teach(store: Store, model: str, person_id: str, role: str, photos: Sequence[Photo], now_ms: int) -> None:
    """A view for each usable photo that adds something. In the caller's transaction. Raises ValueError when none is usable."""
    for embedding, quality in usable_ones(photos):
        persons.learn(store, person_id, role, model, embedding, quality, "enrolled", None, now_ms)


def usable_ones(photos: Sequence[Photo]) -> list[tuple[Floats, float]]:
    """Embedding and quality of each. Raises ValueError when there is none."""
    found = [(p.embedding, p.quality) for p in photos if p.embedding is not None]
    if not found:
        raise ValueError(f"none of the {len(photos)} photos shows a usable face: {', '.join(sorted({p.flaw for p in photos}))}")
    return found
