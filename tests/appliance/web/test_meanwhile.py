"""Two people with one form open: Alice and Mai, each in a browser of her own, over one store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from appliance import details, opening_hours, page_settings, staffing, users
from appliance.alerts import rules
from appliance.alerts.desk import AlertDesk
from appliance.alerts.telling import Site, Telling
from appliance.config import Config, Data
from appliance.config import Site as Store
from appliance.long_work import LongWork
from appliance.opening_hours import Span
from appliance.privacy import particulars, retention_days
from appliance.starting_anew import Outside, StartingAnew
from appliance.upkeep import Upkeep
from appliance.web.access import Asker
from appliance.web.app import create_app
from appliance.web.door import Door
from tests.appliance.web.forms import Form
from tests.appliance.web.shop import ZONE, Shop, busy_shop
from tests.appliance.web.test_pages import OURS, words
from tests.cheap import CHEAP

ZONE_A = "[[[0.0,0.0],[0.5,0.0],[0.5,0.5]]]"
ZONE_B = "[[[0.5,0.5],[1.0,0.5],[1.0,1.0]]]"
MATTERS = "Somebody else changed this too"


@dataclass
class Browser:
    client: TestClient[Litestar]

    def opened(self, page: str, action: str = "") -> dict[str, str]:
        """The form's fields, as they stand."""
        return Form(self.client.get(page).text, action or page).fields

    def sent(self, action: str, fields: dict[str, str], status: int = 303) -> str:
        answer = self.client.post(action, data=fields, headers={"sec-fetch-site": "same-origin"}, follow_redirects=False)
        assert answer.status_code == status, words(answer.text)
        return answer.text


@dataclass
class Two:
    shop: Shop
    alice: Browser
    mai: Browser

    def meet(self, page: str, first: dict[str, str], second: dict[str, str], *, action: str = "", status: int = 409) -> str:
        """Both open the form; Mai saves it and then Alice, who is answered so."""
        theirs, mine = self.mai.opened(page, action), self.alice.opened(page, action)
        self.mai.sent(action or page, theirs | first)
        return self.alice.sent(action or page, mine | second, status)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    shop = busy_shop(tmp_path)

    def now() -> int:
        return shop.clock_ms

    config = Config(data=Data(folder=tmp_path), site=Store(time_zone="Asia/Ho_Chi_Minh"))
    telling = Telling(shop.store, lambda: shop.cameras, shop.live, Site("Ba Đình", ZONE), lambda _id: "Bob", now)
    upkeep = Upkeep(shop.store, config, now, LongWork(now), Outside(frozenset(), StartingAnew(), list), "starter_embedder")
    deps = replace(shop.deps, alerts=AlertDesk(telling), upkeep=upkeep, config=config)
    with ExitStack() as stack:

        def browser(name: str) -> Browser:
            door = Door(everybody=Asker("", name, "owner"))
            return Browser(stack.enter_context(TestClient(create_app(replace(deps, door=door)), base_url=OURS)))

        yield Two(shop, browser("Alice"), browser("Mai"))
    shop.store.close()


def test_fields_that_one_of_two_changed_are_merged_without_asking(two: Two) -> None:
    two.meet("/people/bob/edit", {"phone": "+84 24 3825", "vip": "yes"}, {"notes": "likes tea\r\nand cake"}, status=303)
    stands = details.entry_of(two.shop.store, "bob")
    assert stands.name == "Bob" and stands.details.vip and not stands.details.watchlist
    assert (stands.details.words.phone, stands.details.words.notes) == ("+84 24 3825", "likes tea\nand cake")


def test_a_field_that_both_changed_is_shown_twice_and_nothing_is_saved_until_it_is_decided(two: Two) -> None:
    two.mai.sent("/people/bob/edit", {"name": "Bob", "notes": "tea", "watchlist": "yes"})
    page = two.meet("/people/bob/edit", {"phone": "11111", "notes": "coffee", "email": "b@x.vn"}, {"phone": "22222", "notes": "no milk"})
    said = words(page)
    assert MATTERS in said and "Mai saved it today 14:32." in said and "Changed by them alone, and kept: E-mail." in said
    assert "As Mai saved it 11111" in said and "As you wrote it 22222" in said and "Both, one below the other coffee no milk" in said
    assert details.of(two.shop.store, "bob").words.phone == "11111"
    decided = Form(page, "/people/bob/edit").fields
    assert "phone" not in decided, "none is chosen for whoever decides"
    two.alice.sent("/people/bob/edit", decided | {"phone": "22222", "notes": "coffee\r\nno milk"})
    stands = details.entry_of(two.shop.store, "bob").details
    assert stands.watchlist and (stands.words.phone, stands.words.email, stands.words.notes) == ("22222", "b@x.vn", "coffee\nno milk")


def test_a_third_who_saves_while_the_second_decides_is_met_in_the_same_way(two: Two) -> None:
    page = two.meet("/people/bob/edit", {"name": "Robert"}, {"name": "Bobby"})
    two.mai.sent("/people/bob/edit", two.mai.opened("/people/bob/edit") | {"name": "Rob"})
    again = two.alice.sent("/people/bob/edit", Form(page, "/people/bob/edit").fields | {"name": "Bobby"}, 409)
    assert "As Mai saved it Rob" in words(again)


def test_a_form_given_back_with_a_mistake_is_still_of_what_it_was_made_from(two: Two) -> None:
    mine = two.alice.opened("/people/bob/edit")
    two.mai.sent("/people/bob/edit", two.mai.opened("/people/bob/edit") | {"phone": "11111"})
    again = Form(two.alice.sent("/people/bob/edit", mine | {"phone": "22222", "email": "no"}, 400), "/people/bob/edit").fields
    assert MATTERS in two.alice.sent("/people/bob/edit", again | {"email": ""}, 409)


def test_a_form_without_or_with_rubbish_for_what_it_was_made_from(two: Two) -> None:
    two.meet("/people/bob/edit", {"phone": "11111"}, {"phone": "22222", "was": ""}, status=303)
    assert details.of(two.shop.store, "bob").words.phone == "22222", "a program means what it sends"
    far = '{"after":99999999999999999999,"values":{"name":"Zoe"}}'
    for rubbish in ("{", "[]", '{"after":"x","values":{}}', '{"after":0,"values":{"phone":1}}', far, "\ud800"):
        sent = {"name": "Bob", "was": rubbish.encode("utf-8", "surrogatepass").decode("utf-8", "replace")}
        two.alice.sent("/people/bob/edit", sent, 400)
    two.alice.sent("/people/bob/edit", {"name": "Bob", "was": '{"after":99999999999,"values":{"name":"Zoe","phone":"1"}}'}, 409)


def test_a_cameras_settings(two: Two) -> None:
    two.meet("/cameras/front", {"fps": "3"}, {"name": "Front", "ignored": ZONE_A}, status=303)
    camera = two.shop.deps.camera_desk.one("front")
    assert (camera.name, camera.analysed_fps, len(camera.ignored), camera.motion_gate) == ("Front", 3.0, 1, True)
    page = two.meet("/cameras/front", {"ignored": ZONE_B, "side": "960"}, {"ignored": "", "recognise": "no"})
    assert "1 zone ignored" in page and 'points="80.0,45.0 160.0,45.0 160.0,90.0"' in page and "nothing" in words(page)
    two.alice.sent("/cameras/front", Form(page, "/cameras/front").fields | {"ignored": ZONE_B})
    camera = two.shop.deps.camera_desk.one("front")
    assert camera.counting_only and camera.detector_side_px == 960 and camera.ignored[0][0] == (0.5, 0.5)


def test_alert_rules_and_quiet_hours(two: Two) -> None:
    at, action = "/alerts/rules", "/alerts/rules/burst"
    page = two.meet(at, {"number": "30"}, {"number": "40", "pause_min": "60"}, action=action)
    assert "From so many times within 24 hours" in page and "As Mai saved it 30" in words(page)
    two.alice.sent(action, Form(page, action).fields | {"number": "40"})
    rule = rules.read(two.shop.store.db.conn)[rules.BURST]
    assert (rule.enabled, rule.number, rule.pause_min) == (True, 40, 60)
    page = two.meet(at, {"from": "22:00", "to": "07:00"}, {"from": "21:00", "to": "06:00"}, action="/alerts/quiet")
    assert "22:00–07:00" in page and "21:00–06:00" in page
    two.alice.sent("/alerts/quiet", Form(page, "/alerts/quiet").fields | {"quiet": "21:00–06:00"})
    assert rules.quiet(two.shop.store.db.conn) == Span(21 * 60, 30 * 60)


def test_the_stores_settings_and_opening_hours(two: Two) -> None:
    two.meet("/settings", {"name": "Bến Thành"}, {"zone": "Asia/Tokyo"}, status=303)
    assert page_settings.stored(two.shop.store.db.conn) == {"site.name": "Bến Thành", "site.time_zone": "Asia/Tokyo"}
    page = two.meet("/settings", {"name": "One"}, {"name": "Two", "language": "vi"})
    assert "As Mai saved it One" in words(page) and "As you wrote it Two" in words(page)
    hours = "/settings/hours"
    page = two.meet(
        "/settings",
        {"opens-0": "09:00", "closes-0": "18:00", "opens-1": "09:00", "closes-1": "00:00"},
        {"opens-0": "10:00", "closes-0": "18:00", "opens-6": "10:00", "closes-6": "16:00"},
        action=hours,
    )
    assert "09:00–18:00" in page and "10:00–18:00" in page and "kept: Tuesday" in page
    two.alice.sent(hours, Form(page, hours).fields | {"day-0": "09:00–18:00"})
    week = opening_hours.read(two.shop.store.db.conn)
    assert week and week.days == (Span(540, 1080), Span(540, 1440), None, None, None, None, Span(600, 960))


def test_what_is_kept_how_long_and_who_answers_for_it(two: Two) -> None:
    page = two.meet("/privacy", {"snapshot_days": "60"}, {"snapshot_days": "90", "audit_days": "365"}, action="/privacy/retention")
    two.alice.sent("/privacy/retention", Form(page, "/privacy/retention").fields | {"snapshot_days": "60"})
    stands = retention_days.of(two.shop.store, two.shop.deps.config.retention)
    assert (stands.snapshot_days, stands.person_days, stands.audit_days) == (60, 730, 365)
    two.meet("/privacy", {"contact": "the till"}, {"officer": "Mai"}, action="/privacy/particulars", status=303)
    told = particulars.of(two.shop.store)
    assert (told.contact, told.officer) == ("the till", "Mai")


def test_what_a_member_of_staff_does_and_what_a_user_may(two: Two) -> None:
    store = two.shop.store
    bob = users.add(store, "Bob", "manager", "a green bicycle", two.shop.clock_ms, cost=CHEAP)
    for page, action, first, second, stands in (
        ("/staff/alice", "/staff/alice/title", {"title": "Barista"}, {"title": "Cashier"}, lambda: staffing.title_now(store, "alice")),
        (f"/users/{bob.id}", f"/users/{bob.id}/role", {"role": "viewer"}, {"role": "owner"}, lambda: users.one(store, bob.id).role),
    ):
        decides = two.meet(page, first, second, action=action)
        assert MATTERS in decides and "Mai saved it today 14:32." in words(decides) and stands() in first.values()
        two.alice.sent(action, Form(decides, action).fields | second)
        assert stands() in second.values()
