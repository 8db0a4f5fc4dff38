"""Each chart is a table, and the tables agree with one another and with what was counted."""

from __future__ import annotations

import altair
import pytest

from appliance.reports import drawings, paper, tables
from tests.appliance.reports.answers import a_fortnight, asked, nothing


def column(table: tables.Table, key: str) -> list[tables.Cell]:
    at = [one.key for one in table.columns].index(key)
    return [row[at] for row in table.rows]


def test_visitors_by_day_add_up_and_hold_who_opted_out() -> None:
    table = tables.visitors(a_fortnight())
    assert len(table.rows) == 14
    assert column(table, "when")[:2] == ["9 Nov", "10 Nov"]
    assert column(table, "visits") == [17, 17, 17, 17, 17, 49, 17] * 2
    assert "14 Nov: 49" in table.says


def test_weeks_begin_on_monday_and_the_outer_ones_may_be_cut() -> None:
    table = tables.visitors(a_fortnight(asked("2026-11-11", "2026-11-22", step="week")))
    assert column(table, "when") == ["11 Nov – 15 Nov", "16 Nov – 22 Nov"]
    assert column(table, "visits") == [4 * 17 + 49, 6 * 17 + 49]


def test_only_the_weekend_leaves_out_the_other_days_everywhere() -> None:
    of = a_fortnight(asked(week="weekend"))
    assert sum(column(tables.visitors(of), "visits")) == 2 * (49 + 17)  # type: ignore[arg-type]
    assert column(tables.weekdays(of), "weekday") == ["Saturday", "Sunday"]
    assert sum(column(tables.dwell(of), "visits")) == 2 * (48 + 16)  # type: ignore[arg-type]


def test_an_average_leaves_today_out() -> None:
    table = tables.weekdays(a_fortnight())
    assert dict(zip(column(table, "weekday"), column(table, "days"), strict=True))["Sunday"] == 1
    assert dict(zip(column(table, "weekday"), column(table, "average"), strict=True))["Saturday"] == 49.0
    assert "today is left out" in tables.hours(a_fortnight()).note


def test_on_the_first_day_it_is_said_why_there_is_no_average() -> None:
    of = a_fortnight()
    of.counts.hours[:13], of.counts.opted_out[:13] = 0, 0
    first = tables.answered(of.asked, of.counts, of.cameras)
    for table in (tables.hours(first), tables.heat(first), tables.weekdays(first)):
        assert table.empty and table.says.startswith("An average is made of whole days")
    of.counts.hours[:], of.counts.opted_out[:] = 0, 0
    assert tables.hours(tables.answered(of.asked, of.counts, of.cameras)).says == ""


def test_an_average_begins_with_the_first_visit_of_the_period() -> None:
    of = a_fortnight()
    of.counts.hours[:7], of.counts.opted_out[:7] = 0, 0
    again = tables.answered(of.asked, of.counts, of.cameras)
    assert again.whole.tolist() == [False] * 7 + [True] * 6 + [False]


def test_the_hours_go_from_the_first_visit_to_the_last() -> None:
    of = a_fortnight()
    of.counts.hours[:, 0, 15] = 13
    table = tables.hours(of)
    assert column(table, "hour") == ["15:00", "16:00", "17:00"]
    assert column(table, "visits")[1] == 0.0
    assert table.says == "Busiest from 17:00 to 18:00."


def test_the_heat_map_has_a_row_a_weekday_and_a_column_an_hour() -> None:
    table = tables.heat(a_fortnight())
    assert [one.key for one in table.columns] == ["weekday", "h17"]
    assert column(table, "h17") == [16.0] * 5 + [48.0, 16.0]
    assert table.says == "Busiest: Saturday from 17:00 to 18:00."


def test_the_share_that_came_back_is_of_the_visits_that_are_sure() -> None:
    table = tables.returning(a_fortnight())
    assert column(table, "share") == [0.3333] * 14
    assert "18 visits are left out: not sure, or counted only." in table.note


def test_ages_are_called_estimates_and_keep_the_unknown() -> None:
    table = tables.ages(a_fortnight())
    assert "Estimates" in table.note
    assert column(table, "age")[-1] == "unknown"
    assert sum(column(table, "visits")) == 18 * 16  # type: ignore[arg-type]
    assert column(table, "unknown")[-1] == 18 * 7


@pytest.mark.parametrize("name", tables.CHARTS)
def test_nothing_counted_is_an_empty_chart_and_no_error(name: str) -> None:
    assert tables.CHARTS[name](nothing()).empty


@pytest.mark.parametrize("name", tables.CHARTS)
def test_a_drawing_is_what_vega_lite_calls_one_and_tells_every_row_exactly(name: str) -> None:
    table = tables.CHARTS[name](a_fortnight())
    spec = drawings.drawing(table)
    altair.Chart.from_dict({**spec, "config": drawings.look()}, validate=True)
    assert [row[table.columns[0].key] for row in spec["data"]["values"]] == [row[0] for row in table.rows]
    told = {one["field"] for one in spec["encoding"]["tooltip"]}
    assert table.name == "heat" or told == {one.key for one in table.columns}


def test_paper_says_cells_as_a_page_does() -> None:
    forms = [
        ("count", 1204, "1\u202f204"),
        ("mean", 12.25, "12.2"),
        ("share", 0.667, "67 %"),
        ("text", "9 Nov", "9 Nov"),
        ("share", None, "–"),
    ]
    for form, cell, words in forms:
        assert paper.cell_words(tables.Column("x", "x", form), cell) == words
