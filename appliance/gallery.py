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
DEAD_MAX = 256
"""Removed templates that may stay in the index, never found, until it is compacted: compacting moves the whole index (50 ms at 100,000)."""
UNSURE_KEY = "visit:"
"""Prefix of an unnamed visit's key among the gallery's persons."""
GUEST_KEY = "guest:"
"""Prefix of the key of somebody whom the chain knows and the store has not met."""


def guest_key(identity_id: str) -> str:
    return GUEST_KEY + identity_id


@dataclass(frozen=True, slots=True)
class Template:
    """`embedding` (D,) unit vector. `role`: customer, staff, opted_out, unsure (a visit nobody was named for), or guest (a customer of
    other stores)."""

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
        self.size = size
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(size))
        self._next_key = 0
        self._templates: dict[int, Template] = {}
        self._dead: list[int] = []
        self._keys: dict[str, int] = {}
        self._persons: dict[str, list[int]] = {}
        self._roles: dict[str, dict[str, None]] = {}
        self._role_of: dict[str, str] = {}
        self._stacked: dict[str, Floats] = {}

    def __len__(self) -> int:
        return len(self._templates)

    def persons(self, *roles: str) -> int:
        """How many persons of these roles can be recognised."""
        return sum(len(self._roles.get(role, ())) for role in roles)

    def add(self, templates: Iterable[Template]) -> None:
        """A template of an id that is there replaces it. A person has one role: that of the template added last.

        Raises ValueError for a template of another model or size, or one that is no unit vector; then nothing is added.
        """
        new = list({t.id: t for t in templates}.values())
        for template in new:
            self._check(template)
        self.remove([t.id for t in new])
        if not new:
            return
        keys = np.arange(self._next_key, self._next_key + len(new), dtype=np.int64)
        self._next_key += len(new)
        self._index.add_with_ids(np.ascontiguousarray(np.stack([t.embedding for t in new]), np.float32), keys)
        for key, template in zip(keys.tolist(), new, strict=True):
            self._templates[key] = template
            self._keys[template.id] = key
            self._persons.setdefault(template.person_id, []).append(key)
            self._set_role(template.person_id, template.role)

    def remove(self, template_ids: Iterable[str]) -> None:
        """Unknown ids are ignored."""
        keys = [self._keys.pop(i) for i in list(template_ids) if i in self._keys]
        if not keys:
            return
        for key in keys:
            person_id = self._templates.pop(key).person_id
            self._stacked.pop(self._role_of[person_id], None)
            left = self._persons[person_id]
            left.remove(key)
            if not left:
                del self._persons[person_id]
                self._roles[self._role_of.pop(person_id)].pop(person_id, None)
        self._dead += keys
        if len(self._dead) > DEAD_MAX:
            self._index.remove_ids(faiss.IDSelectorBatch(np.array(self._dead, np.int64)))
            self._dead = []

    def remove_person(self, person_id: str) -> None:
        self.remove([self._templates[key].id for key in self._persons.get(person_id, [])])

    def with_role(self, *roles: str) -> list[Template]:
        return [self._templates[key] for role in roles for person in self._roles.get(role, ()) for key in self._persons[person]]

    def oldest(self, role: str) -> str | None:
        """The person of this role that was added first."""
        return next(iter(self._roles.get(role, ())), None)

    def likeness(self, role: str, probe: Floats) -> float:
        """Cosine of a (D,) unit vector to the nearest single template of this role; -1 where there is none."""
        return float((self._stack(role) @ probe).max(initial=-1.0))

    def resembling(self, person_id: str, role: str, bar: float) -> list[Template]:
        """Templates of this role for which a search would say of this person that they are alike by the bar or more."""
        own = [t.embedding for t in self.of(person_id)]
        if not own:
            return []
        alike = np.sort(self._stack(role) @ np.stack(own).T, axis=1)[:, -TEMPLATES_A_SCORE:].mean(axis=1)
        templates = self.with_role(role)
        return [templates[at] for at in np.flatnonzero(alike >= bar).tolist()]

    def likeness_to(self, person_id: str, probe: Floats) -> float:
        """What a search for the (D,) unit vector would say of this person; -1 for who is not there."""
        return self._of_the_best(person_id, [], probe) if person_id in self._persons else -1.0

    def role_of(self, person_id: str) -> str | None:
        return self._role_of.get(person_id)

    def of(self, person_id: str) -> list[Template]:
        return [self._templates[key] for key in self._persons.get(person_id, [])]

    def search(self, probe: Floats) -> list[Candidate]:
        """The nearest persons to a (D,) unit vector, most alike first."""
        if not self._templates:
            return []
        count = min(NEAR_TEMPLATES + len(self._dead), self._index.ntotal)
        found, keys = self._index.search(np.ascontiguousarray(probe[None], np.float32), count)
        alive = [(s, t) for s, key in zip(found[0].tolist(), keys[0].tolist(), strict=True) if (t := self._templates.get(key))]
        near: dict[str, list[float]] = {}
        for similarity, template in alive[:NEAR_TEMPLATES]:
            near.setdefault(template.person_id, []).append(similarity)
        likeness = [(self._of_the_best(person, alike, probe), person) for person, alike in near.items()]
        return [Candidate(person, self._role_of[person], value) for value, person in sorted(likeness, key=lambda one: -one[0])]

    def _of_the_best(self, person_id: str, alike: list[float], probe: Floats) -> float:
        """`alike`: to those of the person's templates that the search found, nearest first. The next may have been too far down."""
        if len(alike) < TEMPLATES_A_SCORE and len(alike) < len(self._persons[person_id]):
            alike = sorted((float(t.embedding @ probe) for t in self.of(person_id)), reverse=True)
        best = alike[:TEMPLATES_A_SCORE]
        return sum(best) / len(best)

    def _stack(self, role: str) -> Floats:
        """(N, D): this role's templates, in the order of `with_role`."""
        if role not in self._stacked:
            templates = self.with_role(role)
            self._stacked[role] = np.stack([t.embedding for t in templates]) if templates else np.zeros((0, self.size), np.float32)
        return self._stacked[role]

    def _set_role(self, person_id: str, role: str) -> None:
        former = self._role_of.get(person_id)
        if former is not None and former != role:
            self._roles[former].pop(person_id, None)
            self._stacked.pop(former, None)
        self._role_of[person_id] = role
        self._roles.setdefault(role, {})[person_id] = None
        self._stacked.pop(role, None)

    def _check(self, template: Template) -> None:
        if template.model != self.model:
            raise ValueError(f"template {template.id} was made by {template.model!r}; this gallery holds {self.model!r}")
        if template.embedding.shape != (self.size,):
            raise ValueError(f"template {template.id} has shape {template.embedding.shape}, not ({self.size},)")
        if not abs(float(np.linalg.norm(template.embedding)) - 1) < 1e-2:
            raise ValueError(f"template {template.id} is no unit vector")
