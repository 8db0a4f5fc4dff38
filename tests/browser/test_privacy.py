"""Somebody asks to be erased: entered, done, receipt; by hand, on a desk and on a phone.

The times of keeping are shown before they delete.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from appliance import clearing
from tests.appliance.web.shop import Shop
from tests.browser.browsing import SIZES
from ui.server import Server

pytestmark = SIZES


@pytest.mark.journey
def test_a_person_asks_to_be_erased_and_gets_a_receipt(page: Page, server: Server, shop: Shop) -> None:
    page.goto(server.address + "/people/bob")
    page.get_by_role("link", name="See everything").click()
    with page.expect_download() as given:
        page.get_by_role("button", name="Download").click()
    assert given.value.suggested_filename == "visitor-2-request-1.zip"
    page.get_by_label("They ask to").select_option("erase")
    page.get_by_role("button", name="Enter the request").click()
    expect(page.get_by_role("status")).to_contain_text("due in 30 days")
    page.get_by_role("link", name="Erase").click()
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Request 2")
    expect(page.locator("main")).to_contain_text("being cleared")
    expect(page.locator("main")).not_to_contain_text("Bob")
    assert clearing.clear(shop.store, shop.folder / "backups", shop.clock_ms)
    page.reload()
    expect(page.locator("main")).to_contain_text("cleared today")
    with page.expect_download() as paper:
        page.get_by_role("link", name="Receipt to print").click()
    assert Path(paper.value.path()).read_bytes().startswith(b"%PDF-")


def test_a_shorter_time_is_asked_about_before_it_deletes(page: Page, server: Server) -> None:
    page.goto(server.address + "/privacy")
    page.get_by_label("Days until a picture goes").fill("5")
    page.get_by_role("button", name="Save …").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This deletes something")
    expect(page.locator("main")).to_contain_text("1 picture")
    page.get_by_role("button", name="Save and delete").click()
    expect(page.get_by_role("status")).to_contain_text("within the hour")
    expect(page.get_by_label("Days until a picture goes")).to_have_value("5")
    page.goto(server.address + "/privacy/record")
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    expect(page.locator(".record")).to_contain_text("5 days")
