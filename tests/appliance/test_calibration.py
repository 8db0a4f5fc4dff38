"""A site whose people are more alike than the model's photos gets stricter bars, once enough answers prove it; never looser ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance import audit, calibration
from appliance.review_desk import ReviewDesk
from tests.appliance.stores import NOON
from tests.appliance.visitors import BOB, Shop, a_shop, face

FALSE_MATCH = 0.004


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return a_shop(tmp_path)


def answered(shop: Shop, decision: str, times: int, kind: str = "duplicate", similarity: float = 0.6) -> None:
    with shop.store.transaction() as db:
        (before,) = db.execute("SELECT count(*) FROM review").fetchone()
        for number in range(before, before + times):
            db.execute(
                """INSERT INTO review (kind, subject, person_id, similarity, low, bar, made_ms, decision)
                    VALUES (?, ?, 'p', ?, 0.3, 0.5, 0, ?)""",
                [kind, f"s{number}", similarity, decision],
            )


def found(shop: Shop, searched: int = 100) -> float:
    return calibration.found(shop.store.db.conn, FALSE_MATCH, searched)


def test_a_site_that_nobody_has_said_anything_of_is_as_the_model_says(shop: Shop) -> None:
    assert found(shop) == 1.0


def test_a_few_mistakes_are_chance(shop: Shop) -> None:
    answered(shop, "different", calibration.WRONG_MIN - 1)
    assert found(shop) == 1.0


def test_what_is_the_same_or_below_the_bar_says_nothing(shop: Shop) -> None:
    answered(shop, "same", 50)
    answered(shop, "different", 50, similarity=0.4)
    answered(shop, "different", 50, kind="visit")
    assert found(shop) == 1.0


def test_as_many_mistakes_as_were_to_be_expected_change_nothing(shop: Shop) -> None:
    answered(shop, "different", 8)
    assert found(shop, 2000) == 1.0
    answered(shop, "different", 22)
    assert found(shop, 2000) == pytest.approx((30 - 1.645 * 30**0.5) / 8, rel=0.01)
    assert found(shop, 10) == calibration.STRICTNESS_MAX


def test_visits_that_were_taken_back_count_as_mistakes(shop: Shop) -> None:
    with shop.store.transaction():
        for _ in range(6):
            audit.note(shop.store, "split", "p", NOON)
    assert found(shop) > 1.0


def test_the_bars_follow_stay_after_a_restart_and_never_loosen(shop: Shop) -> None:
    shop.see(face(BOB))
    before = shop.recognition.thresholds()
    answered(shop, "different", 12)
    desk = ReviewDesk(shop.store, shop.recognition, lambda do: do(), lambda: False, lambda: NOON)
    desk.look_through(lambda: True)
    after = shop.recognition.thresholds()
    assert after.match > before.match and after.mint > before.mint and after.learn > before.learn
    assert (after.staff, after.opted_out) == (before.staff, before.opted_out), "they are few, and missing them is the worse mistake"
    with shop.store.transaction() as db:
        db.execute("DELETE FROM review")
    desk.look_through(lambda: True)
    assert shop.recognition.thresholds() == after and shop.again().thresholds() == after
