"""Who looks like whom, as far as somebody should know it: for a photo that was sent, for a member of staff, and for the staff's own test.

Pure questions to the gallery, where the gallery is (on the reception's thread). Of who opted out nothing is ever said.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from appliance.gallery import Candidate, Gallery
from appliance.identity import Thresholds
from appliance.review_finding import VIEWS_MIN, likenesses
from appliance.staffing import Tested
from models.faces import Floats

SHOWN_ROLES = ("customer", "staff")
ALIKE_MAX = 12
"""More than a page of faces is not looked at."""
NEAR_MARGIN = 0.06
"""A test with less room than this between oneself and the next is a narrow one."""


@dataclass(frozen=True, slots=True)
class Alike:
    """`sure`: near enough to be named; otherwise it may be them. `bar`: what it takes to be named."""

    person_id: str
    role: str
    similarity: float
    bar: float
    sure: bool


def alike(
    gallery: Gallery, views: Sequence[Floats], thresholds: Thresholds, *, without: Collection[str] = (), roles: Sequence[str] = SHOWN_ROLES
) -> list[Alike]:
    """People who resemble any of these (D,) views too much to be called different, most alike first."""
    nearest: dict[str, Candidate] = {}
    for view in views:
        for found in gallery.search(view):
            before = nearest.get(found.person_id)
            if found.role in roles and found.person_id not in without and (before is None or found.similarity > before.similarity):
                nearest[found.person_id] = found
    shown = []
    for found in nearest.values():
        bar = thresholds.staff if found.role == "staff" else thresholds.match
        if found.similarity >= min(thresholds.mint, bar):
            shown.append(Alike(found.person_id, found.role, found.similarity, bar, found.similarity >= bar))
    return sorted(shown, key=lambda one: -one.similarity)[:ALIKE_MAX]


def test_of(gallery: Gallery, person_id: str, thresholds: Thresholds, now_ms: int) -> Tested:
    """Each of somebody's views is searched for as if it were a visitor: how near are their others, and how near is anybody else?"""
    views = [template.embedding for template in gallery.of(person_id)]
    others = [found for view in views for found in gallery.search(view) if found.person_id != person_id and found.role in SHOWN_ROLES]
    nearest = max(others, key=lambda found: found.similarity, default=None)
    return Tested(
        at_ms=now_ms,
        own=own_likeness(views),
        other=nearest.similarity if nearest else None,
        other_id=nearest.person_id if nearest else None,
        bar=thresholds.staff,
    )


def own_likeness(views: list[Floats]) -> float | None:
    """How near a person's views are to one another, in the mean; None of a single one."""
    if len(views) < 2:
        return None
    if len(views) < VIEWS_MIN:
        return float(views[0] @ views[1])
    return float(likenesses(views).mean())


def verdict(found: Tested) -> str:
    """single: nothing to test with; missed: may be taken for a customer; confused: somebody else is as near as they are; narrow; good."""
    if found.own is None:
        return "single"
    if found.own < found.bar:
        return "missed"
    if found.other is not None and found.other >= min(found.own, found.bar):
        return "confused"
    if found.own - found.bar < NEAR_MARGIN or (found.other is not None and found.bar - found.other < NEAR_MARGIN):
        return "narrow"
    return "good"
