"""The report's charts, each one function: a question and the counts in, a table out. The table is what the page lists, the chart draws, and
the file holds; nothing is worked out anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from appliance.reports import questions
from appliance.reports.questions import Question
from appliance.reports.tallies import AGES_FROM, DWELL_FROM_S, Counts
from ui import formats
from ui.words import gettext as _
from ui.words import ngettext

Cell = str | int | float | None
Visits = NDArray[np.int64]
Row = tuple[Cell, ...]
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Column:
    """`key`: of the file and the chart; `words`: its heading. `form`: text, count, mean (one decimal), share (0..1)."""

    key: str
    words: str
    form: str = "count"


@dataclass(frozen=True, slots=True)
class Table:
    """`chart`: which drawing suits it. `says`: the one thing to see, in words. `note`: what must be known to read it right. `steps`: of a
    table by day, week or month, each row's as ISO 8601 has it, for the file: a page leaves this year away, and says months in words."""

    name: str
    title: str
    chart: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    says: str = ""
    note: str = ""
    empty: bool = False
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """All that the charts are made of. `cameras`: name to (D, 3) visits by day and kind. `weekday` (D,): 0..6. `chosen` (D,): which days
    are asked for at all. `whole` (D,): of those, the ones that an average is made of, from the first with a visit until yesterday."""

    asked: Question
    counts: Counts
    cameras: dict[str, Visits]
    weekday: Visits
    chosen: NDArray[np.bool_]
    whole: NDArray[np.bool_]


def answered(asked: Question, counts: Counts, cameras: dict[str, Visits]) -> Answered:
    days = len(counts.opted_out)
    weekday = (counts.first.weekday() + np.arange(days)) % 7
    chosen = np.isin(weekday, list(questions.WEEK[asked.week]))
    visits = counts.hours.sum((1, 2)) + counts.opted_out
    since = int(np.argmax(visits > 0)) if visits.any() else 0
    numbers = np.arange(days)
    whole = chosen & (numbers >= since) & (numbers <= (asked.whole_until - counts.first).days)
    return Answered(asked, counts, cameras, weekday, chosen, whole)


def visitors(of: Answered) -> Table:
    by_kind = np.column_stack([of.counts.hours.sum(2), of.counts.opted_out]) * of.chosen[:, None]
    rows, filed = list[Row](), list[str]()
    most: tuple[int, str] = (0, "")
    for first, days in questions.steps(of.asked):
        at = (first - of.counts.first).days
        part = by_kind[at : at + len(days)].sum(0)
        if of.chosen[at : at + len(days)].any():
            when, visits = step_words(of.asked, first, days), int(part.sum())
            rows.append((when, *map(int, part), visits))
            filed.append(iso_step(of.asked, first, days))
            most = max(most, (visits, when), key=lambda one: one[0])
    columns = (*_step_column(of.asked), *kind_columns(), Column("opted_out", _("Opted out")), Column("visits", _("All")))
    titles = {"day": _("Visitors by day"), "week": _("Visitors by week"), "month": _("Visitors by month")}
    said = _("Most on %(when)s: %(visits)s.") if of.asked.step == "day" else _("Most in %(when)s: %(visits)s.")
    says = said % {"when": most[1], "visits": formats.number(most[0])} if most[0] else ""
    note = _("Who opted out is counted and nothing else is kept.") if by_kind[:, 3].any() else ""
    return replace(_table("visitors", titles[of.asked.step], "stack", columns, rows, says, note), steps=tuple(filed))


def hours(of: Answered) -> Table:
    """Visits in an average day's hours."""
    days = int(of.whole.sum())
    by_hour = of.counts.hours[of.whole].sum(0).T  # (24, 3)
    open_hours = _span(by_hour.sum(1))
    means = {hour: [_mean(int(n), days) for n in (*by_hour[hour], by_hour[hour].sum())] for hour in open_hours}
    rows: list[Row] = [(hour_words(hour), *found) for hour, found in means.items()]
    kinds = (Column(column.key, column.words, "mean") for column in kind_columns())
    columns = (Column("hour", _("Hour"), "text"), *kinds, Column("visits", _("All"), "mean"))
    says = _no_whole_day(of)
    if by_hour.any():
        busiest = int(by_hour.sum(1).argmax())
        says = _("Busiest from %(from)s to %(to)s.") % {"from": hour_words(busiest), "to": hour_words(busiest + 1)}
    return _table("hours", _("An average day, hour by hour"), "stack", columns, rows, says, _days_note(of, days))


def weekdays(of: Answered) -> Table:
    visits = of.counts.hours.sum((1, 2)) + of.counts.opted_out
    rows: list[Row] = []
    for weekday, name in enumerate(weekday_words()):
        which = of.whole & (of.weekday == weekday)
        if which.any():
            total, days = int(visits[which].sum()), int(which.sum())
            part = _("weekend") if weekday >= SATURDAY else _("weekday")
            rows.append((name, part, days, total, _mean(total, days)))
    columns = (
        Column("weekday", _("Day"), "text"),
        Column("part", _("Part of the week"), "text"),
        Column("days", _("Days")),
        Column("visits", _("Visits")),
        Column("average", _("Average a day"), "mean"),
    )
    ends, work = (of.whole & (of.weekday >= SATURDAY), of.whole & (of.weekday < SATURDAY))
    says = _no_whole_day(of)
    if ends.any() and work.any():
        means = {"work": round(float(visits[work].mean())), "ends": round(float(visits[ends].mean()))}
        said = _("%(work)s visits on an average weekday, %(ends)s on a day of the weekend.")
        says = said % {key: formats.number(value) for key, value in means.items()}
    note = _days_note(of, int(of.whole.sum()))
    return Table("weekdays", _("Weekdays and weekend"), "bars", columns, tuple(rows), says, note, empty=not visits[of.whole].any())


def returning(of: Answered) -> Table:
    by_kind = of.counts.hours.sum(2) * of.chosen[:, None]
    rows, filed = list[Row](), list[str]()
    for first, days in questions.steps(of.asked):
        at = (first - of.counts.first).days
        new, back, _unsure = map(int, by_kind[at : at + len(days)].sum(0))
        if of.chosen[at : at + len(days)].any():
            rows.append((step_words(of.asked, first, days), new, back, round(back / (new + back), 4) if new + back else None))
            filed.append(iso_step(of.asked, first, days))
    columns = (*_step_column(of.asked), *kind_columns()[:2], Column("share", _("Share that came back"), "share"))
    new, back, unsure = map(int, by_kind.sum(0))
    says = _("%(share)s of the visits were by people who had been here before.") % {"share": percent(back / (new + back))} if back else ""
    said = ngettext("%(n)s visit is left out: not sure, or counted only.", "%(n)s visits are left out: not sure, or counted only.", unsure)
    note = said % {"n": formats.number(unsure)} if unsure else ""
    return replace(_table("returning", _("First time and came back"), "share", columns, rows, says, note), steps=tuple(filed))


def heat(of: Answered) -> Table:
    by_hour = of.counts.hours.sum(1)  # (D, 24)
    span = _span(by_hour[of.whole].sum(0))
    rows: list[Row] = []
    best: tuple[float, str, int] = (0.0, "", 0)
    for weekday, name in enumerate(weekday_words()):
        which = of.whole & (of.weekday == weekday)
        if which.any():
            means = by_hour[which].mean(0)
            rows.append((name, *(round(float(means[hour]), 1) for hour in span)))
            best = max([best, *((float(means[hour]), name, hour) for hour in span)], key=lambda one: one[0])
    columns = (Column("weekday", _("Day"), "text"), *(Column(f"h{hour:02d}", hour_words(hour), "mean") for hour in span))
    says = _no_whole_day(of)
    if best[1]:
        said = _("Busiest: %(day)s from %(from)s to %(to)s.")
        says = said % {"day": best[1], "from": hour_words(best[2]), "to": hour_words(best[2] + 1)}
    return _table("heat", _("The week, hour by hour"), "heat", columns, rows, says, _("Average visits in the hour."))


def ages(of: Answered) -> Table:
    counted = of.counts.ages[of.chosen].sum(0)  # (3, 7)
    names = [*age_words(), _("unknown")]
    rows: list[Row] = [(name, *map(int, counted[:, band]), int(counted[:, band].sum())) for band, name in enumerate(names)]
    columns = (
        Column("age", _("Age"), "text"),
        Column("female", _("Women")),
        Column("male", _("Men")),
        Column("unknown", _("Unknown")),
        Column("visits", _("All")),
    )
    known = int(counted[:2, :-1].sum())
    note = _("Estimates of a model from the face, of visits and not of people. They are often off by several years, and sometimes wrong.")
    said = _("No estimates: age and gender are switched off, or were not estimated in these days.")
    says = said if not known and counted.any() else ""
    return Table("ages", _("Age and gender"), "ages", columns, tuple(rows), says, note, empty=not known)


def dwell(of: Answered) -> Table:
    counted = of.counts.dwell[of.chosen].sum(0)  # (3, 6)
    total = int(counted.sum())
    rows: list[Row] = []
    for band, name in enumerate(dwell_words()):
        of_band = int(counted[:, band].sum())
        rows.append((name, *map(int, counted[:, band]), of_band, round(of_band / total, 4) if total else None))
    columns = (Column("stay", _("Stay"), "text"), *kind_columns(), Column("visits", _("All")), Column("share", _("Share"), "share"))
    note = _("From the first look at a face to the last, on all cameras: who passes one camera once has a stay of seconds.")
    return _table("dwell", _("How long they stayed"), "stack", columns, rows, "", note)


def cameras(of: Answered) -> Table:
    kinds = {name: visits[of.chosen].sum(0) for name, visits in of.cameras.items()}
    ordered = sorted(kinds.items(), key=lambda one: (-int(one[1].sum()), one[0]))
    rows: list[Row] = [(name, *map(int, visits), int(visits.sum())) for name, visits in ordered]
    columns = (Column("camera", _("Camera"), "text"), *kind_columns(), Column("visits", _("All")))
    note = _("A visit before two cameras counts for both.") if len(rows) > 1 else ""
    return _table("cameras", _("Cameras"), "across", columns, rows, "", note)


CHARTS: dict[str, Callable[[Answered], Table]] = {
    "visitors": visitors,
    "returning": returning,
    "hours": hours,
    "heat": heat,
    "weekdays": weekdays,
    "dwell": dwell,
    "ages": ages,
    "cameras": cameras,
}
"""In the order of the page."""


def kind_columns() -> tuple[Column, Column, Column]:
    return Column("new", _("First time")), Column("returning", _("Came back")), Column("unsure", _("Not sure"))


def percent(share: float) -> str:
    """Whole ones: the cameras do not know it better."""
    return _("%(n)d %%") % {"n": round(100 * share)}


def hour_words(hour: int) -> str:
    return f"{hour}:00"


def weekday_words() -> list[str]:
    return [formats.weekday(number) for number in range(7)]


def age_words() -> list[str]:
    between = [_("%(from)d–%(to)d") % {"from": low, "to": high - 1} for low, high in pairwise(AGES_FROM[1:])]
    return [_("under %(age)d") % {"age": AGES_FROM[1]}, *between, _("%(age)d and over") % {"age": AGES_FROM[-1]}]


def dwell_words() -> list[str]:
    minutes = [begin // 60 for begin in DWELL_FROM_S]
    between = [_("%(from)d–%(to)d min") % {"from": low, "to": high} for low, high in pairwise(minutes[1:])]
    return [_("under a minute"), *between, _("over an hour")]


def step_words(asked: Question, first: date, days: Sequence[date]) -> str:
    if asked.step == "month":
        return formats.month(first)
    begins = formats.short_date(first, asked.today)
    return begins if asked.step == "day" or len(days) == 1 else _("%(first)s – %(last)s") % {"first": begins, "last": _end(asked, days[-1])}


def iso_step(asked: Question, first: date, days: Sequence[date]) -> str:
    """2026-11-22, 2026-11, or 2026-11-16/2026-11-22 for a week: ISO 8601's date, month and interval."""
    if asked.step == "month":
        return f"{first:%Y-%m}"
    return f"{first}" if asked.step == "day" else f"{first}/{days[-1]}"


def _end(asked: Question, day: date) -> str:
    return formats.short_date(day, asked.today)


def _step_column(asked: Question) -> tuple[Column]:
    return (Column("when", {"day": _("Day"), "week": _("Week"), "month": _("Month")}[asked.step], "text"),)


def _span(by_hour: NDArray[np.int64]) -> range:
    """The hours from the first visit to the last."""
    used = np.flatnonzero(by_hour)
    return range(int(used[0]), int(used[-1]) + 1) if used.size else range(0)


def _mean(total: int, days: int) -> float:
    return round(total / days, 1) if days else 0.0


def _no_whole_day(of: Answered) -> str:
    """Why there is no average although somebody came: on a store's first day, and of today alone."""
    if of.whole.any() or not of.counts.hours[of.chosen].any():
        return ""
    return _("An average is made of whole days, and these have none yet. Look again tomorrow, or choose others above.")


def _days_note(of: Answered, days: int) -> str:
    if not days:
        return ""
    if of.asked.whole_until < of.asked.last:
        return ngettext("Average of %(n)d day; today is left out.", "Average of %(n)d days; today is left out.", days) % {"n": days}
    return ngettext("Average of %(n)d day.", "Average of %(n)d days.", days) % {"n": days}


def _table(name: str, title: str, chart: str, columns: tuple[Column, ...], rows: Sequence[Row], says: str, note: str) -> Table:
    empty = not any(isinstance(cell, int | float) and cell for row in rows for cell in row[1:])
    return Table(name, title, chart, columns, tuple(rows), says, note, empty)
