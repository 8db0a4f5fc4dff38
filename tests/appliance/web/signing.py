"""Accounts for the tests of the door: Alice owns the store, Bob manages it, Dana may only look on. Each has the same password."""

from __future__ import annotations

from dataclasses import replace

from litestar import Litestar
from litestar.testing import TestClient

from appliance import users
from appliance.web.app import create_app
from appliance.web.door import Door
from tests.appliance.web.shop import Shop
from tests.cheap import CHEAP
from ui.passwords import hashed

PASSWORD = "a green bicycle"
SAME = {"sec-fetch-site": "same-origin"}
WHO: dict[str, users.Role] = {"alice": "owner", "bob manager": "manager", "dana": "viewer"}
OURS = "http://127.0.0.1:8080"


def with_door(shop: Shop, first_code: str = "") -> Litestar:
    """The shop's page as it stands in earnest, but for the price of a password: nobody gets in without an account."""
    return create_app(replace(shop.deps, door=Door(first_code, cost=CHEAP)))


def add_users(shop: Shop) -> dict[str, str]:
    """Name to id."""
    found, password_hash = {}, hashed(PASSWORD, CHEAP)
    with shop.store.transaction() as db:
        for number, (name, role) in enumerate(WHO.items()):
            found[name] = f"user-{number}"
            db.execute(
                "INSERT INTO users (id, name, name_key, role, password_hash, made_ms) VALUES (?, ?, ?, ?, ?, ?)",
                [found[name], name, name, role, password_hash, number],
            )
    return found


def sign_in(client: TestClient[Litestar], name: str, password: str = PASSWORD) -> int:
    client.cookies.clear()
    return client.post("/sign-in", data={"name": name, "password": password}, headers=SAME, follow_redirects=False).status_code
