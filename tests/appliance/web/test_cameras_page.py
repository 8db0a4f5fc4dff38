"""The pages Cameras and Live: what is asked before a camera is saved, what is never shown again, and what a viewer is not shown."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from appliance import cameras
from appliance.camera.probe import Probe
from appliance.web.access import Asker
from appliance.web.app import create_app
from appliance.web.door import Door
from tests.appliance.camera.blobs import wait_until
from tests.appliance.web.forms import Form
from tests.appliance.web.shop import JPEG, Shop, busy_shop, open_shop
from tests.appliance.web.test_pages import OURS, Client, words

GOOD = Probe(1280, 720, 25.0, [96.0, 61.0], 0.1, 120.0, "Good.", True, JPEG)
NEW = {"name": "Garden", "kind": "rtsp", "address": "rtsp://192.168.1.30/1", "user": "admin", "password": "s3cr@t/word"}
SETTINGS = {"name": "Front", "fps": "4", "side": "960", "motion_gate": "yes", "recognise": "no", "liveness": "yes"}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return busy_shop(tmp_path)


@pytest.fixture
def client(shop: Shop) -> Iterator[Client]:
    with TestClient(create_app(shop.deps), base_url=OURS) as client:
        client.headers["sec-fetch-site"] = "same-origin"
        yield client


def tried(client: TestClient[Litestar], shop: Shop, address: str, data: dict[str, str] | None = None) -> str:
    """The address of the trial's page, once it is done."""
    answer = client.post(address, data=data or {}, follow_redirects=False)
    assert answer.status_code == 303, words(answer.text)
    place = str(answer.headers["location"])
    wait_until(lambda: shop.deps.camera_desk.trial(place.rpartition("/")[2]).found, 5, "the trial's end")
    return place


def test_a_camera_is_seen_before_it_is_saved_and_its_password_is_on_no_page(client: Client, shop: Shop) -> None:
    shop.attempt = lambda _settings: GOOD
    place = tried(client, shop, "/cameras/add", NEW)
    page = client.get(place).text
    assert "Good: faces are up to 96 px wide" in page and "rtsp://192.168.1.30:554/1" in page
    assert client.get(f"{place}/picture").content == JPEG
    assert [c.name for c in shop.deps.camera_desk.listed()] == ["Back door", "Front entrance"]
    saved = client.post(f"{place}/save", follow_redirects=False).headers["location"]
    shown = [page, client.get(saved).text, client.get(f"{place}/form").text, client.get("/cameras").text]
    shown.append(client.get(f"{saved.partition('?')[0]}/address").text)
    assert not any("s3cr" in text or "admin" in text for text in shown)
    camera = cameras.named(shop.store, "Garden")
    assert cameras.settings_of(shop.store, camera).source == "rtsp://admin:s3cr%40t%2Fword@192.168.1.30:554/1"
    assert "Garden" in shown[1] and client.get(place).status_code == 404
    assert shop.db.execute("SELECT what, subject_id FROM audit").fetchall() == [("camera_add", camera.id)]


def test_a_camera_that_does_not_open_says_why_and_can_be_saved_all_the_same(client: Client, shop: Shop) -> None:
    shop.attempt = lambda _settings: Probe(error="192.168.1.30 cannot be reached")
    place = tried(client, shop, "/cameras/add", NEW)
    assert "192.168.1.30 cannot be reached" in client.get(place).text
    form = client.get(f"{place}/form").text
    assert 'value="rtsp://192.168.1.30:554/1"' in form and 'value="Garden"' in form
    client.post(f"{place}/save")
    assert cameras.named(shop.store, "Garden").enabled


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (NEW | {"name": "front entrance"}, 'a camera "Front entrance" already'),
        (NEW | {"name": ""}, "1 to 60 printable"),
        (NEW | {"address": "192.168.1.30"}, "begins with rtsp://"),
        (NEW | {"address": "rtsp://u:s3cr@h/1?pwd=s3cr", "user": "", "password": "", "name": ""}, "1 to 60 printable"),
        (NEW | {"user": ""}, "A password needs a user name"),
        (NEW | {"kind": "usb", "index": "x"}, "no USB camera"),
        (NEW | {"kind": "file", "path": ""}, "Which file?"),
        (NEW | {"kind": "file", "path": "/nothing/here.mp4"}, "no video file"),
        (NEW | {"kind": "webcam"}, "What kind of camera"),
        (NEW | {"password": "s3cr" * 99}, "too long"),
    ],
)
def test_what_cannot_be_a_camera_is_said_and_what_was_typed_stays_but_the_password(
    client: Client, shop: Shop, data: dict[str, str], said: str
) -> None:
    answer = client.post("/cameras/add", data=data)
    assert answer.status_code == 400 and said in html.unescape(words(answer.text)) and "s3cr" not in answer.text
    assert len(shop.deps.camera_desk.listed()) == 2


def test_a_camera_moves_to_another_address_and_keeps_its_password_at_the_same_place_only(client: Client, shop: Shop) -> None:
    shop.attempt = lambda _settings: GOOD
    for address, source in (
        ("rtsp://192.168.1.20:554/stream2", "rtsp://admin:s3cret@192.168.1.20:554/stream2"),
        ("rtsp://192.168.1.99:554/stream2", "rtsp://192.168.1.99:554/stream2"),
    ):
        place = tried(client, shop, "/cameras/front/address", {"kind": "rtsp", "address": address})
        client.post(f"{place}/save")
        assert cameras.settings_of(shop.store, shop.deps.camera_desk.one("front")).source == source
    assert "The part of the address behind the ?" in client.post("/cameras/front/address", data={"kind": "rtsp", "address": "rtsp://h/?…"}).text


def test_the_view_of_a_camera_is_tried_and_nothing_is_saved(client: Client, shop: Shop) -> None:
    shop.attempt = lambda _settings: GOOD
    before = shop.deps.camera_desk.listed()
    place = tried(client, shop, "/cameras/front/try")
    assert "Save" not in words(client.get(place).text)
    assert client.post(f"{place}/save", follow_redirects=False).headers["location"] == "/cameras/front"
    assert shop.deps.camera_desk.listed() == before


def test_settings_are_saved_and_what_does_not_fit_is_said_with_everything_still_there(client: Client, shop: Shop) -> None:
    zones = [[[0.1, 0.1], [0.4, 0.1], [0.4, 0.6]]]
    answer = client.post("/cameras/front", data=SETTINGS | {"ignored": json.dumps(zones)}, follow_redirects=False)
    assert answer.headers["location"] == "/cameras/front?said=saved"
    camera = shop.deps.camera_desk.one("front")
    assert (camera.name, camera.analysed_fps, camera.detector_side_px, camera.motion_gate) == ("Front", 4, 960, True)
    assert (camera.counting_only, camera.liveness, [[list(c) for c in z] for z in camera.ignored]) == (True, True, zones)
    assert all(said in client.get("/cameras").text for said in ("counting only", "liveness on", "1 zone ignored"))
    for wrong, said in (
        ({"fps": "90"}, "choose 0.5 to 30"),
        ({"fps": "many"}, "a number from 0.5 to 30"),
        ({"ignored": "[[[0, 0], [1, 0]]]"}, "2 corners"),
        ({"ignored": "rubbish"}, "no zones"),
        ({"name": "Back door"}, "already"),
    ):
        answer = client.post("/cameras/front", data=SETTINGS | {"name": "Kept as typed"} | wrong)
        assert answer.status_code == 400 and said in words(answer.text)
        assert "name" in wrong or 'value="Kept as typed"' in answer.text
    assert shop.deps.camera_desk.one("front") == camera


def test_a_camera_is_switched_off_and_on_and_removed_after_asking(client: Client, shop: Shop) -> None:
    client.post("/cameras/front/off")
    assert not shop.deps.camera_desk.one("front").enabled
    client.post("/cameras/front/on")
    assert shop.deps.camera_desk.one("front").enabled
    assert "The visits it saw stay in the log" in words(client.get("/cameras/front/remove").text)
    assert client.post("/cameras/front/remove", follow_redirects=False).headers["location"] == "/cameras"
    assert [c.id for c in shop.deps.camera_desk.listed()] == ["back"]
    for address in ("/cameras/front", "/cameras/front/remove", "/cameras/front/address", "/cameras/trials/none"):
        assert client.get(address).status_code == 404


def test_an_empty_store_is_told_to_add_a_camera(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with TestClient(create_app(open_shop(tmp_path / "empty").deps), base_url=OURS) as client:
        for address in ("/cameras", "/live"):
            assert "/cameras/add" in client.get(address).text


def test_live_lists_the_last_visits_and_looks_at_no_camera_before_its_picture_is_asked_for(client: Client, shop: Shop) -> None:
    page = client.get("/live").text
    assert page.count("data-visit=") == 7 and "Bob" in page and 'data-camera="front"' in page
    for address in ("/live/parts", "/cameras", "/cameras/front", "/"):
        client.get(address)
    assert shop.looks == []
    client.get("/cameras/front/picture")
    assert [camera for camera, _seconds in shop.looks] == ["front"]


def test_a_viewer_sees_the_live_list_and_how_cameras_do_and_neither_names_nor_faces_nor_pictures(shop: Shop) -> None:
    viewer = replace(shop.deps, door=Door(everybody=Asker("", "Vera", "viewer")))
    with TestClient(create_app(viewer), base_url=OURS) as client:
        page = client.get("/live").text
        assert page.count("data-visit=") == 7 and "came back" in page and "silent since" in page
        for said in ("Bob", "Alice", "/face", 'href="/people/', 'href="/visits/', "data-camera=", 'href="/cameras'):
            assert said not in page, said
        assert client.get("/cameras").status_code == client.get("/cameras/front/picture").status_code == 403
    assert shop.looks == []


def test_a_change_of_a_camera_is_in_the_audit_log_with_who_made_it(client: Client, shop: Shop) -> None:
    client.post("/cameras/front", data=SETTINGS)
    client.post("/cameras/front/remove")
    assert shop.db.execute("SELECT who, what, subject_id FROM audit ORDER BY id").fetchall() == [
        ("Alice", "camera_change", "front"),
        ("Alice", "camera_remove", "front"),
    ]


def test_a_second_camera_at_an_address_is_asked_about_and_needs_no_password_twice(client: Client, shop: Shop) -> None:
    shop.attempt = lambda _settings: GOOD
    beside = {"name": "Left half", "kind": "rtsp", "address": "rtsp://192.168.1.20/stream1", "user": "x", "password": "s3cr"}
    answer = client.post("/cameras/add", data=beside)
    assert answer.status_code == 409 and "Front entrance&#34; is at this address already" in answer.text and "s3cr" not in answer.text
    assert 'href="/cameras/front"' in answer.text and "counted once only if both recognise them" in answer.text
    form = Form(answer.text, "/cameras/add").fields
    place = tried(client, shop, "/cameras/add", form | {"meant": "yes"})
    saved = client.post(f"{place}/save", follow_redirects=False).headers["location"].split("/")[2].partition("?")[0]
    half = shop.deps.camera_desk.one(saved)
    assert shop.deps.camera_desk.source_of(half) == "rtsp://admin:s3cret@192.168.1.20:554/stream1"
    client.post(f"/cameras/{saved}/off")
    answer = client.post(f"/cameras/{saved}/on")
    assert answer.status_code == 409 and "Switch on all the same" in answer.text and not shop.deps.camera_desk.one(saved).enabled
    client.post(f"/cameras/{saved}/on", data={"meant": "yes"})
    assert shop.deps.camera_desk.one(saved).enabled
    assert client.post("/cameras/back/address", data=beside).status_code == 409


def test_a_camera_that_came_to_the_address_during_the_trial_is_asked_about_at_its_end(client: Client, shop: Shop) -> None:
    shop.attempt = lambda _settings: GOOD
    place = tried(client, shop, "/cameras/add", NEW)
    cameras.add(shop.store, cameras.NewCamera("Gate", "rtsp", "rtsp://192.168.1.30/1"), shop.clock_ms)
    answer = client.post(f"{place}/save")
    assert answer.status_code == 409 and "Gate" in answer.text and len(shop.deps.camera_desk.listed()) == 3
    client.post(f"{place}/save", data={"meant": "yes"})
    assert len(shop.deps.camera_desk.listed()) == 4
