"""Alerts and settings in a real browser: the banner that comes by itself on a phone, an answered question, long work that is followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from litestar import Litestar
from playwright.sync_api import Page, expect

from appliance.alerts import rules
from appliance.alerts.desk import AlertDesk
from appliance.alerts.telling import Telling
from appliance.details import Details, Entry
from appliance.web.app import create_app
from tests.appliance.alerts.receivers import web_hook
from tests.appliance.web.routes import completed
from tests.appliance.web.shop import MINUTE, NOW, Shop
from tests.browser.browsing import ON_A_PHONE, fits
from tests.browser.portraits import portrait
from ui.server import Server

pytestmark = ON_A_PHONE


@pytest.fixture
def telling(shop: Shop) -> Iterator[Telling]:
    with completed(shop) as telling:
        yield telling


@pytest.fixture
def app(shop: Shop, telling: Telling) -> Litestar:
    return create_app(shop.deps)


def watched_person_comes(shop: Shop, telling: Telling) -> None:
    shop.deps.desk.save("bob", Entry(name="Bob Tran", details=Details(watchlist=True), wrong={}))
    AlertDesk(telling).save_rule(replace(rules.USUAL[rules.WATCHLIST], enabled=True))
    shop.clock_ms += 120_000
    shop.visit("v-watched", "returning", NOW + MINUTE, "bob", 6, picture=portrait(3))
    assert telling.look() == 1


@pytest.mark.parametrize("address", ["/", "/people"])
def test_an_alert_is_a_banner_by_itself_on_a_phone_and_is_answered_with_two_taps(
    page: Page, server: Server, shop: Shop, telling: Telling, address: str
) -> None:
    with page.expect_response("**/alerts/banner"):
        page.goto(server.address + address)
    expect(page.locator(".alert-note")).to_have_count(0)
    if address == "/":
        expect(page.locator("#line")).to_have_text("live")
    watched_person_comes(shop, telling)
    banner = page.locator(".alert-note")
    expect(banner).to_contain_text("Is this Bob Tran?")
    assert fits(page)
    banner.click()
    expect(page.locator(".alert .face")).to_have_count(2)
    assert fits(page)
    page.get_by_role("button", name="Yes, it is them").click()
    expect(page.locator(".row.past")).to_contain_text("Somebody looked and confirmed it.")
    page.goto(server.address + address)
    expect(page.locator(".alert-note")).to_have_count(0)


def test_a_place_is_added_tried_out_and_chosen_from_a_phone(page: Page, server: Server, shop: Shop) -> None:
    with web_hook() as hook:
        page.goto(server.address + "/alerts/rules")
        page.get_by_role("link", name="Add: Web hook").click()
        page.get_by_label("What to call it").fill("Till")
        page.get_by_label("Web address").fill(f"http://127.0.0.1:{hook.port}/x")
        page.get_by_role("button", name="Add").click()
        page.get_by_role("button", name="Send a test to Till").click()
        expect(page.get_by_role("status").first).to_contain_text("The test was taken")
        assert hook.came[0]["title"] == "Ba Đình store: this is a test"
    page.get_by_text("A VIP comes in").click()
    rule = page.locator("details.rule").first
    rule.get_by_label("Tell me").check()
    rule.get_by_label("Till").check()
    assert fits(page)
    rule.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("The rule is saved")
    vip = rules.read(shop.store.db.conn)[rules.VIP]
    assert vip.enabled and len(vip.targets) == 1


def test_opening_hours_and_a_backup_are_made_on_the_page(page: Page, server: Server) -> None:
    page.goto(server.address + "/settings")
    page.get_by_label("Monday, opens").fill("09:00")
    page.get_by_label("Monday, closes").fill("21:30")
    page.get_by_role("button", name="Save the hours").click()
    expect(page.get_by_role("status").first).to_contain_text("The opening hours are saved")
    page.get_by_role("link", name="Backups").click()
    page.get_by_role("button", name="Make one now").click()
    expect(page.locator('[data-work="ended"]')).to_contain_text("is made and was checked")
    page.get_by_role("link", name="Put back the backup").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Put back the backup from")
    assert fits(page)
