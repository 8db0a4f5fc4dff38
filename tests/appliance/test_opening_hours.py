"""When a store is open: by weekday, over midnight, and on the days on which the clocks change."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance import opening_hours
from appliance.errors import SettingError
from appliance.opening_hours import Span, Week, judged, open_since
from tests.appliance.stores import a_store

PARIS = ZoneInfo("Europe/Paris")
SHOP = Week((Span(540, 1260),) * 5 + (Span(600, 1560), None))
"""Weekdays 9 to 21, Saturday 10 to 2 at night, closed on Sunday."""


def ms(words: str) -> int:
    return round(datetime.fromisoformat(words).replace(tzinfo=PARIS).timestamp() * 1000)


def since(words: str, week: Week | None = SHOP) -> str | None:
    found = open_since(week, ms(words), PARIS)
    return datetime.fromtimestamp(found / 1000, PARIS).strftime("%a %H:%M") if found is not None else None


@pytest.mark.parametrize(
    ("at", "began"),
    [
        ("2026-11-24T08:59", None), ("2026-11-24T09:00", "Tue 09:00"), ("2026-11-24T20:59", "Tue 09:00"), ("2026-11-24T21:00", None),
        ("2026-11-28T23:30", "Sat 10:00"), ("2026-11-29T01:59", "Sat 10:00"), ("2026-11-29T02:00", None), ("2026-11-29T12:00", None),
        ("2026-10-24T23:00", "Sat 10:00"), ("2026-10-25T01:30", "Sat 10:00"),
    ],
)  # fmt: skip
def test_an_opening_lies_in_the_stores_own_day_and_may_go_over_midnight(at: str, began: str | None) -> None:
    assert since(at) == began


def test_days_that_touch_are_one_opening() -> None:
    whole = Week((Span(0, 1440),) * 6 + (None,))
    assert since("2026-11-26T12:00", whole) == "Mon 00:00"


def test_a_store_that_said_nothing_is_always_open() -> None:
    assert open_since(None, ms("2026-11-26T03:00"), PARIS) == ms("2026-11-26T03:00") - 8 * 86_400_000


def test_hours_are_kept_and_taken_back(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    assert opening_hours.read(store.db.conn) is None
    opening_hours.save(store, SHOP)
    assert opening_hours.read(store.db.conn) == SHOP
    opening_hours.save(store, None)
    assert opening_hours.read(store.db.conn) is None
    store.close()


def test_what_is_no_time_is_refused_in_words() -> None:
    assert judged("", "") is None and judged("9:00", "24:00") == Span(540, 1440) and judged("22:00", "7:00") == Span(1320, 1860)
    for opens, closes in (("9", "21:00"), ("09:00", ""), ("24:00", "09:00"), ("24:30", "09:00"), ("a", "b")):
        with pytest.raises(SettingError, match="two times such as"):
            judged(opens, closes)
