"""Rubbish in every form and every upload: always an answer, never a failure, and nothing of what was there is lost.

Which forms there are comes from the app's own table of routes, what is in them from its pages.
"""

from __future__ import annotations

import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from tests.appliance.visitors import EMIL
from tests.appliance.web.photos import photo
from tests.appliance.web.routes import IDS, Spot, completed, spots
from tests.appliance.web.shop import Shop, busy_shop
from tests.appliance.web.signing import OURS, SAME, sign_in, with_door

Client = TestClient[Litestar]
Filled = dict[str, str]
Opened = tuple[Shop, Client, dict[str, str]]
"""And by what the parts of an address are called there."""
NOT_ON_A_PAGE: dict[str, Filled] = {
    "/first-start": {"code": "x", "name": "Mallory", "password": "a green bicycle", "again": "a green bicycle"},
    "/account/codes/off": {"password": "a green bicycle"},
    "/sign-in/code": {"owed": "x", "code": "123456", "to": "/"},
    "/staff/add/{draft_id}/drop": {"photo": "x"},
    "/staff/{person_id}/alike": {"person": "bob"},
    "/alerts/rules/{kind}": {"enabled": "yes", "number": "5", "pause_min": "60", "page": "yes"},
    "/settings/models/{pack_name}": {"although": "yes"},
    "/cameras/{camera_id}/on": {"meant": "yes"},
    "/cameras/trials/{trial_id}/save": {"meant": "yes"},
}
"""Forms that a page shows at certain moments alone, or for another id."""
KEPT = {"persons": "id", "visits": "id", "sightings": "id", "templates": "id", "cameras": "id", "users": "id", "audit": "id"}
"""Tables that hold what nobody may lose, and their keys."""
TAKES = re.compile(r"/(erase|opt-out|remove|merge/|works-here|alike|enrol)")
"""What is asked for there is to take something away, or to make it another's."""
LAST = ("/sign-out", "/settings/start-anew", "/users/{user_id}/remove")
ODD = ("", " ", "0", "-1", "1e999", "NaN", "9" * 30, "١٢", "\0", "\ud83d", "../../etc/passwd", "<script>", "'; DROP TABLE x", "x" * 5_000)
VALUES = st.one_of(st.sampled_from(ODD), st.text(max_size=30))
GOOD = photo(EMIL)
SAYS_HUGE = GOOD[12:16] + (60_000).to_bytes(4, "big") * 2 + GOOD[24:29]
HUGE = GOOD[:12] + SAYS_HUGE + zlib.crc32(SAYS_HUGE).to_bytes(4, "big")
"""A small file that says of itself that it is sixty thousand pixels wide and high."""


@dataclass
class Forms(HTMLParser):
    """The forms of a page: where each goes, and what is in its fields."""

    found: list[tuple[str, Filled]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = dict(attrs)
        if tag == "form":
            self.found.append((at.get("action") or "", {}))
        elif self.found and tag in ("input", "select", "textarea", "button") and (name := at.get("name")):
            self.found[-1][1].setdefault(name, at.get("value") or "")


@contextmanager
def opened_shop() -> Iterator[Opened]:
    """With a request, and photos that somebody is choosing."""
    with tempfile.TemporaryDirectory() as folder:
        shop = busy_shop(Path(folder))
        with completed(shop), TestClient(with_door(shop), base_url=OURS, raise_server_exceptions=False) as client:
            assert sign_in(client, "alice") == 303
            assert client.post("/privacy/people/bob", data={"kind": "access"}, headers=SAME, follow_redirects=False).status_code == 303
            draft = client.post("/staff/add", data={"name": "Emil"}, files=[png(photo(EMIL))], headers=SAME, follow_redirects=False)
            yield shop, client, IDS | {"draft_id": draft.headers["location"].rpartition("/")[2]}


def png(content: bytes, name: str = "a.png", kind: str = "image/png", where: str = "photos") -> tuple[str, tuple[str, bytes, str]]:
    return where, (name, content, kind)


def forms(client: Client, ids: dict[str, str]) -> dict[Spot, Filled]:
    """Of every route that something is sent to: what its form holds before anybody has touched it."""
    all_spots, shown = spots(client.app), dict[str, Filled]()
    for spot in all_spots:
        if spot.shown:
            reading = Forms()
            reading.feed(client.get(spot.there(ids)).text)
            for action, fields in reading.found:
                shown.setdefault(action.partition("?")[0], {}).update(fields)
    posts = [spot for spot in all_spots if spot.method == "POST"]
    found = {spot: shown.get(spot.there(ids)) or NOT_ON_A_PAGE.get(spot.path, {}) for spot in posts}
    assert not (unknown := [spot.path for spot in posts if spot.filled and not found[spot]]), f"no page shows the form of {unknown}"
    return found


def kept(shop: Shop) -> dict[str, set[str]]:
    return {table: {row[0] for row in shop.store.db.execute(f"SELECT {key} FROM {table}").fetchall()} for table, key in KEPT.items()}


def rows(shop: Shop) -> dict[str, list[object]]:
    return {table: shop.store.db.execute(f"SELECT * FROM {table}").fetchall() for table in KEPT if table != "audit"}


@pytest.fixture(scope="module")
def opened() -> Iterator[Opened]:
    with opened_shop() as found:
        yield found


@pytest.fixture(scope="module")
def found(opened: Opened) -> dict[Spot, Filled]:
    return forms(*opened[1:])


@settings(max_examples=6)
@given(data=st.data())
def test_whatever_is_filled_into_a_form_is_answered_and_nothing_is_lost(found: dict[Spot, Filled], data: st.DataObject) -> None:
    with opened_shop() as (shop, client, ids):
        for spot in sorted(found, key=lambda spot: (spot.path in LAST, bool(TAKES.search(spot.path)), spot.path)):
            filled = {name: data.draw(st.one_of(st.just(value), VALUES), f"{spot.path} {name}") for name, value in found[spot].items()}
            before, ids_before = rows(shop), kept(shop)
            body = urlencode(filled | {"more": "x"}, errors="surrogatepass").encode()
            kind = {"content-type": "application/x-www-form-urlencoded"}
            answer = client.post(spot.there(ids), content=body, headers=SAME | kind, follow_redirects=False)
            assert answer.status_code not in (500, 502, 504), f"{spot.path} fails over {filled}"
            if answer.status_code >= 400:
                assert rows(shop) == before, f"{spot.path} refuses {filled} and has done something all the same"
            elif not TAKES.search(spot.path):
                lost = {table: ids_before[table] - now for table, now in kept(shop).items() if ids_before[table] - now}
                assert not lost, f"{spot.path} over {filled} lost {lost}"
        assert shop.store.db.execute("PRAGMA quick_check").fetchone() == ("ok",)
        assert sign_in(client, "alice") == 303
        assert [client.get(page).status_code for page in ("/", "/people", "/visits", "/settings")] == [200] * 4


def flipped(at: list[tuple[int, int]]) -> bytes:
    changed = bytearray(GOOD)
    for place, sign in at:
        changed[place % len(changed)] = sign
    return bytes(changed)


PHOTOS = st.one_of(
    st.binary(max_size=200),
    st.integers(0, len(GOOD)).map(lambda end: GOOD[:end]),
    st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 255)), max_size=8).map(flipped),
    st.sampled_from([HUGE, HUGE + GOOD[33:], b"<svg/>", b"GIF89a", b"RIFF\x04\0\0\0WEBP", b"\xff\xd8\xff\xd9"]),
)
NAMES = st.sampled_from(["a.png", "", "../../regulars.db", "a" * 300 + ".jpg", "ảnh.webp", "a.php\0.png"])
KINDS = st.sampled_from(["image/png", "image/jpeg", "text/html", "", "multipart/mixed; boundary=y", "image/svg+xml"])
FILES = st.lists(st.tuples(PHOTOS, NAMES, KINDS), min_size=1, max_size=4)


@settings(max_examples=40)
@given(files=FILES)
@example(files=[(b"\x80", "", "image/png")])
def test_whatever_is_sent_as_a_photo_is_answered_and_the_photos_before_it_stay(opened: Opened, files: list[tuple[bytes, str, str]]) -> None:
    shop, client, ids = opened
    before = rows(shop)
    begun = client.post("/staff/add", data={"name": "Emil"}, files=[png(GOOD)], headers=SAME, follow_redirects=False)
    draft = begun.headers["location"]
    ids = ids | {"draft_id": draft.rpartition("/")[2]}
    takers = [spot for spot in spots(client.app) if spot.photos]
    assert {spot.path for spot in takers} >= {"/staff/add", "/staff/add/{draft_id}/photos", "/people/by-photo"}
    for spot in takers:
        sent = [png(content, name, kind, where) for where in ("photos", "photo") for content, name, kind in files]
        answer = client.post(spot.there(ids), data={"name": "Emil"}, files=sent, headers=SAME, follow_redirects=False)
        assert answer.status_code < 500, f"{spot.path}: {answer.status_code}"
    assert "Accepted." in client.get(draft).text
    assert client.post(f"{draft}/cancel", headers=SAME, follow_redirects=False).status_code == 303
    assert rows(shop) == before, "nothing is kept before somebody says so"


BEGUN = b'--x\r\ncontent-disposition: form-data; name="photos"'


@settings(max_examples=30)
@given(body=st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda rest: BEGUN + rest)))
def test_a_body_that_is_no_form_at_all_is_answered(opened: Opened, body: bytes) -> None:
    shop, client, ids = opened
    before = rows(shop)
    for spot in spots(client.app):
        if spot.photos:
            for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "application/json"):
                answer = client.post(spot.there(ids), content=body, headers=SAME | {"content-type": kind}, follow_redirects=False)
                assert answer.status_code < 500, f"{spot.path}: {answer.status_code} over {kind}"
    assert rows(shop) == before
