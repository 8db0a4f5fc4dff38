"""Cameras and Live in a real browser: a camera is added after it was tried out, zones are drawn by mouse and by keyboard, Live costs
nothing while nobody looks."""

from __future__ import annotations

import json
import threading

import pytest
from playwright.sync_api import Page, expect

from appliance import cameras
from appliance.camera.messages import CameraSettings
from appliance.camera.probe import Probe
from appliance.live import FaceBox, VisitChanged
from tests.appliance.web.shop import MINUTE, NOW, Shop
from tests.browser.browsing import ON_A_PHONE
from tests.browser.portraits import entrance, portrait
from ui.server import Server

HIDE = """(hidden) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => hidden ? 'hidden' : 'visible' });
    document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.mark.journey
def test_a_camera_is_tried_out_seen_and_saved(page: Page, server: Server, shop: Shop) -> None:
    opened = threading.Event()

    def attempt(_settings: CameraSettings) -> Probe:
        opened.wait(10)
        return Probe(640, 360, 25.0, [96.0], 0.0, 120.0, "Good.", True, entrance([(3, 0.5, 0.5, 0.1)], 640, 360))

    shop.attempt = attempt
    page.goto(server.address + "/cameras")
    page.get_by_role("link", name="Add a camera").click()
    page.get_by_label("Name", exact=True).fill("Garden")
    expect(page.get_by_label("Which one")).to_be_hidden()
    page.get_by_label("Address").fill("rtsp://192.168.1.30/1")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill("s3cret")
    page.get_by_role("button", name="Try it out").click()
    expect(page.get_by_text("Opening the camera")).to_be_visible()
    opened.set()
    expect(page.get_by_text("Good: faces are up to 96 px wide")).to_be_visible()
    picture = page.get_by_role("img", name="Test picture of Garden")
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 640
    page.get_by_role("button", name="Save this camera").click()
    expect(page.get_by_role("heading", name="Garden")).to_be_visible()
    camera = cameras.named(shop.store, "Garden")
    assert cameras.settings_of(shop.store, camera).source == "rtsp://admin:s3cret@192.168.1.30:554/1"


def drawn(page: Page) -> list[list[list[float]]]:
    value = page.locator("#ignored").input_value()
    return json.loads(value) if value else []


def test_a_zone_is_drawn_by_mouse_and_by_keyboard_and_saved(page: Page, server: Server, shop: Shop) -> None:
    page.goto(server.address + "/cameras/front")
    shop.live.show("front", shop.clock_ms, entrance([], 640, 360), ())
    expect(page.get_by_role("img", name="Picture of the camera")).to_be_visible()
    page.get_by_role("button", name="Add a zone").click()
    corner = page.get_by_role("button", name="Zone 1, corner 1")
    expect(corner).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    assert drawn(page)[0][0] == [0.34, 0.25]
    expect(corner).to_be_focused()
    box, at = page.locator("#zones").bounding_box(), page.get_by_role("button", name="Zone 1, corner 3").bounding_box()
    assert box and at
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.8, steps=4)
    page.mouse.up()
    assert drawn(page)[0][2] == pytest.approx([0.9, 0.8], abs=0.01)
    page.get_by_role("button", name="New corner in zone 1").first.press("Enter")
    assert len(drawn(page)[0]) == 5
    page.get_by_role("button", name="Add a zone").click()
    for _ in range(2):
        page.keyboard.press("Delete")
    assert len(drawn(page)) == 1
    zone = drawn(page)
    page.get_by_label("Count only").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved. The camera starts again")).to_be_visible()
    camera = shop.deps.camera_desk.one("front")
    assert [[list(corner) for corner in one] for one in camera.ignored] == zone and camera.counting_only
    page.get_by_role("button", name="Remove this zone").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#zones polygon")).to_have_count(0)
    assert shop.deps.camera_desk.one("front").ignored == ()


@ON_A_PHONE
def test_a_corner_is_taken_away_by_thumb_and_the_zone_is_saved_beside_the_picture(page: Page, server: Server, shop: Shop) -> None:
    page.goto(server.address + "/cameras/front")
    save, less = page.get_by_role("button", name="Save the zones"), page.get_by_role("button", name="Remove this corner")
    expect(save).to_be_hidden()
    page.get_by_role("button", name="Add a zone").click()
    at = page.get_by_role("button", name="Zone 1, corner 3").bounding_box()
    assert at
    page.mouse.click(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    third = drawn(page)[0][2]
    less.click()
    assert len(drawn(page)[0]) == 3 and third not in drawn(page)[0]
    expect(less).to_be_hidden()
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    with page.expect_event("dialog") as asked:
        page.once("dialog", lambda dialog: dialog.dismiss())
        page.evaluate("setTimeout(() => location.reload())")
    assert asked.value.type == "beforeunload"
    save.click()
    expect(page.get_by_text("Saved. The camera starts again")).to_be_visible()
    assert [len(zone) for zone in shop.deps.camera_desk.one("front").ignored] == [3]


@pytest.mark.journey
def test_live_shows_who_comes_and_asks_nothing_of_the_cameras_while_nobody_looks(page: Page, server: Server, shop: Shop) -> None:
    page.goto(server.address + "/live")
    expect(page.locator("#line")).to_have_text("live")
    expect(page.locator("#just-now > li")).to_have_count(7)
    box = FaceBox("s1", 0.2, 0.4, 0.1, 0.2, "Welcome back, Bob – 5th visit", "back")
    shop.live.show("front", shop.clock_ms, entrance([(3, 0.25, 0.5, 0.1)], 640, 360), (box,))
    expect(page.locator('[data-camera="front"] .box.back b')).to_have_text("Welcome back, Bob – 5th visit")
    shop.visit("v-now", "new", NOW + MINUTE, "p1204", picture=portrait(9))
    shop.live.publish(VisitChanged("v-now"))
    expect(page.locator("#just-now > li").first).to_have_attribute("data-visit", "v-now")
    page.evaluate(HIDE, True)
    page.wait_for_function("() => document.getElementById('line').dataset.state === 'off'")
    with page.expect_event("requestfinished", predicate=lambda request: "after=0" not in request.url, timeout=5_000):
        page.evaluate(HIDE, False)
    assert {camera for camera, _seconds in shop.looks} == {"front", "back"}
