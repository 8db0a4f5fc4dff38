"""A made-up past is one that a store could have had, and the same from the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from appliance import history_writing
from appliance.database import Store
from appliance.history import GAP_MS, Wanted, past
from appliance.web.today import read_figures
from tests.appliance.stores import a_store

ZONE = ZoneInfo("Europe/Berlin")
UNTIL = datetime(2026, 11, 22, 14, 32, tzinfo=ZONE)
WANTED = Wanted(90, 1_200, 3_000, 2, round(UNTIL.timestamp() * 1000), ZONE)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = a_store(tmp_path)
    yield store
    store.close()


def test_a_past_is_as_large_as_was_wanted_and_ends_in_time() -> None:
    made = past(WANTED)
    customers = made.person[made.person < made.people]
    assert 0.9 < len(customers) / WANTED.visits < 1.1
    assert len(np.unique(customers)) > 0.97 * WANTED.people
    assert made.last_ms.max() <= WANTED.until_ms
    assert (np.diff(made.first_ms) >= 0).all()


def test_the_store_is_open_from_nine_to_nine_also_when_the_clocks_change() -> None:
    hours = {datetime.fromtimestamp(at / 1000, ZONE).hour for at in past(WANTED).first_ms}
    assert hours == set(range(9, 21))


def test_saturdays_are_full_and_nobody_comes_twice_within_the_gap() -> None:
    made = past(WANTED)
    weekdays = np.bincount([datetime.fromtimestamp(at / 1000, ZONE).weekday() for at in made.first_ms], minlength=7)
    assert weekdays.argmax() == 5
    for person in np.unique(made.person):
        assert (np.diff(made.first_ms[made.person == person]) >= GAP_MS).all()


def test_the_same_seed_is_the_same_past() -> None:
    assert all(np.array_equal(getattr(past(WANTED), name), getattr(past(WANTED), name)) for name in ("person", "first_ms", "last_ms"))


def test_what_is_written_is_what_a_visit_log_would_hold(store: Store) -> None:
    visits = history_writing.write(store, WANTED, ["front", "till"])
    assert store.db.execute("SELECT count(*) FROM visits").fetchone() == (visits,)
    wrong = """SELECT count(*) FROM persons p JOIN (
        SELECT person_id, count(*) AS n, min(first_seen_ms) AS first, max(last_seen_ms) AS last FROM visits GROUP BY person_id) v
        ON v.person_id = p.id WHERE (p.visit_count, p.first_seen_ms, p.last_seen_ms) <> (v.n, v.first, v.last)"""
    assert store.db.execute(wrong).fetchone() == (0,)
    misnumbered = """SELECT count(*) FROM (
        SELECT visit_number, verdict, row_number() OVER (PARTITION BY person_id ORDER BY first_seen_ms) AS n FROM visits
        WHERE person_id IS NOT NULL)
        WHERE visit_number <> n OR verdict <> 'staff' AND verdict <> iif(n = 1, 'new', 'returning')"""
    assert store.db.execute(misnumbered).fetchone() == (0,)
    assert store.db.execute("SELECT count(*) FROM sightings").fetchone()[0] >= visits
    assert store.db.execute("SELECT count(*) FROM visits WHERE id NOT IN (SELECT visit_id FROM sightings)").fetchone() == (0,)
    assert store.db.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
    assert store.db.execute("SELECT count(*) FROM persons WHERE visit_count = 0").fetchone() == (0,)
    assert store.db.execute("SELECT count(*) FROM tally_changes WHERE quarter < ?", [WANTED.until_ms // 900_000 - 96]).fetchone() == (0,)
    figures = read_figures(store.db.conn, UNTIL.date(), ZONE)
    assert figures.visitors > 5
