"""Of Charlie, who opted out, nothing is stored but that somebody came, once a visit: through whichever door the sighting comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.sightings import Phase
from sync.records import OptedOutCount, PersonGone, TemplateGone, VisitGone
from tests.appliance.stores import NOON
from tests.appliance.visitors import BOB, CHARLIE, DORA, GAP_MS, MINUTE_MS, Shop, a_shop, face, like

STORED = ("visits", "sightings", "persons", "templates")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    made.enrol("opted_out", "Charlie", CHARLIE)
    yield made
    made.store.close()


def stored(shop: Shop) -> dict[str, list[tuple[object, ...]]]:
    return {table: rows for table, rows in shop.dump().items() if table in STORED}


def test_nothing_is_stored_but_the_count_once_a_visit(shop: Shop) -> None:
    before = stored(shop)
    for at_ms in (NOON, NOON + MINUTE_MS, NOON + GAP_MS, NOON + 3 * GAP_MS):
        outcome = shop.see(like(CHARLIE, 0.9), at_ms)
        assert (outcome.visit_id, outcome.verdict) == (None, "opted_out")
    assert stored(shop) == before and shop.pictures() == []
    assert shop.opted_out_counts() == 2
    counts = [r for r in shop.records() if isinstance(r, OptedOutCount)]
    assert [(c.day, c.visits) for c in counts] == [("2026-09-21", 1), ("2026-09-21", 2)]


def test_the_count_is_of_the_stores_own_day(shop: Shop) -> None:
    shop.see(face(CHARLIE), NOON + 3 * 3_600_000)
    assert shop.store.db.execute("SELECT day FROM opted_out_counts").fetchall() == [("2026-09-22",)]


def test_two_cameras_that_close_in_another_order_count_one_visit(shop: Shop) -> None:
    shop.see(face(CHARLIE), NOON + MINUTE_MS, camera="till")
    shop.see(face(CHARLIE), NOON, camera="door")
    shop.see(face(CHARLIE), NOON + GAP_MS, camera="door")
    assert shop.opted_out_counts() == 1


def test_a_clock_set_back_does_not_stop_the_counting(shop: Shop) -> None:
    shop.see(face(CHARLIE), NOON)
    shop.see(face(CHARLIE), NOON - 5 * GAP_MS)
    assert shop.opted_out_counts() == 2


def test_told_twice_it_is_counted_once(shop: Shop) -> None:
    for _ in range(2):
        shop.see(face(CHARLIE), sighting_id="charlie")
    assert shop.opted_out_counts() == 1


@pytest.mark.parametrize("first_taken_for", ["nobody", "Bob"])
def test_what_an_earlier_telling_left_is_taken_out_again(shop: Shop, first_taken_for: str) -> None:
    if first_taken_for == "Bob":
        shop.see(face(BOB), width=40)
    before, pictures = stored(shop), shop.pictures()
    first = like(BOB, 0.9) if first_taken_for == "Bob" else face(DORA)
    shop.see(first, NOON + MINUTE_MS, sighting_id="charlie", phase=Phase.OPENED, width=200)
    shop.see(face(CHARLIE), NOON + MINUTE_MS, sighting_id="charlie", width=200)
    assert stored(shop) == before and shop.pictures() == pictures
    assert shop.opted_out_counts() == 1


def test_a_visit_begun_on_suspicion_is_told_to_be_gone(shop: Shop) -> None:
    first = shop.see(face(DORA), sighting_id="charlie", phase=Phase.OPENED)
    shop.see(face(CHARLIE), sighting_id="charlie")
    assert [r.id for r in shop.records() if isinstance(r, VisitGone)] == [first.visit_id]


def test_a_person_made_of_somebody_who_turns_out_to_have_opted_out_is_unmade(shop: Shop) -> None:
    before = stored(shop)
    shop.see(face(DORA), NOON - GAP_MS, shots=1)
    made = shop.see(face(DORA), sighting_id="charlie", phase=Phase.IMPROVED, shots=20, lasts_ms=5000)
    assert made.person_id is None or made.verdict == "new"
    made = shop.see(face(BOB), sighting_id="charlie 2", phase=Phase.IMPROVED, shots=20, lasts_ms=5000)
    assert made.person_id and shop.recognition.gallery.of(made.person_id)
    closed = shop.see(face(CHARLIE), sighting_id="charlie 2", shots=30, lasts_ms=8000)
    assert closed.verdict == "opted_out"
    assert stored(shop)["persons"] == before["persons"] and stored(shop)["templates"] == before["templates"]
    assert shop.recognition.gallery.of(made.person_id) == []
    assert [r.id for r in shop.records() if isinstance(r, PersonGone)] == [made.person_id]
    assert any(isinstance(r, TemplateGone) and r.person_id == made.person_id for r in shop.records())
    shop.recognition.check()


def test_who_is_only_a_little_like_charlie_is_counted_without_picture_or_look(shop: Shop) -> None:
    bars = shop.recognition.thresholds()
    before = stored(shop)
    near = like(CHARLIE, min(bars.opted_out, bars.match) - 0.01)
    outcome = shop.see(near)
    assert outcome.verdict == "unsure" and outcome.person_id is None
    assert shop.pictures() == [] and stored(shop)["templates"] == before["templates"]
    kept = shop.store.db.execute("SELECT embedding_sealed, nearest_person_id FROM sightings").fetchall()
    assert kept == [(None, None)], "neither the look nor that it resembles Charlie"
    assert shop.recognition.gallery.persons("unsure") == 0


@pytest.mark.parametrize("cosine", [0.05, 0.15, 0.25, 0.29, 0.31, 0.33, 0.36, 0.4, 0.5, 0.7, 0.95])
def test_no_likeness_to_charlie_makes_a_visit_of_charlies(shop: Shop, cosine: float) -> None:
    for camera, at_ms in (("door", NOON), ("door", NOON + 5000)):
        shop.see(face(CHARLIE), at_ms - 4000, camera=camera)
        shop.see(like(CHARLIE, cosine), at_ms, camera=camera)
    charlie = shop.store.db.execute("SELECT id FROM persons WHERE role = 'opted_out'").fetchone()[0]
    assert shop.store.db.execute("SELECT count(*) FROM visits WHERE person_id = ?", [charlie]).fetchone()[0] == 0
    named = shop.store.db.execute("SELECT count(*) FROM sightings WHERE nearest_person_id = ?", [charlie]).fetchone()[0]
    assert named == 0
    assert shop.person(charlie).visit_count == 0


def test_a_picture_kept_before_somebody_looked_like_charlie_goes(shop: Shop) -> None:
    shop.see(face(BOB))
    pictures = shop.pictures()
    shop.see(like(BOB, 0.9), 3 * GAP_MS + NOON, sighting_id="who", phase=Phase.OPENED, width=200)
    assert len(shop.pictures()) == 2
    bars = shop.recognition.thresholds()
    shop.see(like(CHARLIE, min(bars.opted_out, bars.match) - 0.01), 3 * GAP_MS + NOON, sighting_id="who", width=200)
    assert shop.pictures() == pictures
