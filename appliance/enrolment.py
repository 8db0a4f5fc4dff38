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
from models.faces import Floats, Picture
from models.landmarks import refined
from models.quality import Flaw, Gate, at_a_glance, judge

SIDE_PX = 640
PHOTO_GATE = Gate(width_px_min=32, turn_max=0.8, sharpness_min=6)
"""Looser than for a camera: a person chose the photo, and there is only this one."""


@dataclass(frozen=True, slots=True)
class Photo:
    """What one photo is good for: an embedding, or the reason why not."""

    embedding: Floats | None
    quality: float
    flaw: str


def look_at(picture: Picture, detector: Detector, embedder: Embedder) -> Photo:
    """The face in the middle of a photo."""
    height, width = picture.shape[:2]
    faces = detector.detect(picture, min(SIDE_PX, 2 * max(height, width)))
    faces = faces.take(faces.scores >= PHOTO_GATE.score_min)
    if not len(faces):
        return Photo(None, 0, "no face found")
    off = np.abs((faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2 - np.array([width / 2, height / 2], np.float32)).sum(axis=1)
    middle = int(np.argmin(off))
    flaw = at_a_glance(faces, height, width, PHOTO_GATE)[middle]
    if flaw and flaw is not Flaw.COVERED:
        return Photo(None, 0, flaw.value)
    face = refined(detector, picture, faces.take(np.array([middle])))
    crop = embedder_crop(picture, face.boxes[0], face.points[0], embedder.spec)
    verdict = judge(crop, face.points[0], float(face.boxes[0, 2] - face.boxes[0, 0]), float(face.scores[0]), PHOTO_GATE)
    if verdict.flaw:
        return Photo(None, 0, verdict.flaw.value)
    return Photo(embedder.embed(crop[None], mirrored=True)[0], verdict.value, "")


def enrol(store: Store, gallery: Gallery, role: str, name: str, photos: Sequence[Photo], now_ms: int) -> str:
    """A new person with a template for each usable photo. Raises ValueError when none is usable."""
    usable = [p for p in photos if p.embedding is not None]
    if not usable:
        raise ValueError(f"none of the {len(photos)} photos shows a usable face: {', '.join(sorted({p.flaw for p in photos}))}")
    added = []
    with store.transaction():
        person_id = persons.create(store, role, now_ms, name)
        for photo in usable:
            assert photo.embedding is not None
            template, _ = persons.learn(
                store, person_id, role, gallery.model, photo.embedding, photo.quality, "enrolled", None, now_ms
            )
            added += [template] if template else []
    gallery.add(added)
    return person_id
