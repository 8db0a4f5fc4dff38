"""The hub's pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.hub.web.office import OURS, WORDS, Office

SAME = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def client(office: Office) -> Iterator[TestClient[Litestar]]:
    with TestClient(office.app, base_url=OURS) as client:
        yield client


def sign_in(client: TestClient[Litestar], name: str, password: str = WORDS) -> None:
    answer = client.post("/sign-in", data={"name": name, "password": password}, headers=SAME, follow_redirects=False)
    assert answer.status_code == 303, answer.text


def test_x(client: TestClient[Litestar], office: Office) -> None:
    assert client.get("/", follow_redirects=False).headers["location"] == "/sign-in?to=/"
    sign_in(client, "alice")
    answer = client.get("/")
    assert answer.status_code == 200
    print(answer.text)
    for path in ("", "/people", "/forgotten", "/tokens", f"/appliances/{office.chain.appliance_a}", f"/appliances/{office.chain.appliance_a}/revoke"):
        answer = client.get(f"/t/{office.chain.ours.tenant_id}{path}")
        assert answer.status_code == 200, answer.text
    for path in ("", "/sites", "/appliances", "/erasures"):
        answer = client.get(f"/api/v1/tenants/{office.chain.ours.tenant_id}{path}")
        assert answer.status_code == 200, answer.text
        print(answer.text)
    assert client.get("/api/v1/docs").status_code == 200
    print(client.get("/api/v1/openapi.json").text[:3000])
    assert client.get("/healthz").status_code == 200
    print(client.get("/readyz").text)
    sign_in(client, "root")
    answer = client.get("/")
    assert answer.status_code == 200 and "Dana" in answer.text
