"""Who may ask for what. The routes come from the app's own table, so that a new one cannot be forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from hub.web.access import Access
from tests.hub.web.office import OURS, WORDS, Office

SAME = {"sec-fetch-site": "same-origin"}
OPEN = {"/sign-in", "/sign-out", "/first-start", "/static/{name}", "/healthz", "/readyz"}
"""What anybody may ask: nothing of anybody is there. A new route is added here on purpose or not at all."""
MACHINES = re.compile(r"^/sync/v1/")
FOR_SYSTEM: set[str] = set()


@dataclass(frozen=True)
class Spot:
    method: str
    path: str
    access: str


def spots(app: Litestar) -> list[Spot]:
    found = []
    for route in app.routes:
        assert isinstance(route, HTTPRoute), f"{route.path}: only plain HTTP is known here"
        for handler in route.route_handlers:
            access = str(handler.opt.get("access", ""))
            found += [Spot(method, route.path_format, access) for method in handler.http_methods if method != "OPTIONS"]
    assert len(found) > 20
    return found


def address(spot: Spot, tenant_id: str, ids: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda given: tenant_id if given[1] == "tenant_id" else ids.get(given[1], "style.css"), spot.path)


@pytest.fixture
def client(office: Office) -> Iterator[TestClient[Litestar]]:
    with TestClient(office.app, base_url=OURS) as client:
        yield client


@pytest.fixture
def ids(office: Office) -> dict[str, str]:
    """What is ours, for each parameter of an address."""
    chain = office.chain
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        (token_id,) = tx.execute("SELECT id FROM api_tokens LIMIT 1").fetchone() or ("",)
    return {
        "appliance_id": chain.appliance_a,
        "token_id": token_id,
        "identity_id": chain.people["Bob"],
        "person_id": chain.persons["Bob", "Hang Bai"],
        "event_id": chain.people["Bob"],
        "case_id": chain.people["Bob"],
        "erasure_id": chain.people["Bob"],
    }


def everything(office: Office) -> dict[str, list[object]]:
    """All that a request could have changed of ours; when and by whom something was merely asked does not count."""
    tables = ["appliances", "pair_codes", "identities", "persons", "facts", "erasures", "erasure_receipts", "review", "identity_events"]
    tables += ["audit", "sites", "tombstones", "apart"]
    with office.database.tenant(office.chain.ours.tenant_id) as tx:
        held: dict[str, list[object]] = {
            table: sorted(map(str, tx.execute(f"SELECT * FROM {table}").fetchall()))  # type: ignore[call-overload]
            for table in tables
        }
        held["api_tokens"] = tx.execute("SELECT id, revoked_at FROM api_tokens ORDER BY id").fetchall()
    return held


def ask(client: TestClient[Litestar], spot: Spot, path: str, headers: dict[str, str]) -> tuple[int, str]:
    body = {"json": {}} if path.startswith("/api/") else {"data": {"x": "1"}}
    given = {} if spot.method == "GET" else body
    answer = client.request(spot.method, path, headers=headers, follow_redirects=False, **given)  # type: ignore[arg-type]
    return answer.status_code, answer.text + answer.headers.get("location", "")


def signed_in(client: TestClient[Litestar], name: str) -> None:
    client.cookies.clear()
    answer = client.post("/sign-in", data={"name": name, "password": WORDS}, headers=SAME, follow_redirects=False)
    assert answer.status_code == 303, answer.text


def test_every_route_says_who_may_ask_and_few_are_open(office: Office) -> None:
    for spot in spots(office.app):
        assert spot.access in set(Access), f"{spot.method} {spot.path} does not say who may ask"
        if spot.access == Access.ANYONE:
            assert spot.path in OPEN, f"{spot.path} is open to everybody: is it meant to be?"
        if spot.access == Access.MACHINE:
            assert MACHINES.match(spot.path), f"{spot.path} is for machines but not below /sync/v1/"
        if "{tenant_id}" in spot.path:
            assert spot.access in (Access.TENANT_READ, Access.TENANT_ADMIN), spot
        else:
            assert spot.access not in (Access.TENANT_READ, Access.TENANT_ADMIN), f"{spot.path} has no tenant in it"
        if spot.method != "GET" and "{tenant_id}" in spot.path:
            assert spot.access == Access.TENANT_ADMIN, f"{spot.path} changes something and is open to tokens that may only read"


def test_nobody_is_answered_nothing(office: Office, client: TestClient[Litestar], ids: dict[str, str]) -> None:
    before = everything(office)
    for spot in spots(office.app):
        if spot.access in (Access.ANYONE, Access.MACHINE):
            continue
        made_up = "A" * 43
        cookie, bearer = {"cookie": f"regulars-hub={made_up}"}, {"authorization": f"Bearer rgl_{made_up}"}
        for headers in ({}, cookie, bearer, {"authorization": "Basic cm9vdDo="}):
            status, words = ask(client, spot, address(spot, office.chain.ours.tenant_id, ids), SAME | headers)
            assert status in (401, 303, 403), f"{spot}: {status}"
            assert status != 303 or words.rpartition("\n")[2].endswith("/") or "/sign-in" in words
            assert "Bob" not in words and "Phin" not in words
    assert everything(office) == before


@pytest.mark.parametrize("who", ["dana", "danas admin", "danas read"])
def test_another_tenants_admin_sees_and_changes_nothing_of_ours(
    office: Office, client: TestClient[Litestar], ids: dict[str, str], who: str
) -> None:
    headers = dict(SAME)
    if who == "dana":
        signed_in(client, "dana")
    else:
        headers["authorization"] = f"Bearer {office.tokens[who]}"
    before = everything(office)
    ours, danas = office.chain.ours.tenant_id, office.chain.danas.tenant_id
    names = ("Phin Coffee", "Tay Ho", "Bob", ours)
    seen = 0
    for spot in spots(office.app):
        if spot.access in (Access.MACHINE, Access.ANYONE, Access.SCRAPE):
            continue
        path = address(spot, ours, ids)
        status, words = ask(client, spot, path, headers)
        if "{tenant_id}" in spot.path:
            assert status == 404, f"{spot}: {status}"
            # Word for word as for a tenant that does not exist.
            nobodys = ask(client, spot, address(spot, office.chain.people["Bob"], ids), headers)
            assert (status, words) == nobodys, spot
            # Our ids under Dana's own tenant: as if they were not there, or not hers to change.
            status, words = ask(client, spot, address(spot, danas, ids), headers)
            assert status != 500, f"{spot}: {words}"
        seen += 1
        for name in names:
            assert name not in words.replace(path, ""), f"{spot} tells Dana {name}"
    assert seen > 15
    assert everything(office) == before


def test_a_token_that_may_read_changes_nothing(office: Office, client: TestClient[Litestar], ids: dict[str, str]) -> None:
    before = everything(office)
    headers = {"authorization": f"Bearer {office.tokens['ours read']}"}
    for spot in spots(office.app):
        if spot.access == Access.TENANT_ADMIN:
            assert ask(client, spot, address(spot, office.chain.ours.tenant_id, ids), headers)[0] == 403, spot
        if spot.access == Access.TENANT_READ:
            assert ask(client, spot, address(spot, office.chain.ours.tenant_id, ids), headers)[0] == 200, spot
    assert everything(office) == before


@pytest.mark.parametrize("who", ["alice", "root"])
def test_those_who_may_are_answered(office: Office, client: TestClient[Litestar], ids: dict[str, str], who: str) -> None:
    signed_in(client, who)
    for spot in spots(office.app):
        if spot.method == "GET" and spot.access in (Access.TENANT_READ, Access.TENANT_ADMIN, Access.SIGNED_IN):
            status, words = ask(client, spot, address(spot, office.chain.ours.tenant_id, ids), SAME)
            wanted = (303,) if spot.path == "/" and who == "alice" else (200, 404) if spot.path.endswith(("{path}", "{link}")) else (200,)
            assert status in wanted, f"{spot}: {status} {words[:300]}"


def test_an_id_that_is_none_of_ours_is_no_page_and_no_fault(office: Office, client: TestClient[Litestar]) -> None:
    signed_in(client, "root")
    ours = office.chain.ours.tenant_id
    for path in ("/t/x", f"/t/{ours.upper()}", f"/t/{ours}/appliances/1", f"/t/{ours[:-1]}", "/t/%00", f"/api/v1/tenants/{{{ours}}}"):
        assert client.get(path).status_code == 404, path


def test_a_request_with_a_token_never_goes_by_the_browsers_session(office: Office, client: TestClient[Litestar]) -> None:
    signed_in(client, "alice")
    assert client.get("/api/v1/tenants").status_code == 200
    assert client.get("/api/v1/tenants", headers={"authorization": "Bearer wrong"}).status_code == 401


def test_a_change_with_the_browsers_session_is_taken_from_our_own_page_alone(office: Office, client: TestClient[Litestar]) -> None:
    signed_in(client, "alice")
    path = f"/t/{office.chain.ours.tenant_id}/tokens"
    for foreign in ({}, {"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
        assert client.post(path, data={"name": "x"}, headers=foreign).status_code == 403
    assert client.post(path, data={"name": "x"}, headers={"host": "evil.example"} | SAME).status_code == 421
    bearer = {"authorization": f"Bearer {office.tokens['ours admin']}"}
    assert client.post(path, data={"name": "x"}, headers=bearer | {"origin": "http://evil.example"}).status_code == 403
