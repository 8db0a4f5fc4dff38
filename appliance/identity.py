"""Who is this? Pure: candidates and evidence in, a decision with its reason out.

Three bars: match (say who it is), learn (add this view to the person: stricter), mint (make a new person: only if nobody is near).
Between mint and match it is unsure: the visit counts, nobody is named. Each bar is a chance of being wrong per search and rises with
the number of people it is compared with.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from appliance.gallery import Candidate
from models.bars import Bars

FALSE_MATCH = 0.004
"""Default chance that a stranger is taken for somebody. On scenes made of LFW's people, .01 gave pairs of visits with precision .97 and
.005 with .99, at the same recall; on the harder development videos .01 made wrong pairs where .004 made none."""
LEARN_SHARE = 0.1
"""A view is learned where the chance is a tenth of that: a poisoned gallery makes wrong matches for ever."""
MINT_SHARE = 8.0
"""A new person is made where a stranger's chance of looking this much like somebody is still above eight times that; below, it is
unsure."""
SPECIAL_FALSE_MATCH = 0.006
"""The same chance for staff and for who opted out. They are few and come often, or want not to be kept: missing them is the worse
mistake. On the development videos staff were above .52 and no customer above .31."""
SPECIAL_PERSONS_MIN = 4
"""Staff and opted-out galleries are small; below this their bar falls no further."""
CONTINUE_FAR = 1e-3
"""Somebody who was before this camera seconds ago is compared with that very look of them, once: a rate per comparison is enough."""
MARGIN = 0.05
"""Staff and opted-out people come first, unless a customer is nearer by this much."""
AGREEMENT_MIN = 0.55
"""Shots of one face, moments apart, agree by .88 in the middle; below this the track has seen two people, or half of one."""
SHOTS_MIN = 2
APART_MS_MIN = 200
"""Nobody is minted from one look."""


class Verdict(enum.Enum):
    KNOWN = "known"
    NEW = "new"
    UNSURE = "unsure"
    OPTED_OUT = "opted_out"
    AGREED = "agreed"
    """Resembles an earlier visit that nobody was named for: two visits of one new person."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the store may choose. `false_match`: chance per search that a stranger is named; `shots_min`: looks a new person needs."""

    false_match: float = FALSE_MATCH
    shots_min: int = SHOTS_MIN


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The bars as they stand for the present gallery, as cosine similarities."""

    match: float
    learn: float
    mint: float
    staff: float
    opted_out: float
    going_on: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """`agreement`: mean similarity of the shots to one another. `here`: persons who left this camera's view seconds ago, with the
    similarity to their look of then. `others`: persons seen beside this one, or called different, who cannot be this one. `apart`: pairs of
    persons who are not one."""

    shots: int
    span_ms: int
    agreement: float = 1.0
    here: Mapping[str, float] = field(default_factory=dict)
    others: Collection[str] = ()
    apart: Collection[frozenset[str]] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """`person_id`: who it is (KNOWN, OPTED_OUT) or the unsure visit's key (AGREED). `nearest_id`, `similarity`, `bar`: why."""

    verdict: Verdict
    person_id: str | None
    role: str | None
    nearest_id: str | None
    similarity: float | None
    bar: float
    reason: str
    learn: bool = False


def thresholds(bars: Bars, policy: Policy, *, persons: int, staff: int, opted_out: int) -> Thresholds:
    """Bars for a gallery of so many persons of each kind."""
    false_match = policy.false_match
    match = bars.bar_for_search(max(persons, 1), false_match)
    return Thresholds(
        match=match,
        learn=bars.bar_for_search(max(persons, 1), false_match * LEARN_SHARE),
        mint=bars.bar_for_search(max(persons, 1), min(0.5, false_match * MINT_SHARE)),
        staff=bars.bar_for_search(max(staff, SPECIAL_PERSONS_MIN), SPECIAL_FALSE_MATCH),
        opted_out=bars.bar_for_search(max(opted_out, SPECIAL_PERSONS_MIN), SPECIAL_FALSE_MATCH),
        going_on=bars.bar_at(CONTINUE_FAR),
    )


def decide(candidates: Sequence[Candidate], evidence: Evidence, bars: Thresholds, policy: Policy = Policy()) -> Decision:
    """`candidates` most alike first."""
    possible = [c for c in candidates if c.person_id not in evidence.others]
    best = possible[0] if possible else None
    if best is None:
        return _nobody_near(None, evidence, bars, policy)
    rivals = _rivals(possible, evidence)
    for role, bar, verdict in (("opted_out", bars.opted_out, Verdict.OPTED_OUT), ("staff", bars.staff, Verdict.KNOWN)):
        special = next((c for c in possible if c.role == role), None)
        if special and special.similarity >= bar and special.similarity >= best.similarity - MARGIN:
            if rivals and role == "staff":
                return _torn(best, bars)
            return _named(special, verdict, bar, "near enough to be sure", learn=role == "staff" and special.similarity >= bars.learn)
    if best.similarity < bars.match:
        here = [c for c in possible if evidence.here.get(c.person_id, -1.0) >= bars.going_on]
        if here:
            still = max(here, key=lambda c: evidence.here[c.person_id])
            same = Candidate(still.person_id, still.role, evidence.here[still.person_id])
            return _named(same, _known(same), bars.going_on, "was here a moment ago")
    if best.similarity >= bars.match:
        if rivals:
            return _torn(best, bars)
        if best.role == "unsure":
            return _named(best, Verdict.AGREED, bars.match, "resembles an earlier visit that nobody was named for")
        return _named(best, _known(best), bars.match, "near enough to be sure", learn=best.similarity >= bars.learn)
    if best.similarity >= bars.mint:
        near_id, similarity = _near(best)
        return Decision(Verdict.UNSURE, None, None, near_id, similarity, bars.match, "too near to be new, too far to be sure")
    return _nobody_near(best, evidence, bars, policy)


def _rivals(possible: Sequence[Candidate], evidence: Evidence) -> bool:
    """Whether somebody who was called different from the nearest is about as near: either may be a mistake that was made before."""
    best = possible[0]
    return any(
        c.similarity >= best.similarity - MARGIN and frozenset((best.person_id, c.person_id)) in evidence.apart for c in possible[1:]
    )


def _torn(best: Candidate, bars: Thresholds) -> Decision:
    near_id, similarity = _near(best)
    return Decision(Verdict.UNSURE, None, None, near_id, similarity, bars.match, "two people who were called different are both this near")


def _nobody_near(nearest: Candidate | None, evidence: Evidence, bars: Thresholds, policy: Policy) -> Decision:
    near_id, similarity = _near(nearest)
    if evidence.shots < policy.shots_min or evidence.span_ms < APART_MS_MIN:
        return Decision(Verdict.UNSURE, None, None, near_id, similarity, bars.mint, "seen too briefly to make a new person")
    if evidence.agreement < AGREEMENT_MIN:
        return Decision(Verdict.UNSURE, None, None, near_id, similarity, bars.mint, "the shots do not agree with one another")
    return Decision(Verdict.NEW, None, None, near_id, similarity, bars.mint, "nobody is near")


def _known(who: Candidate) -> Verdict:
    """Whatever bar was passed: of somebody who opted out nothing is stored."""
    return Verdict.OPTED_OUT if who.role == "opted_out" else Verdict.KNOWN


def _near(nearest: Candidate | None) -> tuple[str | None, float | None]:
    """What the reason of a decision may keep: never that somebody resembles a person who opted out."""
    if nearest is None:
        return None, None
    return None if nearest.role == "opted_out" else nearest.person_id, nearest.similarity


def _named(who: Candidate, verdict: Verdict, bar: float, reason: str, *, learn: bool = False) -> Decision:
    return Decision(verdict, who.person_id, who.role, who.person_id, who.similarity, bar, reason, learn)
