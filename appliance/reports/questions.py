"""What a report is asked: which days, which camera, which days of the week, by day, week or month. Days are the store's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from urllib.parse import urlencode

from appliance.errors import RegularsError
from ui import formats
from ui.words import gettext as _

DAYS_MAX = 731
"""Two years: further back a store was another one, and the page stays quick."""
STEP_DAYS = {"day": 62, "week": 400}
"""Up to so many days a column each for a day, for a week; else for a month: more columns are too thin to read."""
COLUMNS_MAX = 140
Step = Literal["day", "week", "month"]
PRESETS = ("7d", "28d", "90d", "365d", "month", "last_month", "year")
WEEK = {"all": frozenset(range(7)), "weekday": frozenset(range(5)), "weekend": frozenset((5, 6))}


class QuestionError(RegularsError):
    """What was asked cannot be answered."""


@dataclass(frozen=True, slots=True)
class Question:
    """`first` and `last` are both meant. `preset`: how they were chosen, empty when by hand. `week`: a key of WEEK."""

    first: date
    last: date
    today: date
    preset: str = ""
    camera: str = ""
    week: str = "all"
    step: Step = "day"

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def whole_until(self) -> date:
        """The last day that is over: averages and comparisons leave today out, unless it is all that is asked for."""
        yesterday = self.today - timedelta(days=1)
        return self.last if self.last < self.today or self.first > yesterday else yesterday

    def before(self) -> Question:
        """As many days, of those that are over, whole weeks earlier: a Saturday is compared with a Saturday."""
        back = -(-((self.whole_until - self.first).days + 1) // 7) * 7
        return Question(self.first - timedelta(days=back), self.whole_until - timedelta(days=back), self.today, "", self.camera, self.week)

    def address(self, path: str, **other: str) -> str:
        """The same question elsewhere, but for what is given."""
        asked = {"range": self.preset} if self.preset else {"first": str(self.first), "last": str(self.last)}
        values = {**asked, "camera": self.camera, "week": "" if self.week == "all" else self.week, "step": self.step, **other}
        return f"{path}?{urlencode({key: value for key, value in values.items() if value})}"


def question(today: date, preset: str, first: str, last: str, camera: str, week: str, step: str) -> Question:
    """From what an address says; empty is the usual. Raises QuestionError."""
    if week not in WEEK:
        raise QuestionError(_("There are no such days of the week: “%(week)s”.") % {"week": week[:20]})
    begin, end = _preset(preset, today) if preset or not (first or last) else _by_hand(first, last, today)
    if not 1 <= (end - begin).days + 1 <= DAYS_MAX:
        said = _("A report is of %(most)d days at most, and ends after it begins. Choose other days.")
        raise QuestionError(said % {"most": DAYS_MAX})
    chosen = preset or ("" if first or last else "28d")
    length = (end - begin).days + 1
    usual: Step = "day" if length <= STEP_DAYS["day"] else "week" if length <= STEP_DAYS["week"] else "month"
    wide: dict[str, Step] = {"day": "day", "week": "week", "month": "month"}
    if step and step not in wide:
        raise QuestionError(_("Visitors are counted by day, week or month, not by “%(step)s”.") % {"step": step[:20]})
    width = wide.get(step, usual)
    if width == "day" and length > COLUMNS_MAX:
        width = usual
    return Question(begin, end, today, chosen, camera[:64], week, width)


def steps(asked: Question) -> Iterator[tuple[date, list[date]]]:
    """Each column's first day and the days in it. Weeks begin on Monday; the outer ones may be cut."""
    column: list[date] = []
    for number in range(asked.days):
        day = asked.first + timedelta(days=number)
        begins = asked.step == "day" or (day.weekday() == 0 if asked.step == "week" else day.day == 1)
        if begins and column:
            yield column[0], column
            column = []
        column.append(day)
    if column:
        yield column[0], column


def words(asked: Question) -> str:
    """The period as a person says it."""
    first, last = formats.short_date(asked.first, asked.today), formats.short_date(asked.last, asked.today)
    return first if asked.first == asked.last else _("%(first)s to %(last)s") % {"first": first, "last": last}


def _preset(preset: str, today: date) -> tuple[date, date]:
    chosen = preset or "28d"
    if chosen not in PRESETS:
        raise QuestionError(_("There is no period “%(period)s”.") % {"period": chosen[:20]})
    if chosen == "month":
        return today.replace(day=1), today
    if chosen == "year":
        return today.replace(month=1, day=1), today
    if chosen == "last_month":
        end = today.replace(day=1) - timedelta(days=1)
        return end.replace(day=1), end
    return today - timedelta(days=int(chosen.removesuffix("d")) - 1), today


def _by_hand(first: str, last: str, today: date) -> tuple[date, date]:
    try:
        begin, end = (date.fromisoformat(written) if written else None for written in (first, last))
    except ValueError:
        raise QuestionError(_("A day is written like 2026-11-22.")) from None
    end = min(end or today, today)
    begin = begin or end - timedelta(days=27)
    # Outside these years day bounds would leave the calendar or the clock's range.
    if begin.year < 1971:
        raise QuestionError(_("There were no such days. Choose later ones."))
    return begin, end
