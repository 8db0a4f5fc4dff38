"""The page Review in a real browser: ten cases by keyboard, undo, by thumb on a phone, and without script."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance import review
from appliance.web.app import create_app
from tests.appliance.web.doubts import CASES, Doubts, open_doubts
from tests.browser.browsing import complaints
from tests.browser.portraits import portrait
from ui.server import Server, serve


@pytest.fixture
def doubts(tmp_path: Path) -> Iterator[Doubts]:
    made = open_doubts(tmp_path, portrait)
    yield made
    made.close()


@pytest.fixture
def server(doubts: Doubts) -> Iterator[Server]:
    running = serve(create_app(doubts.deps), "127.0.0.1", 0, doubts.live.close)
    yield running
    running.stop()


def shown(page: Page) -> str:
    return page.locator("[data-case]").get_attribute("data-case") or ""


def press(page: Page, key: str) -> None:
    before = shown(page)
    page.keyboard.press(key)
    expect(page.locator(f'[data-case="{before}"]')).to_have_count(0)


def decisions(doubts: Doubts) -> list[str]:
    return [d for (d,) in doubts.shop.store.db.execute("SELECT decision FROM review WHERE decision IS NOT NULL ORDER BY turn").fetchall()]


@pytest.mark.journey
def test_ten_cases_are_decided_by_keyboard_and_the_last_is_undone(page: Page, server: Server, doubts: Doubts) -> None:
    page.goto(server.address + "/review")
    began_s = time.monotonic()
    for key in "ddidddidid":
        press(page, key)
    assert time.monotonic() - began_s < 60, "a hundred take less than ten minutes"
    assert decisions(doubts) == ["different" if key == "d" else "ignored" for key in "ddidddidid"]
    assert page.locator(".count").inner_text().startswith(str(CASES - 10))
    last = shown(page)
    press(page, "u")
    assert shown(page) != last and len(decisions(doubts)) == 9
    press(page, "s")
    assert decisions(doubts)[-1] == "same"


def test_a_visit_that_is_called_the_same_is_the_persons_and_undo_takes_it_back(page: Page, server: Server, doubts: Doubts) -> None:
    page.goto(server.address + "/review")
    while "Too near to be new" not in page.locator(".why").inner_text():
        press(page, "i")
    case = shown(page)
    before = doubts.shop.visits()
    press(page, "s")
    after = doubts.shop.visits()
    assert sum(visit[0] is None for visit in after) == sum(visit[0] is None for visit in before) - 1
    press(page, "u")
    assert doubts.shop.visits() == before and shown(page) == case


def test_keys_with_the_computers_own_meaning_decide_nothing(page: Page, server: Server, doubts: Doubts) -> None:
    page.goto(server.address + "/review")
    for key in ("Control+i", "Alt+d", "x", "Enter"):
        page.keyboard.press(key)
    assert decisions(doubts) == []


def test_a_case_is_decided_by_thumb_with_one_touch(browser: Browser, server: Server, doubts: Doubts) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    found = complaints(page)
    page.goto(server.address + "/review")
    for name in ("Different", "Cannot tell", "Different"):
        case, button = shown(page), page.get_by_role("button", name=name)
        box = button.bounding_box()
        assert box is not None and box["height"] >= 44 and box["y"] + box["height"] <= 844, "within reach without scrolling"
        button.tap()
        expect(page.locator(f'[data-case="{case}"]')).to_have_count(0)
    page.get_by_role("button", name="Undo").tap()
    expect(page.locator(".top")).to_contain_text(f"{CASES - 2} cases")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert decisions(doubts) == ["different", "ignored"] and found == []
    context.close()


def test_without_script_the_buttons_are_forms(browser: Browser, server: Server, doubts: Doubts) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.address + "/review")
    page.get_by_role("button", name="Different").or_(page.get_by_role("button", name="Not them")).click()
    expect(page.locator(".top")).to_contain_text(f"{CASES - 1} cases")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".top")).to_contain_text(f"{CASES} cases")
    assert decisions(doubts) == []
    context.close()


def test_when_all_is_decided_the_page_says_so_at_once(page: Page, server: Server, doubts: Doubts) -> None:
    page.goto(server.address + "/review")
    for _ in range(CASES - 1):
        press(page, "i")
    page.keyboard.press("i")
    expect(page.locator("h1")).to_have_text("Nothing to review")
    expect(page.locator("nav .count")).to_have_count(0)
    assert review.count_open(doubts.shop.store.db.conn) == 0
