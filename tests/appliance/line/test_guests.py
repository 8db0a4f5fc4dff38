"""Grace shops at another store of the chain and comes here for the first time; Alice is staff of the chain; Charlie opted out elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.line import guests
from appliance.line.guests import GuestRow
from appliance.sightings import Phase
from sync.facts import GuestGone, OptOut, OptOutEnded, PersonKnown
from sync.records import PersonRecord
from tests.appliance.line.chain import OTHER_STORE, an_id, guest, lent, table, told
from tests.appliance.stores import DAY_MS, NOON
from tests.appliance.visitors import ALICE, BOB, CHARLIE, DORA, MINUTE_MS, Shop, a_shop, face, like

GRACE = 5


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = a_shop(tmp_path / "data")
    yield made
    made.store.close()


def test_a_guest_becomes_a_person_of_this_store_when_they_come(shop: Shop) -> None:
    identity = an_id()
    told(shop, guest(identity, face(GRACE), like(GRACE, 0.8)))
    assert shop.count("persons") == 0
    outcome = shop.see(like(GRACE, 0.95, 3))
    person_id = outcome.person_id
    assert person_id and outcome.verdict == "new" and outcome.decision.person_id == person_id
    record = next(r for r in shop.records() if isinstance(r, PersonRecord))
    assert (record.id, record.guest_of, record.name, record.role) == (person_id, identity, "", "customer")
    assert guests.words_of(shop.store, "chain", person_id) == ("Grace", [OTHER_STORE])
    assert table(shop, "SELECT nearest_person_id FROM sightings") == [(person_id,)]
    assert shop.see(like(GRACE, 0.95, 4), NOON + DAY_MS).person_id == person_id
    assert shop.count("persons") == 1 and shop.verdicts() == [("new", 1), ("returning", 2)]
    shop.recognition.check()


def test_lent_templates_speak_for_the_person_that_was_made_of_a_guest(shop: Shop) -> None:
    identity = an_id()
    told(shop, guest(identity, face(GRACE), like(GRACE, 0.6, 7)))
    person_id = shop.see(face(GRACE)).person_id
    # Like the lent view alone, unlike the one that was learned.
    assert shop.see(like(GRACE, 0.6, 7), NOON + DAY_MS).person_id == person_id
    shop.again()
    assert shop.see(like(GRACE, 0.6, 7), NOON + 2 * DAY_MS).person_id == person_id


def test_a_guest_who_stays_before_the_camera_is_a_person_before_they_leave(shop: Shop) -> None:
    told(shop, guest(an_id(), face(GRACE)))
    first = shop.see(face(GRACE), NOON, "s", phase=Phase.OPENED, shots=2, lasts_ms=300)
    assert first.person_id is None and shop.count("persons") == 0
    stays = shop.see(face(GRACE), NOON, "s", phase=Phase.IMPROVED, shots=9, lasts_ms=2000)
    assert stays.person_id and shop.count("persons") == 1
    last = shop.see(face(GRACE), NOON, "s", shots=12)
    assert last.person_id == stays.person_id and shop.count("persons") == 1 and shop.verdicts() == [("new", 1)]


def test_a_telling_that_fails_makes_nobody_of_a_guest(shop: Shop) -> None:
    told(shop, guest(an_id(), face(GRACE)))
    with shop.store.transaction() as db:
        db.execute("CREATE TRIGGER full BEFORE INSERT ON sightings BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(Exception, match="full"):
        shop.see(face(GRACE), NOON, "s")
    with shop.store.transaction() as db:
        db.execute("DROP TRIGGER full")
    assert shop.count("persons") == 0
    assert shop.see(face(GRACE), NOON, "s").person_id
    shop.recognition.check()


def test_staff_of_the_chain_are_staff_here_and_not_counted(shop: Shop) -> None:
    told(shop, guest(an_id(), face(ALICE), role="staff", name="Alice"))
    assert shop.see(face(ALICE)).verdict == "staff"
    assert shop.see(face(ALICE), NOON + MINUTE_MS * 30).verdict == "staff"
    assert shop.person(str(shop.visits()[0][0])).role == "staff"


def test_a_person_of_this_store_who_turns_out_to_be_staff_of_the_chain_is_staff_from_then_on(shop: Shop) -> None:
    person_id, identity = shop.see(face(ALICE)).person_id, an_id()
    assert person_id
    told(shop, PersonKnown(person_id=person_id, identity_id=identity), guest(identity, like(ALICE, 0.9), role="staff"))
    assert shop.verdicts() == [("staff", 1)]
    assert shop.see(face(ALICE), NOON + DAY_MS).person_id == person_id and shop.verdicts()[-1][0] == "staff"


def test_of_a_guest_who_opted_out_nothing_is_stored_but_the_count(shop: Shop) -> None:
    told(shop, OptOut(erasure_id=an_id(), identity_id=(identity := an_id()), templates=lent(face(CHARLIE))))
    before = {name: rows for name, rows in shop.dump().items() if name not in ("opted_out_counts",)}
    for at in (NOON, NOON + MINUTE_MS, NOON + DAY_MS):
        outcome = shop.see(like(CHARLIE, 0.9), at)
        assert (outcome.verdict, outcome.visit_id) == ("opted_out", None)
    assert {name: rows for name, rows in shop.dump().items() if name not in ("opted_out_counts",)} == before
    assert shop.opted_out_counts() == 2 and shop.pictures() == []
    told(shop, OptOutEnded(identity_id=identity))
    assert shop.see(like(CHARLIE, 0.9), NOON + 2 * DAY_MS).verdict == "new"


def test_a_guest_that_is_taken_back_is_a_stranger_again_and_a_person_stays(shop: Shop) -> None:
    grace, dora = an_id(), an_id()
    told(shop, guest(grace, face(GRACE)), guest(dora, face(DORA)))
    person_id = shop.see(face(GRACE)).person_id
    told(shop, GuestGone(identity_id=grace), GuestGone(identity_id=dora))
    assert shop.count("guests") == shop.count("guest_templates") == 0
    assert shop.see(face(GRACE), NOON + DAY_MS).person_id == person_id
    assert shop.see(face(DORA), NOON + DAY_MS).decision.similarity != 1.0


def test_two_people_in_one_picture_are_not_one_guest(shop: Shop) -> None:
    told(shop, guest(an_id(), face(GRACE)))
    first = shop.see(face(GRACE), NOON, "s", phase=Phase.IMPROVED, shots=9)
    second = shop.see(like(GRACE, 0.9), NOON, "t", seen_with=("s",))
    assert first.person_id and second.person_id != first.person_id


def test_guests_make_the_bar_higher_and_templates_of_another_model_do_not(shop: Shop) -> None:
    before = shop.recognition.thresholds()
    told(shop, *(guest(an_id(), face(10 + i)) for i in range(20)))
    assert shop.recognition.thresholds().match > before.match
    again = shop.recognition.thresholds()
    other = guest(an_id())
    told(shop, type(other)(identity_id=an_id(), role="customer", templates=lent(face(40), model="another")))
    assert shop.recognition.thresholds() == again


def test_a_customer_who_is_known_here_and_lent_as_well_is_one(shop: Shop) -> None:
    person_id, identity = shop.see(face(BOB)).person_id, an_id()
    assert person_id
    told(shop, guest(identity, face(BOB), like(BOB, 0.9)), PersonKnown(person_id=person_id, identity_id=identity))
    assert shop.see(face(BOB), NOON + DAY_MS).person_id == person_id and shop.count("persons") == 1


def test_a_hub_that_lends_without_end_is_stopped_but_an_opt_out_is_never_turned_away(shop: Shop) -> None:
    with shop.store.transaction():
        taken = [guests.put(shop.store, GuestRow(an_id(), "customer"), [], guests_max=3) for _ in range(5)]
        assert taken == [True, True, True, False, False]
        assert guests.put(shop.store, GuestRow(an_id(), "opted_out"), [], guests_max=3)


def test_a_guest_taken_back_behind_the_gallerys_back_is_nobody(shop: Shop) -> None:
    told(shop, guest(an_id(), face(GRACE)))
    with shop.store.transaction() as db:
        # As a command does that runs beside the appliance.
        db.execute("DELETE FROM guests")
    outcome = shop.see(face(GRACE))
    assert (outcome.person_id, outcome.verdict) == (None, "unsure")
    shop.recognition.renew_guests()
    shop.recognition.check()
