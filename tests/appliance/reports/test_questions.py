"""Which days are meant, and which are refused."""

from __future__ import annotations

from datetime import date

import pytest

from appliance.reports import questions
from appliance.reports.questions import QuestionError
from tests.appliance.reports.answers import TODAY, asked


@pytest.mark.parametrize(
    ("preset", "first", "last"),
    [
        ("", date(2026, 10, 26), TODAY),
        ("7d", date(2026, 11, 16), TODAY),
        ("365d", date(2025, 11, 23), TODAY),
        ("month", date(2026, 11, 1), TODAY),
        ("last_month", date(2026, 10, 1), date(2026, 10, 31)),
        ("year", date(2026, 1, 1), TODAY),
    ],
)
def test_a_period_is_meant_as_people_mean_it(preset: str, first: date, last: date) -> None:
    question = asked("", "", preset=preset)
    assert (question.first, question.last) == (first, last)


@pytest.mark.parametrize(
    ("first", "last", "more"),
    [
        ("2026-11-22", "2026-11-20", {}),
        ("2024-01-01", "2026-11-20", {}),
        ("tomorrow", "", {}),
        ("0001-01-01", "0001-01-02", {}),
        ("", "", {"preset": "ages"}),
        ("", "", {"week": "monday"}),
        ("", "", {"step": "hour"}),
    ],
)
def test_what_makes_no_sense_is_said_in_words(first: str, last: str, more: dict[str, str]) -> None:
    with pytest.raises(QuestionError, match=r"\.$"):
        asked(first, last, **more)


def test_nothing_is_asked_of_days_to_come() -> None:
    assert asked("2026-11-20", "2027-05-01").last == TODAY


@pytest.mark.parametrize(("first", "step"), [("2026-11-01", "day"), ("2026-08-01", "week"), ("2025-06-01", "month")])
def test_columns_are_as_wide_as_the_period_needs(first: str, step: str) -> None:
    assert asked(first, "2026-11-22").step == step


def test_columns_too_thin_to_read_are_not_drawn() -> None:
    assert asked("2025-11-22", "2026-11-22", step="day").step == "week"
    assert asked("2026-11-01", "2026-11-22", step="month").step == "month"


def test_a_period_is_compared_with_whole_weeks_earlier_and_without_today() -> None:
    before = asked("", "", preset="28d").before()
    assert (before.first, before.last) == (date(2026, 9, 28), date(2026, 10, 24))
    assert before.first.weekday() == asked("", "", preset="28d").first.weekday()


def test_an_address_asks_the_same_again() -> None:
    assert asked("", "", preset="90d", camera="front", week="weekend").address("/x") == "/x?range=90d&camera=front&week=weekend&step=week"
    assert asked().address("/x", step="") == "/x?first=2026-11-09&last=2026-11-22"


def test_the_days_of_all_columns_are_the_days_of_the_period() -> None:
    for step in ("day", "week", "month"):
        columns = [days for _first, days in questions.steps(asked("2026-09-30", "2026-11-22", step=step))]
        assert sum(map(len, columns)) == 54
        assert columns[0][0] == date(2026, 9, 30)
