"""What stands before every page. The routes come from the app's own table, so that a new one cannot be forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from appliance.web.app import create_app
from tests.appliance.web.routes import spots
from tests.appliance.web.shop import busy_shop, open_shop

OURS = "http://127.0.0.1:8080"
GIVEN = {
    "visit_id": "v-bob",
    "notice_id": "1",
    "camera_id": "front",
    "person_id": "bob",
    "other_id": "p92",
    "merge_id": "none",
    "name": "style.css",
    "case_id": "1",
    "request_id": "1",
    "language": "en.pdf",
    "trial_id": "none",
    "answer": "same",
    "user_id": "nobody",
    "handle": "00",
    "draft_id": "none",
    "photo_id": "none",
    "alert_id": "1",
    "said": "seen",
    "kind": "webhook",
    "place_id": "1",
    "pack_name": "open",
    "name_of_backup": "regulars-20261121T200000Z.db.sealed",
}


@pytest.fixture
def app(tmp_path: Path) -> Litestar:
    return create_app(busy_shop(tmp_path).deps)


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient[Litestar]]:
    with TestClient(app, base_url=OURS) as client:
        yield client


def addresses(app: Litestar) -> list[tuple[str, str]]:
    """(method, address) of every route, with something that is there in place of each parameter. Streams never end by themselves: the
    browser tests and the server's test look at them."""
    return [(spot.method, spot.address(GIVEN)) for spot in spots(app) if not spot.stream]


def test_every_answer_of_every_route_carries_the_safe_headers(app: Litestar, client: TestClient[Litestar]) -> None:
    for method, address in [*addresses(app), ("GET", "/nowhere")]:
        answer = client.request(method, address, headers={"sec-fetch-site": "same-origin"}, follow_redirects=False)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self';" in policy and "style-src 'self';" in policy, address
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff", address
        assert answer.headers["referrer-policy"] == "no-referrer", address
        assert answer.headers["cross-origin-resource-policy"] == "same-origin", address
        assert answer.headers["cache-control"] == ("no-cache" if address.startswith("/static") else "no-store"), address
        assert "server" not in answer.headers


def test_no_page_holds_inline_style_or_script_or_anything_from_outside(tmp_path: Path, app: Litestar, client: TestClient[Litestar]) -> None:
    (tmp_path / "empty").mkdir()
    with TestClient(create_app(open_shop(tmp_path / "empty", weak_pack=True).deps), base_url=OURS) as empty:
        pages = [(each, spot.address(GIVEN)) for each in (client, empty) for spot in spots(app) if spot.shown]
        seen = 0
        for each, address in pages:
            answer = each.get(address)
            if "html" not in answer.headers.get("content-type", ""):
                continue
            seen += 1
            assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", answer.text), address
            assert not re.search(r"<script(?![^>]*\ssrc=)", answer.text), address
            assert not re.search(r"""(?:src|href|action)=["'](?!/|#)""", answer.text), address
        assert seen >= 40


@pytest.mark.parametrize(
    "host", ["evil.example:8080", "127.0.0.1", "127.0.0.1:8081", "localhost.evil.example:8080", "", "192.168.1.5:8080"]
)
def test_another_name_than_our_own_is_refused_on_every_route(app: Litestar, client: TestClient[Litestar], host: str) -> None:
    for method, address in [*addresses(app), ("GET", "/live/news"), ("GET", "/nowhere")]:
        answer = client.request(method, address, headers={"host": host, "sec-fetch-site": "same-origin"})
        assert answer.status_code == 421, address
        assert "Bob" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080", "[::1]:8080"])
def test_our_own_names_are_answered(client: TestClient[Litestar], host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, 303),
        ({"origin": OURS}, 303),
        ({}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": OURS}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
    ],
)
def test_a_change_is_taken_from_our_own_page_alone(client: TestClient[Litestar], headers: dict[str, str], status: int) -> None:
    assert client.post("/notices/1/dismiss", headers=headers, follow_redirects=False).status_code == status


def test_another_site_may_link_here_but_not_load_a_face(client: TestClient[Litestar]) -> None:
    foreign = {"sec-fetch-site": "cross-site"}
    assert client.get("/", headers={**foreign, "sec-fetch-mode": "navigate"}).status_code == 200
    assert client.get("/visits/v-bob/face", headers={**foreign, "sec-fetch-mode": "no-cors"}).status_code == 403
    assert client.get("/cameras/front/picture", headers={"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}).status_code == 403


def test_an_asset_is_kept_for_ever_under_its_own_version_only(client: TestClient[Litestar]) -> None:
    address = re.search(r'href="(/static/style\.css\?v=\w+)"', client.get("/").text)
    assert address
    assert "immutable" in client.get(address.group(1)).headers["cache-control"]
    assert client.get("/static/style.css?v=old").headers["cache-control"] == "no-cache"
