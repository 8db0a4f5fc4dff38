"""Reports in a real browser: charts are drawn without `eval` and tell exact numbers, filters ask anew, the report is saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance import history_writing
from appliance.history import Wanted
from appliance.reports.making import CHARTS, Making, script_version
from appliance.web.app import create_app
from tests.appliance.web.shop import NOW, ZONE, Shop, ms, open_shop
from tests.browser.browsing import complaints
from ui.server import Server, serve

ALL_DRAWN = "() => [...document.querySelectorAll('[data-chart]')].every((place) => place.dataset.drawn)"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = open_shop(tmp_path_factory.mktemp("shop"))
    for id_, name in (("front", "Entrance"), ("till", "Till")):
        shop.camera(id_, name)
    history_writing.write(shop.store, Wanted(60, 500, 1_500, 2, ms(NOW), ZONE), ["front", "till"])
    Making().script(shop.folder)
    yield shop
    shop.store.close()


@pytest.fixture(scope="module")
def server(shop: Shop) -> Iterator[Server]:
    running = serve(create_app(shop.deps), "127.0.0.1", 0, shop.live.close)
    yield running
    running.stop()


def open_whole(page: Page, address: str) -> None:
    """High enough that every chart is near enough to be drawn."""
    page.goto(address)
    page.set_viewport_size({"width": page.viewport_size["width"], "height": 6_000})  # type: ignore[index]
    page.wait_for_function(ALL_DRAWN)


def test_every_chart_is_drawn_and_tells_the_exact_numbers_of_its_table(page: Page, server: Server, shop: Shop) -> None:
    assert (shop.folder / CHARTS / f"vega-{script_version()}.js").is_file()
    open_whole(page, f"{server.address}/reports?range=7d")
    places = page.locator("[data-chart]")
    expect(places).to_have_count(8)
    chart = page.locator("#weekdays canvas")
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.93, box["y"] + box["height"] * 0.7)
    tooltip = page.locator("#vg-tooltip-element.visible")
    expect(tooltip).to_contain_text("Saturday")
    told = tooltip.inner_text().replace("\u202f", "")
    page.locator("#weekdays summary").click()
    cells = page.locator("#weekdays tbody tr").filter(has_text="Saturday").locator("td").all_inner_texts()
    assert cells[2].replace("\u202f", "") in told and cells[3] in told


def test_another_period_and_a_camera_are_asked_for_by_choosing_them(page: Page, server: Server) -> None:
    page.goto(f"{server.address}/reports")
    whole = page.locator('[data-figure="visits"]').inner_text()
    page.get_by_label("Camera", exact=True).select_option(label="Till")
    page.wait_for_url("**camera=till**")
    assert page.locator('[data-figure="visits"]').inner_text() != whole
    page.get_by_label("Period", exact=True).select_option(label="These days:")
    page.get_by_label("From", exact=True).fill("2026-11-02")
    page.get_by_label("To", exact=True).fill("2026-11-08")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("2 Nov to 8 Nov", exact=True)).to_be_visible()


@pytest.mark.journey
def test_the_whole_report_is_saved_and_the_page_says_that_it_is_being_made(page: Page, server: Server, tmp_path: Path) -> None:
    page.goto(f"{server.address}/reports?range=7d")
    with page.expect_download(timeout=30_000) as download:
        page.get_by_role("link", name="Whole report as PDF").click()
        expect(page.locator("#making")).not_to_be_empty()
    saved = tmp_path / "report.pdf"
    download.value.save_as(saved)
    assert download.value.suggested_filename == "report-2026-11-16-2026-11-22.pdf"
    assert saved.read_bytes().startswith(b"%PDF-")
    expect(page.locator("#making")).to_be_empty()


def test_a_phone_shows_charts_within_its_width(browser: Browser, server: Server) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark", reduced_motion="reduce")
    found = complaints(page)
    open_whole(page, f"{server.address}/reports")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
    assert found == []
