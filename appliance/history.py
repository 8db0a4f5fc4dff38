"""A believable past of a store out of one seed: who came when, how long they stayed, and how old they look. Numbers alone, no database:
what is written of it is `history_writing`'s.

Some people come once, a few come every week; Saturdays are full, evenings fuller than mornings, December fuller than February.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]
WEEK = (0.78, 0.74, 0.82, 0.92, 1.18, 1.62, 1.24)
"""How full Monday to Sunday are."""
HOURS = {9: 0.5, 10: 0.8, 11: 1.05, 12: 1.3, 13: 1.0, 14: 0.85, 15: 0.9, 16: 1.05, 17: 1.45, 18: 1.6, 19: 1.15, 20: 0.5}
"""A weekday's; the store is open from nine to nine."""
WEEKEND_HOURS = {9: 0.3, 10: 0.8, 11: 1.3, 12: 1.4, 13: 1.3, 14: 1.45, 15: 1.55, 16: 1.5, 17: 1.3, 18: 1.0, 19: 0.7, 20: 0.3}
YEAR = (0.95, 0.86, 0.93, 0.97, 1.0, 1.02, 0.96, 0.94, 1.0, 1.03, 1.12, 1.32)
ONCE_SHARE = 0.42
"""Of the people: they never come back."""
STAY_DAYS_MEAN = 260.0
"""How long somebody remains a customer of the store."""
UNSURE_SHARE = 0.035
STAFF = 6
ESTIMATED_SHARE = 0.93
AGE_OFF_BY = 4.5
"""Deviation in years of an estimate from the age."""
GAP_MS = 1_800_000
"""Nobody comes again within half an hour: that would have been the same visit."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`until_ms`: UTC, no visit is later. `people` and `visits` are met within a few percent. `cameras`: how many."""

    days: int
    people: int
    visits: int
    cameras: int
    until_ms: int
    zone: ZoneInfo
    seed: int = 20_261_124


@dataclass(frozen=True, slots=True)
class Past:
    """Visits by time. person (V,): number of the person, the last `STAFF` are staff; first_ms, last_ms (V,); unsure (V,) bool;
    looks (V,): before how many cameras; age, sure (V,): estimate, NaN for none. male, born (P,): of the person."""

    person: Ints
    first_ms: Ints
    last_ms: Ints
    unsure: NDArray[np.bool_]
    looks: Ints
    age: Reals
    share: Reals
    male: NDArray[np.bool_]
    people: int
    first_day: date


def past(wanted: Wanted) -> Past:
    chance = np.random.default_rng(wanted.seed)
    last_day = datetime.fromtimestamp(wanted.until_ms / 1000, wanted.zone).date()
    first_day = last_day - timedelta(days=wanted.days - 1)
    days = [first_day + timedelta(days=number) for number in range(wanted.days)]
    fullness = np.array([WEEK[day.weekday()] * YEAR[day.month - 1] for day in days]) * chance.normal(1, 0.09, wanted.days).clip(0.6, 1.5)
    person, day = _customers(chance, wanted, fullness)
    staff, staff_day = _staff(wanted, days, chance)
    person, day = np.concatenate([person, staff]), np.concatenate([day, staff_day])
    first_ms = _begins(days, wanted.zone)[day] + _moments(chance, np.array([one.weekday() for one in days])[day])
    kept = first_ms < wanted.until_ms - 60_000
    person, first_ms = person[kept], first_ms[kept]
    order = np.lexsort((first_ms, person))
    person, first_ms = person[order], first_ms[order]
    again = np.zeros(len(person), bool)
    again[1:] = (person[1:] == person[:-1]) & (first_ms[1:] - first_ms[:-1] < GAP_MS)
    person, first_ms = person[~again], first_ms[~again]
    order = np.argsort(first_ms, kind="stable")
    return _looked_at(chance, wanted, person[order], first_ms[order], first_day)


def _customers(chance: np.random.Generator, wanted: Wanted, fullness: Reals) -> tuple[Ints, Ints]:
    """(V,) who and (V,) on which day, in no order.

    Lives as a customer begin before the past does and end after it: its first and its last week are as full as the others, with as many
    new faces. What lies outside is left out.
    """
    once = chance.random(wanted.people) < ONCE_SHARE
    begin = chance.uniform(-2 * STAY_DAYS_MEAN, wanted.days, wanted.people)
    end = begin + 7 + chance.exponential(STAY_DAYS_MEAN, wanted.people)
    outside = 1_000 * STAY_DAYS_MEAN
    axis = np.concatenate([[-outside], np.arange(wanted.days + 1), [wanted.days + outside]])
    usual = float(fullness.mean())
    inside = np.concatenate([[0.0], np.cumsum(fullness)])
    filled = np.concatenate([[-outside * usual], inside, [inside[-1] + outside * usual]])
    low, high = np.interp(begin, axis, filled), np.interp(end, axis, filled)
    often = (1 + chance.lognormal(0.4, 1.25, wanted.people)) * (high - low) * ~once
    seen = often * (np.minimum(high, inside[-1]) - np.maximum(low, 0)).clip(0) / (high - low)
    draws = 0.0
    for _ in range(4):  # Whoever is not drawn comes once all the same: so many fewer are drawn.
        alone = float(np.exp(-draws * seen / often.sum()).sum()) if draws else float(once.sum())
        draws = max(0.0, wanted.visits - alone) * often.sum() / seen.sum()
    times = chance.multinomial(round(draws), often / often.sum())
    person = np.repeat(np.arange(wanted.people), times)
    place = low[person] + chance.random(len(person)) * (high - low)[person]
    kept = (place >= 0) & (place < inside[-1])
    person, place = person[kept], place[kept]
    left = np.setdiff1d(np.arange(wanted.people), person)
    person = np.concatenate([person, left])
    place = np.concatenate([place, chance.uniform(0, inside[-1], len(left))])
    return person, np.clip(np.searchsorted(inside, place, side="right") - 1, 0, wanted.days - 1)


def _staff(wanted: Wanted, days: list[date], chance: np.random.Generator) -> tuple[Ints, Ints]:
    """Each works five days a week and is seen twice a day."""
    who, when = [], []
    for number in range(STAFF):
        for at, day in enumerate(days):
            if (day.toordinal() + 3 * number) % 7 < 5:
                seen = int(chance.integers(1, 4))
                who += [wanted.people + number] * seen
                when += [at] * seen
    return np.array(who, np.int64), np.array(when, np.int64)


def _begins(days: list[date], zone: ZoneInfo) -> Ints:
    """(D,) UTC milliseconds of each day's nine o'clock: by the store's own clock, also when that changes."""
    return np.array([round(datetime.combine(day, time(9), zone).timestamp() * 1000) for day in days], np.int64)


def _moments(chance: np.random.Generator, weekday: Ints) -> Ints:
    """(V,) milliseconds after nine o'clock."""
    found = np.zeros(len(weekday), np.int64)
    for curve, which in ((HOURS, weekday < 5), (WEEKEND_HOURS, weekday >= 5)):
        filled = np.concatenate([[0.0], np.cumsum(list(curve.values()))])
        hours = np.interp(chance.random(int(which.sum())) * filled[-1], filled, np.arange(len(filled)))
        found[which] = (hours * 3_600_000).astype(np.int64)
    return found


def _looked_at(chance: np.random.Generator, wanted: Wanted, person: Ints, first_ms: Ints, first_day: date) -> Past:
    visits, everybody = len(person), wanted.people + STAFF
    staff = person >= wanted.people
    looks = np.minimum(1 + chance.binomial(2, 0.55, visits), wanted.cameras) if wanted.cameras else np.ones(visits, np.int64)
    glance_s = chance.uniform(2, 14, visits)
    stay_s = np.where(looks > 1, chance.lognormal(np.log(540), 0.85, visits).clip(40, 7_000), glance_s)
    last_ms = np.minimum(first_ms + (stay_s * 1000).astype(np.int64), wanted.until_ms)
    male = chance.random(everybody) < 0.44
    years = chance.gamma(7.5, 5.4, everybody).clip(6, 88)
    estimated = chance.random(visits) < ESTIMATED_SHARE
    age = np.where(estimated, (years[person] + chance.normal(0, AGE_OFF_BY, visits)).clip(1, 95), np.nan)
    share = np.where(estimated, chance.beta(9, 1.4, visits).clip(0.5, 1), np.nan)
    unsure = (chance.random(visits) < UNSURE_SHARE) & ~staff
    return Past(person, first_ms, last_ms, unsure, looks.astype(np.int64), age, share, male, wanted.people, first_day)
