"""The page Today in a real browser: news appear by themselves, boxes are drawn over the picture, a lost line is said and mended."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance.live import FaceBox, NoticesChanged, VisitChanged
from appliance.web.app import create_app
from tests.appliance.web.shop import MINUTE, NOW, Shop, busy_shop, open_shop
from tests.browser.portraits import entrance, portrait
from ui.server import Server, serve


def open_live(page: Page, server: Server) -> None:
    page.goto(server.address)
    expect(page.locator("#line")).to_have_text("live")


@pytest.mark.journey
def test_a_visit_appears_by_itself_and_the_figures_follow(page: Page, server: Server, shop: Shop) -> None:
    open_live(page, server)
    rows = page.locator("#just-now > li")
    expect(rows).to_have_count(6)
    shop.visit("v-dawn", "new", NOW + MINUTE, "p1204", 1, picture=portrait(9))
    shop.clock_ms += 120_000
    shop.live.publish(VisitChanged("v-dawn"))
    expect(rows.first).to_contain_text("Visitor 1\u202f204")
    expect(rows).to_have_count(7)
    expect(page.locator('[data-figure="visitors"]')).to_have_text("6")
    assert rows.first.locator("img").evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0


def test_a_visit_that_is_decided_changes_its_line_and_one_taken_back_goes(page: Page, server: Server, shop: Shop) -> None:
    open_live(page, server)
    line = page.locator('[data-visit="v-deciding"]')
    expect(line).to_contain_text("still looking")
    decided = "state = 'settled', verdict = 'returning', person_id = 'bob', visit_number = 6"
    shop.db.execute(f"UPDATE visits SET {decided} WHERE id = 'v-deciding'")
    shop.live.publish(VisitChanged("v-deciding"))
    expect(line).to_contain_text("6th visit")
    expect(page.locator("#just-now > li")).to_have_count(6)
    shop.db.execute("DELETE FROM visits WHERE id = 'v-deciding'")
    shop.live.publish(VisitChanged("v-deciding"))
    expect(line).to_have_count(0)


def test_boxes_and_names_are_drawn_over_the_camera_picture(page: Page, server: Server, shop: Shop) -> None:
    open_live(page, server)
    boxes = (
        FaceBox("s1", 0.2, 0.4, 0.1, 0.2, "Welcome back, <b>Bob</b> – 5th visit", "back"),
        FaceBox("s2", 0.8, 0.7, 0.1, 0.2, "New visitor", "new"),
    )
    shop.live.show("front", shop.clock_ms, entrance([(3, 0.25, 0.5, 0.1)], 640, 360), boxes)
    stage = page.locator('[data-camera="front"] .stage')
    expect(stage.locator(".box")).to_have_count(2)
    expect(stage.locator(".box.back b")).to_have_text("Welcome back, <b>Bob</b> – 5th visit")
    place = stage.locator('[data-id="s1"]').evaluate(
        """(box) => { const b = box.getBoundingClientRect(), s = box.parentElement.getBoundingClientRect();
                      return [(b.left - s.left) / s.width, (b.top - s.top) / s.height, b.width / s.width, b.height / s.height] }"""
    )
    assert place == pytest.approx([0.2, 0.4, 0.1, 0.2], abs=0.01)
    for label in stage.locator(".box b").all():
        inside = label.evaluate(
            """(label) => { const l = label.getBoundingClientRect(), s = label.closest('.stage').getBoundingClientRect();
                            return l.left >= s.left && l.right <= s.right && l.top >= s.top && l.bottom <= s.bottom }"""
        )
        assert inside, label.text_content()
    shop.live.show("front", shop.clock_ms, entrance([], 640, 360), ())
    expect(stage.locator(".box")).to_have_count(0)


def test_a_hidden_page_asks_for_nothing_and_catches_up_when_it_is_shown(page: Page, server: Server, shop: Shop) -> None:
    open_live(page, server)
    hide = """(hidden) => {
        Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => hidden ? 'hidden' : 'visible' });
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.evaluate(hide, True)
    page.wait_for_function("() => document.getElementById('line').dataset.state === 'off'")
    page.wait_for_timeout(700)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(1_000)
    assert asked == []
    assert shop.live.pages() == 0
    shop.visit("v-meanwhile", "new", NOW, picture=None)
    shop.live.publish(VisitChanged("v-meanwhile"))
    page.evaluate(hide, False)
    expect(page.locator('[data-visit="v-meanwhile"]')).to_have_count(1)
    expect(page.locator("#line")).to_have_text("live")


def test_a_lost_connection_is_said_and_mended_with_nothing_missing(browser: Browser, shop: Shop, tmp_path: Path) -> None:
    # Not the fixture page: a refused connection is an error to the browser's console, and here it is meant.
    page = browser.new_page()
    page.set_default_timeout(20_000)
    first = serve(create_app(shop.deps), "127.0.0.1", 0, shop.live.close)
    open_live(page, first)
    first.stop()
    expect(page.locator("#line")).to_have_text("connection lost – trying again")
    (tmp_path / "second").mkdir()
    again = busy_shop(tmp_path / "second")
    again.visit("v-meanwhile", "returning", NOW, "bob", 6, nearest="bob", similarity=0.6, picture=None)
    second = serve(create_app(again.deps), "127.0.0.1", first.port, again.live.close)
    again.live.publish(VisitChanged("v-meanwhile"))
    try:
        expect(page.locator("#line")).to_have_text("live", timeout=20_000)
        expect(page.locator('[data-visit="v-meanwhile"]')).to_have_count(1, timeout=10_000)
        again.visit("v-after", "new", NOW + MINUTE, picture=None)
        again.live.publish(VisitChanged("v-after"))
        expect(page.locator('[data-visit="v-after"]')).to_have_count(1)
    finally:
        page.close()
        second.stop()


def test_a_notice_appears_and_goes_when_it_is_dismissed(page: Page, server: Server, shop: Shop) -> None:
    open_live(page, server)
    shop.notice("Last night's backup took the place of a damaged visit log.")
    shop.live.publish(NoticesChanged())
    notice = page.locator(".notices .note").filter(has=page.get_by_role("button"))
    expect(notice).to_contain_text("Last night's backup")
    notice.get_by_role("button", name="Dismiss").click()
    expect(notice).to_have_count(0)
    assert shop.db.execute("SELECT count(*) FROM notices WHERE dismissed_ms IS NULL").fetchone() == (0,)


def test_the_first_camera_appears_without_loading_the_page(browser: Browser, page: Page, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    shop = open_shop(tmp_path / "empty")
    server = serve(create_app(shop.deps), "127.0.0.1", 0, shop.live.close)
    try:
        open_live(page, server)
        expect(page.get_by_text("No camera yet")).to_be_visible()
        shop.camera("new", "Garden door")
        shop.live.publish(NoticesChanged())
        expect(page.get_by_role("heading", name="Garden door")).to_be_visible()
        shop.live.show("new", shop.clock_ms, entrance([], 320, 180), ())
        expect(page.get_by_role("img", name="Picture of the camera Garden door")).to_be_visible()
    finally:
        page.goto("about:blank")
        server.stop()


@pytest.mark.parametrize("width", [360, 390, 1440])
def test_the_words_on_a_small_camera_without_a_picture_stand_apart(browser: Browser, tmp_path: Path, width: int) -> None:
    shop = open_shop(tmp_path)
    for name, state in (("Front", "opening"), ("Side", "opening"), ("Back", "failed"), ("Yard", "silent"), ("Hall", "watching")):
        shop.camera(name, name, state, error="a file with quite a long name, entrance.mp4, is not a video that can be read")
    server = serve(create_app(shop.deps), "127.0.0.1", 0, shop.live.close)
    page = browser.new_page(viewport={"width": width, "height": 900})
    try:
        page.goto(server.address)
        room = page.locator(".stage").evaluate_all(
            """(stages) => stages.map((stage) => {
                const state = stage.querySelector(".state"), waiting = getComputedStyle(stage, "::before");
                const above = waiting.content === "none" ? 0 : parseFloat(waiting.height);
                return stage.clientHeight - above - state.offsetHeight;
            })"""
        )
        assert len(room) == 5
        assert min(room) > -1, f"words over each other or cut off: {room}"
    finally:
        page.close()
        server.stop()


def test_every_page_can_be_walked_with_the_keyboard(page: Page, server: Server) -> None:
    page.goto(server.address)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.get_by_role("link", name="Visits", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/visits")
    page.locator('[data-visit="v-unsure"] a').focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Somebody")).to_be_visible()
    expect(page.get_by_text("Might be Visitor 92 (.41, needs .46).")).to_be_visible()
