"""What a camera's process tells the main process of one track: a sighting, sent when it opens, improves and closes.

A sighting carries the track's best shots, never all of them, and replaces what was sent under the same id before.
"""

from __future__ import annotations

import enum

import msgspec
import numpy as np

from models.embed import unit
from models.faces import Floats

SHOTS_MAX = 10
"""Best shots kept of one track: more add nothing to the mean that the gallery is searched with (measured with 3 to 15)."""


class Phase(enum.Enum):
    OPENED = "opened"
    IMPROVED = "improved"
    CLOSED = "closed"


class Shot(msgspec.Struct, frozen=True, array_like=True):
    """One face good enough to recognise by. `embedding`: unit vector as little-endian float32; `box`: x1 y1 x2 y2 in pixels."""

    taken_ms: int
    embedding: bytes
    quality: float
    box: tuple[float, float, float, float]


class Sighting(msgspec.Struct, frozen=True):
    """`shots` best first; `seen_with`: ids of sightings that were in one frame with this one; `portrait`: JPEG of the best face, empty
    with most improvements."""

    id: str
    camera_id: str
    phase: Phase
    model: str
    began_ms: int
    ended_ms: int
    shots: list[Shot]
    shot_count: int
    first_shot_ms: int
    last_shot_ms: int
    sent_ms: int
    """Time of the frame that made it worth sending, by the camera's clock."""
    travel: float
    """Distance the face went, in its own widths (growing counts): a poster stays near 0."""
    seen_with: list[str] = []
    portrait: bytes = b""
    portrait_width_px: float = 0.0
    ages: list[float] = []
    """Years, as estimated from each of the best shots; with the last telling alone, and empty where nothing is to be estimated."""
    male: list[float] = []
    """Probability 0..1, of the same shots."""
    counted_only: bool = False
    """Of a camera that recognises nobody: without shots, model and portrait."""


def mean_embedding(sighting: Sighting) -> Floats:
    """(D,) unit vector: the shots' embeddings, the better ones weighing more."""
    vectors = _vectors(sighting)
    weights = np.array([max(s.quality, 0.05) for s in sighting.shots], np.float32)
    return unit(np.asarray((vectors * weights[:, None]).sum(axis=0), np.float32))


def agreement(sighting: Sighting) -> float:
    """Mean cosine similarity of the shots to one another; 1 for a single one."""
    vectors = _vectors(sighting)
    count = len(vectors)
    if count < 2:
        return 1.0
    return float((vectors @ vectors.T).sum() - (vectors * vectors).sum()) / (count * (count - 1))


def _vectors(sighting: Sighting) -> Floats:
    """(N, D)"""
    return np.frombuffer(b"".join(s.embedding for s in sighting.shots), "<f4").reshape(len(sighting.shots), -1)
