"""How numbers and times are written."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from ui import formats


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.41, ".41"), (0.405, ".41"), (0.0, ".00"), (-0.05, "-.05"), (1.0, "1.00"), (0.999, "1.00"), (-0.999, "-1.00")],
)
def test_a_similarity_is_two_digits_and_no_percentage(value: float, written: str) -> None:
    assert formats.similarity(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"), (21, "21st"), (112, "112th")],
)
def test_ordinals(value: int, written: str) -> None:
    assert formats.ordinal(value) == written


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [
        (-5, "0 seconds"),
        (1_000, "1 second"),
        (59_400, "59 seconds"),
        (60_000, "1 minute"),
        (125 * 60_000, "2 h 5 min"),
        (120 * 60_000, "2 h"),
        (3 * 86_400_000, "3 days"),
    ],
)
def test_durations(milliseconds: int, written: str) -> None:
    assert formats.duration(milliseconds) == written


def test_a_day_on_which_the_clocks_change_has_23_or_25_hours() -> None:
    zone = ZoneInfo("Europe/Berlin")
    hours = [
        (end - start) / 3_600_000
        for start, end in (formats.day_bounds(date(2026, month, day), zone) for month, day in ((3, 29), (10, 25), (6, 1)))
    ]
    assert hours == [23, 25, 24]
