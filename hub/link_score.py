"""What the hub's links between two stores are worth, beside the truth of who walked into both. Pure.

A person stands for whoever most of their visits truly show. A link is a pair of persons, one of each store, that are one identity.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import msgspec


@dataclass(frozen=True, slots=True)
class Placed:
    """A person as the hub has it. `shown`: the true name of whom each of the visits shows, None where it shows nobody who was there."""

    store: int
    identity_id: str | None
    role: str
    shown: Sequence[str | None]


class Figures(msgspec.Struct, frozen=True):
    """`both_stores_true`: customers who came to both. `both_stores_linked_rate`: share of them that are one identity; of those whom both
    stores could tell apart at all, `told_apart_linked_rate`. `wrong_link_rate`: share of `links` that join two different people. Identities
    are counted without staff."""

    both_stores_true: int
    both_stores_linked_rate: float
    both_stores_told_apart: int
    told_apart_linked_rate: float
    links: int
    wrong_link_rate: float
    identities: int
    identities_true: int


def score(customers: Sequence[Collection[str]], persons: Sequence[Placed]) -> Figures:
    """`customers`: of each of the two stores, the true names of those who came."""
    both = set(customers[0]) & set(customers[1])
    families: dict[str, list[Placed]] = defaultdict(list)
    told: dict[str, set[int]] = defaultdict(set)
    for one in persons:
        if one.identity_id is not None:
            families[one.identity_id].append(one)
        if name := who(one.shown):
            told[name].add(one.store)
    linked: set[str] = set()
    links = wrong = 0
    for family in families.values():
        for here, there in product([p for p in family if p.store == 0], [p for p in family if p.store == 1]):
            name = who(here.shown)
            same = name is not None and name == who(there.shown)
            links, wrong = links + 1, wrong + (not same)
            if same and name in both:
                linked.add(str(name))
    apart = {name for name in both if told[name] == {0, 1}}
    return Figures(
        both_stores_true=len(both),
        both_stores_linked_rate=_share(len(linked), len(both)),
        both_stores_told_apart=len(apart),
        told_apart_linked_rate=_share(len(linked), len(apart)),
        links=links,
        wrong_link_rate=_share(wrong, links, of_none=0.0),
        identities=sum(any(one.role == "customer" for one in family) for family in families.values()),
        identities_true=len(set(customers[0]) | set(customers[1])),
    )


def who(shown: Sequence[str | None]) -> str | None:
    """Whom most of a person's visits show."""
    return Counter(shown).most_common(1)[0][0] if shown else None


def by_visit(visits: Mapping[str, str | None], shown: Mapping[str, str]) -> dict[str, list[str | None]]:
    """Person to whom each of their visits shows. `visits`: visit to its person; `shown`: visit to a true name."""
    found: dict[str, list[str | None]] = defaultdict(list)
    for visit_id, person_id in sorted(visits.items()):
        if person_id is not None:
            found[person_id].append(shown.get(visit_id))
    return dict(found)


def _share(part: int, whole: int, *, of_none: float = 1.0) -> float:
    return round(part / whole, 4) if whole else of_none
