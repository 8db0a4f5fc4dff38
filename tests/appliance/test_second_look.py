"""A visit that nobody was named for is somebody's after all, once they have shown a view that it resembles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import review
from appliance.second_look import REASON
from models.faces import Floats
from tests.appliance.stores import NOON
from tests.appliance.visitors import BOB, DORA, GAP_MS, Shop, a_shop, face, like

LATER = 2 * GAP_MS


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    yield made
    made.store.close()


def doubtful(shop: Shop, view: int = 0, at_ms: int = NOON + LATER, **more: object) -> str:
    """A visit of somebody who resembles Bob too little to be named."""
    seen = shop.see(shop.unsure(BOB, view), at_ms, **more)
    assert seen.person_id is None and seen.visit_id
    return seen.visit_id


def clearer() -> Floats:
    """A view of Bob as the doubtful one is, only nearer to him: it is learned."""
    return like(BOB, 0.86)


def owner(shop: Shop, visit_id: str) -> str | None:
    row = shop.store.db.execute("SELECT person_id FROM visits WHERE id = ?", [visit_id]).fetchone()
    return row[0] if row else None


def test_a_new_view_ends_the_doubt_about_an_earlier_visit(shop: Shop) -> None:
    bob = shop.see(face(BOB)).person_id
    visit_id = doubtful(shop)
    learned = shop.see(clearer(), NOON + 2 * LATER)
    assert learned.person_id == bob and learned.named == (visit_id,)
    assert owner(shop, visit_id) == bob and shop.verdicts() == [("new", 1), ("returning", 2), ("returning", 3)]
    reasons = shop.store.db.execute("SELECT reason, embedding_sealed FROM sightings WHERE visit_id = ?", [visit_id]).fetchall()
    assert reasons == [(REASON, None)]
    assert review.count_open(shop.store.db.conn) == 0
    shop.recognition.check()


def test_who_was_called_different_stays_different(shop: Shop) -> None:
    bob = shop.see(face(BOB)).person_id
    visit_id = doubtful(shop)
    with shop.store.transaction() as db:
        db.execute("UPDATE review SET decision = 'different', turn = 1 WHERE subject = ? AND person_id = ?", [visit_id, bob])
    assert shop.see(clearer(), NOON + 2 * LATER).named == ()
    assert owner(shop, visit_id) is None


def test_who_was_before_the_same_camera_meanwhile_is_somebody_else(shop: Shop) -> None:
    bob = shop.see(face(BOB)).person_id
    at_ms = NOON + LATER
    visit_id = doubtful(shop, at_ms=at_ms)
    beside = shop.see(clearer(), at_ms + 500)
    assert beside.person_id == bob and beside.named == () and owner(shop, visit_id) is None


def test_a_stranger_stays_nobodys(shop: Shop) -> None:
    shop.see(face(BOB))
    stranger = shop.see(face(DORA), NOON + LATER, shots=1)
    assert shop.see(clearer(), NOON + 2 * LATER).named == ()
    assert stranger.visit_id and owner(shop, stranger.visit_id) is None
