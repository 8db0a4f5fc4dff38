"""Age and gender of a visit: the mean of its shots and how far they lie apart, through splits and merges, and nothing where it is off."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from appliance.estimates import Estimate, of_shots, together
from appliance.sightings import Phase
from appliance.watch import ESTIMATED_SHOTS
from tests.appliance.panned import seen, watcher
from tests.appliance.stores import NOON
from tests.appliance.visitors import BOB, CHARLIE, MINUTE_MS, Shop, a_shop, face, sighting
from tests.models.packs import pack
from tests.shared import shared


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return a_shop(tmp_path)


def see(shop: Shop, who: int, at_ms: int, ages: list[float], male: list[float], sighting_id: str) -> None:
    seen = msgspec.structs.replace(sighting(sighting_id, face(who), at_ms), ages=ages, male=male)
    shop.recognition.receive(seen, seen.ended_ms)


def estimates(shop: Shop) -> list[tuple[object, ...]]:
    rows = shop.store.db.execute("SELECT age, age_spread, gender, gender_share FROM visits ORDER BY first_seen_ms").fetchall()
    return [tuple(round(v, 2) if isinstance(v, float) else v for v in row) for row in rows]


def test_a_visit_has_the_mean_of_its_shots_and_their_spread(shop: Shop) -> None:
    see(shop, BOB, NOON, [30, 34], [0.9, 0.8], "first")
    assert estimates(shop) == [(32.0, 2.0, "male", 0.85)]


def test_two_sightings_of_a_visit_count_by_their_shots(shop: Shop) -> None:
    see(shop, BOB, NOON, [30, 30, 30], [0.1] * 3, "first")
    see(shop, BOB, NOON + MINUTE_MS, [40], [0.2], "second")
    assert estimates(shop) == [(32.5, 4.33, "female", 0.88)]


def test_where_the_net_is_torn_the_gender_is_not_known(shop: Shop) -> None:
    see(shop, BOB, NOON, [30, 30], [0.4, 0.7], "first")
    assert estimates(shop) == [(30.0, 0.0, None, 0.55)]


def test_without_estimates_nothing_is_kept(shop: Shop) -> None:
    shop.see(face(BOB))
    assert estimates(shop) == [(None, None, None, None)]


def test_of_who_opted_out_nothing_is_kept(shop: Shop) -> None:
    shop.enrol("opted_out", "", CHARLIE)
    see(shop, CHARLIE, NOON, [30], [0.9], "first")
    assert estimates(shop) == [] and shop.opted_out_counts() == 1


def test_what_is_no_number_is_no_estimate() -> None:
    assert of_shots([float("nan")], [0.5]) is None and of_shots([], []) is None and of_shots([1.0], []) is None
    assert of_shots([1e9], [2.0]) == Estimate(100.0, 0.0, 1.0, 1)
    assert together([]) is None


def test_only_the_last_telling_estimates_and_only_where_it_is_wanted(tmp_path: Path) -> None:
    folder = shared()
    pack("open", tmp_path)
    assert folder is not None
    off, on = (seen(watcher(tmp_path, pack="open", models=folder / "models", attributes=wanted), NOON) for wanted in (False, True))
    assert not any(s.ages or s.male for s in off)
    closed = [s for s in on if s.phase is Phase.CLOSED]
    assert closed
    assert not any(s.ages for s in on if s.phase is not Phase.CLOSED)
    for each in closed:
        assert 1 <= len(each.ages) == len(each.male) <= ESTIMATED_SHOTS
        assert all(5 < age < 90 for age in each.ages) and all(0 <= m <= 1 for m in each.male)


def test_a_pack_without_the_model_recognises_people_all_the_same(tmp_path: Path) -> None:
    told = seen(watcher(tmp_path, attributes=True), NOON)
    assert told and not any(s.ages for s in told)
