"""Staff in a real browser: enrolled with photos from a file and from a camera, found among the customers; and a search by photo."""

from __future__ import annotations

import threading

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from appliance import persons
from tests.appliance.visitors import ALICE, BOB, EMIL, MODEL, face, like
from tests.appliance.web.photos import NOBODY, photo, with_studio
from tests.appliance.web.shop import NOW, Shop, ms
from tests.browser.browsing import SIZES
from ui.server import Server

pytestmark = SIZES


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """The front camera sends a picture of Emil whenever it is asked."""
    with_studio(shop)
    with shop.store.transaction():
        for person, role, who in (("alice", "staff", ALICE), ("bob", "customer", BOB)):
            for view in (face(who), like(who, 0.8)):
                persons.learn(shop.store, person, role, MODEL, view, 0.7, "visit", None, ms(NOW))
    shop.deps.desk.recognition.load()
    return shop


def a_file(content: bytes) -> FilePayload:
    return {"name": "photo.png", "mimeType": "image/png", "buffer": content}


@pytest.mark.journey
def test_somebody_is_enrolled_and_found_among_the_customers(page: Page, server: Server, shop: Shop) -> None:
    page.goto(server.address + "/staff")
    page.get_by_role("link", name="Add somebody").click()
    page.get_by_label("Name").fill("Bob the cook")
    page.get_by_label("What they do").fill("Cook")
    page.get_by_label("Photos").set_input_files([a_file(photo(BOB, 1)), a_file(photo(NOBODY))])
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".photo")).to_have_count(2)
    expect(page.locator(".photo").first).to_contain_text("Looks like the customer Bob")
    page.get_by_role("button", name="Take out photo 2").click()
    expect(page.locator(".photo")).to_have_count(1)
    page.get_by_role("button", name="Enrol Bob the cook").click()
    expect(page.get_by_role("status")).to_contain_text("Enrolled.")
    expect(page.get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name="Those are Bob the cook").click()
    expect(page.get_by_role("status")).to_contain_text("no longer counted")
    page.goto(server.address + "/staff")
    expect(page.locator(".person")).to_have_count(2)


def test_a_camera_takes_the_photo(page: Page, server: Server, shop: Shop) -> None:
    def answer() -> None:
        while not shop.looks and not over.wait(0.01):
            pass
        shop.live.show("front", ms(NOW), photo(EMIL), ())

    over = threading.Event()
    camera = threading.Thread(target=answer)
    camera.start()
    try:
        page.goto(server.address + "/staff/add")
        page.get_by_label("Name").fill("Emil")
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("button", name="Take a picture").click()
        expect(page.locator(".photo")).to_contain_text("Accepted.")
    finally:
        over.set()
        camera.join()


def test_a_photo_finds_who_looks_like_it(page: Page, server: Server) -> None:
    page.goto(server.address + "/people")
    page.get_by_role("link", name="Search by photo").click()
    page.get_by_label("Photo").set_input_files(a_file(photo(BOB, 3)))
    expect(page.locator(".person")).to_have_count(1)
    expect(page.locator(".person")).to_contain_text("very like")


def test_a_photo_chosen_before_the_page_is_complete_is_searched_for_all_the_same(page: Page, server: Server) -> None:
    scripts: list[Route] = []
    page.route("**/staff*.js*", lambda route: scripts.append(route))
    page.goto(server.address + "/people/by-photo", wait_until="commit")
    page.get_by_label("Photo").set_input_files(a_file(photo(BOB, 3)))
    while not scripts:
        page.wait_for_timeout(10)
    scripts.pop().continue_()
    page.unroute_all()
    expect(page.locator(".person")).to_have_count(1)
