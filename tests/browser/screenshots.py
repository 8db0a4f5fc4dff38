"""Takes the pictures of docs/screenshots: `python -m tests.browser.screenshots`. Each page, wide and phone, light and dark: the store's,
and headquarters' (`hub-…`)."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from playwright.sync_api import Browser, Page

from appliance.web.app import create_app
from hub import postgres
from hub.database import Database
from hub.web.app import create_app as create_hub_app
from tests.appliance.web.shop import open_shop
from tests.browser import chain_day
from tests.browser.browsing import chromium, complaints
from tests.browser.day import full_day, show_cameras
from tests.hub.chain import NOW
from tests.hub.conftest import MASTER, reachable_folder
from tests.hub.conftest import Server as DatabaseServer
from tests.hub.web.office import CODE, WORDS, web_deps
from ui.server import serve

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
PAGES = (
    ("today", "/"),
    ("live", "/live"),
    ("visits", "/visits"),
    ("people", "/people"),
    ("person", "/people/p11"),
    ("person-edit", "/people/p11/edit"),
    ("merge", "/people/p11/merge/p23"),
    ("erase", "/people/p23/erase"),
    ("visit", "/visits/now-mai"),
    ("unsure", "/visits/now-doubt"),
    ("review", "/review"),
    ("staff", "/staff"),
    ("staff-one", "/staff/p1"),
    ("cameras", "/cameras"),
    ("camera", "/cameras/front"),
    ("camera-add", "/cameras/add"),
)
WITH_PICTURES = ("/", "/live", "/cameras", "/cameras/front")
WIDTHS = (("wide", 1440, 900), ("phone", 390, 844))
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
SHOWN_FACES_ARE_THERE = """new Promise((there) => {
    const waits = (image) => !image.hidden && !image.complete && image.getBoundingClientRect().top < innerHeight;
    const look = () => [...document.images].some(waits) ? setTimeout(look, 20) : there();
    look();
})"""
HEIGHT_MAX = 1240
"""Longer pages are cut: the list goes on the same."""


HUB_PAGES = (("overview", ""), ("people", "/people"), ("forgotten", "/forgotten"), ("tokens", "/tokens"))


def take(browser: Browser, address: str, name: str, path: str, folder: Path) -> None:
    for width_name, width, height in WIDTHS:
        for scheme in SCHEMES:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce")
            found = complaints(page)
            page.goto(address + path)
            page.wait_for_load_state("load")
            if page.query_selector("#line"):
                page.wait_for_selector('#line[data-state="live"]')
            if path in WITH_PICTURES:
                wait_for_pictures(page)
            whole = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": width, "height": min(HEIGHT_MAX, max(height, whole))})
            page.evaluate(SHOWN_FACES_ARE_THERE)
            if path in WITH_PICTURES:
                wait_for_pictures(page)
            write(page.screenshot(), folder / f"{name}-{width_name}-{scheme}.png")
            page.close()
            if found:
                raise SystemExit(f"{path} at {width} px complained: {found}")


def wait_for_pictures(page: Page) -> None:
    if page.query_selector("[data-camera]"):
        page.wait_for_selector(".stage.filled img:not([hidden])")


def write(png: bytes, path: Path) -> None:
    """With few colours a PNG of a page is a third of the size, and nobody sees it."""
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    levels = (picture // 4 * 4 + 2).astype(np.uint8)
    levels[picture > 251] = 255
    written, content = cv2.imencode(".png", levels, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert written
    path.write_bytes(content.tobytes())


def take_hub(browser: Browser, folder: Path) -> None:
    """Headquarters: the first start of an empty hub, then a chain's day for somebody who has signed in."""
    data = reachable_folder()
    server = DatabaseServer(data)
    databases = [Database(postgres.line_to(data, postgres.APPLICATION, server.new_database()), MASTER) for _ in range(2)]
    try:
        for database in databases:
            database.open()
        day = chain_day.full_day(databases[0])
        codes = ("", CODE)
        deps = [web_deps(database, lambda: NOW, code) for database, code in zip(databases, codes, strict=True)]
        served = [serve(create_hub_app(each), "127.0.0.1", 0) for each in deps]
        ours = f"/t/{day.tenant.tenant_id}"
        take_signed_in(browser, served[1].address, {"hub-first-start": "/first-start"}, folder, name="")
        pages = {f"hub-{name}": ours + path for name, path in HUB_PAGES} | {"hub-appliance": f"{ours}/appliances/{day.appliances[1]}"}
        take_signed_in(browser, served[0].address, {**pages, "hub-code": ours}, folder, name="alice")
        for each in served:
            each.stop()
    finally:
        for database in databases:
            database.close()
        server.stop()
        shutil.rmtree(data, ignore_errors=True)


def take_signed_in(browser: Browser, address: str, pages: dict[str, str], folder: Path, name: str) -> None:
    for width_name, width, height in WIDTHS:
        for scheme in SCHEMES:
            size = {"width": width, "height": height}
            context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            page = context.new_page()
            found = complaints(page)
            if name:
                page.goto(address)
                page.get_by_label("Name").fill(name)
                page.get_by_label("Password").fill(WORDS)
                page.keyboard.press("Enter")
                page.wait_for_url("**/t/*")
            for shown, path in pages.items():
                page.set_viewport_size({"width": width, "height": height})
                page.goto(address + path)
                if shown == "hub-code":
                    page.get_by_role("button", name="Make a code").click()
                    page.wait_for_selector(".big-code")
                whole = page.evaluate("document.documentElement.scrollHeight")
                page.set_viewport_size({"width": width, "height": min(HEIGHT_MAX, max(height, whole))})
                write(page.screenshot(), folder / f"{shown}-{width_name}-{scheme}.png")
            context.close()
            if found:
                raise SystemExit(f"headquarters at {width} px complained: {found}")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, chromium() as browser:
        (Path(data) / "empty").mkdir()
        shop, empty = full_day(Path(data)), open_shop(Path(data) / "empty", weak_pack=True)
        show_cameras(shop)
        servers = [serve(create_app(each.deps), "127.0.0.1", 0, each.live.close) for each in (shop, empty)]
        try:
            for name, path in PAGES:
                take(browser, servers[0].address, name, path, folder)
            take(browser, servers[1].address, "empty", "/", folder)
        finally:
            for server in servers:
                server.stop()
        take_hub(browser, folder)
    total = sum(path.stat().st_size for path in folder.glob("*.png"))
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}, {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
