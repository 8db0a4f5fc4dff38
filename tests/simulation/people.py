"""Who walks into the stores, as unit vectors: each person an axis of their own, each look at them a little beside it.

Two looks at one person have a cosine of .75 and more, two people one of about 0, so that whoever is taken for another was taken so by a
fault and not by bad luck. Some people have a second face, as with a mask: a store makes two persons of them, and may merge these.
"""

from __future__ import annotations

import math
from random import Random

import numpy as np

from models.faces import Floats

MODEL, SIZE = "arcface_mobilefacenet", 128
PEOPLE_MAX = 40
MASKED = range(5)
"""Who comes with a mask now and then. Both faces are known of them after a merge: then likeness is no longer all or nothing."""
FACES = 2 * PEOPLE_MAX
"""Axes of faces; the rest is for what differs from look to look."""


def look(person: int, chance: Random, *, masked: bool = False) -> Floats:
    """(128,) unit vector of one look at somebody."""
    cosine = chance.uniform(0.88, 0.96)
    noise = np.array([chance.gauss(0, 1) for _ in range(SIZE - FACES)], np.float32)
    vector = np.zeros(SIZE, np.float32)
    vector[person + PEOPLE_MAX * masked] = cosine
    vector[FACES:] = noise * np.float32(math.sqrt(1 - cosine * cosine) / float(np.linalg.norm(noise)))
    return vector


def axis(embedding: Floats) -> int:
    """Which face it is; that of a mask is another than that below it."""
    return int(np.argmax(embedding[:FACES]))


def person(face: int) -> int:
    """Whose face it is."""
    return face % PEOPLE_MAX
