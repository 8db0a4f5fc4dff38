"""What the browser tests share: one Chromium, the busy shop with faces behind the real app, a page that must not complain or be too wide.

A test that fails leaves a picture of every page that was open in build/browser/, a journey one of where it ended.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from playwright.sync_api import Browser, Page

from appliance.web.app import create_app
from tests.appliance.web.shop import Shop, busy_shop
from tests.browser.browsing import WIDE, chromium, complaints, fits, keep
from tests.browser.portraits import portrait
from ui.server import Server, serve


@pytest.fixture(scope="package")
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
def app(shop: Shop) -> Litestar:
    return create_app(shop.deps)


@pytest.fixture
def server(app: Litestar, shop: Shop) -> Iterator[Server]:
    running = serve(app, "127.0.0.1", 0, shop.live.close)
    yield running
    running.stop()


@pytest.fixture
def page(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[Page]:
    """As wide as a desk's screen, or as `browsing.SIZES` asks. Closed before the server stops: `server` is asked for so that it outlives
    the page."""
    width, height = getattr(request, "param", WIDE)
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page = context.new_page()
    found = complaints(page)
    yield page
    if request.node.get_closest_marker("journey"):
        keep(page, request.node.name)
    wide = not fits(page)
    context.close()
    assert found == []
    assert not wide, "the page is wider than the screen"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    browser = getattr(item, "funcargs", {}).get("browser")
    if report.when == "call" and report.failed and browser is not None:
        pages = [page for context in browser.contexts for page in context.pages]
        for number, page in enumerate(pages, 1):
            keep(page, f"failed {item.name} {number}")
    return report
