"""Weighs one person against the identities near them, over all models they have templates of. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from hub.deciding import Candidate, Decision, Doubt, HubBars, Look, Verdict, decide, look_of
from hub.families import Family
from hub.index import Floats


@dataclass(frozen=True, slots=True)
class Person:
    """`guest_of`: what that identity means today. `embeddings`: by model, those that can be compared; `has_templates`: has some that
    can or cannot. `apart`: who was called different."""

    id: str
    appliance_id: str
    identity_id: str | None = None
    linked_by: str = ""
    linked_at: datetime | None = None
    guest_of: str | None = None
    embeddings: Mapping[str, Sequence[Floats]] = field(default_factory=dict)
    has_templates: bool = False
    apart: Collection[str] = ()

    def looks(self) -> dict[str, Look]:
        return {model: look_of(np.stack(list(rows))) for model, rows in self.embeddings.items() if rows}


def weigh(person: Person, near: Sequence[Family], bars: Mapping[str, HubBars]) -> Decision | None:
    """`near` without the person's own identity. None: nothing of the person can be compared."""
    decisions = []
    for model, look in person.looks().items():
        candidates = [
            Candidate(
                family.identity_id,
                other,
                apart=not set(person.apart).isdisjoint(family.members),
                same_appliance=family.has_of(person.appliance_id),
                guest=family.identity_id == person.guest_of,
            )
            for family in near
            if (other := family.look(model)) is not None
        ]
        decisions.append(decide(look, candidates, bars[model]))
    if not decisions:
        return None
    best = max(decisions, key=_certainty)
    doubts = {doubt.identity_id: doubt for one in decisions for doubt in one.doubts if doubt.identity_id != best.identity_id}
    return Decision(best.verdict, best.identity_id, best.similarity, best.bar, best.reason, tuple(doubts.values()))


def must_leave(person: Person, family: Family, links: Mapping[str, tuple[str, datetime | None]]) -> bool:
    """Whether the machine's link to this identity falls, because one of its persons was called different since. Of such a pair the one that
    was linked later leaves. `links`: by whom and when others were linked."""
    if person.linked_by not in ("machine", "guest"):
        return False
    for other in set(person.apart) & family.members.keys():
        (by, theirs), ours = links.get(other, ("", None)), person.linked_at
        if by == "person" or theirs is None or ours is None or (ours, person.id) > (theirs, other):
            return True
    return False


def certain(doubt: Doubt) -> bool:
    """What would have been a link, had nothing stood in its way."""
    return doubt.similarity >= doubt.bar


def _certainty(one: Decision) -> tuple[bool, float]:
    linked = one.verdict is not Verdict.NEW
    return linked, (one.similarity if one.similarity is not None else -1.0) - one.bar
