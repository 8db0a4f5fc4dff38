"""A fortnight of made-up counts for tests of the charts: each day 10 new, 5 returning and 1 unsure visits at 17:00, thrice that on
Saturdays."""

from __future__ import annotations

from datetime import date

import numpy as np

from appliance.reports import questions, tables
from appliance.reports.questions import Question
from appliance.reports.tables import Answered
from appliance.reports.tallies import Counts

TODAY = date(2026, 11, 22)
"""A Sunday."""


def asked(first: str = "2026-11-09", last: str = "2026-11-22", **more: str) -> Question:
    values = {"preset": "", "camera": "", "week": "all", "step": "", **more}
    return questions.question(TODAY, values["preset"], first, last, values["camera"], values["week"], values["step"])


def a_fortnight(question: Question | None = None) -> Answered:
    question = question or asked()
    days = question.days
    hours, dwell, ages = np.zeros((days, 3, 24), np.int64), np.zeros((days, 3, 6), np.int64), np.zeros((days, 3, 7), np.int64)
    for number in range(days):
        times = 3 if (question.first.weekday() + number) % 7 == 5 else 1
        hours[number, :, 17] = np.array([10, 5, 1]) * times
        dwell[number, :, 1] = np.array([10, 5, 1]) * times
        ages[number, 0, 2] = 9 * times
        ages[number, 2, 6] = 7 * times
    cameras = {"Entrance": hours.sum(2), "Back door": hours.sum(2) // 5}
    return tables.answered(question, Counts(question.first, hours, dwell, ages, np.ones(days, np.int64)), cameras)


def nothing(question: Question | None = None) -> Answered:
    question = question or asked()
    days = question.days
    shapes = ((3, 24), (3, 6), (3, 7))
    hours, dwell, ages = (np.zeros((days, *shape), np.int64) for shape in shapes)
    return tables.answered(question, Counts(question.first, hours, dwell, ages, np.zeros(days, np.int64)), {})
