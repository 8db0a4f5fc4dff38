"""Who may ask for what. The routes come from the app's own table, so that a new one cannot be forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from appliance.web.access import ROLES, Access
from tests.appliance.web.routes import Spot, completed, spots
from tests.appliance.web.shop import NOW, Shop, busy_shop
from tests.appliance.web.signing import OURS, SAME, WHO, add_users, sign_in, with_door

OPEN = {"/sign-in", "/sign-in/code", "/sign-in/holds", "/sign-out", "/first-start", "/certificate", "/static/{name}"}
"""What anybody may ask: nothing of anybody is there. A new route is added here on purpose or not at all."""
GIVEN = {"visit_id": "v-bob", "person_id": "bob", "other_id": "p1204", "camera_id": "front", "notice_id": "1", "case_id": "1"}
PEOPLE = ("Bob", "Alice Nguyen", "Mai Lê", "+84 24", "bob@example.com", "likes tea")
PICTURES = re.compile(r"/face\b|/picture\b|data:image/(?!svg)")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Bob the customer has details; a notice names him; somebody might be Mai."""
    shop = busy_shop(tmp_path)
    shop.person("mai", 11, name="Mai Lê")
    shop.visit("v-mai", "returning", NOW, "mai", 2, nearest="mai", similarity=0.6)
    shop.visit("v-like-mai", "unsure", NOW, None, 0, nearest="mai", similarity=0.41)
    shop.case("v-like-mai", "mai", 0.41)
    shop.stores["bob"] = ["Riverside"]
    return shop


@pytest.fixture
def app(shop: Shop) -> Iterator[Litestar]:
    with completed(shop):
        yield with_door(shop)


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with TestClient(app, base_url=OURS, raise_server_exceptions=False) as client:
        yield client


def ask(client: TestClient[Litestar], spot: Spot, headers: dict[str, str] = SAME) -> tuple[int, str]:
    given = {} if spot.method == "GET" else {"data": {"x": "1"}}
    answer = client.request(spot.method, spot.address(GIVEN), headers=headers, follow_redirects=False, **given)  # type: ignore[arg-type]
    return answer.status_code, answer.text


def everything(shop: Shop) -> dict[str, list[object]]:
    """All that a request could have changed."""
    tables = [name for (name,) in shop.store.db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()]
    return {table: shop.store.db.execute(f"SELECT * FROM {table}").fetchall() for table in tables if table != "sessions"}


def test_every_route_says_who_may_ask_and_few_are_open(app: Litestar) -> None:
    for spot in spots(app):
        assert spot.access in set(Access), f"{spot.method} {spot.path} does not say who may ask"
        if spot.access == Access.ANYONE:
            assert spot.path in OPEN, f"{spot.path} is open to everybody: is it meant to be?"
        if spot.access == Access.VIEWER and spot.method != "GET":
            assert spot.path.startswith("/account"), f"{spot.path} lets a viewer change something"


def test_a_route_that_says_nothing_is_refused_to_everybody(shop: Shop) -> None:
    from litestar import get

    @get("/forgotten", sync_to_thread=False)
    def forgotten() -> str:
        return "Bob"

    add_users(shop)
    app = with_door(shop)
    app.register(forgotten)
    with TestClient(app, base_url=OURS) as client:
        assert sign_in(client, "alice") == 303
        assert client.get("/forgotten").status_code == 403


def test_nobody_is_answered_nothing_and_changes_nothing(app: Litestar, client: TestClient[Litestar], shop: Shop) -> None:
    before = everything(shop)
    for spot in spots(app):
        if spot.access == Access.ANYONE:
            continue
        for headers in ({}, {"cookie": f"regulars={'A' * 43}"}, {"authorization": "Bearer " + "A" * 43}):
            status, words = ask(client, spot, SAME | headers)
            assert status == (303 if spot.method == "GET" else 401), f"{spot}: {status}"
            assert not [name for name in PEOPLE if name in words], spot
            # What a script of an open page asks for is not led to a form.
            status, words = ask(client, spot, SAME | headers | {"sec-fetch-mode": "cors"})
            assert status == 401, f"{spot}: {status}"
    assert everything(shop) == before


@pytest.mark.parametrize("name", [name for name in WHO if WHO[name] != "owner"])
def test_a_role_is_refused_what_is_above_it_and_changes_nothing_by_it(
    app: Litestar, client: TestClient[Litestar], shop: Shop, name: str
) -> None:
    assert sign_in(client, name) == 303
    before, refused = everything(shop), 0
    for spot in spots(app):
        if spot.access != Access.ANYONE and ROLES.index(spot.access) > ROLES.index(WHO[name]):  # type: ignore[arg-type]
            status, words = ask(client, spot)
            assert status == 403, f"{spot}: {status}"
            assert not [one for one in PEOPLE if one in words], spot
            refused += 1
    assert refused > 5
    assert everything(shop) == before


def test_a_viewer_is_shown_no_name_and_no_picture(app: Litestar, client: TestClient[Litestar]) -> None:
    assert sign_in(client, "dana") == 303
    seen = 0
    for spot in spots(app):
        if spot.method == "GET" and spot.access == Access.VIEWER and not spot.stream:
            status, words = ask(client, spot)
            assert status == 200, f"{spot}: {status} {words[:300]}"
            assert not [name for name in PEOPLE if name in words], f"{spot} tells a viewer a name"
            assert not PICTURES.search(words), f"{spot} shows a viewer a picture: {PICTURES.search(words)}"
            assert "Riverside" not in words, f"{spot} tells a viewer where somebody goes"
            seen += 1
    assert seen >= 3
    assert "Visitor 2" in client.get("/").text
    assert client.get("/visits/v-bob/face").status_code == 403
    assert client.get("/cameras/front/picture").status_code == 403


@pytest.mark.parametrize("name", WHO)
def test_those_who_may_are_answered(app: Litestar, client: TestClient[Litestar], name: str) -> None:
    assert sign_in(client, name) == 303
    for spot in spots(app):
        may = spot.access != Access.ANYONE and ROLES.index(spot.access) <= ROLES.index(WHO[name])  # type: ignore[arg-type]
        if may and spot.method == "GET" and not spot.stream:
            status, words = ask(client, spot)
            # 404 and 204: an id that is none, a camera that has no picture yet.
            assert status in ((200, 204, 400, 404) if "{" in spot.path else (200,)), f"{spot}: {status} {words[:300]}"


def test_the_navigation_leads_only_where_one_may_go(client: TestClient[Litestar]) -> None:
    for name in WHO:
        assert sign_in(client, name) == 303
        links = set(re.findall(r'href="(/[^"]*)"', client.get("/").text.partition("</header>")[0])) - {"/"}
        assert links, name
        for link in links:
            if not link.startswith("/static"):
                assert client.get(link).status_code == 200, f"{name} is led to {link}"


def test_a_page_that_is_not_there_says_so_to_whoever_is_signed_in_within_their_frame(client: TestClient[Litestar]) -> None:
    assert sign_in(client, "alice") == 303
    assert "/people" in client.get("/nowhere").text
    client.cookies.clear()
    answer = client.get("/nowhere")
    assert answer.status_code == 404 and "/people" not in answer.text


RUBBISH: tuple[tuple[str, bytes], ...] = (
    ("application/x-www-form-urlencoded", b"name=%00%ff&password=%ed%a0%80&role=&to=%2f%2fx&code=%d9%a3&secret=x&owed=&answer=%00"),
    ("application/json", b'{"name": ["x"], "password": {}}'),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=photo; filename=a.jpg\r\n\r\n\xff\xd8\xff"),
)


def test_rubbish_in_a_form_is_an_answer_and_never_a_failure(app: Litestar, client: TestClient[Litestar], shop: Shop) -> None:
    assert sign_in(client, "alice") == 303
    posted = 0
    for spot in spots(app):
        # Erasing and the like of the one person there is would leave nothing for the others: an id that is none does.
        address = re.sub(r"\{\w+\}", "1", spot.path)
        for kind, body in RUBBISH:
            if spot.method == "POST" and spot.path != "/sign-out":
                answer = client.post(address, content=body, headers=SAME | {"content-type": kind}, follow_redirects=False)
                # 503 is an answer in words: not just now.
                assert answer.status_code != 500, f"{spot.path} fails over {kind}: {answer.status_code}"
                posted += 1
    assert posted > 60
    assert client.get("/account").status_code == 200, "nobody was signed out by it"
