"""The in-memory index of templates of one model. Disposable: the database is the truth, and the index is rebuilt from it.

Exact inner product (FAISS IndexFlatIP). Templates of another model are refused: their numbers mean something else.
A person's likeness to a probe is the mean of their two best templates: one template that happens to resemble a stranger then does not
name that stranger (on LFW, at equal recall, half the wrong names of the single best).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import faiss
import numpy as np

from models.faces import Floats

NEAR_TEMPLATES = 48
"""Templates looked at in a search: six persons with eight templates each."""
TEMPLATES_A_SCORE = 2


@dataclass(frozen=True, slots=True)
class Template:
    """`embedding` (D,) unit vector. `role`: customer, staff, opted_out, or unsure (a visit nobody was named for)."""

    id: str
    person_id: str
    role: str
    model: str
    embedding: Floats


@dataclass(frozen=True, slots=True)
class Candidate:
    person_id: str
    role: str
    similarity: float


class Gallery:
    """`model` and `size`: whose embeddings these are and how many numbers each has."""

    def __init__(self, model: str, size: int) -> None:
        # Two threads on a busy machine are four times slower than one.
        faiss.omp_set_num_threads(1)
        self.model = model
        self._size = size
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(size))
        self._next_key = 0
        self._templates: dict[int, Template] = {}
        self._keys: dict[str, int] = {}
        self._persons: dict[str, list[int]] = {}
        self._roles: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._templates)

    def persons(self, *roles: str) -> int:
        """How many persons of these roles can be recognised."""
        return sum(len(self._roles.get(role, ())) for role in roles)

    def add(self, templates: Iterable[Template]) -> None:
        """Raises ValueError for a template of another model or size, or one that is no unit vector."""
        new = list(templates)
        for template in new:
            self._check(template)
            if template.id in self._keys:
                self.remove([template.id])
        if not new:
            return
        keys = np.arange(self._next_key, self._next_key + len(new), dtype=np.int64)
        self._next_key += len(new)
        self._index.add_with_ids(np.ascontiguousarray(np.stack([t.embedding for t in new]), np.float32), keys)
        for key, template in zip(keys.tolist(), new, strict=True):
            self._templates[key] = template
            self._keys[template.id] = key
            self._persons.setdefault(template.person_id, []).append(key)
            self._roles.setdefault(template.role, {})[template.person_id] = None

    def remove(self, template_ids: Iterable[str]) -> None:
        """Unknown ids are ignored."""
        keys = [self._keys.pop(i) for i in list(template_ids) if i in self._keys]
        if not keys:
            return
        self._index.remove_ids(faiss.IDSelectorBatch(np.array(keys, np.int64)))
        for key in keys:
            template = self._templates.pop(key)
            left = self._persons[template.person_id]
            left.remove(key)
            if not left:
                del self._persons[template.person_id]
                self._roles[template.role].pop(template.person_id, None)

    def remove_person(self, person_id: str) -> None:
        self.remove([self._templates[key].id for key in self._persons.get(person_id, [])])

    def ids(self, *roles: str) -> set[str]:
        """Ids of the templates of these roles."""
        return {t.id for t in self._templates.values() if t.role in roles}

    def with_role(self, role: str) -> list[Template]:
        return [self._templates[key] for person in self._roles.get(role, ()) for key in self._persons[person]]

    def of(self, person_id: str) -> list[Template]:
        return [self._templates[key] for key in self._persons.get(person_id, [])]

    def search(self, probe: Floats) -> list[Candidate]:
        """The nearest persons to a (D,) unit vector, most alike first."""
        if not self._templates:
            return []
        count = min(NEAR_TEMPLATES, len(self._templates))
        _, keys = self._index.search(np.ascontiguousarray(probe[None], np.float32), count)
        near = dict.fromkeys(self._templates[key].person_id for key in keys[0].tolist() if key >= 0)
        return sorted((self._candidate(person, probe) for person in near), key=lambda c: -c.similarity)

    def _candidate(self, person_id: str, probe: Floats) -> Candidate:
        templates = self.of(person_id)
        alike = sorted((float(t.embedding @ probe) for t in templates), reverse=True)[:TEMPLATES_A_SCORE]
        return Candidate(person_id, templates[0].role, sum(alike) / len(alike))

    def _check(self, template: Template) -> None:
        if template.model != self.model:
            raise ValueError(f"template {template.id} was made by {template.model!r}; this gallery holds {self.model!r}")
        if template.embedding.shape != (self._size,):
            raise ValueError(f"template {template.id} has shape {template.embedding.shape}, not ({self._size},)")
        if not abs(float(np.linalg.norm(template.embedding)) - 1) < 1e-2:
            raise ValueError(f"template {template.id} is no unit vector")
