"""Takes the pictures of docs/screenshots: `python -m tests.browser.screenshots`. Each page, wide and phone, light and dark: the store's,
and headquarters' (`hub-…`). With names behind it only those: `python -m tests.browser.screenshots build/shots reports alerts`.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from litestar import Litestar
from PIL import Image
from playwright.sync_api import Browser, Page, Route

from appliance import history_writing
from appliance.history import Wanted
from appliance.reports.making import Making
from appliance.web.app import create_app
from hub import postgres
from hub.database import Database
from hub.web.app import create_app as create_hub_app
from tests.appliance.web.shop import NOW as STORE_NOW
from tests.appliance.web.shop import ZONE, Shop, ms, open_shop
from tests.appliance.web.signing import SAME, add_users, with_door
from tests.browser import chain_day
from tests.browser.back_office import accounts, at_work
from tests.browser.browsing import PHONE, WIDE, chromium, complaints, sign_in
from tests.browser.day import full_day, show_cameras
from tests.hub.chain import NOW
from tests.hub.conftest import MASTER, reachable_folder
from tests.hub.conftest import Server as DatabaseServer
from tests.hub.web.office import CODE, WORDS, web_deps
from ui.server import Server, serve

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
PAGES = {
    "today": "/",
    "live": "/live",
    "visits": "/visits",
    "people": "/people",
    "person": "/people/p11",
    "person-edit": "/people/p11/edit",
    "merge": "/people/p11/merge/p23",
    "erase": "/people/p23/erase",
    "visit": "/visits/now-mai",
    "unsure": "/visits/now-doubt",
    "review": "/review",
    "staff": "/staff",
    "staff-one": "/staff/p1",
    "cameras": "/cameras",
    "camera": "/cameras/front",
    "camera-add": "/cameras/add",
    "alerts": "/alerts",
    "alert-rules": "/alerts/rules",
    "alerts-sent": "/alerts/sent",
    "privacy": "/privacy",
    "privacy-record": "/privacy/record",
    "settings": "/settings",
    "health": "/settings/health",
    "backups": "/settings/backups",
    "models": "/settings/models",
    "log": "/settings/log",
    "users": "/users",
    "user": "/users/user-1",
    "audit": "/audit",
    "account": "/account",
    "account-codes": "/account/codes",
}
"""Of the shop on its full day, for its owner."""
AT_THE_DOOR = {"sign-in": "/sign-in", "sign-in-code": "/sign-in?to=/people"}
"""For whoever is not signed in."""
HISTORY = Wanted(220, 4_000, 17_000, 2, ms(STORE_NOW), ZONE)
"""Of the reports: seven months of a shop with two cameras."""
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
SHOWN_FACES_ARE_THERE = """new Promise((there) => {
    const near = (one) => one.getBoundingClientRect().top < innerHeight;
    const waits = (image) => !image.hidden && !image.complete && near(image);
    const drawn = () => [...document.querySelectorAll('[data-chart]')].every((chart) => chart.dataset.drawn || !near(chart));
    const look = () => [...document.images].some(waits) || !drawn() ? setTimeout(look, 20) : there();
    look();
})"""
HEIGHT_MAX, REPORTS_HEIGHT_MAX = 1240, 2600
"""Longer pages are cut: the list goes on the same."""
COLOURS = 256
"""A PNG of a page with so few is a third of the size, and nobody sees it."""


HUB_PAGES = (("overview", ""), ("people", "/people"), ("forgotten", "/forgotten"), ("tokens", "/tokens"))


@contextmanager
def context(browser: Browser, size: tuple[int, int], scheme: Scheme) -> Iterator[Page]:
    width, height = size
    made = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce")
    page = made.new_page()
    found = complaints(page)
    yield page
    made.close()
    if found:
        raise SystemExit(f"a page at {width} px complained: {found}")


def take(browser: Browser, server: Server, pages: dict[str, str], folder: Path, name: str = "") -> None:
    """`name`: who looks; empty: whoever comes."""
    if not pages:
        return
    for width, size in (("wide", WIDE), ("phone", PHONE)):
        for scheme in SCHEMES:
            with context(browser, size, scheme) as page:
                if name:
                    sign_in(page, server.address, name)
                    page.wait_for_selector("#line")
                page.route("**/alerts/banner", banner)
                for shown, path in pages.items():
                    page.set_viewport_size({"width": size[0], "height": size[1]})
                    page.goto(server.address + path)
                    if shown == "today":
                        page.locator(".alert-note").wait_for()
                    if shown == "sign-in-code":
                        sign_in(page, server.address, "Bob")
                        page.get_by_label("Code", exact=True).wait_for()
                    picture = whole(page, size, REPORTS_HEIGHT_MAX if shown == "reports" else HEIGHT_MAX)
                    write(picture, folder / f"{shown}-{width}-{scheme}.png")
                page.unroute_all(behavior="ignoreErrors")
                if name:
                    page.request.post(server.address + "/sign-out", headers=SAME)


def banner(route: Route) -> None:
    """What waits for somebody stands above every page, and here above Today alone."""
    if urlsplit(route.request.frame.url).path == "/":
        route.continue_()
    else:
        route.fulfill(body="", content_type="text/html")


def whole(page: Page, size: tuple[int, int], height_max: int = HEIGHT_MAX) -> bytes:
    """As PNG, once all that is shown has come."""
    page.wait_for_load_state("load")
    if page.query_selector("#line"):
        page.wait_for_selector('#line[data-state="live"]')
    if page.query_selector(".stage img"):
        page.wait_for_selector(".stage.filled img:not([hidden])")
    long = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": size[0], "height": min(height_max, max(size[1], long))})
    page.evaluate(SHOWN_FACES_ARE_THERE)
    return page.screenshot()


def write(png: bytes, path: Path) -> None:
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE).save(path, optimize=True)


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
    for width, size in (("wide", WIDE), ("phone", PHONE)):
        for scheme in SCHEMES:
            with context(browser, size, scheme) as page:
                if name:
                    sign_in(page, address, name, WORDS)
                    page.wait_for_url("**/t/*")
                for shown, path in pages.items():
                    page.set_viewport_size({"width": size[0], "height": size[1]})
                    page.goto(address + path)
                    if shown == "hub-code":
                        page.get_by_role("button", name="Make a code").click()
                        page.wait_for_selector(".big-code")
                    write(whole(page, size), folder / f"{shown}-{width}-{scheme}.png")


def shops(room: Path) -> tuple[Shop, Shop, Shop]:
    """On its full day; with a history; with nothing yet."""
    for name in ("day", "history", "empty"):
        (room / name).mkdir()
    history = open_shop(room / "history")
    for id_, name in (("front", "Front entrance"), ("side", "Side entrance")):
        history.camera(id_, name)
    history_writing.write(history.store, HISTORY, ["front", "side"])
    Making().script(history.folder)
    add_users(history)
    accounts(history.store)
    day = full_day(room / "day")
    show_cameras(day)
    return day, history, open_shop(room / "empty", weak_pack=True)


def main(folder: Path, only: Collection[str] = ()) -> None:
    folder.mkdir(parents=True, exist_ok=True)

    def chosen(pages: dict[str, str]) -> dict[str, str]:
        return {name: path for name, path in pages.items() if not only or name in only}

    with tempfile.TemporaryDirectory() as room, ExitStack() as stack:
        browser = stack.enter_context(chromium())
        day, history, empty = shops(Path(room))
        stack.enter_context(at_work(day))

        def served(app: Litestar, shop: Shop) -> Server:
            running = serve(app, "127.0.0.1", 0, shop.live.close)
            stack.callback(running.stop)
            return running

        open_day = served(with_door(day), day)
        take(browser, open_day, chosen(AT_THE_DOOR), folder)
        take(browser, open_day, chosen(PAGES), folder, "Alice")
        take(browser, served(with_door(history), history), chosen({"reports": "/reports?range=90d"}), folder, "Alice")
        take(browser, served(create_app(empty.deps), empty), chosen({"empty": "/"}), folder)
        take(browser, served(with_door(empty, CODE), empty), chosen({"first-start": "/first-start"}), folder)
        if not only:
            take_hub(browser, folder)
    total = sum(path.stat().st_size for path in folder.glob("*.png"))
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}, {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER, sys.argv[2:])
