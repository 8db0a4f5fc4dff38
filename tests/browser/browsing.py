"""A real Chromium for the browser tests. Whatever the page's console calls an error fails the test."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from tests import needs
from tests.appliance.web.signing import PASSWORD

WITHOUT_SANDBOX = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
"""The tests run as root in containers, where Chromium's own sandbox cannot be made."""
WAIT_MS_MAX = 10_000
WIDE, PHONE = (1440, 900), (390, 844)
SIZES = pytest.mark.parametrize("page", [WIDE, PHONE], ids=["wide", "phone"], indirect=True)
ON_A_PHONE = pytest.mark.parametrize("page", [PHONE], ids=["phone"], indirect=True)
KEPT = Path(__file__).parents[2] / "build" / "browser"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Where there is none the test is skipped with one line, in CI it fails."""
    path = needs.browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=WITHOUT_SANDBOX)
        try:
            yield browser
        finally:
            browser.close()


def complaints(page: Page) -> list[str]:
    """Fills with what the page's console calls an error, broken security policy included, and with scripts that failed."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.set_default_timeout(WAIT_MS_MAX)
    return found


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def keep(page: Page, name: str) -> None:
    """A picture of the page for whoever looks later; one that is closed has none."""
    words = re.sub(r"\W+", "-", name).strip("-")
    KEPT.mkdir(parents=True, exist_ok=True)
    with suppress(Error):
        page.screenshot(path=KEPT / f"{words}.png", full_page=True)


def complaints_of_axe(page: Page, rules: Sequence[str] = ("wcag2a", "wcag2aa", "wcag21aa", "wcag22aa")) -> list[str]:
    """What WCAG 2.2 AA asks for, as far as axe can see it: rule, and where it does not hold."""
    found = Axe().run(page, options={"runOnly": list(rules), "resultTypes": ["violations"]})
    return [f"{rule['id']}: {[node['html'][:120] for node in rule['nodes'][:3]]}" for rule in found.response["violations"]]


def is_accessible(page: Page) -> None:
    assert complaints_of_axe(page) == []


def sign_in(page: Page, address: str, name: str, password: str = PASSWORD) -> None:
    page.goto(address + "/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def leave(page: Page) -> None:
    more = page.get_by_role("button", name="More")
    if more.is_visible():
        more.click()
    page.get_by_role("button", name="Sign out").locator("visible=true").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
