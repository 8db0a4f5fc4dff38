"""Every page of the real app over a database made by the migrations: what it says, and what it must never hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from appliance.counting import REASON as COUNTED
from appliance.live import FaceBox
from appliance.web.app import create_app
from appliance.web.pages import WebDeps
from appliance.web.words import box_label
from tests.appliance.web.shop import JPEG, MINUTE, NOW, Shop, busy_shop, ms, open_shop

OURS = "http://127.0.0.1:8080"
Client = TestClient[Litestar]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return busy_shop(tmp_path)


@pytest.fixture
def client(shop: Shop) -> Iterator[Client]:
    with TestClient(create_app(shop.deps), base_url=OURS) as client:
        yield client


def today(deps: WebDeps) -> str:
    with TestClient(create_app(deps), base_url=OURS) as client:
        return client.get("/").text


def words(html: str) -> str:
    """The page's text as a reader sees it."""
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]*>", " ", html)).strip()


def figure(html: str, name: str) -> str:
    found = re.search(rf'data-figure="{name}">([^<]*)<', html)
    assert found, name
    return found.group(1)


def test_today_counts_customers_and_those_who_opted_out_but_neither_staff_nor_the_undecided(client: Client) -> None:
    page = client.get("/").text
    assert [figure(page, name) for name in ("visitors", "new", "returning", "unsure")] == ["5", "1", "1", "1"]
    assert "2 people told apart" in words(page)
    assert "2 opted out: counted, nothing kept" in words(page)
    assert "2 visits by staff left out" in words(page)
    assert "1 more being looked at" in words(page)


def test_today_says_how_many_were_counted_only_and_never_in_doubt(client: Client, shop: Shop) -> None:
    assert "only count" not in words(client.get("/").text)
    for number in range(2):
        shop.visit(f"v-counted-{number}", "unsure", NOW - (number + 1) * MINUTE, picture=None)
    shop.db.execute("UPDATE sightings SET reason = ? WHERE visit_id LIKE 'v-counted-%'", [COUNTED])
    page = client.get("/").text
    assert figure(page, "unsure") == "3"
    assert "2 of them by cameras that only count" in words(page)


def test_today_lists_who_came_newest_first_and_says_a_doubt_as_a_doubt(client: Client) -> None:
    page = client.get("/").text
    order = re.findall(r'data-visit="([^"]+)"', page)
    assert order == ["v-deciding", "v-bob", "v-new", "v-unsure", "v-alice-2", "v-alice-1"]
    text = words(page)
    assert "Bob 5th visit · Front entrance came back 14:31" in text
    assert "Visitor 1\u202f204 first visit" in text
    assert "Somebody might be Visitor 92 (.41, needs .46)" in text
    assert "Alice staff, not counted" in text


def test_a_person_who_opted_out_is_on_no_page(client: Client, shop: Shop) -> None:
    for address in ("/", "/visits", "/people", "/review", "/visits/v-bob"):
        assert "charlie" not in client.get(address).text.lower()
        assert "Visitor 3<" not in client.get(address).text


def test_health_is_said_in_words(client: Client) -> None:
    text = words(client.get("/").text)
    assert "Front entrance 5 pictures a second, nothing dropped" in text
    assert "Back door silent since 14:20, tried again by itself no answer from 192.168.1.21" in text


def test_a_camera_that_cannot_be_opened_or_broke_off_is_red_with_the_reason(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)
    shop.camera("front", "Front entrance", "failed", error="entrance.mp4 is not a video")
    shop.camera("back", "Back door", "broken", error="the video is cut short")
    page = today(shop.deps)
    assert "Front entrance cannot be opened: entrance.mp4 is not a video" in words(page)
    assert "Back door broke off at 14:20: the video is cut short" in words(page)
    assert page.count('class="dot bad"') == 4, "each in its own panel and in Health"
    assert "played to its end" not in page


def test_while_visits_cannot_be_written_the_visit_log_is_red_with_the_reason(tmp_path: Path) -> None:
    shop = busy_shop(tmp_path)
    trouble = "Visits cannot be written just now: The disk is full."
    well, ill = today(shop.deps), today(replace(shop.deps, trouble=lambda: trouble))
    log = '<i class="dot {}"></i><span class="who"><b>Visit log</b>'
    assert log.format("good") in well and "Visit log last visit at" in words(well)
    assert log.format("bad") in ill and f"Visit log {trouble}" in words(ill) and "last visit at" not in words(ill)


def test_the_starter_pack_is_called_weak_on_every_page_and_a_real_one_is_not(tmp_path: Path, client: Client) -> None:
    (tmp_path / "weak").mkdir()
    with TestClient(create_app(open_shop(tmp_path / "weak", weak_pack=True).deps), base_url=OURS) as weak:
        for address in ("/", "/visits", "/people", "/review"):
            assert "For trying out only: the “starter” models are weak." in words(weak.get(address).text)
            assert "weak" not in words(client.get(address).text)


def test_an_empty_store_says_what_to_do_next(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with TestClient(create_app(open_shop(tmp_path / "empty").deps), base_url=OURS) as empty:
        assert "/cameras/add" in empty.get("/").text
        assert "No camera yet" in words(empty.get("/").text)
        assert "No visits yet" in words(empty.get("/visits").text)
        assert "Nobody yet" in words(empty.get("/people").text)


def test_hours_are_the_stores_own(client: Client) -> None:
    text = words(client.get("/").text)
    assert "14:00 to 15:00: 1 for the first time, 1 came back, 1 not sure" in text
    assert "9:00 to 10:00: 0 for the first time, 0 came back, 0 not sure" in text


def test_visits_are_listed_by_day_with_the_way_to_other_days(client: Client) -> None:
    page = client.get("/visits").text
    assert "Sunday, 22 November" in page and "/visits?day=2026-11-15" in page
    before = client.get("/visits?day=2026-11-15").text
    assert re.findall(r'data-visit="([^"]+)"', before) == ["v-bob-old"]
    assert "/visits?day=2026-11-22" in before


def test_a_days_visits_come_in_pages_without_gap_or_repeat(client: Client, shop: Shop) -> None:
    # Several at the very same moment: the order must still be the same on each page.
    for index in range(120):
        shop.visit(f"m-{index:03}", "new", NOW - timedelta(days=30) + (index // 40) * MINUTE)
    listed = [re.findall(r'data-visit="([^"]+)"', client.get(f"/visits?day=2026-10-23&page={page}").text) for page in (1, 2, 3, 4)]
    assert [len(ids) for ids in listed] == [50, 50, 20, 0]
    assert sorted(id_ for ids in listed for id_ in ids) == [f"m-{index:03}" for index in range(120)]


@pytest.mark.parametrize(
    "address", ["/visits?day=tomorrow", "/visits?day=0001-01-01", "/visits?day=9999-12-31", "/visits?page=0", "/visits?page=99999999999"]
)
def test_a_day_or_page_that_cannot_be_is_refused_in_words(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 400
    assert "There is no" in words(answer.text)


@pytest.mark.parametrize(
    "address", ["/visits/nobody", "/visits/nobody/face", "/nowhere", "/static/../app.py", "/static/nothing.js", "/cameras/none/picture"]
)
def test_what_is_not_there_is_said_to_be_not_there(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def test_a_visit_shows_its_reason(client: Client) -> None:
    bob = words(client.get("/visits/v-bob").text)
    assert "Resembles Bob (.62, needs .46)." in bob
    assert "arcface_mobilefacenet" in bob and "Front entrance" in bob and "96 px" in bob
    assert "Other visits" in bob and "15 November 14:32" in bob
    unsure = words(client.get("/visits/v-unsure").text)
    assert "Might be Visitor 92 (.41, needs .46)." in unsure
    new = words(client.get("/visits/v-new").text)
    assert "Nobody known is near: the nearest is Visitor 92 (.21, the same person from .46)." in new
    assert "nothing is decided yet" in words(client.get("/visits/v-deciding").text)


def test_people_are_shown_with_visits_and_when_they_were_seen(client: Client) -> None:
    text = words(client.get("/people").text)
    assert "3 customers this store can tell apart, 1 staff" in text
    assert "Bob occasional 5 visits last today 14:32 first 13 November" in text
    assert "Alice staff not counted" in text


def test_a_face_is_served_and_never_stored_by_the_browser(client: Client) -> None:
    answer = client.get("/visits/v-bob/face")
    assert answer.content == JPEG
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert client.get("/visits/v-deciding/face").status_code == 404


def test_a_name_cannot_become_markup(client: Client, shop: Shop) -> None:
    shop.person("eve", 66, name="<script>alert(1)</script>")
    shop.visit("v-eve", "returning", NOW, "eve", 2, nearest="eve", similarity=0.7)
    for address in ("/", "/visits", "/visits/v-eve", "/people"):
        assert "<script>alert" not in client.get(address).text
        assert "&lt;script&gt;alert(1)" in client.get(address).text


def test_a_notice_stays_until_it_is_dismissed(client: Client, shop: Shop) -> None:
    number = shop.notice("The visit log was damaged; last night's backup took its place.")
    assert "backup took its place" in client.get("/").text
    for _twice in range(2):
        answer = client.post(f"/notices/{number}/dismiss", headers={"sec-fetch-site": "same-origin"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "backup took its place" not in client.get("/").text


def test_a_camera_sends_a_picture_with_its_boxes_once_and_only_while_it_is_fresh(client: Client, shop: Shop) -> None:
    assert client.get("/cameras/front/picture").status_code == 204
    shop.live.show("front", shop.clock_ms, JPEG, (FaceBox("s1", 0.25, 0.5, 0.1, 0.2, "Welcome back, Bôb – 5th visit", "back"),))
    answer = client.get("/cameras/front/picture")
    assert answer.content == JPEG
    number = answer.headers["regulars-number"]
    assert r"B\u00f4b \u2013 5th visit" in answer.headers["regulars-boxes"]
    assert client.get(f"/cameras/front/picture?after={number}").status_code == 204
    shop.clock_ms += 11_000
    assert client.get("/cameras/front/picture").status_code == 204


def test_many_looks_ask_the_camera_once_every_two_seconds(client: Client, shop: Shop) -> None:
    for _each in range(5):
        client.get("/cameras/front/picture")
    assert shop.looks == [("front", 6.0)]
    shop.clock_ms += 2_000
    client.get("/cameras/front/picture")
    assert len(shop.looks) == 2
    shop.clock_ms -= 3_600_000
    client.get("/cameras/front/picture")
    assert len(shop.looks) == 3, "a clock that was set back must not keep the picture dark"


def test_a_page_that_fails_says_so_without_saying_what_it_knew(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.db.execute("ALTER TABLE persons RENAME TO elsewhere")
    with TestClient(create_app(shop.deps), base_url=OURS, raise_server_exceptions=False) as client:
        answer = client.get("/people")
    assert answer.status_code == 500
    assert "This page could not be made" in answer.text
    assert "no such table" not in answer.text + caplog.text
    assert "page_failed" in caplog.text and "error=OperationalError" in caplog.text


def test_the_day_begins_at_the_stores_own_midnight(client: Client, shop: Shop) -> None:
    midnight = NOW.replace(hour=0, minute=0)
    shop.visit("v-first", "new", midnight)
    shop.visit("v-last", "new", midnight - timedelta(milliseconds=1))
    assert figure(client.get("/").text, "new") == "2"
    shop.clock_ms = ms(midnight)
    assert figure(client.get("/").text, "visitors") == "6", "visits later on the same day are still that day's"


def test_health_says_how_the_line_to_headquarters_stands(shop: Shop) -> None:
    assert "Headquarters not connected; this store works by itself" in words(today(shop.deps))
    shop.pair(contact=NOW - MINUTE, waits=124, speed=85_000.0)
    page = words(today(shop.deps))
    assert "Headquarters last contact 14:31, 124 records wait, the oldest from 13:02, 85 kB/s" in page
    shop.db.execute("DELETE FROM outbox")
    assert "last contact 14:31, nothing waits" in words(today(shop.deps))


@pytest.mark.parametrize(
    ("changed", "said", "mood"),
    [
        ("contact_ms = NULL, error = 'No headquarters answers there.'", "not reached yet, nothing waits No headquarters answers", "warn"),
        ("state = 'revoked', error = 'Headquarters has revoked this computer.'", "has revoked this computer.", "bad"),
        ("contact_ms = contact_ms - 7200000", "last contact 12:32", "warn"),
        ("contact_ms = contact_ms - 86400000", "last contact yesterday 14:32", "warn"),
        ("skew_ms = 1320000", "clock is 22 minutes ahead of headquarters", "warn"),
        ("retell = 'visits:a'", "everything is being told anew", "good"),
        ("set_aside = 3", "3 records were set aside there", "good"),
    ],
)
def test_what_is_wrong_with_the_line_is_said_in_words_and_colour(shop: Shop, changed: str, said: str, mood: str) -> None:
    shop.pair()
    shop.db.execute(f"UPDATE link SET {changed}")
    page = today(shop.deps)
    assert said in words(page)
    assert re.search(rf'<i class="dot {mood}"></i><span class="who"><b>Headquarters', page)


def test_who_is_known_elsewhere_in_the_chain_is_greeted_as_that(shop: Shop) -> None:
    (person,) = shop.db.execute("SELECT person_id FROM visits WHERE verdict = 'returning' LIMIT 1").fetchone()
    shop.stores[person] = ["Riverside", "Old Town", "Hill", "Harbour"]
    assert "also comes to Riverside, Old Town and 2 more" in words(today(shop.deps))
    assert box_label("new", "Grace", 1, ["Riverside"]) == "Welcome, Grace – also comes to Riverside"
    assert box_label("returning", "Grace", 4, ["Riverside"]) == "Welcome back, Grace – also comes to Riverside"
    assert box_label("unsure", "", 0, []) == "Not sure"
