"""Age and gender of a visit, estimated from its best shots: columns of `sightings` and `visits`. For statistics, never for who it is.

Each sighting keeps the mean of its shots and how far they lie from one another; a visit's figures are made of its sightings' whenever those
change, so that splits and merges need not know of them. Nothing is kept where nothing was estimated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from appliance.database import Store
from appliance.sightings import Sighting

CLEAR_SHARE = 0.65
"""Below this the net does not know either, and gender is unknown: of a shop's shots that is one in ten."""
AGE_MAX = 100.0
"""The net was trained on nobody older; what it says beyond that is noise."""
MODEL_ERROR_YEARS = 6
"""How far the estimate is off on average, beside what the shots differ by (models/attributes.py)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """`age` in years; `spread`: standard deviation of the shots' ages; `male` 0..1: mean probability; `shots`: of how many."""

    age: float
    spread: float
    male: float
    shots: int

    @property
    def gender(self) -> str | None:
        """female, male, or None: unclear."""
        return None if self.share < CLEAR_SHARE else "male" if self.male >= 0.5 else "female"

    @property
    def share(self) -> float:
        """How sure the likelier gender is, .5 to 1."""
        return max(self.male, 1 - self.male)


def of_shots(ages: Sequence[float], male: Sequence[float]) -> Estimate | None:
    """Of one sighting's shots; None where there are none, or where a net gave no numbers."""
    if not ages or len(ages) != len(male) or not np.isfinite([*ages, *male]).all():
        return None
    years = np.clip(np.asarray(ages, np.float64), 0, AGE_MAX)
    return Estimate(float(years.mean()), float(years.std()), float(np.clip(np.mean(male), 0, 1)), len(ages))


def together(parts: Sequence[Estimate]) -> Estimate | None:
    """Of all shots of several sightings, as if they had been seen in one."""
    shots = sum(part.shots for part in parts)
    if not shots:
        return None
    age = sum(part.age * part.shots for part in parts) / shots
    squares = sum((part.spread**2 + (part.age - age) ** 2) * part.shots for part in parts)
    return Estimate(age, float((squares / shots) ** 0.5), sum(part.male * part.shots for part in parts) / shots, shots)


def note(store: Store, sighting: Sighting) -> None:
    """In the caller's transaction, with the sighting's row there."""
    found = of_shots(sighting.ages, sighting.male)
    if found:
        store.db.execute(
            "UPDATE sightings SET age = ?, age_spread = ?, male = ?, estimated = ? WHERE id = ?",
            [found.age, found.spread, found.male, found.shots, sighting.id],
        )


def gather(store: Store, visit_id: str) -> None:
    """Brings a visit's estimate in line with its sightings'. In the caller's transaction."""
    rows = store.db.execute(
        "SELECT age, age_spread, male, estimated FROM sightings WHERE visit_id = ? AND estimated > 0", [visit_id]
    ).fetchall()
    found = together([Estimate(*row) for row in rows])
    values = [found.age, found.spread, found.gender, found.share] if found else [None] * 4
    store.db.execute(
        """UPDATE visits SET age = ?1, age_spread = ?2, gender = ?3, gender_share = ?4
            WHERE id = ?5 AND (age IS NOT ?1 OR age_spread IS NOT ?2 OR gender_share IS NOT ?4)""",
        [*values, visit_id],
    )
