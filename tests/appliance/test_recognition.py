"""From sightings to the log, over a real database: who is new, who returns, who is nobody yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance import visits
from appliance.recognition import HERE_MS
from appliance.sightings import Phase
from appliance.stored_templates import UNSURE_LOOKS_MAX
from sync.records import PersonRecord, TemplateRecord, VisitGone, VisitRecord
from tests.appliance.stores import NOON
from tests.appliance.visitors import (
    ALICE,
    BOB,
    DORA,
    EMIL,
    GAP_MS,
    MINUTE_MS,
    MODEL,
    Shop,
    a_shop,
    face,
    like,
    sighting,
)

AFTER_GAP = NOON + 2 * GAP_MS


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    yield made
    made.store.close()


def test_a_visitor_who_returns_after_the_gap_is_a_returning_visit(shop: Shop) -> None:
    first, second = shop.see(face(BOB)), shop.see(like(BOB, 0.95), AFTER_GAP)
    assert first.person_id and first.person_id == second.person_id
    assert shop.verdicts() == [("new", 1), ("returning", 2)]
    assert shop.person(first.person_id).visit_count == 2


def test_within_the_gap_it_is_the_same_visit_on_any_camera(shop: Shop) -> None:
    first = shop.see(face(BOB))
    second = shop.see(like(BOB, 0.95), NOON + GAP_MS - MINUTE_MS, camera="till")
    assert second.visit_id == first.visit_id and second.person_id == first.person_id
    (row,) = visits.recent(shop.store)
    assert (row.first_seen_ms, row.last_seen_ms, row.verdict) == (NOON, NOON + GAP_MS - MINUTE_MS + 3000, "new")
    assert row.shots == 12


def test_a_sighting_that_closes_the_gap_between_two_visits_makes_them_one(shop: Shop) -> None:
    """Cameras report out of order, or a clock was set back: what came between is told last."""
    first = shop.see(face(BOB))
    later = shop.see(like(BOB, 0.95), NOON + GAP_MS + 5 * MINUTE_MS)
    assert first.visit_id != later.visit_id
    between = shop.see(like(BOB, 0.95, 1), NOON + GAP_MS // 2)
    (row,) = visits.recent(shop.store)
    assert between.visit_id == row.id
    assert (row.first_seen_ms, row.last_seen_ms, row.verdict) == (NOON, NOON + GAP_MS + 5 * MINUTE_MS + 3000, "new")
    assert row.snapshot is not None
    assert shop.person(first.person_id or "").visit_count == 1


def test_two_faces_in_one_frame_are_two_people(shop: Shop) -> None:
    shop.see(face(BOB), sighting_id="a", seen_with=("b",))
    other = shop.see(like(BOB, 0.9), NOON + 100, sighting_id="b", seen_with=("a",))
    assert other.person_id not in (None, visits.place_of(shop.store, "a").person_id)  # type: ignore[union-attr]
    assert [p for p, *_ in shop.visits()].count(other.person_id) == 1


@pytest.mark.parametrize(
    "how",
    [{"shots": 1}, {"lasts_ms": 100}, {"looks": [face(BOB), face(DORA), face(EMIL)]}],
    ids=["one look", "a brief look", "shots that disagree"],
)
def test_nobody_is_minted_from(shop: Shop, how: dict[str, object]) -> None:
    outcome = shop.see(**{"looks": face(BOB), **how})  # type: ignore[arg-type]
    assert outcome.person_id is None and outcome.logged
    assert shop.visits() == [(None, "unsure", 0, "settled")]
    assert (shop.count("persons"), shop.count("templates")) == (0, 0)


def test_nobody_is_minted_before_the_last_telling_unless_they_stay(shop: Shop) -> None:
    assert shop.see(face(BOB), sighting_id="bob", phase=Phase.OPENED, shots=2, lasts_ms=300).person_id is None
    assert shop.visits() == [(None, "unsure", 0, "deciding")]
    stays = shop.see(face(BOB), sighting_id="bob", phase=Phase.IMPROVED, shots=20, lasts_ms=5000)
    assert stays.person_id and shop.visits() == [(stays.person_id, "new", 1, "settled")]
    improved = shop.see(face(BOB), sighting_id="bob", phase=Phase.IMPROVED, shots=25, lasts_ms=6000)
    assert improved.person_id == stays.person_id and shop.visits() == [(stays.person_id, "new", 1, "settled")]


def test_who_is_between_mint_and_match_is_counted_and_not_named(shop: Shop) -> None:
    shop.see(face(BOB))
    templates = shop.count("templates")
    outcome = shop.see(shop.unsure(BOB), AFTER_GAP)
    assert (outcome.person_id, outcome.verdict, outcome.settled) == (None, "unsure", True)
    assert shop.count("templates") == templates and shop.count("persons") == 1
    (row, _) = visits.recent(shop.store)
    assert (row.label, row.nearest) == ("Somebody", "Visitor 1") and row.similarity is not None and row.similarity < (row.bar or 0)


def test_two_unsure_visits_that_resemble_each_other_become_one_person(shop: Shop) -> None:
    shop.see(face(BOB))
    unsure = shop.unsure(BOB)
    earlier = shop.see(unsure, AFTER_GAP)
    later = shop.see(unsure, AFTER_GAP + 2 * GAP_MS)
    assert earlier.person_id is None and later.person_id is not None
    assert shop.verdicts() == [("new", 1), ("new", 1), ("returning", 2)]
    assert [p for p, *_ in shop.visits()][1:] == [later.person_id] * 2
    assert shop.person(later.person_id).visit_count == 2
    assert shop.person(later.person_id).first_seen_ms == AFTER_GAP
    kept = shop.store.db.execute("SELECT count(*) FROM sightings WHERE embedding_sealed IS NOT NULL").fetchone()[0]
    assert kept == 0 and shop.recognition.gallery.persons("unsure") == 0
    assert shop.see(unsure, AFTER_GAP + 4 * GAP_MS).person_id == later.person_id


def test_of_two_visits_that_agree_the_gallery_holds_only_the_view_that_was_kept(shop: Shop) -> None:
    shop.see(face(BOB), shots=1)
    assert shop.see(face(BOB), AFTER_GAP, quality=0.8).person_id is not None and shop.count("templates") == 1
    shop.recognition.check()


def test_agreeing_holds_across_a_restart(shop: Shop) -> None:
    unsure = like(BOB, 0.9)
    shop.see(unsure, shots=1)
    shop.again()
    assert shop.see(unsure, AFTER_GAP).person_id is not None
    assert shop.verdicts() == [("new", 1), ("returning", 2)]


def test_an_unsure_visit_that_was_erased_meanwhile_agrees_with_nobody(shop: Shop) -> None:
    gone = shop.see(face(BOB), shots=1)
    with shop.store.transaction() as db:
        db.execute("DELETE FROM visits WHERE id = ?", [gone.visit_id])
    outcome = shop.see(face(BOB), AFTER_GAP)
    assert outcome.person_id and shop.visits() == [(outcome.person_id, "new", 1, "settled")]


@pytest.mark.parametrize("restart", [False, True], ids=["at once", "after a restart"])
@pytest.mark.parametrize("shots", [6, 1], ids=["of a new person", "of somebody unsure"])
def test_a_closed_sighting_told_twice_changes_nothing(shop: Shop, shots: int, restart: bool) -> None:
    first = shop.see(face(BOB), sighting_id="bob", shots=shots)
    before, sequence = shop.dump(), shop.count("outbox")
    if restart:
        shop.again()
    again = shop.see(face(BOB), sighting_id="bob", shots=shots)
    assert shop.dump() == before and shop.count("outbox") == sequence
    assert (again.visit_id, again.person_id, again.verdict) == (first.visit_id, first.person_id, first.verdict)
    assert (again.logged, again.settled, again.log_latency_ms) == (False, True, first.log_latency_ms)


def test_a_provisional_sighting_told_twice_is_one_visit(shop: Shop) -> None:
    for _ in range(3):
        shop.see(face(BOB), sighting_id="bob", phase=Phase.OPENED)
    assert shop.visits() == [(None, "unsure", 0, "deciding")]


def test_only_the_first_telling_is_said_to_be_logged(shop: Shop) -> None:
    assert [shop.see(face(BOB), sighting_id="bob", phase=p).logged for p in (Phase.OPENED, Phase.IMPROVED, Phase.CLOSED)] == [
        True,
        False,
        False,
    ]


def test_a_sighting_that_was_taken_for_bob_moves_and_bobs_visit_is_as_before(shop: Shop) -> None:
    shop.see(face(BOB), width=50)
    before, pictures = shop.dump(), shop.pictures()
    wrong = shop.see(like(BOB, 0.9), NOON + MINUTE_MS, sighting_id="dora", phase=Phase.OPENED, width=200)
    assert wrong.verdict == "new" and shop.count("visits") == 1
    right = shop.see(face(DORA), NOON + MINUTE_MS, sighting_id="dora", width=200)
    assert right.person_id and right.visit_id != wrong.visit_id and right.person_id != wrong.person_id
    after = shop.dump()
    for table in ("persons", "templates", "visits"):
        assert after[table][: len(before[table])] == before[table], table
    assert pictures[0] in shop.pictures() and len(shop.pictures()) == 2
    assert shop.verdicts() == [("new", 1), ("new", 1)]


def test_a_visit_that_turns_out_to_be_somebody_elses_is_counted_for_them_alone(shop: Shop) -> None:
    bob = shop.see(face(BOB)).person_id
    shop.see(face(DORA), NOON)
    shop.see(like(BOB, 0.9), AFTER_GAP, sighting_id="who", phase=Phase.OPENED)
    assert bob and shop.person(bob).visit_count == 2
    shop.see(like(DORA, 0.9), AFTER_GAP, sighting_id="who")
    assert shop.person(bob).visit_count == 1 and shop.person(bob).last_seen_ms == NOON + 3000
    assert sorted(shop.verdicts()) == [("new", 1), ("new", 1), ("returning", 2)]


def test_a_picture_given_on_suspicion_goes_with_the_sighting(shop: Shop) -> None:
    shop.see(face(BOB), portrait=b"")
    shop.see(like(BOB, 0.9), NOON + MINUTE_MS, sighting_id="dora", phase=Phase.OPENED)
    assert len(shop.pictures()) == 1
    shop.see(face(DORA), NOON + MINUTE_MS, sighting_id="dora", portrait=b"")
    assert shop.pictures() == []
    assert shop.store.db.execute("SELECT count(*) FROM visits WHERE snapshot IS NOT NULL").fetchone()[0] == 0


def test_when_an_earlier_visit_vanishes_the_later_ones_are_numbered_anew(shop: Shop) -> None:
    bob = shop.see(face(BOB)).person_id
    shop.see(like(BOB, 0.9), AFTER_GAP, sighting_id="who", phase=Phase.OPENED)
    last = shop.see(like(BOB, 0.9), AFTER_GAP + 2 * GAP_MS)
    assert shop.verdicts() == [("new", 1), ("returning", 2), ("returning", 3)]
    sequence = shop.count("outbox")
    shop.see(face(DORA), AFTER_GAP, sighting_id="who")
    assert [(v, n) for p, v, n, _ in shop.visits() if p == bob] == [("new", 1), ("returning", 2)]
    told = [r for r in shop.records(sequence) if isinstance(r, VisitRecord) and r.id == last.visit_id]
    assert told[-1].visit_number == 2


def test_when_the_first_visit_turns_out_to_be_somebody_elses_the_second_becomes_new(shop: Shop) -> None:
    shop.enrol("customer", "Bob", BOB)
    shop.see(like(BOB, 0.9), NOON, sighting_id="who", phase=Phase.OPENED)
    second = shop.see(like(BOB, 0.9), AFTER_GAP)
    assert second.verdict == "returning"
    shop.see(face(DORA), NOON, sighting_id="who")
    assert shop.verdicts() == [("new", 1), ("new", 1)]


def test_an_older_visit_that_gets_named_moves_the_later_numbers_up(shop: Shop) -> None:
    older = shop.see(face(EMIL), NOON, shots=1)
    later = shop.see(face(BOB), AFTER_GAP)
    assert later.person_id and older.visit_id
    with shop.store.transaction():
        visits.name_visit(shop.store, older.visit_id, later.person_id, GAP_MS, AFTER_GAP)
    assert shop.verdicts() == [("new", 1), ("returning", 2)]


def test_a_visitor_once_counted_stays_counted_while_they_are_seen_again(shop: Shop) -> None:
    bob = shop.see(face(BOB)).person_id
    shop.see(like(BOB, 0.9), NOON + MINUTE_MS, sighting_id="who", phase=Phase.OPENED)
    assert shop.visits() == [(bob, "new", 1, "settled")]
    shop.see(face(DORA), NOON + MINUTE_MS, sighting_id="who", phase=Phase.IMPROVED, shots=3, lasts_ms=500)
    assert [state for *_, state in shop.visits()] == ["settled", "deciding"]


def test_what_a_dead_camera_left_open_is_settled_and_nothing_else(shop: Shop) -> None:
    shop.see(face(BOB), sighting_id="a", phase=Phase.OPENED, camera="door")
    shop.see(face(DORA), NOON + 1, sighting_id="b", phase=Phase.OPENED, camera="till")
    assert visits.settle_left_over(shop.store, NOON, "door") == 1
    assert [state for *_, state in shop.visits()] == ["settled", "deciding"]
    assert visits.settle_left_over(shop.store, NOON) == 1
    assert visits.settle_left_over(shop.store, NOON) == 0


@pytest.mark.parametrize(
    ("camera", "after_ms", "same"),
    [("door", 1000, True), ("till", 1000, False), ("door", HERE_MS + 1, False)],
    ids=["a broken track", "another camera", "long after"],
)
def test_a_broken_track_does_not_make_a_second_visit(shop: Shop, camera: str, after_ms: int, same: bool) -> None:
    bob = shop.see(face(BOB), NOON - 3 * GAP_MS).person_id
    before = shop.see(like(BOB, 0.4))
    assert before.person_id == bob and not before.decision.learn
    again = shop.see(shop.unsure(BOB), NOON + 3000 + after_ms, camera=camera)
    assert (again.person_id == bob) == same and (again.visit_id == before.visit_id) == same


def test_staff_are_logged_and_never_counted_as_customers(shop: Shop) -> None:
    alice = shop.enrol("staff", "Alice", ALICE)
    for day in range(3):
        outcome = shop.see(like(ALICE, 0.9, day), NOON + day * 3 * GAP_MS)
        assert (outcome.person_id, outcome.verdict) == (alice, "staff")
    assert shop.verdicts() == [("staff", 1), ("staff", 2), ("staff", 3)]
    assert shop.count("persons") == 1


def test_a_gallery_of_many_views_stays_as_the_database_says(shop: Shop) -> None:
    bob = shop.see(face(BOB)).person_id
    assert bob
    for i in range(20):
        shop.see(like(BOB, 0.88, i), NOON + (i + 1) * 2 * GAP_MS)
    assert shop.count("templates") == 8
    assert len(shop.recognition.gallery.of(bob)) == 8
    shop.recognition.check()


def test_visits_unsure_for_long_are_forgotten_before_they_fill_the_gallery(shop: Shop) -> None:
    rng = np.random.default_rng(0)
    for i in range(UNSURE_LOOKS_MAX + 5):
        vector = rng.normal(size=128).astype(np.float32)
        shop.recognition._keep_for_agreement(f"v{i}", vector / np.linalg.norm(vector))
    gallery = shop.recognition.gallery
    assert gallery.persons("unsure") == UNSURE_LOOKS_MAX
    assert gallery.oldest("unsure") == "visit:v5"


def test_the_outbox_has_a_record_for_every_change_in_order(shop: Shop) -> None:
    first = shop.see(face(BOB))
    kinds = [type(r) for r in shop.records()]
    # A person is told once, as they are at the end of the transaction, and before what names them.
    assert kinds == [PersonRecord, TemplateRecord, VisitRecord]
    shop.see(like(BOB, 0.9), AFTER_GAP, sighting_id="who", phase=Phase.OPENED)
    shop.see(face(DORA), AFTER_GAP, sighting_id="who")
    newest: dict[tuple[str, str], object] = {}
    gone = set()
    for record in shop.records():
        if isinstance(record, VisitGone):
            gone.add(record.id)
        elif isinstance(record, VisitRecord | PersonRecord):
            newest[type(record).__name__, record.id] = record
    rows = shop.store.db.execute("SELECT id, person_id, verdict, visit_number, first_seen_ms, last_seen_ms FROM visits").fetchall()
    for visit_id, *row in rows:
        told = newest["VisitRecord", visit_id]
        assert [told.person_id, told.verdict, told.visit_number, told.first_seen_ms, told.last_seen_ms] == row  # type: ignore[attr-defined]
    assert {i for kind, i in newest if kind == "VisitRecord"} - gone == {row[0] for row in rows}
    told_bob = newest["PersonRecord", first.person_id or ""]
    assert told_bob.visit_count == 1 and told_bob.last_seen_ms == NOON + 3000  # type: ignore[attr-defined]
    sequences = [r[0] for r in shop.store.db.execute("SELECT sequence FROM outbox ORDER BY sequence").fetchall()]
    assert sequences == list(range(1, len(sequences) + 1))


def test_somebody_erased_while_before_the_camera_is_taken_for_nobody(shop: Shop) -> None:
    stays = shop.see(face(BOB), sighting_id="bob", phase=Phase.IMPROVED, shots=20, lasts_ms=5000)
    assert stays.person_id
    with shop.store.transaction() as db:
        db.execute("DELETE FROM persons WHERE id = ?", [stays.person_id])
    shop.recognition.forget_persons([stays.person_id])
    closed = shop.see(face(BOB), sighting_id="bob", shots=30, lasts_ms=8000)
    assert closed.person_id not in (None, stays.person_id)
    assert shop.recognition.gallery.of(stays.person_id) == []


@pytest.mark.parametrize(
    ("looks", "more", "words"),
    [
        (face(BOB), {"model": "another"}, "embedded by 'another'"),
        (face(BOB)[:64], {}, "not of 128 numbers"),
        (np.zeros(128, np.float32), {}, "no unit vectors"),
        (np.full(128, np.nan, np.float32), {}, "no unit vectors"),
        ([face(BOB), -face(BOB)], {}, "no unit vectors"),
    ],
    ids=["another model", "short", "zeros", "not numbers", "opposite shots"],
)
def test_a_sighting_without_a_usable_embedding_is_refused_and_leaves_nothing(
    shop: Shop, looks: np.ndarray, more: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        shop.see(looks, **more)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no shots"):
        shop.recognition.receive(sighting("x", []), NOON)
    assert (shop.count("visits"), shop.count("outbox"), len(shop.recognition.gallery)) == (0, 0, 0)
    assert shop.recognition.gallery.model == MODEL
