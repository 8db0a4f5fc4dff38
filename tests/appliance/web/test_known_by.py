"""The person's page says how well each template fits, and when cameras know somebody less surely than they did."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from litestar.testing import TestClient

from appliance import persons
from appliance.web.app import create_app
from tests.appliance.visitors import BOB, DORA, MODEL, face, like
from tests.appliance.web.shop import NOW, Shop, busy_shop, ms
from tests.appliance.web.test_pages import OURS, words


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return busy_shop(tmp_path)


def shown(shop: Shop) -> str:
    with TestClient(create_app(shop.deps), base_url=OURS) as client:
        return words(client.get("/people/bob").text)


def visits(shop: Shop, likenesses: list[float]) -> None:
    """Oldest first."""
    with shop.store.transaction():
        persons.learn(shop.store, "bob", "customer", MODEL, face(BOB), 0.7, "visit", None, ms(NOW))
    for days, similarity in enumerate(reversed(likenesses), 1):
        shop.visit(f"d{days}", "returning", NOW - timedelta(days=days), "bob", 2, nearest="bob", similarity=similarity, picture=None)
    shop.db.execute("UPDATE sightings SET verdict = 'known'")


def test_each_template_says_how_well_it_fits_and_one_set_aside_says_so(shop: Shop) -> None:
    with shop.store.transaction():
        for view in (face(BOB), like(BOB, 0.8), like(BOB, 0.8, 1)):
            persons.learn(shop.store, "bob", "customer", MODEL, view, 0.7, "visit", None, ms(NOW))
        stray, _ = persons.learn(shop.store, "bob", "customer", MODEL, face(DORA), 0.7, "visit", None, ms(NOW))
        assert stray
        persons.set_aside(shop.store, stray.id, True, ms(NOW))
    page = shown(shop)
    assert "Like the others" in page and ".80" in page and ".72" in page
    assert "set aside: it does not resemble the others" in page


def test_a_fall_over_ten_visits_is_drift(shop: Shop) -> None:
    visits(shop, [0.7] * 10 + [0.55] * 10)
    assert "less surely than before: .70 then" in shown(shop)


def test_who_is_known_as_before_does_not_drift(shop: Shop) -> None:
    visits(shop, [0.62] * 10 + [0.6] * 10)
    assert "Known as surely as before" in shown(shop)


def test_a_few_visits_say_nothing(shop: Shop) -> None:
    visits(shop, [0.7] * 3 + [0.5] * 3)
    assert "surely" not in shown(shop)
