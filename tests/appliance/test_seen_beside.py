"""Two faces in one frame are two people, and the nearer one is whom both resemble."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.sightings import Phase
from tests.appliance.stores import NOON
from tests.appliance.visitors import BOB, GAP_MS, Shop, a_shop, face, like

AFTER_GAP = NOON + 2 * GAP_MS


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    yield made
    made.store.close()


def test_who_of_two_in_one_frame_is_nearer_is_the_person_whoever_was_told_first(shop: Shop) -> None:
    bob = shop.see(face(BOB)).person_id
    first = shop.see(like(BOB, 0.85), AFTER_GAP, sighting_id="a", phase=Phase.OPENED, seen_with=("b",))
    assert first.person_id == bob
    nearer = shop.see(like(BOB, 0.95, 1), AFTER_GAP + 100, sighting_id="b", seen_with=("a",))
    assert nearer.person_id == bob
    again = shop.see(like(BOB, 0.85), AFTER_GAP, sighting_id="a", seen_with=("b",))
    assert again.person_id not in (None, bob) and again.visit_id != nearer.visit_id
    assert [person for person, *_ in shop.visits()].count(bob) == 2
    shop.recognition.check()


def test_who_is_decided_is_not_given_up_to_a_nearer_one(shop: Shop) -> None:
    bob = shop.see(face(BOB)).person_id
    assert shop.see(like(BOB, 0.85), AFTER_GAP, sighting_id="a", seen_with=("b",)).person_id == bob
    assert shop.see(like(BOB, 0.95, 1), AFTER_GAP + 100, sighting_id="b", seen_with=("a",)).person_id != bob


def test_about_as_near_is_not_nearer(shop: Shop) -> None:
    bob = shop.see(face(BOB)).person_id
    assert shop.see(like(BOB, 0.9), AFTER_GAP, sighting_id="a", phase=Phase.OPENED, seen_with=("b",)).person_id == bob
    assert shop.see(like(BOB, 0.92, 1), AFTER_GAP + 100, sighting_id="b", seen_with=("a",)).person_id != bob
