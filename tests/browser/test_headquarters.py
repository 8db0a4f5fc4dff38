"""Headquarters' page in a real browser: first start, signing in, what the overview says, pairing, revoking; by keyboard and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.database import Database
from hub.web.app import create_app
from tests.browser.browsing import complaints
from tests.browser.chain_day import Day, full_day
from tests.hub.chain import NOW
from tests.hub.conftest import database, database_name, server
from tests.hub.web.office import CODE, FINGERPRINT, WORDS, web_deps
from ui.server import Server, serve

__all__ = ["database", "database_name", "server"]
REFUSED = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"
"""Chromium's own word for a wrong password; the page says it in its own."""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    found = complaints(page)
    yield page
    context.close()
    assert [words for words in found if words != REFUSED] == []


@pytest.fixture
def day(database: Database) -> Day:
    return full_day(database)


@pytest.fixture
def office(day: Day) -> Iterator[Server]:
    running = serve(create_app(web_deps(day.database, lambda: NOW)), "127.0.0.1", 0)
    yield running
    running.stop()


def sign_in(page: Page, office: Server, name: str = "alice") -> None:
    page.goto(office.address)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(WORDS)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/t/|127\.0\.0\.1:\d+/$"))


def test_the_first_account_is_made_and_used(page: Page, database: Database) -> None:
    running = serve(create_app(web_deps(database, lambda: NOW, CODE)), "127.0.0.1", 0)
    try:
        page.goto(running.address)
        expect(page.get_by_role("heading", name="Welcome to headquarters")).to_be_visible()
        page.get_by_label("Code from the terminal").fill("wrong-code")
        page.get_by_label("Name").fill("Mai Lê")
        page.get_by_label("Password", exact=True).fill(WORDS)
        page.get_by_label("Password again").fill(WORDS)
        page.get_by_role("button", name="Make the account").click()
        expect(page.get_by_role("alert")).to_contain_text("That is not the code")
        expect(page.get_by_label("Name")).to_have_value("Mai Lê")
        page.get_by_label("Code from the terminal").fill(CODE.lower())
        page.get_by_label("Password", exact=True).fill(WORDS)
        page.get_by_label("Password again").fill(WORDS)
        page.keyboard.press("Enter")
        expect(page.get_by_text("No tenant yet")).to_be_visible()
        expect(page.get_by_text('regulars-hub tenant add "My chain"')).to_be_visible()
        page.get_by_role("button", name="Sign out").first.click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.go_back()
        expect(page.get_by_text("No tenant yet")).to_have_count(0)
    finally:
        page.goto("about:blank")
        running.stop()


def test_a_wrong_password_is_said_and_the_name_stays(page: Page, office: Server) -> None:
    page.goto(office.address)
    page.get_by_label("Name").fill("alice")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("Name")).to_have_value("alice")
    expect(page.get_by_label("Password")).to_be_focused()


def test_the_overview_says_how_the_chain_does(page: Page, office: Server) -> None:
    sign_in(page, office)
    expect(page.get_by_role("heading", name="Phin Coffee")).to_be_visible()
    expect(page.locator('[data-figure="several"]')).to_have_text("23")
    expect(page.get_by_text("offline, heard from 11 h ago")).to_be_visible()
    expect(page.get_by_text("its clock is 14 seconds ahead")).to_be_visible()
    expect(page.get_by_text("1\u202f204 records wait there, the oldest from 3 h ago")).to_be_visible()
    expect(page.get_by_text("came to Hàng Bài (11 visits), Cầu Giấy (5 visits) and Sân bay Nội Bài (13 visits)")).to_be_visible()
    expect(page.locator("[data-fingerprint]")).to_have_text(FINGERPRINT)
    page.get_by_role("link", name="Where it is outstanding").click()
    expect(page.get_by_text("outstanding; last heard from 11 h ago, and told when it is in touch again")).to_be_visible()


def test_a_pairing_code_is_shown_once_and_counts_down(page: Page, office: Server, day: Day) -> None:
    sign_in(page, office)
    page.get_by_label("Store", exact=True).select_option("Tây Hồ")
    page.get_by_role("button", name="Make a code").click()
    code = page.locator("#code").inner_text()
    assert re.fullmatch(r"\w{4}-\w{4}-\w{4}", code)
    expect(page.get_by_text(f"regulars pair {code}@")).to_be_visible()
    left = page.locator("#left")
    expect(left).to_have_text(re.compile(r"holds for 9:5\d"))
    page.clock.install()
    page.reload()  # asks the browser to send the form again: another code
    page.clock.run_for(600_000)
    expect(left).to_have_text("over: make another")
    assert page.locator("#code").inner_text() != code
    with day.database.tenant(day.tenant.tenant_id) as tx:
        assert tx.execute("SELECT count(*) FROM pair_codes").fetchone() == (2,)
        assert code not in str(tx.execute("SELECT * FROM pair_codes").fetchall())


def test_an_appliance_is_revoked_after_a_question(page: Page, office: Server) -> None:
    sign_in(page, office)
    page.get_by_role("link", name="Mac mini 4").click()
    page.get_by_role("link", name="Revoke …").click()
    expect(page.get_by_text("318 records when last heard from")).to_be_visible()
    page.get_by_role("link", name="Leave it").click()
    expect(page.get_by_role("link", name="Revoke …")).to_be_visible()
    page.get_by_role("link", name="Revoke …").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("Revoked just now: it works on by itself")).to_be_visible()
    expect(page.get_by_role("link", name="Revoke …")).to_have_count(0)


def test_a_token_is_made_shown_once_and_revoked(page: Page, office: Server) -> None:
    sign_in(page, office)
    page.get_by_role("link", name="API", exact=True).click()
    page.get_by_label("What it is for").fill("Till at Tây Hồ")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("status")).to_contain_text("rgl_")
    page.get_by_role("link", name="API", exact=True).click()
    expect(page.get_by_text("rgl_")).to_have_count(0)
    page.get_by_role("button", name="Revoke Till at Tây Hồ").click()
    expect(page.get_by_text("revoked just now")).to_be_visible()


def test_a_system_admin_chooses_a_tenant(page: Page, office: Server) -> None:
    sign_in(page, office, "root")
    expect(page.get_by_role("heading", name="Tenants")).to_be_visible()
    page.get_by_role("link", name="Dana's Books").click()
    expect(page.get_by_text("No store yet").first).to_be_visible()
    expect(page.get_by_text('regulars-hub site add "Dana\'s Books" "Store A"')).to_be_visible()


def test_headquarters_can_be_walked_with_the_keyboard(page: Page, office: Server) -> None:
    sign_in(page, office)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Where it is outstanding")).to_be_focused()
    page.get_by_role("link", name="People", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Came to more than one store")).to_be_visible()


@pytest.mark.parametrize("width", [360, 390, 720, 1080, 2560])
def test_no_page_of_headquarters_is_wider_than_the_screen(page: Page, office: Server, day: Day, width: int) -> None:
    sign_in(page, office)
    page.set_viewport_size({"width": width, "height": 900})
    ours, silent = f"{office.address}/t/{day.tenant.tenant_id}", day.appliances[1]
    for path in ("", "/people", "/forgotten", "/tokens", f"/appliances/{silent}", f"/appliances/{silent}/revoke"):
        page.goto(ours + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"{office.address}/api/v1/docs")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width <= 720:
        page.get_by_role("button", name="Sign out").last.click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
