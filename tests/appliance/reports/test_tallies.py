"""A day's tally is what its visits say, by the store's own clock, and follows every change of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from appliance.database import Store
from appliance.reports import tallies
from tests.appliance.stores import a_store

HANOI, BERLIN, KATHMANDU = ZoneInfo("Asia/Ho_Chi_Minh"), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")
DAY = date(2026, 10, 20)
LATER = date(2026, 11, 22)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = a_store(tmp_path)
    yield store
    store.close()


def came(
    store: Store,
    id_: str,
    at: datetime,
    verdict: str = "new",
    seconds: int = 30,
    cameras: tuple[str, ...] = ("front",),
    state: str = "settled",
) -> None:
    first = round(at.timestamp() * 1000)
    with store.transaction() as db:
        db.execute(
            "INSERT INTO visits (id, verdict, state, first_seen_ms, last_seen_ms) VALUES (?, ?, ?, ?, ?)",
            [id_, verdict, state, first, first + seconds * 1000],
        )
        for camera in cameras:
            db.execute(
                """INSERT INTO sightings (id, visit_id, camera_id, began_ms, ended_ms, shots, face_width_px, model, verdict, reason)
                    VALUES (?, ?, ?, ?, ?, 4, 90, 'm', ?, '')""",
                [f"{id_}-{camera}", id_, camera, first, first + 1000, verdict],
            )


def read(store: Store, first: date = DAY, last: date = DAY, zone: ZoneInfo = HANOI) -> tallies.Tallied:
    assert store.db.conn
    return tallies.read(store.db.conn, first, last, zone)


def test_a_visit_counts_in_its_own_hour_kind_and_length_and_staff_do_not(store: Store) -> None:
    came(store, "a", datetime(2026, 10, 20, 9, 59, tzinfo=HANOI), "new", seconds=20)
    came(store, "b", datetime(2026, 10, 20, 23, 59, tzinfo=HANOI), "returning", seconds=400)
    came(store, "alice", datetime(2026, 10, 20, 10, tzinfo=HANOI), "staff")
    came(store, "undecided", datetime(2026, 10, 20, 10, tzinfo=HANOI), "new", state="deciding")
    counts = read(store).counts()
    assert counts.hours.sum() == 2
    assert counts.hours[0, 0, 9] == counts.hours[0, 1, 23] == 1
    assert counts.dwell[0, 0].tolist() == [1, 0, 0, 0, 0, 0]
    assert counts.dwell[0, 1].tolist() == [0, 0, 1, 0, 0, 0]
    assert counts.ages[0].sum() == 2


def test_a_stored_day_says_the_same_as_one_counted_just_now(store: Store) -> None:
    for number in range(40):
        kind = ("new", "returning", "unsure")[number % 3]
        came(store, f"v{number}", datetime(2026, 10, 20, 9, tzinfo=HANOI) + timedelta(minutes=17 * number), kind, 50 * number)
    live = read(store).counts()
    assert tallies.refresh(store, HANOI, LATER) == 1
    assert store.db.execute("SELECT count(*) FROM tally_changes").fetchone() == (0,)
    stored = read(store).counts()
    for name in ("hours", "dwell", "ages"):
        assert np.array_equal(getattr(live, name), getattr(stored, name))
    assert live.hours.sum() == 40


def test_a_day_follows_a_visit_that_is_changed_moved_or_gone(store: Store) -> None:
    came(store, "a", datetime(2026, 10, 20, 9, tzinfo=HANOI))
    came(store, "b", datetime(2026, 10, 20, 9, tzinfo=HANOI))
    tallies.refresh(store, HANOI, LATER)
    with store.transaction() as db:
        db.execute("UPDATE visits SET verdict = 'returning' WHERE id = 'a'")
    assert read(store).counts().hours.sum((0, 2)).tolist() == [1, 1, 0]
    tallies.refresh(store, HANOI, LATER)
    assert read(store).counts().hours.sum((0, 2)).tolist() == [1, 1, 0]
    with store.transaction() as db:
        db.execute("UPDATE visits SET first_seen_ms = first_seen_ms - 86400000 WHERE id = 'a'")
        db.execute("DELETE FROM visits WHERE id = 'b'")
    assert tallies.refresh(store, HANOI, LATER) == 2
    assert read(store).counts().hours.sum() == 0
    assert read(store, DAY - timedelta(days=1)).counts().hours[0].sum() == 1


def test_old_days_that_wait_are_said_and_the_newest_are_counted_at_once(store: Store) -> None:
    for number in range(6):
        came(store, f"v{number}", datetime(2026, 10, 20 - number, 9, tzinfo=HANOI))
    found = read(store, date(2026, 10, 1), DAY)
    assert found.waiting == 6 - tallies.LIVE_DAYS_MAX
    assert found.counts().hours.sum() == tallies.LIVE_DAYS_MAX
    tallies.refresh(store, HANOI, LATER, rests=False)
    found = read(store, date(2026, 10, 1), DAY)
    assert found.waiting == 0
    assert found.counts().hours.sum() == 6


def test_today_stays_counted_from_the_visits(store: Store) -> None:
    came(store, "a", datetime(2026, 10, 20, 9, tzinfo=HANOI))
    assert tallies.refresh(store, HANOI, DAY) == 0
    assert read(store).counts().hours.sum() == 1


@pytest.mark.parametrize(
    ("day", "moments", "hours"),
    [
        # The clocks go back: two o'clock comes twice, and both are hour 2.
        (date(2026, 10, 25), ("24T22:30", "25T00:30", "25T01:30", "25T22:30"), {0: 1, 2: 2, 23: 1}),
        # They go forward: there is no hour 2.
        (date(2026, 3, 29), ("28T23:30", "29T00:30", "29T01:30", "29T21:30"), {0: 1, 1: 1, 3: 1, 23: 1}),
    ],
)
def test_a_day_on_which_the_clocks_change_has_its_own_hours(
    store: Store, day: date, moments: tuple[str, ...], hours: dict[int, int]
) -> None:
    for number, moment in enumerate(moments):
        came(store, f"v{number}", datetime.fromisoformat(f"{day:%Y-%m}-{moment}+00:00"))
    counted = read(store, day, day, BERLIN).counts().hours[0, 0]
    assert {hour: int(n) for hour, n in enumerate(counted) if n} == hours


def test_another_time_zone_counts_every_day_anew(store: Store) -> None:
    came(store, "a", datetime(2026, 10, 20, 0, 20, tzinfo=HANOI))
    tallies.refresh(store, HANOI, LATER)
    assert tallies.refresh(store, KATHMANDU, LATER) == 1
    assert read(store, zone=KATHMANDU).counts().hours.sum() == 0
    before = read(store, date(2026, 10, 19), date(2026, 10, 19), KATHMANDU).counts().hours[0, 0]
    assert before[23] == 1


def test_a_visit_before_two_cameras_counts_for_both_and_once_for_the_store(store: Store) -> None:
    came(store, "a", datetime(2026, 10, 20, 9, tzinfo=HANOI), cameras=("front", "till"))
    came(store, "b", datetime(2026, 10, 20, 9, tzinfo=HANOI), cameras=("front",))
    for _ in range(2):
        found = read(store)
        assert {camera: visits.sum() for camera, visits in found.by_camera().items()} == {"front": 2, "till": 1}
        assert found.counts().hours.sum() == 2
        assert found.counts("till").hours.sum() == 1
        tallies.refresh(store, HANOI, LATER)


def test_who_opted_out_is_counted_for_the_store_and_for_no_camera(store: Store) -> None:
    with store.transaction() as db:
        db.execute("INSERT INTO opted_out_counts VALUES ('2026-10-20', 3)")
    assert read(store).counts().opted_out.tolist() == [3]
    assert read(store).counts("front").opted_out.tolist() == [0]


@pytest.mark.parametrize(("years", "band"), [(None, 6), (-1.0, 6), (0.0, 0), (19.9, 0), (20.0, 1), (59.9, 4), (60.0, 5), (101.0, 5)])
def test_an_age_falls_into_its_band(years: float | None, band: int) -> None:
    assert tallies.age_band(years) == band


def test_a_store_that_estimates_no_ages_has_them_unknown(store: Store) -> None:
    came(store, "a", datetime(2026, 10, 20, 9, tzinfo=HANOI))
    assert read(store).counts().ages[0].sum() == read(store).counts().ages[0, 2, 6] == 1
