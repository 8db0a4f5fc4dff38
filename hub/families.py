"""Identities as the resolver weighs them: who belongs to each, what they look like, and who was called different. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hub import looks
from hub.database import Tx
from hub.deciding import Look, look_of
from hub.index import Floats
from hub.vault import Vault


@dataclass(frozen=True, slots=True)
class Member:
    appliance_id: str
    embeddings: Mapping[str, Sequence[Floats]]


@dataclass(slots=True)
class Family:
    """An identity: its persons, each with its templates by model."""

    identity_id: str
    members: dict[str, Member] = field(default_factory=dict)
    _looks: dict[str, Look | None] = field(default_factory=dict)

    def look(self, model: str) -> Look | None:
        if model not in self._looks:
            rows = [row for member in self.members.values() for row in member.embeddings.get(model, ())]
            self._looks[model] = look_of(np.stack(rows)) if rows else None
        return self._looks[model]

    def take(self, person_id: str, appliance_id: str, embeddings: Mapping[str, Sequence[Floats]]) -> None:
        self.members[person_id] = Member(appliance_id, embeddings)
        self._looks.clear()

    def leave(self, person_id: str) -> None:
        self.members.pop(person_id, None)
        self._looks.clear()

    def has_of(self, appliance_id: str) -> bool:
        return any(member.appliance_id == appliance_id for member in self.members.values())


def load(tx: Tx, vault: Vault, identity_ids: Iterable[str], usable: Mapping[str, int]) -> dict[str, Family]:
    """`usable`: models whose templates can be compared, and how many numbers theirs have."""
    wanted = list(dict.fromkeys(identity_ids))
    rows = tx.execute(
        "SELECT id, appliance_id, identity_id FROM persons WHERE identity_id = ANY(%s::uuid[]) AND role <> 'opted_out' ORDER BY id",
        [wanted],
    ).fetchall()
    embeddings: dict[str, dict[str, list[Floats]]] = defaultdict(lambda: defaultdict(list))
    for template in looks.of_persons(tx, vault, [row[0] for row in rows]):
        if usable.get(template.model) == len(template.embedding):
            embeddings[template.person_id][template.model].append(template.embedding)
    families = {identity_id: Family(identity_id) for identity_id in wanted}
    for person_id, appliance_id, identity_id in rows:
        families[identity_id].take(person_id, appliance_id, embeddings[person_id])
    return families


def apart_from(tx: Tx, person_ids: Sequence[str]) -> dict[str, set[str]]:
    """Who was called different from each of these persons."""
    found: dict[str, set[str]] = defaultdict(set)
    rows = tx.execute(
        """SELECT person_a, person_b FROM apart WHERE person_a = ANY(%(ids)s::uuid[])
            UNION ALL SELECT person_b, person_a FROM apart WHERE person_b = ANY(%(ids)s::uuid[])""",
        {"ids": list(person_ids)},
    )
    for one, other in rows:
        found[one].add(other)
    return found
