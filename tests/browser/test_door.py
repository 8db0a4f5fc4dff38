"""Getting in, in a real browser: the first start, users and what a viewer sees, one-time codes; by wide screen and phone."""

from __future__ import annotations

import re

import pyotp
import pytest
from litestar import Litestar
from playwright.sync_api import Page, expect

from tests.appliance.web.shop import Shop
from tests.appliance.web.signing import PASSWORD, add_users, with_door
from tests.browser.browsing import SIZES, is_accessible, leave, sign_in
from ui.server import Server
from ui.sessions import IDLE_MS_MAX

pytestmark = SIZES
CODE = "ABCD-EFGH-JKMN"
NEW = "another green bicycle"


@pytest.fixture
def app(shop: Shop) -> Litestar:
    return with_door(shop, CODE)


@pytest.mark.journey
def test_the_first_start_makes_an_owner_who_lets_a_viewer_in_who_sees_no_names(page: Page, server: Server) -> None:
    page.goto(server.address)
    expect(page.get_by_role("heading", name="Welcome to Regulars")).to_be_visible()
    is_accessible(page)
    page.get_by_label("Code from the terminal").fill(CODE.lower())
    page.get_by_label("Name").fill("Alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("Bob").first).to_be_visible()
    page.goto(server.address + "/users")
    page.get_by_label("Name", exact=True).fill("Dana")
    page.get_by_label("First password").fill(PASSWORD)
    page.get_by_role("radio", name="viewer").check()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("status")).to_contain_text("They may sign in now.")
    leave(page)
    sign_in(page, server.address, "dana")
    expect(page.locator("#line")).to_have_text("live")
    expect(page.get_by_text("Visitor 2", exact=True)).to_be_visible()
    assert "Bob" not in page.content() and page.locator("img.face").count() == 0
    expect(page.get_by_role("link", name="People")).to_have_count(0)
    is_accessible(page)


@pytest.mark.journey
def test_one_time_codes_are_turned_on_and_asked_for(page: Page, server: Server, shop: Shop) -> None:
    add_users(shop)
    sign_in(page, server.address, "alice")
    expect(page.locator("#line")).to_have_text("live")
    page.goto(server.address + "/account")
    page.get_by_role("link", name="Turn on").click()
    secret = re.sub(r"\s", "", page.locator(".steps code").inner_text())
    page.get_by_label("Code").fill(pyotp.TOTP(secret).at(shop.clock_ms // 1000))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator(".recovery code")).to_have_count(10)
    leave(page)
    sign_in(page, server.address, "alice")
    expect(page.get_by_role("heading", name="One-time code")).to_be_visible()
    is_accessible(page)
    shop.clock_ms += 60_000
    page.get_by_label("Code", exact=True).fill(pyotp.TOTP(secret).at(shop.clock_ms // 1000))
    page.keyboard.press("Enter")
    expect(page.locator("#line")).to_have_text("live")


def test_the_log_of_who_did_what_is_read_and_filtered(page: Page, server: Server, shop: Shop) -> None:
    add_users(shop)
    sign_in(page, server.address, "bob manager")
    expect(page.locator("#line")).to_have_text("live")
    page.goto(server.address + "/people/bob")
    page.goto(server.address + "/audit")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("What").select_option("looked at")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody").get_by_role("link", name="Bob")).to_be_visible()


@pytest.mark.journey
def test_what_is_written_in_a_form_outlives_the_session(page: Page, server: Server, shop: Shop) -> None:
    add_users(shop)
    sign_in(page, server.address, "dana")
    expect(page.locator("#line")).to_have_text("live")
    page.goto(server.address + "/account")
    for label, words in (("Password until now", PASSWORD), ("New password", NEW), ("New password again", NEW)):
        page.get_by_label(label, exact=True).fill(words)
    shop.clock_ms += IDLE_MS_MAX
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("You were signed out.")).to_be_visible()
    is_accessible(page)
    with page.context.expect_page() as opened:
        page.locator("#signed-out").get_by_role("link", name="Sign in").click()
    sign_in(opened.value, server.address, "dana")
    expect(opened.value.locator("#line")).to_have_text("live")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("status")).to_contain_text("password")
