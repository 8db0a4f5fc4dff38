"""The pages Alerts: what they say of whom, what may be chosen, and what is never shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from appliance.alerts import register, rules, targets
from appliance.alerts.desk import AlertDesk
from appliance.alerts.telling import Site, Telling
from appliance.details import Details, Entry
from appliance.web.app import create_app
from tests.appliance.alerts.receivers import Hook, web_hook
from tests.appliance.web.shop import MINUTE, NOW, ZONE, Shop, busy_shop
from tests.appliance.web.test_pages import words

OURS = "http://127.0.0.1:8080"
Client = TestClient[Litestar]


@dataclass
class Page:
    client: Client
    shop: Shop
    telling: Telling
    hook: Hook

    def text(self, address: str = "/alerts") -> str:
        return words(self.client.get(address).text)

    def post(self, address: str, **data: object) -> int:
        return self.client.post(address, data=data, headers={"origin": OURS}, follow_redirects=False).status_code

    def told(self, address: str, **data: object) -> str:
        return words(self.client.post(address, data=data, headers={"origin": OURS}).text)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    shop = busy_shop(tmp_path)
    telling = Telling(shop.store, lambda: shop.cameras, shop.live, Site("Ba Đình", ZONE), lambda _id: "Bob", lambda: shop.clock_ms)
    deps = replace(shop.deps, alerts=AlertDesk(telling))
    with web_hook() as hook, TestClient(create_app(deps), base_url=OURS) as client:
        yield Page(client, shop, telling, hook)
    shop.store.close()


def somebody_watched_comes(page: Page) -> int:
    page.shop.deps.desk.save("bob", Entry(name="Bob", details=Details(watchlist=True), wrong={}))
    page.post("/alerts/rules/watchlist", enabled="yes", pause_min="60")
    page.shop.clock_ms += 120_000
    page.shop.visit("v-watched", "returning", NOW + MINUTE, "bob", 6)
    assert page.telling.look() == 1
    return register.open_alerts(page.shop.store.db.conn, 1)[0].id


def test_an_empty_page_says_what_to_do_next(page: Page) -> None:
    assert "Nothing to look at" in page.text() and "Rules and places" in page.text()
    assert "Nothing was sent yet" in page.text("/alerts/sent") and "No place yet" in page.text("/alerts/rules")


def test_a_likeness_is_a_question_with_both_faces_until_somebody_answers(page: Page) -> None:
    alert = somebody_watched_comes(page)
    html = page.client.get("/alerts").text
    assert "Is this Bob?" in html and "A likeness is no proof" in html
    assert "/visits/v-watched/face" in html and "/visits/v-bob/face" in html
    assert "Is this Bob?" in page.client.get("/alerts/banner").text
    assert page.post(f"/alerts/{alert}/yes") == 303
    assert "Bob was here Somebody looked and confirmed it." in page.text()
    assert page.client.get("/alerts/banner").text.strip() == ""


def test_a_no_leads_to_where_the_visit_is_taken_off_the_person(page: Page) -> None:
    alert = somebody_watched_comes(page)
    answer = page.client.post(f"/alerts/{alert}/no", headers={"origin": OURS}, follow_redirects=False)
    assert answer.headers["location"] == "/visits/v-watched/split"
    assert "It was not Bob" in page.text()


def test_an_answer_that_does_not_fit_is_refused_in_words(page: Page) -> None:
    alert = somebody_watched_comes(page)
    assert "That is no answer to this alert" in page.told(f"/alerts/{alert}/seen")
    assert "not there any more" in page.told("/alerts/999/seen")


def test_a_visit_that_turns_out_to_be_somebody_elses_is_said_to(page: Page) -> None:
    somebody_watched_comes(page)
    page.shop.db.execute("UPDATE visits SET person_id = 'p92' WHERE id = 'v-watched'")
    assert "the visit was somebody else's" in page.text()


def test_a_rule_is_kept_as_it_was_chosen(page: Page) -> None:
    assert page.post("/alerts/rules/camera", enabled="yes", number="7", pause_min="90", always="yes", place="none such") == 303
    assert rules.read(page.shop.store.db.conn)["camera"] == replace(
        rules.USUAL["camera"], enabled=True, number=7, pause_min=90, always=True, since_ms=page.shop.clock_ms
    )


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("camera", {"number": "0", "pause_min": "60"}, "from 1 to 1440"),
        ("camera", {"number": "5", "pause_min": "0"}, "from 1 to 10080 minutes"),
        ("camera", {"number": "five", "pause_min": "60"}, "whole numbers"),
        ("camera", {"number": "٥", "pause_min": "60"}, "whole numbers"),
        ("camera", {}, "whole numbers"),
        ("none", {"pause_min": "60"}, "no such rule"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_in_words(page: Page, kind: str, data: dict[str, str], said: str) -> None:
    assert said in page.told(f"/alerts/rules/{kind}", **data)
    assert page.shop.store.db.execute("SELECT count(*) FROM alert_rules").fetchone() == (0,)


def test_a_place_is_added_tried_out_and_removed_and_never_shown_whole(page: Page) -> None:
    url = f"http://127.0.0.1:{page.hook.port}/services/s3cret"
    assert "Send it a test" in page.told("/alerts/places/new/webhook", name="Office", url=url)
    (place,) = targets.list_targets(page.shop.store.db.conn)
    assert "s3cret" not in page.client.get("/alerts/rules").text
    assert "The test was taken" in page.told(f"/alerts/places/{place.id}/test")
    page.hook.answers = [403]
    assert "The test did not arrive. It did not allow it (403)." in page.told(f"/alerts/places/{place.id}/test")
    assert "The place is removed" in page.told(f"/alerts/places/{place.id}/remove")
    assert "not there any more" in page.told(f"/alerts/places/{place.id}/test")


def test_a_place_that_cannot_be_reached_is_refused_at_its_field_and_secrets_are_not_given_back(page: Page) -> None:
    answer = page.client.post(
        "/alerts/places/new/email",
        data={"name": "Office", "to": "nobody", "server": "smtp.example.com", "user": "u", "password": "s3cret"},
        headers={"origin": OURS},
    )
    assert answer.status_code == 400 and "no e-mail address" in answer.text and 'value="nobody"' in answer.text
    assert "s3cret" not in answer.text


def test_quiet_hours_are_two_times_or_none(page: Page) -> None:
    assert page.post("/alerts/quiet", **{"from": "22:00", "to": "07:00"}) == 303
    assert 'value="22:00"' in page.client.get("/alerts/rules").text
    assert "two times such as 22:00" in page.told("/alerts/quiet", **{"from": "22:00", "to": ""})
    assert page.post("/alerts/quiet", **{"from": "", "to": ""}) == 303
    assert rules.quiet(page.shop.store.db.conn) is None


def test_what_was_sent_is_listed_with_why_it_was_not(page: Page) -> None:
    page.told("/alerts/places/new/webhook", name="Office", url=f"http://127.0.0.1:{page.hook.port}/x")
    (place,) = targets.list_targets(page.shop.store.db.conn)
    page.post("/alerts/rules/camera", enabled="yes", number="5", pause_min="60", place=place.id)
    page.hook.answers = [500]
    page.telling.look()
    page.telling.send_due()
    text = page.text("/alerts/sent")
    assert "Back door sees nothing Office is tried again It answered with the error 500. 1 try, again today 14:32" in text


def test_each_change_is_in_the_audit_log(page: Page) -> None:
    alert = somebody_watched_comes(page)
    page.post(f"/alerts/{alert}/yes")
    page.told("/alerts/places/new/webhook", name="Office", url="https://example.com/x")
    found = [what for (what,) in page.shop.store.db.execute("SELECT what FROM audit ORDER BY id").fetchall()]
    assert found == ["edit", "alert_rule", "alert_yes", "alert_target_added"]
    log = page.text("/audit")
    assert "added a place for alerts Office" in log and "confirmed an alert" in log and "gone by now" not in log


def test_without_alerts_the_page_is_not_there(page: Page) -> None:
    with TestClient(create_app(page.shop.deps), base_url=OURS) as client:
        assert client.get("/alerts").status_code == 404
