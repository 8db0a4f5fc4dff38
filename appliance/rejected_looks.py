"""Looks that somebody said are not a person: the table `rejected_looks`. A face that resembles one of them more than it resembles the
person is never matched to that person, so that a mistake is corrected once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import uuid_utils

from appliance.database import Store
from appliance.gallery import Candidate
from models.faces import Floats

LOOKS_MAX = 32
"""Of a person; the oldest go. Each is compared with every face that comes near the person: microseconds."""

Rejected = Mapping[str, Floats]
"""Person to (N, D) unit vectors."""


def remember(store: Store, person_id: str, visit_id: str, model: str, embedding: Floats, now_ms: int) -> None:
    """A (D,) unit vector that is not this person. In the caller's transaction."""
    row = str(uuid_utils.uuid7())
    sealed = store.vault.seal(embedding.astype("<f4").tobytes(), table="rejected_looks", column="embedding", row=row)
    store.db.execute("INSERT INTO rejected_looks VALUES (?, ?, ?, ?, ?, ?)", [row, person_id, visit_id, model, sealed, now_ms])
    store.db.execute(
        "DELETE FROM rejected_looks WHERE id IN (SELECT id FROM rejected_looks WHERE person_id = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
        [person_id, LOOKS_MAX],
    )


def forget(store: Store, person_id: str) -> int:
    """What is kept against a person, and the looks of their own visits that are kept against somebody else; how many."""
    return store.db.execute(
        "DELETE FROM rejected_looks WHERE person_id = ?1 OR visit_id IN (SELECT id FROM visits WHERE person_id = ?1)", [person_id]
    ).rowcount


def forget_between(store: Store, one_id: str, other_id: str) -> None:
    """Two who are one after all: the looks of either's visits no longer speak against the other."""
    for person_id, other in ((one_id, other_id), (other_id, one_id)):
        store.db.execute(
            "DELETE FROM rejected_looks WHERE person_id = ? AND visit_id IN (SELECT id FROM visits WHERE person_id = ?)", [person_id, other]
        )


def all_of(store: Store, model: str) -> dict[str, Floats]:
    rows = store.db.execute("SELECT id, person_id, embedding_sealed FROM rejected_looks WHERE model = ? ORDER BY id", [model]).fetchall()
    found: dict[str, list[Floats]] = {}
    for row, person_id, sealed in rows:
        plain = store.vault.unseal(sealed, table="rejected_looks", column="embedding", row=row)
        found.setdefault(person_id, []).append(np.frombuffer(plain, "<f4").astype(np.float32))
    return {person_id: np.stack(looks) for person_id, looks in found.items()}


def ruled_out(rejected: Rejected, candidates: Sequence[Candidate], look: Floats, bar: float) -> set[str]:
    """Candidates whom this (D,) look is not: it is near a rejected one (`bar`: the same face), and nearer to that than to them."""
    out = set()
    for candidate in candidates:
        looks = rejected.get(candidate.person_id)
        if looks is not None and (alike := float((looks @ look).max())) >= bar and alike > candidate.similarity:
            out.add(candidate.person_id)
    return out
