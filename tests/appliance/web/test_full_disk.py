"""What the page says and does while nothing can be written."""

from __future__ import annotations

from pathlib import Path

import pytest
from litestar.testing import TestClient

from appliance.errors import DiskFull
from appliance.web.app import not_stored
from tests.appliance.web.shop import Shop, busy_shop
from tests.appliance.web.signing import OURS, add_users, sign_in, with_door
from ui.sessions import TOUCH_MS


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return busy_shop(tmp_path)


def test_who_is_signed_in_reads_on_and_who_is_not_is_told_why_they_cannot(shop: Shop) -> None:
    add_users(shop)
    with TestClient(with_door(shop), base_url=OURS, raise_server_exceptions=False) as client:
        sign_in(client, "alice")
        with shop.store.transaction() as db:
            db.execute("PRAGMA query_only = 1").fetchall()
        shop.clock_ms += TOUCH_MS
        assert client.get("/").status_code == 200, "that the session was used cannot be noted, and need not be"
        assert sign_in(client, "alice") == 503


def test_a_full_disk_is_called_by_its_name_but_not_where_it_is(tmp_path: Path) -> None:
    words = not_stored(DiskFull(f"The disk with {tmp_path} is full."), tmp_path)
    assert words is not None and "disk" in words and "is full" in words and str(tmp_path) not in words
    assert not_stored(KeyError("Bob"), tmp_path) is None
