"""Alerts and settings in a real browser: the banner that comes by itself on a phone, an answered question, long work that is followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance.alerts import rules
from appliance.alerts.desk import AlertDesk
from appliance.alerts.telling import Site, Telling
from appliance.config import Config, Data
from appliance.details import Details, Entry
from appliance.long_work import LongWork
from appliance.starting_anew import Outside, StartingAnew
from appliance.upkeep import Upkeep
from appliance.web.app import create_app
from tests.appliance.alerts.receivers import web_hook
from tests.appliance.web.shop import MINUTE, NOW, ZONE, Shop, busy_shop
from tests.browser.browsing import chromium, complaints
from tests.browser.portraits import portrait
from ui.server import Server, serve


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = busy_shop(tmp_path)
    for seed, visit in enumerate(shop.pictures):
        shop.pictures[visit] = portrait(seed)
    return shop


@pytest.fixture
def telling(shop: Shop) -> Telling:
    return Telling(shop.store, lambda: shop.cameras, shop.live, Site("Ba Đình", ZONE), lambda _id: "Bob", lambda: shop.clock_ms)


@pytest.fixture
def server(shop: Shop, telling: Telling, tmp_path: Path) -> Iterator[Server]:
    work = LongWork(lambda: shop.clock_ms)
    outside = Outside(frozenset(), StartingAnew(), lambda: ["2026-11-22T07:00:00.000Z level=info from=a event=started"])
    upkeep = Upkeep(shop.store, Config(data=Data(folder=tmp_path)), lambda: shop.clock_ms, work, outside, "starter_embedder")
    app = create_app(replace(shop.deps, alerts=AlertDesk(telling), upkeep=upkeep))
    running = serve(app, "127.0.0.1", 0, shop.live.close)
    yield running
    running.stop()
    work.stop()


@pytest.fixture
def phone(browser: Browser, server: Server) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    found = complaints(page)
    yield page
    page.close()
    assert found == []


def watched_person_comes(shop: Shop, telling: Telling) -> None:
    shop.deps.desk.save("bob", Entry(name="Bob Tran", details=Details(watchlist=True), wrong={}))
    AlertDesk(telling).save_rule(replace(rules.USUAL[rules.WATCHLIST], enabled=True))
    shop.clock_ms += 120_000
    shop.visit("v-watched", "returning", NOW + MINUTE, "bob", 6, picture=portrait(3))
    assert telling.look() == 1


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("address", ["/", "/people"])
def test_an_alert_is_a_banner_by_itself_on_a_phone_and_is_answered_with_two_taps(
    phone: Page, server: Server, shop: Shop, telling: Telling, address: str
) -> None:
    with phone.expect_response("**/alerts/banner"):
        phone.goto(server.address + address)
    expect(phone.locator(".alert-note")).to_have_count(0)
    if address == "/":
        expect(phone.locator("#line")).to_have_text("live")
    watched_person_comes(shop, telling)
    banner = phone.locator(".alert-note")
    expect(banner).to_contain_text("Is this Bob Tran?")
    assert fits(phone)
    banner.click()
    expect(phone.locator(".alert .face")).to_have_count(2)
    assert fits(phone)
    phone.get_by_role("button", name="Yes, it is them").click()
    expect(phone.locator(".row.past")).to_contain_text("Somebody looked and confirmed it.")
    phone.goto(server.address + address)
    expect(phone.locator(".alert-note")).to_have_count(0)


def test_a_place_is_added_tried_out_and_chosen_from_a_phone(phone: Page, server: Server, shop: Shop) -> None:
    with web_hook() as hook:
        phone.goto(server.address + "/alerts/rules")
        phone.get_by_role("link", name="Add: Web hook").click()
        phone.get_by_label("What to call it").fill("Till")
        phone.get_by_label("Web address").fill(f"http://127.0.0.1:{hook.port}/x")
        phone.get_by_role("button", name="Add").click()
        phone.get_by_role("button", name="Send a test to Till").click()
        expect(phone.get_by_role("status").first).to_contain_text("The test was taken")
        assert hook.came[0]["title"] == "Ba Đình: this is a test"
    phone.get_by_text("A VIP comes in").click()
    rule = phone.locator("details.rule").first
    rule.get_by_label("Tell me").check()
    rule.get_by_label("Till").check()
    assert fits(phone)
    rule.get_by_role("button", name="Save").click()
    expect(phone.get_by_role("status").first).to_contain_text("The rule is saved")
    vip = rules.read(shop.store.db.conn)[rules.VIP]
    assert vip.enabled and len(vip.targets) == 1


def test_opening_hours_and_a_backup_are_made_on_the_page(phone: Page, server: Server) -> None:
    phone.goto(server.address + "/settings")
    phone.get_by_label("Monday, opens").fill("09:00")
    phone.get_by_label("Monday, closes").fill("21:30")
    phone.get_by_role("button", name="Save the hours").click()
    expect(phone.get_by_role("status").first).to_contain_text("The opening hours are saved")
    phone.get_by_role("link", name="Backups").click()
    phone.get_by_role("button", name="Make one now").click()
    expect(phone.locator('[data-work="ended"]')).to_contain_text("is made and was checked")
    phone.get_by_role("link", name="Put back the backup").click()
    expect(phone.get_by_role("heading", level=1)).to_contain_text("Put back the backup from")
    assert fits(phone)
