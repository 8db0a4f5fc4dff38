"""A real Chromium for the browser tests. Whatever the page's console calls an error fails the test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
WITHOUT_SANDBOX = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
"""The tests run as root in containers, where Chromium's own sandbox cannot be made."""
WAIT_MS_MAX = 10_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """Skips with one line when there is no Chromium, unless REGULARS_CI is set: then it fails."""
    if not CHROMIUM.exists():
        sentence = f"no browser at {CHROMIUM}: install Debian's package chromium to run the browser tests"
        if os.environ.get("REGULARS_CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=WITHOUT_SANDBOX)
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
