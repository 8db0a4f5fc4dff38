"""Today beside the same weekday before, and who of the marked ones came."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from litestar.testing import TestClient

from appliance.web.app import create_app
from appliance.web.today_marked import read_marked, read_week_ago
from tests.appliance.web.shop import NOW, ZONE, Shop, busy_shop, ms
from ui import formats

WEEK = timedelta(days=7)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return busy_shop(tmp_path)


def mark(shop: Shop, person: str, *, vip: bool = False, watchlist: bool = False) -> None:
    shop.db.execute("INSERT INTO details VALUES (?, x'', NULL, NULL, ?, ?, 0)", (person, vip, watchlist))


def test_a_week_ago_counts_until_the_same_time_of_day(shop: Shop) -> None:
    for number in range(20):
        shop.visit(f"before-{number}", "new", NOW - WEEK - timedelta(minutes=number + 1))
        shop.visit(f"after-{number}", "new", NOW - WEEK + timedelta(minutes=number + 1))
    shop.visit("staff-before", "staff", NOW - WEEK - timedelta(minutes=1))
    found = read_week_ago(shop.deps.query(), NOW.date(), ZONE, ms(NOW), 24)
    assert found is not None
    assert found.visits == 21  # Bob's of then among them
    assert found.share == pytest.approx(3 / 21)


def test_few_visits_are_no_trend_and_none_at_all_is_nothing_to_compare_with(shop: Shop) -> None:
    found = read_week_ago(shop.deps.query(), NOW.date(), ZONE, ms(NOW), 5)
    assert found is not None and found.visits == 1 and found.share is None
    assert read_week_ago(shop.deps.query(), NOW.date() - timedelta(days=1), ZONE, ms(NOW) - 86_400_000, 0) is None


def test_the_time_of_day_is_the_clocks_also_when_that_was_changed_meanwhile(shop: Shop) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    now = NOW.replace(month=10, day=27, hour=12, minute=0, tzinfo=berlin)
    # A week before it was still summer time: eleven o'clock of then lies eight days less an hour before eleven of now.
    shop.visit("summer", "new", now.replace(day=20, hour=11, minute=59))
    shop.visit("later", "new", now.replace(day=20, hour=12, minute=1))
    found = read_week_ago(shop.deps.query(), now.date(), berlin, ms(now), 0)
    assert found is not None and found.visits == 1


def test_a_vip_who_came_today_is_listed_once_and_one_who_did_not_is_not(shop: Shop) -> None:
    mark(shop, "bob", vip=True)
    mark(shop, "p92", vip=True)
    shop.visit("v-bob-earlier", "returning", NOW - timedelta(hours=3), "bob", 5)
    found = read_marked(shop.deps.query(), shop.deps.names, NOW.date(), ZONE)
    assert [(one.row.id, one.vip, one.watchlist) for one in found] == [("v-bob", True, False)]


def test_a_mark_of_the_chain_counts_as_one_of_the_store(shop: Shop) -> None:
    shop.db.execute("INSERT INTO chain (person_id, identity_id, watchlist) VALUES ('p1204', 'i', 1)")
    mark(shop, "p1204", vip=True)
    found = read_marked(shop.deps.query(), shop.deps.names, NOW.date(), ZONE)
    assert [(one.row.id, one.vip, one.watchlist) for one in found] == [("v-new", True, True)]


def test_the_page_asks_to_compare_the_faces_before_anybody_acts(shop: Shop) -> None:
    mark(shop, "bob", watchlist=True)
    with TestClient(create_app(shop.deps), base_url="http://127.0.0.1:8080") as client:
        page = client.get("/").text
    assert "Looks like somebody on the watchlist. Compare the faces before you act." in page
    assert "1 last Sunday by this time" in page
    assert "Back door sees nobody just now" in page


@pytest.mark.parametrize(("share", "words"), [(0.124, "+12 %"), (-0.031, "\u22123 %"), (0.004, "the same"), (2.5, "+250 %")])
def test_a_change_is_said_in_whole_percent(share: float, words: str) -> None:
    assert formats.change(share) == words
