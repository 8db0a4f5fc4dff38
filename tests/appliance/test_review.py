"""What somebody decides about doubtful visits, doubles and stray views, that it is used from then on, and that it can be taken back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlite_utils import Database

from appliance import forgetting, merging, persons, retention, review, review_deciding, review_finding
from appliance.errors import PersonError
from appliance.migrations import migrations
from appliance.review import DIFFERENT, IGNORED, SAME, Case
from appliance.review_desk import ReviewDesk
from appliance.sightings import Phase
from models.faces import Floats
from sync.records import ApartRecord, TemplateGone, TemplateRecord
from tests.appliance.stores import DAY_MS, NOON
from tests.appliance.visitors import ALICE, BARS, BOB, CHARLIE, DORA, GAP_MS, MINUTE_MS, MODEL, Shop, a_shop, face, like

LATER = NOON + 20 * DAY_MS


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    yield made
    made.recognition.check()
    made.store.close()


def desk(shop: Shop, now_ms: int = LATER) -> ReviewDesk:
    return ReviewDesk(shop.store, shop.recognition, lambda do: do(), lambda: False, lambda: now_ms)


def came(shop: Shop, who: int, *at_ms: int) -> str:
    found = [shop.see(face(who), at) for at in at_ms]
    assert found[0].person_id
    return found[0].person_id


def the_case(shop: Shop) -> Case:
    found = review.first_open(shop.store.db.conn)
    assert found is not None
    return found


def waiting(shop: Shop) -> int:
    return review.count_open(shop.store.db.conn)


def decide(shop: Shop, answer: str) -> None:
    desk(shop).decide(the_case(shop).id, answer)


def undo(shop: Shop) -> None:
    desk(shop).undo()


def find(shop: Shop) -> None:
    desk(shop).look_through(lambda: False)


def doubtful(shop: Shop, at_ms: int = NOON + DAY_MS, view: int = 0) -> Floats:
    """Bob came once; now somebody resembles him a little. Gives that look."""
    look = shop.unsure(BOB, view)
    assert shop.see(look, at_ms).verdict == "unsure"
    return look


def person(shop: Shop, *views: tuple[Floats, str], role: str = "customer") -> str:
    """With these templates and no visit. The gallery holds them."""
    with shop.store.transaction():
        person_id = persons.create(shop.store, role, NOON)
        for view, origin in views:
            persons.learn(shop.store, person_id, role, MODEL, view, 0.5, origin, None, NOON)
    shop.recognition.renew([person_id])
    return person_id


def test_a_visit_that_resembles_somebody_too_little_to_be_sure_is_asked_about(shop: Shop) -> None:
    bob = came(shop, BOB, NOON)
    bars = shop.recognition.thresholds()
    doubtful(shop)
    case = the_case(shop)
    assert (case.kind, case.person_id) == ("visit", bob) and case.low <= case.similarity < case.bar
    assert (case.low, case.bar) == pytest.approx((bars.mint, bars.match))


def test_nobody_is_asked_about_who_was_seen_too_briefly_or_resembles_nobody(shop: Shop) -> None:
    came(shop, BOB, NOON)
    assert shop.see(face(DORA), NOON + DAY_MS, shots=1).verdict == "unsure"
    assert waiting(shop) == 0


def test_nobody_is_asked_about_who_resembles_somebody_who_opted_out(shop: Shop) -> None:
    shop.enrol("opted_out", "Charlie", CHARLIE)
    shop.see(shop.unsure(CHARLIE), NOON)
    assert waiting(shop) == 0


def test_same_gives_the_visit_to_the_person_who_is_known_by_that_look_from_then_on(shop: Shop) -> None:
    bob = came(shop, BOB, NOON)
    look = doubtful(shop)
    decide(shop, SAME)
    assert shop.visits() == [(bob, "new", 1, "settled"), (bob, "returning", 2, "settled")] and waiting(shop) == 0
    assert shop.store.db.execute("SELECT count(*) FROM templates WHERE origin = 'reviewed'").fetchone()[0] == 1
    told = [r for r in shop.records() if isinstance(r, TemplateRecord)][-1]
    assert (told.person_id, told.origin) == (bob, "reviewed")
    assert shop.see(look, NOON + 3 * DAY_MS).person_id == bob


def test_same_is_undone_the_visit_is_nobodys_the_view_unlearned_and_the_case_open(shop: Shop) -> None:
    came(shop, BOB, NOON)
    look = doubtful(shop)
    before, case = shop.dump(), the_case(shop)
    decide(shop, SAME)
    undo(shop)
    after = shop.dump()
    assert {k: v for k, v in after.items() if k != "settings"} == {k: v for k, v in before.items() if k != "settings"}
    assert the_case(shop) == case and isinstance(shop.records()[-1], object)
    assert any(isinstance(r, TemplateGone) for r in shop.records())
    assert shop.see(look, NOON + 3 * DAY_MS).person_id is not None, "the two looks of one new person agree again"


def test_same_that_joined_visits_is_undone_to_the_visits_there_were(shop: Shop) -> None:
    came(shop, BOB, NOON, NOON + 15 * MINUTE_MS)
    doubtful(shop, NOON + 8 * MINUTE_MS)
    before = shop.dump()
    assert shop.count("visits") == 3
    decide(shop, SAME)
    assert shop.count("visits") == 1
    undo(shop)
    assert {k: v for k, v in shop.dump().items() if k != "settings"} == {k: v for k, v in before.items() if k != "settings"}


def test_a_view_that_made_room_for_the_reviewed_one_comes_back_when_that_is_undone(shop: Shop) -> None:
    bob = person(shop, *[(like(BOB, 0.9, view), "visit") for view in range(persons.TEMPLATES_MAX)])
    bars = shop.recognition.thresholds()
    assert shop.see(like(BOB, (bars.mint + bars.match) / 1.8, persons.TEMPLATES_MAX), NOON).verdict == "unsure"
    before = shop.dump()["templates"]
    decide(shop, SAME)
    undo(shop)
    assert shop.dump()["templates"] == before and shop.person(bob).visit_count == 0


def test_who_was_called_different_is_never_taken_for_that_person_again_nor_asked_about(shop: Shop) -> None:
    bob = came(shop, BOB, NOON)
    look = doubtful(shop)
    decide(shop, DIFFERENT)
    assert waiting(shop) == 0 and shop.visits()[1][0] is None
    again = shop.see(look, NOON + 3 * DAY_MS)
    assert again.person_id not in (None, bob) and waiting(shop) == 0
    assert merging.are_apart(shop.store, bob, str(again.person_id)), "the new person is told apart for good"
    assert shop.again().receive is not None
    assert shop.see(look, NOON + 5 * DAY_MS).person_id == again.person_id


def test_who_looks_more_like_themselves_than_like_who_was_called_different_is_still_known(shop: Shop) -> None:
    bob = came(shop, BOB, NOON)
    look = doubtful(shop)
    decide(shop, DIFFERENT)
    between = face(BOB) + 0.5 * look
    assert shop.see(between / np.linalg.norm(between), NOON + 3 * DAY_MS).person_id == bob


def test_a_store_of_an_earlier_version_keeps_its_templates_and_asks_about_what_it_was_unsure_of(tmp_path: Path) -> None:
    db = Database(tmp_path / "old.db")
    migrations.apply(db, stop_before="m005_review")
    db.execute("INSERT INTO persons (id, number, role, created_ms) VALUES ('bob', 1, 'customer', 0)")
    db.execute(
        """INSERT INTO templates (id, person_id, model, embedding_sealed, quality, origin, created_ms)
            VALUES ('t', 'bob', 'm', x'00', 1, 'visit', 7)"""
    )
    for visit, similarity in (("doubtful", 0.45), ("far", 0.2)):
        db.execute("INSERT INTO visits (id, verdict, state, first_seen_ms, last_seen_ms) VALUES (?, 'unsure', 'settled', 1, 1)", [visit])
        db.execute(
            """INSERT INTO sightings (id, visit_id, camera_id, began_ms, ended_ms, shots, face_width_px, model, verdict, reason,
                nearest_person_id, similarity, bar, embedding_sealed)
                VALUES (?1, ?1, 'c', 1, 1, 3, 60, 'm', 'unsure', '', 'bob', ?2, .5, x'00')""",
            [visit, similarity],
        )
    migrations.apply(db)
    assert db.execute("SELECT id, created_ms, set_aside FROM templates").fetchall() == [("t", 7, 0)]
    assert db.execute("SELECT subject, person_id FROM review").fetchall() == [("doubtful", "bob")]
    db.execute("UPDATE templates SET origin = 'reviewed'")
    assert db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'templates_person'").fetchone() == (1,)
    db.close()


def test_different_is_undone_and_asked_again(shop: Shop) -> None:
    came(shop, BOB, NOON)
    doubtful(shop)
    decide(shop, DIFFERENT)
    undo(shop)
    assert waiting(shop) == 1
    with pytest.raises(PersonError, match="nothing to undo"):
        undo(shop)


def test_who_is_as_near_to_two_people_who_were_called_different_is_neither_of_them(shop: Shop) -> None:
    bob, dora = came(shop, BOB, NOON), came(shop, DORA, NOON)
    half = (face(BOB) + face(DORA)) / 2**0.5
    first = shop.see(half, NOON + DAY_MS, phase=Phase.OPENED)
    assert first.person_id in (bob, dora), "without a word about them one of the two is named"
    with shop.store.transaction():
        merging.apart(shop.store, bob, dora, "said so", LATER)
    seen = shop.see(half, NOON + DAY_MS, sighting_id=first.sighting_id)
    assert (seen.person_id, seen.verdict) == (None, "unsure") and "called different" in seen.decision.reason
    assert shop.see(face(DORA), NOON + 3 * DAY_MS).person_id == dora, "the nearer one is named where the other is far"


def test_two_people_who_look_alike_are_found_and_become_one(shop: Shop) -> None:
    bob, twin = came(shop, BOB, NOON, NOON + DAY_MS), person(shop, (like(BOB, 0.9), "visit"))
    find(shop)
    case = the_case(shop)
    assert case.kind == "duplicate" and {case.subject, case.person_id} == {bob, twin} and waiting(shop) == 1
    decide(shop, SAME)
    assert merging.now_called(shop.store, twin) == bob and waiting(shop) == 0
    undo(shop)
    again = the_case(shop)
    assert shop.count("persons") == 2 and bob in (again.subject, again.person_id) and shop.person(bob).visit_count == 2
    decide(shop, DIFFERENT)
    assert waiting(shop) == 0 and merging.are_apart(shop.store, again.subject, again.person_id)


def test_two_people_who_were_called_different_are_not_found_again_until_it_is_undone(shop: Shop) -> None:
    bob, twin = came(shop, BOB, NOON), person(shop, (like(BOB, 0.9), "visit"))
    find(shop)
    decide(shop, DIFFERENT)
    assert merging.are_apart(shop.store, bob, twin) and isinstance(shop.records()[-1], ApartRecord)
    with shop.store.transaction() as db:
        db.execute("DELETE FROM settings WHERE key LIKE 'reviewed_through%'")
    find(shop)
    assert waiting(shop) == 0
    undo(shop)
    assert waiting(shop) == 1 and not merging.are_apart(shop.store, bob, twin)


def test_staff_and_customers_are_not_doubles_and_strangers_neither(shop: Shop) -> None:
    shop.enrol("staff", "Alice", ALICE)
    person(shop, (like(ALICE, 0.9), "visit"))
    came(shop, BOB, NOON)
    came(shop, DORA, NOON)
    find(shop)
    assert waiting(shop) == 0


def test_the_pass_rests_while_enough_doubles_wait_and_passes_nobody_over(shop: Shop) -> None:
    others = sorted(person(shop) for _ in range(15))
    with shop.store.transaction():
        for one, other in itertools.combinations(others, 2):
            review.ask(shop.store, review.DUPLICATE, one, other, 0.4, 0.3, 0.5, NOON)
    bob, twin = came(shop, BOB, NOON), person(shop, (like(BOB, 0.9), "visit"))
    find(shop)
    assert waiting(shop) == 105 > review_finding.OPEN_MAX
    with shop.store.transaction() as db:
        db.execute("UPDATE review SET decision = 'ignored'")
    find(shop)
    assert {the_case(shop).subject, the_case(shop).person_id} == {bob, twin}


def test_a_view_unlike_its_person_is_set_aside_and_one_in_doubt_is_asked_about(shop: Shop) -> None:
    good = [(like(BOB, 0.9, view), "visit") for view in range(3)]
    stray = person(shop, *good, (face(DORA), "visit"))
    doubt = BARS.bar_at(0.01)
    doubtful_view = person(shop, *[(like(ALICE, 0.95, v), "visit") for v in range(3)], (like(ALICE, doubt / 0.95, 5), "visit"))
    find(shop)
    aside = shop.store.db.execute("SELECT person_id FROM templates WHERE set_aside").fetchall()
    assert aside == [(stray,)] and isinstance(next(r for r in shop.records() if isinstance(r, TemplateGone)), TemplateGone)
    case = the_case(shop)
    assert (case.kind, case.person_id) == ("template", doubtful_view)
    decide(shop, DIFFERENT)
    assert len(shop.recognition.gallery.of(doubtful_view)) == 3
    undo(shop)
    assert len(shop.recognition.gallery.of(doubtful_view)) == 4
    decide(shop, SAME)
    find(shop)
    assert waiting(shop) == 0 and len(shop.recognition.gallery.of(doubtful_view)) == 4


def test_an_enrolled_view_is_never_set_aside_unasked(shop: Shop) -> None:
    alice = person(shop, *[(like(ALICE, 0.9, v), "visit") for v in range(3)], (face(DORA), "enrolled"), role="staff")
    find(shop)
    assert shop.store.db.execute("SELECT count(*) FROM templates WHERE set_aside").fetchone() == (0,)
    assert (the_case(shop).kind, the_case(shop).person_id) == ("template", alice)


def test_ignored_is_not_asked_again_and_can_be_undone(shop: Shop) -> None:
    came(shop, BOB, NOON)
    doubtful(shop)
    decide(shop, IGNORED)
    assert waiting(shop) == 0
    undo(shop)
    assert waiting(shop) == 1


def test_a_case_is_decided_once_and_only_by_an_answer_that_there_is(shop: Shop) -> None:
    came(shop, BOB, NOON)
    doubtful(shop)
    case = the_case(shop)
    with pytest.raises(PersonError, match="perhaps"):
        desk(shop).decide(case.id, "perhaps")
    decide(shop, DIFFERENT)
    for case_id in (case.id, 999):
        with pytest.raises(PersonError, match="no longer open"):
            desk(shop).decide(case_id, SAME)


def test_the_last_decisions_are_undone_one_by_one_and_older_ones_keep_nothing_to_undo(shop: Shop) -> None:
    came(shop, BOB, NOON)
    with shop.store.transaction() as db:
        for number in range(review.UNDONE_MAX + 5):
            db.execute(
                "INSERT INTO visits (id, verdict, state, first_seen_ms, last_seen_ms) VALUES (?, 'unsure', 'settled', 1, 1)", [f"{number}"]
            )
            (bob,) = db.execute("SELECT id FROM persons").fetchone()
            review.ask(shop.store, review.VISIT, f"{number}", bob, 0.4, 0.3, 0.5, NOON)
    for _ in range(review.UNDONE_MAX + 5):
        decide(shop, IGNORED)
    for _ in range(review.UNDONE_MAX):
        undo(shop)
    with pytest.raises(PersonError, match="nothing to undo"):
        undo(shop)
    assert waiting(shop) == review.UNDONE_MAX


def test_erasing_a_person_leaves_no_case_no_decision_and_no_look_that_would_undo_one(shop: Shop) -> None:
    bob = came(shop, BOB, NOON, NOON + DAY_MS)
    twin = person(shop, (like(BOB, 0.9, 2), "visit"))
    doubtful(shop, NOON + 2 * DAY_MS)
    desk(shop).decide(the_case(shop).id, SAME)
    find(shop)
    with shop.store.transaction():
        keys = [*merging.merge(shop.store, twin, bob, GAP_MS, LATER), *forgetting.erase(shop.store, twin, LATER).keys]
    shop.recognition.renew(keys)
    assert shop.count("review") == 0


def test_what_undoes_a_decision_goes_with_the_looks_that_are_kept_for_review(shop: Shop) -> None:
    came(shop, BOB, NOON)
    doubtful(shop)
    decide(shop, SAME)
    retention.drop_unsure_embeddings(shop.store, LATER + 31 * DAY_MS, 30)
    with pytest.raises(PersonError, match="nothing to undo"):
        review_deciding.undo_last(shop.store, MODEL, LATER)


def test_an_open_case_follows_a_merge_and_goes_with_its_look(shop: Shop) -> None:
    bob, dora = came(shop, BOB, NOON), came(shop, DORA, NOON)
    doubtful(shop)
    with shop.store.transaction():
        keys = merging.merge(shop.store, dora, bob, GAP_MS, LATER)
    shop.recognition.renew(keys)
    find(shop)
    assert the_case(shop).person_id == dora
    retention.drop_unsure_embeddings(shop.store, LATER + 31 * DAY_MS, 30)
    shop.again()
    find(shop)
    assert waiting(shop) == 0


def test_the_stores_own_answers_say_how_often_such_pairs_were_different(shop: Shop) -> None:
    with shop.store.transaction() as db:
        for number in range(30):
            review.ask(shop.store, review.VISIT, f"{number}", "bob", 0.41 if number < 24 else 0.3, 0.3, 0.5, NOON)
            db.execute("UPDATE review SET decision = ?, turn = id WHERE subject = ?", [DIFFERENT if number < 6 else SAME, f"{number}"])
    assert review.answered(shop.store.db.conn, review.VISIT, 0.42, 0.03, 500) == (30, 24, 6)
