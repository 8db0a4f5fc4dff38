"""A scenario: an entrance video with the truth of who walked in, and what a log of it is worth. Pure but for reading the truth file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import msgspec
import numpy as np

from appliance.errors import ScenarioError
from appliance.sightings import Shot

OVERLAP_MIN = 0.3
"""Intersection over union from which a shot shows the face in a true box: tighter than any neighbour, looser than a detector's taste."""
OUTSIDE_S = 0.3
"""Truth boxes are given four times a second: a face may be seen this long before the first and after the last."""


class TrueVisit(msgspec.Struct, frozen=True):
    """`boxes`: [second, x, y, width, height]."""

    identity: str
    staff: bool
    opted_out: bool
    returning: bool
    start_s: float
    end_s: float
    boxes: list[tuple[float, float, float, float, float]]

    def box_at(self, second: float) -> tuple[float, float, float, float] | None:
        """x1 y1 x2 y2, between two given boxes by interpolation; None while not in the picture."""
        if not self.start_s - OUTSIDE_S <= second <= self.end_s + OUTSIDE_S:
            return None
        table = np.array(self.boxes)
        x, y, width, height = (float(np.interp(second, table[:, 0], table[:, k])) for k in range(1, 5))
        return x, y, x + width, y + height


class Expected(msgspec.Struct, frozen=True):
    customer_visits: int
    unique_customers: int
    returning_visits: int


class Truth(msgspec.Struct, frozen=True):
    duration_s: float
    revisit_gap_s: float
    poster: bool
    staff: list[str]
    opted_out: list[str]
    expected: Expected
    visits: list[TrueVisit]


class Figures(msgspec.Struct, frozen=True):
    """What a log got right. Pairs are pairs of visits judged to be the same person, staff included; `customer_…` are without staff."""

    visits_true: int
    visits_found: int
    visits_split: int
    visits_spurious: int
    unique_customers_true: int
    unique_customers: int
    returning_true: int
    returning: int
    pair_precision: float
    pair_recall: float
    customer_pair_precision: float
    customer_pair_recall: float
    unsure_visits: int
    staff_counted_as_customers: int
    opted_out_stored: int
    poster_people: int


@dataclass(frozen=True, slots=True)
class Logged:
    """One visit of the log, or one count of an opted-out visit (`verdict` opted_out). `shots`: of all its sightings."""

    visit_id: str
    person_id: str | None
    verdict: str
    shots: Sequence[Shot]


def read_truth(folder: Path) -> Truth:
    """Raises ScenarioError, naming the file and what is wrong with it."""
    path = folder / "truth.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=Truth)
    except FileNotFoundError:
        raise ScenarioError(f"{folder} is no scenario: it has no truth.json. It needs entrance.mp4, truth.json and enrol/.") from None
    except msgspec.MsgspecError as error:
        raise ScenarioError(f"{path} is not the truth of a scenario: {error}.") from None


def visit_shown(truth: Truth, shots: Sequence[Shot], start_ms: int) -> int | None:
    """Index of the true visit that most of the shots show, or None when most show nobody who is there."""
    votes: Counter[int | None] = Counter(_shown_by(truth, shot, start_ms) for shot in shots)
    return votes.most_common(1)[0][0] if votes else None


def score(truth: Truth, log: Sequence[Logged], start_ms: int) -> Figures:
    """Compares a log with the truth. A logged visit stands for one true visit: that of most of its shots."""
    shown: Mapping[str, int | None] = {v.visit_id: visit_shown(truth, v.shots, start_ms) for v in log}
    by_truth: dict[int, list[Logged]] = {}
    for visit in log:
        index = shown[visit.visit_id]
        if index is not None:
            by_truth.setdefault(index, []).append(visit)
    main = {i: max(found, key=lambda v: len(v.shots)) for i, found in by_truth.items()}
    spurious = [v for v in log if shown[v.visit_id] is None]
    customers = [v for v in log if v.verdict in ("new", "returning", "unsure")]
    everybody = [i for i, v in enumerate(truth.visits) if not v.opted_out]
    precision, recall = pairs(truth, main, everybody)
    customer_precision, customer_recall = pairs(truth, main, [i for i in everybody if not truth.visits[i].staff])
    true_people = {v.person_id for v in log if v.person_id and shown[v.visit_id] is not None}
    return Figures(
        visits_true=len(truth.visits),
        visits_found=len(by_truth),
        visits_split=sum(len(found) - 1 for found in by_truth.values()),
        visits_spurious=len(spurious),
        unique_customers_true=truth.expected.unique_customers,
        unique_customers=len({v.person_id for v in customers if v.person_id}),
        returning_true=truth.expected.returning_visits,
        returning=sum(v.verdict == "returning" for v in log),
        pair_precision=precision,
        pair_recall=recall,
        customer_pair_precision=customer_precision,
        customer_pair_recall=customer_recall,
        unsure_visits=sum(v.verdict == "unsure" for v in log),
        staff_counted_as_customers=sum(1 for i, found in by_truth.items() if truth.visits[i].staff for v in found if v in customers),
        opted_out_stored=sum(1 for i, found in by_truth.items() if truth.visits[i].opted_out for v in found if v.verdict != "opted_out"),
        poster_people=len({v.person_id for v in spurious if v.person_id} - true_people),
    )


def pairs(truth: Truth, main: Mapping[int, Logged], which: Sequence[int]) -> tuple[float, float]:
    """Precision and recall of "the same person" over all pairs of these true visits; a visit not found or not named is like no other."""
    both = claimed = true = 0
    for a, b in combinations(which, 2):
        same = truth.visits[a].identity == truth.visits[b].identity
        person_a, person_b = (main[i].person_id if i in main else None for i in (a, b))
        said = person_a is not None and person_a == person_b
        both, claimed, true = both + (same and said), claimed + said, true + same
    return round(both / claimed, 4) if claimed else 1.0, round(both / true, 4) if true else 1.0


def _shown_by(truth: Truth, shot: Shot, start_ms: int) -> int | None:
    second, best, which = (shot.taken_ms - start_ms) / 1000, OVERLAP_MIN, None
    for i, visit in enumerate(truth.visits):
        box = visit.box_at(second)
        if box and (shared := overlap(box, shot.box)) > best:
            best, which = shared, i
    return which


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Intersection over union of two boxes x1 y1 x2 y2."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    inside = width * height
    return inside / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inside)
