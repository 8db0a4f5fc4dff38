"""People in a real browser: edited, merged and taken apart, erased; by keyboard too, and on a phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.appliance.web.shop import NOW, Shop
from tests.browser.browsing import SIZES
from tests.browser.portraits import portrait
from ui.server import Server

pytestmark = SIZES


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.person("mai", 11, name="Mai Lê")
    shop.visit("v-mai", "new", NOW - timedelta(days=1), "mai", 1, picture=portrait(8))
    return shop


def test_a_person_is_found_edited_and_found_again_by_what_was_entered(page: Page, server: Server) -> None:
    page.goto(server.address + "/people")
    page.get_by_label("Name, number, phone or e-mail").fill("bob")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Bob").click()
    page.get_by_role("link", name="Edit").first.click()
    page.get_by_label("Name", exact=True).fill("Bob Tran")
    page.get_by_label("Phone").fill("+84 24 3825 1234")
    page.get_by_label("VIP").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bob Tran")
    expect(page.locator(".tag.vip")).to_be_visible()
    page.goto(server.address + "/people")
    page.get_by_label("Name, number, phone or e-mail").fill("+842438251234")
    page.keyboard.press("Enter")
    expect(page.locator(".person")).to_have_count(1)


@pytest.mark.journey
def test_two_are_merged_and_the_merge_is_undone(page: Page, server: Server) -> None:
    page.goto(server.address + "/people/bob")
    page.get_by_role("link", name="Merge with").click()
    page.get_by_role("link", name="Mai Lê").click()
    expect(page.locator(".pair img")).to_have_count(2)
    page.get_by_role("button", name="Merge").click()
    expect(page.get_by_role("status")).to_contain_text("It can be undone")
    page.get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo the merge").click()
    expect(page.get_by_role("status")).to_contain_text("Both are there again")
    page.goto(server.address + "/people?q=mai")
    expect(page.locator(".person")).to_have_count(1)


def test_a_wrong_visit_is_taken_away(page: Page, server: Server) -> None:
    page.goto(server.address + "/visits/v-bob")
    page.get_by_role("link", name="Not this person").click()
    page.get_by_role("button", name="It was somebody new").click()
    expect(page.get_by_role("status")).to_contain_text("the new person")


@pytest.mark.journey
def test_erasing_asks_says_what_goes_and_can_be_left(page: Page, server: Server) -> None:
    page.goto(server.address + "/people/bob")
    page.get_by_role("link", name="Erase").click()
    expect(page.locator(".says")).to_contain_text("This cannot be undone.")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Erase").click()
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("status")).to_contain_text("Erased.")
    expect(page.get_by_text("Bob")).to_have_count(0)
