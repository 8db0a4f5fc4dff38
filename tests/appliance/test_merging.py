"""Two persons who are one: who stays, what they take over, and what headquarters is told in which order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import forgetting, merge_history, merging, persons, visits
from appliance.errors import PersonError
from sync.records import ApartRecord, PersonGone, TemplateRecord, VisitGone, VisitRecord
from tests.appliance.stores import DAY_MS, NOON
from tests.appliance.visitors import ALICE, BOB, CHARLIE, DORA, GAP_MS, MINUTE_MS, MODEL, Shop, a_shop, face, like


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    yield made
    made.store.close()


def came(shop: Shop, who: int, *at_ms: int) -> str:
    found = [shop.see(face(who), at) for at in at_ms]
    assert found[0].person_id
    return found[0].person_id


def merged(shop: Shop, keep: str, taken: str) -> None:
    with shop.store.transaction():
        keys = merging.merge(shop.store, keep, taken, GAP_MS, NOON + 9 * DAY_MS)
    shop.recognition.renew(keys)


def test_who_stays_takes_templates_and_visits_which_are_counted_anew(shop: Shop) -> None:
    bob = came(shop, BOB, NOON, NOON + 2 * DAY_MS)
    dora = came(shop, DORA, NOON + DAY_MS, NOON + 3 * DAY_MS)
    told = len(shop.records())
    merged(shop, bob, dora)
    assert shop.visits() == [(bob, "new", 1, "settled"), *[(bob, "returning", n, "settled") for n in (2, 3, 4)]]
    assert shop.person(bob).visit_count == 4 and shop.count("persons") == 1
    after = shop.records()[told:]
    assert after[-1] == PersonGone(id=dora, merged_into=bob)
    assert {r.person_id for r in after if isinstance(r, TemplateRecord | VisitRecord)} == {bob}
    shop.recognition.check()
    assert shop.see(face(DORA), NOON + 4 * DAY_MS).person_id == bob


def test_visits_that_come_within_the_gap_of_one_another_become_one(shop: Shop) -> None:
    bob, dora = came(shop, BOB, NOON), came(shop, DORA, NOON + MINUTE_MS)
    merged(shop, bob, dora)
    assert shop.visits() == [(bob, "new", 1, "settled")] and shop.count("sightings") == 2
    assert sum(isinstance(r, VisitGone) for r in shop.records()) == 1


def test_the_better_templates_stay_when_there_are_too_many(shop: Shop) -> None:
    with shop.store.transaction():
        both = [persons.create(shop.store, "customer", NOON) for _ in range(2)]
        for who, person_id in zip((BOB, DORA), both, strict=True):
            for view in range(6):
                learned, _ = persons.learn(
                    shop.store, person_id, "customer", MODEL, like(who, 0.8, view), 0.1 * view, "visit", None, NOON
                )
                assert learned
    merged(shop, *both)
    kept = shop.store.db.execute("SELECT count(*), min(quality) FROM templates WHERE person_id = ?", [both[0]]).fetchone()
    assert kept[0] == persons.TEMPLATES_MAX and kept[1] > 0.15 and shop.count("templates") == persons.TEMPLATES_MAX


def test_a_name_is_taken_over_where_there_is_none(shop: Shop) -> None:
    bob = came(shop, BOB, NOON)
    with shop.store.transaction():
        named = persons.create(shop.store, "customer", NOON, "Bob")
    merged(shop, bob, named)
    assert shop.person(bob).label == "Bob"


def test_an_erasure_of_who_was_taken_reaches_who_stayed_however_many_merges_later(shop: Shop) -> None:
    first, second, third = (came(shop, who, NOON + i * DAY_MS) for i, who in enumerate((BOB, DORA, CHARLIE)))
    merged(shop, second, first)
    merged(shop, third, second)
    assert merging.now_called(shop.store, first) == merging.now_called(shop.store, third) == third
    assert merging.now_called(shop.store, "nobody") == "nobody"


def test_who_was_called_different_or_is_of_another_kind_is_not_merged(shop: Shop) -> None:
    bob, dora = came(shop, BOB, NOON), came(shop, DORA, NOON)
    alice, charlie = shop.enrol("staff", "Alice", ALICE), shop.enrol("opted_out", "Charlie", CHARLIE)
    with shop.store.transaction():
        for _ in range(2):
            merging.apart(shop.store, dora, bob, "in one picture", NOON)
    first, second = sorted((bob, dora))
    assert [r for r in shop.records() if isinstance(r, ApartRecord)] == [
        ApartRecord(person_a=first, person_b=second, reason="in one picture")
    ]
    for other in (dora, alice, charlie, bob):
        with pytest.raises(PersonError), shop.store.transaction():
            merging.merge(shop.store, bob, other, GAP_MS, NOON)
    with pytest.raises(LookupError), shop.store.transaction():
        merging.merge(shop.store, bob, "nobody", GAP_MS, NOON)


def test_who_is_different_from_one_is_different_from_who_took_their_place(shop: Shop) -> None:
    bob, dora, emil = came(shop, BOB, NOON), came(shop, DORA, NOON), came(shop, 4, NOON)
    with shop.store.transaction():
        merging.apart(shop.store, dora, emil, "", NOON)
    merged(shop, bob, dora)
    assert merging.are_apart(shop.store, bob, emil) and shop.count("apart") == 1


def test_a_merge_that_is_cut_short_leaves_everything_as_it_was(shop: Shop) -> None:
    bob, dora = came(shop, BOB, NOON), came(shop, DORA, NOON)
    before = shop.dump()
    with pytest.raises(ZeroDivisionError), shop.store.transaction():
        merging.merge(shop.store, bob, dora, GAP_MS, NOON)
        raise ZeroDivisionError
    assert shop.dump() == before


def test_somebody_merged_while_before_the_camera_is_who_stayed(shop: Shop) -> None:
    from appliance.sightings import Phase

    bob = came(shop, BOB, NOON)
    outcome = shop.see(face(DORA), NOON + DAY_MS, "s", phase=Phase.IMPROVED, shots=10)
    assert outcome.person_id
    merged(shop, bob, outcome.person_id)
    assert shop.see(face(DORA), NOON + DAY_MS, "s", shots=12).person_id == bob
    shop.recognition.check()


def test_an_erased_person_is_erased_although_somebody_was_merged_into_them(shop: Shop) -> None:
    bob, dora = came(shop, BOB, NOON), came(shop, DORA, NOON)
    merged(shop, bob, dora)
    with shop.store.transaction():
        assert forgetting.erase(shop.store, merging.now_called(shop.store, dora), NOON).persons == 1
    assert shop.count("persons") == 0


@pytest.mark.parametrize("gap", [GAP_MS // 2, 3 * GAP_MS], ids=["dense", "sparse"])
def test_a_merge_and_its_undoing_take_work_in_proportion_to_the_visits(tmp_path: Path, gap: int) -> None:
    def statements(count: int) -> tuple[int, int]:
        shop = a_shop(tmp_path / f"{count}")
        with shop.store.transaction() as db:
            keep, taken = (persons.create(shop.store, "customer", NOON) for _ in range(2))
            for number in range(count):
                for person, at_ms in ((keep, NOON + number * gap), (taken, NOON + number * gap + gap // 2)):
                    row = [f"{person} {number}", person, at_ms, at_ms + 3000]
                    db.execute(
                        """INSERT INTO visits (id, person_id, verdict, state, first_seen_ms, last_seen_ms)
                            VALUES (?, ?, 'new', 'settled', ?, ?)""",
                        row,
                    )
                    db.execute(
                        """INSERT INTO sightings (id, visit_id, camera_id, began_ms, ended_ms, shots, face_width_px, model, verdict, reason)
                            VALUES ('s ' || ?1, ?1, 'door', ?3, ?4, 5, 60, 'test', 'known', '')""",
                        [row[0], "", *row[2:]],
                    )
            for person in (keep, taken):
                visits.renumber(shop.store, person, NOON)
        done: list[str] = []
        with shop.store.transaction() as db:
            db.conn.set_trace_callback(done.append)
            merging.merge(shop.store, keep, taken, GAP_MS, NOON)
            merged = len(done)
            (merge_id,) = db.execute("SELECT id FROM merges").fetchone()
            merge_history.undo(shop.store, merge_id, NOON)
            db.conn.set_trace_callback(None)
        shop.store.close()
        return merged, len(done) - merged

    few, many = statements(20), statements(80)
    assert many[0] < 4.5 * few[0] and many[1] < 4.5 * few[1]
