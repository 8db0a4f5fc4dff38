"""Search in galleries of many templates: how long it takes, and whether it names whom an exhaustive comparison names."""

from __future__ import annotations

import time
from statistics import median

import msgspec
import numpy as np

from appliance.gallery import TEMPLATES_A_SCORE, Gallery, Template
from models.embed import unit
from models.faces import Floats

TEMPLATES_A_PERSON = 8
SPREAD = 0.9
"""Length of the noise on a person's unit vector: two templates of one then have a cosine of about .55, as real ones do."""
SEED = 7


class Search(msgspec.Struct, frozen=True):
    """`recall`: share of the probes for which the person named first is the one that comparing with every template names."""

    ms: float
    recall: float
    templates: int
    size: int
    probes: int


def measure_search(templates: int, size: int, probes: int) -> Search:
    """Half of the probes are of people in the gallery, half of strangers. Raises ValueError for fewer templates than one person has."""
    if templates < TEMPLATES_A_PERSON or probes < 2:
        raise ValueError(f"at least {TEMPLATES_A_PERSON} templates and 2 probes are needed, got {templates} and {probes}")
    rng = np.random.default_rng(SEED)
    persons = templates // TEMPLATES_A_PERSON
    faces = unit(rng.standard_normal((persons, size), np.float32))
    views = _views(rng, np.repeat(faces, TEMPLATES_A_PERSON, axis=0))
    gallery = Gallery("measured", size)
    gallery.add(Template(f"t{i}", f"p{i // TEMPLATES_A_PERSON}", "customer", "measured", view) for i, view in enumerate(views))
    known = _views(rng, faces[rng.integers(0, persons, probes // 2)])
    looks = np.concatenate([known, unit(rng.standard_normal((probes - len(known), size), np.float32))])
    gallery.search(looks[0])
    taken_s, right = [], 0
    for look in looks:
        began = time.perf_counter()
        found = gallery.search(look)
        taken_s.append(time.perf_counter() - began)
        right += found[0].person_id == f"p{_exhaustive(views, look)}"
    return Search(round(1000 * median(taken_s), 3), round(right / len(looks), 4), len(gallery), size, len(looks))


def _views(rng: np.random.Generator, faces: Floats) -> Floats:
    """(N, D): another look at each face."""
    return unit(faces + unit(rng.standard_normal(faces.shape, np.float32)) * np.float32(SPREAD))


def _exhaustive(views: Floats, look: Floats) -> int:
    """Which person's best templates are nearest on average, every template compared; by numpy alone."""
    alike = (views @ look).reshape(-1, TEMPLATES_A_PERSON)
    return int(np.argmax(np.sort(alike, axis=1)[:, -TEMPLATES_A_SCORE:].mean(axis=1)))
