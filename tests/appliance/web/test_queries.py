"""The pages' queries stay quick as the log grows: none walks all visits or sightings, whatever the page."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.reports import figures, questions, tables, tallies
from appliance.web import people, visit_list
from appliance.web.live_page import read_last
from appliance.web.pages import Pages
from appliance.web.review import review_values
from appliance.web.today import Hour, read_figures, read_hours, read_just_now
from appliance.web.today_marked import read_marked, read_week_ago
from appliance.web.visit_detail import read_visit_detail
from appliance.web.visit_list import read_visit_list
from tests.appliance.web.shop import NOW, ZONE, Shop, busy_shop, ms
from ui import frame


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return busy_shop(tmp_path)


def test_no_query_walks_all_visits_or_sightings(shop: Shop) -> None:
    connection, names = shop.deps.query(), shop.deps.names
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    day = NOW.date()
    read_figures(connection, day, ZONE)
    read_hours(connection, day, ZONE, ms(NOW))
    read_just_now(connection, names, day, ZONE)
    read_last(connection, names)
    read_visit_list(connection, names, visit_list.Asked(day), ZONE)
    read_visit_list(connection, names, visit_list.Asked(day, camera="front", kind="new"), ZONE)
    read_visit_list(connection, names, visit_list.Asked(day, person="bob", sort="oldest"), ZONE)
    read_visit_detail(connection, names, "v-bob")
    for show in ("", *people.SHOWN):
        for sort in people.SORTS:
            people.read_people(connection, names, people.Asked(show, sort), ms(NOW))
    shop.case("v-unsure", "p92", 0.41)
    review_values(Pages(shop.deps, frame.environment((), {}), {}))
    read_week_ago(connection, day, ZONE, ms(NOW), 5)
    shop.db.execute("INSERT INTO details VALUES ('bob', x'', NULL, NULL, 1, 0, 0)")
    read_marked(connection, names, day, ZONE)
    question = questions.question(day, "28d", "", "", "front", "all", "")
    answered = tables.answered(question, tallies.read(connection, question.first, question.last, ZONE).counts(), {})
    figures.figures(connection, answered, ZONE)
    connection.set_trace_callback(None)
    assert len(asked) >= 20
    for statement in asked:
        if statement.startswith("--"):  # What SQLite asks itself for a pragma.
            continue
        for *_place, step in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
            assert step not in ("SCAN v", "SCAN visits", "SCAN s", "SCAN sightings"), statement


def hours_of(shop: Shop, day: date, zone: ZoneInfo) -> dict[int, Hour]:
    return {hour.hour: hour for hour in read_hours(shop.deps.query(), day, zone, ms(NOW))}


def test_an_hour_that_the_clocks_repeat_or_skip_is_counted_where_the_stores_clock_stood(shop: Shop) -> None:
    zone = ZoneInfo("Europe/Berlin")
    start = NOW.replace(year=2026, month=10, day=25, hour=0, minute=0, tzinfo=zone)
    midnight = ms(start)
    # The first and the second 2 o'clock, then 3 o'clock: 2.5, 3.5 and 4.5 hours after midnight.
    for index, hours in enumerate((2.5, 3.5, 4.5)):
        shop.visit(f"autumn-{index}", "new", NOW)
        shop.db.execute("UPDATE visits SET first_seen_ms = ? WHERE id = ?", (midnight + round(hours * 3_600_000), f"autumn-{index}"))
    found = hours_of(shop, date(2026, 10, 25), zone)
    assert (found[2].new, found[3].new) == (2, 1)


def test_the_charts_hours_reach_from_the_earliest_to_the_latest_visit(shop: Shop) -> None:
    assert list(hours_of(shop, NOW.date(), ZONE)) == list(range(8, 21))
    shop.visit("v-early", "new", NOW.replace(hour=5))
    shop.visit("v-late", "unsure", NOW.replace(hour=23) - timedelta(days=0))
    found = hours_of(shop, NOW.date(), ZONE)
    assert list(found) == list(range(5, 24))
    assert found[14].now and found[15].later and not found[13].later
    assert max(hour.new_part + hour.returning_part + hour.unsure_part for hour in found.values()) == pytest.approx(100, abs=0.1)
