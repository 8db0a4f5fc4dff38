"""Is this person of one store somebody whom the chain knows? Pure: looks, bars and what stands between them in, a decision with its reason
out.

A look is the mean direction of somebody's templates, and likeness the cosine of two looks. On LFW made as poor as a store's pictures, at
one false match in 10,000 comparisons, two people with two templates each are found in 98.7 % by their looks, in 96.7 % by their nearest
templates and in 96.9 % by the mean of all pairs. The mean of more templates has less noise of its own and is nearer to everybody, friend
or stranger, so the bar rises with their number.

Three bars, as in a store, each a chance of being wrong per search: link (they are one), review (somebody should look), and one for persons
that a store recognised by what the chain had lent it.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hub.index import Floats
from models.bars import Bars

LINK_FALSE_MATCH = 0.001
"""A store's is .004: a wrong link joins two people's visits in every store and is seen by nobody, a wrong match at a door often is."""
REVIEW_FALSE_MATCH = 0.02
"""Two in a hundred new people are shown for review beside somebody they are not."""
OPTED_OUT_FALSE_MATCH = 0.001
"""Whoever is taken for somebody who opted out loses what was stored of them, so the chance is that of a link."""
IDENTITIES_MIN = 50
"""Below so many identities the bars fall no further: a chain has them in its first hours, and what was linked by then stays."""
GUEST_FAR = 1e-3
"""The store has already searched for a guest and found them; this one comparison only catches what is plainly wrong."""
RAISED = 0.10
"""Measured on LFW as the strangers' likeness at a rate of 1 in 1,000: by .06 (mobilefacenet) and .11 (w600k) of the bar with two templates
on either side, by .13 and .22 with four and eight."""

SLACK = 1.35
"""How much nearer the look of an identity can be than its nearest template: two templates that agree by .58 are together as near to a third
as 1.13 of either, many of them 1.31."""


@dataclass(frozen=True, slots=True)
class Look:
    """`direction` (D,) unit vector; `templates`: of how many it is the mean."""

    direction: Floats
    templates: int


@dataclass(frozen=True, slots=True)
class HubBars:
    """As cosines of two single templates; see `raised`."""

    link: float
    review: float
    guest: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """An identity near the person. `apart`: somebody called the person and one of the identity's different. `same_appliance`: one of the
    identity's persons is of the person's own appliance, which tells the two apart itself. `guest`: the person was recognised by what the
    chain had lent of this identity."""

    identity_id: str
    look: Look
    apart: bool = False
    same_appliance: bool = False
    guest: bool = False


class Verdict(enum.Enum):
    LINK = "link"
    GUEST = "guest"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Somebody should look whether the person is this identity."""

    identity_id: str
    similarity: float
    bar: float


@dataclass(frozen=True, slots=True)
class Decision:
    """`identity_id`: whom to link to; None for NEW. `similarity`, `bar`, `reason`: why; of a NEW one to the nearest that could have
    been."""

    verdict: Verdict
    identity_id: str | None
    similarity: float | None
    bar: float
    reason: str
    doubts: tuple[Doubt, ...] = ()


def look_of(embeddings: Floats) -> Look:
    """Of (N, D) unit vectors of one model, at least one."""
    mean = embeddings.mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    # Templates that point away from one another have no mean; the first is as good as any.
    direction = mean / length if length > 1e-6 else embeddings[0]
    return Look(np.asarray(direction, np.float32), len(embeddings))


def likeness(one: Look, other: Look) -> float:
    return float(one.direction @ other.direction)


def bars_for(bars: Bars, identities: int) -> HubBars:
    """Bars for a tenant with so many identities of this model."""
    among = max(identities, IDENTITIES_MIN)
    review = bars.bar_for_search(among, REVIEW_FALSE_MATCH)
    return HubBars(
        link=bars.bar_for_search(among, LINK_FALSE_MATCH),
        review=review,
        # In a small chain the bar of a question may be the lower one.
        guest=min(bars.bar_at(GUEST_FAR), review),
    )


def raised(bar: float, one: Look, other: Look) -> float:
    """The bar for two looks of more than one template each."""
    return bar * (1 + RAISED * (2 - 1 / one.templates - 1 / other.templates))


def decide(look: Look, candidates: Sequence[Candidate], bars: HubBars) -> Decision:
    """Candidates in any order. At most one is linked to; of every other that is as near, somebody should judge whether it is the same."""
    possible = sorted(
        ((likeness(look, one.look), one) for one in candidates if not one.apart), key=lambda found: (-found[0], found[1].identity_id)
    )
    chosen: tuple[float, Candidate] | None = None
    for alike, one in possible:
        if one.guest and not one.same_appliance and alike >= bars.guest:
            chosen = alike, one
    if chosen is None:
        free = [(alike, one) for alike, one in possible if not one.same_appliance and alike >= raised(bars.link, look, one.look)]
        chosen = free[0] if free else None
    doubts = tuple(
        Doubt(one.identity_id, alike, raised(bars.link, look, one.look))
        for alike, one in possible
        if (chosen is None or one.identity_id != chosen[1].identity_id) and alike >= _doubtful(chosen, one, look, bars)
    )
    if chosen is not None:
        alike, one = chosen
        if one.guest and alike < raised(bars.link, look, one.look):
            return Decision(Verdict.GUEST, one.identity_id, alike, bars.guest, "recognised by what the chain had lent", doubts)
        return Decision(Verdict.LINK, one.identity_id, alike, raised(bars.link, look, one.look), "near enough to be sure", doubts)
    if not possible:
        return Decision(Verdict.NEW, None, None, bars.link, "nobody is near")
    alike, nearest = possible[0]
    reason = "too near to be sure that it is nobody known" if doubts else "nobody is near"
    return Decision(Verdict.NEW, None, alike, raised(bars.link, look, nearest.look), reason, doubts)


def _doubtful(chosen: tuple[float, Candidate] | None, one: Candidate, look: Look, bars: HubBars) -> float:
    """From which likeness on somebody should look. Where the person has a place already, and where the store itself tells the two apart,
    only what would have been a link is worth somebody's time."""
    certain = chosen is not None or one.same_appliance
    return raised(bars.link if certain else bars.review, look, one.look)
