"""A person's visits as a calendar of weeks: one square a day, the darker the more visits. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from ui import formats

WEEKS = 26
"""Half a year, as loyalty looks back."""
DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Square:
    """Column and row in the calendar; `depth`: 0 for no visit to 3."""

    column: int
    row: int
    depth: int
    day: date
    visits: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """`months`: column and name. `days`: on how many days there was a visit."""

    squares: list[Square]
    months: list[tuple[int, str]]
    days: int
    visits: int


def first_day(today: date) -> date:
    """Of the calendar: a Monday."""
    return today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))


def calendar(days: Iterable[date], today: date) -> Calendar:
    """`days`: of each visit."""
    counts, first = Counter(days), first_day(today)
    squares, months = [], []
    for column in range(WEEKS):
        monday = first + timedelta(weeks=column)
        if monday.day <= 7 and column < WEEKS - 1:
            months.append((column, formats.short_month(monday)))
        for row in range(7):
            day = monday + timedelta(days=row)
            if day <= today:
                squares.append(Square(column, row, min(counts[day], DEEPEST), day, counts[day]))
    return Calendar(squares, months, sum(1 for s in squares if s.visits), sum(s.visits for s in squares))
