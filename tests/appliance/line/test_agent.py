"""The store's end of the line against a headquarters that is away, forgets, lies, or is set back: nothing lost, nothing done twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from appliance import forgetting, notices
from appliance.line import link, room, standing
from appliance.line.agent import POLL_S, YIELD_S, YIELD_S_MAX
from sync import keys, outbox
from sync.facts import Erase, OptOut, PersonKnown, TenantSettings
from sync.records import PersonGone, ReceiptRecord, ToldBack
from sync.refusals import Code
from tests.appliance.line.both_ends import Line, three_come
from tests.appliance.line.chain import an_id, guest, lent, table
from tests.appliance.line.headquarters import Headquarters, set_back
from tests.appliance.stores import DAY_MS, NOON
from tests.appliance.visitors import BOB, CHARLIE, DORA, a_shop, face
from tests.cheap import CHEAP_WORK

GRACE = 5


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(a_shop(tmp_path / "data"), Headquarters(work=CHEAP_WORK))
    yield made
    made.agent.stop()
    made.shop.store.close()


def test_what_happened_before_and_after_the_pairing_is_told_once(line: Line) -> None:
    three_come(line)
    waiting = outbox.span(line.shop.store.db.conn).newest
    assert line.agent.step() == POLL_S and line.hub.asked == []
    line.pair()
    line.run()
    assert line.agreed() and len(line.hub.known.records) == waiting
    line.shop.see(face(BOB), NOON + DAY_MS)
    line.run()
    assert line.agreed() and line.hub.known.progress.applied == outbox.span(line.shop.store.db.conn).newest
    stands = standing.read(line.shop.store.db.conn)
    assert (stands.waiting, stands.error, stands.tenant, stands.site) == (0, "", "Corner Shops", "Harbour")
    assert line.hub.status.model == "test"


def test_an_appliance_that_told_elsewhere_tells_everything_anew(line: Line) -> None:
    three_come(line)
    with line.shop.store.transaction() as db:
        outbox.acknowledge(db.conn, outbox.newest(db.conn))
    line.pair()
    line.run()
    assert line.agreed() and len(line.hub.persons()) == 3


def test_a_line_that_is_away_for_long_loses_nothing_and_is_tried_ever_more_rarely(line: Line) -> None:
    line.pair()
    line.hub.away = True
    three_come(line)
    line.run(3600)
    stands = standing.read(line.shop.store.db.conn)
    assert "hub.test" in stands.error and stands.waiting > 0 and stands.contact_ms is None
    assert line.agent.stands.failures < 30
    line.hub.away = False
    line.run(400)
    assert line.agreed() and standing.read(line.shop.store.db.conn).error == ""


def test_lost_answers_and_restarts_between_any_two_steps_lose_and_repeat_nothing(line: Line) -> None:
    line.pair()
    line.hub.tell(guest(an_id(), face(GRACE)), TenantSettings(snapshots=True))
    for day in range(6):
        line.hub.loses = 2
        three_come(line, NOON + day * DAY_MS)
        for _ in range(4):
            line.run(3)
            line.begin()
    line.run()
    assert line.agreed() and line.shop.count("guests") == 1
    assert len(line.hub.visits()) == 18 and line.shop.count("visits") == 18


@pytest.mark.parametrize("table_name", ["outbox", "link", "guests", "chain", "persons", "visits"])
def test_a_store_that_cannot_write_an_answer_down_asks_again(line: Line, table_name: str) -> None:
    line.pair()
    bob = three_come(line)[0]
    line.run()
    identity = an_id()
    line.hub.tell(
        PersonKnown(person_id=bob, identity_id=identity, name="Bob"),
        guest(an_id(), face(GRACE)),
        Erase(erasure_id=an_id(), identity_id=identity, person_ids=[bob]),
    )
    with line.shop.store.transaction() as db:
        for kind in ("INSERT", "UPDATE", "DELETE"):
            db.execute(f"CREATE TRIGGER full_{kind} BEFORE {kind} ON {table_name} BEGIN SELECT RAISE(ABORT, 'disk'); END")
    for _ in range(3):
        try:
            line.run(70)
        except Exception:
            line.steady_s += 5
    with line.shop.store.transaction() as db:
        for kind in ("INSERT", "UPDATE", "DELETE"):
            db.execute(f"DROP TRIGGER full_{kind}")
    line.run(700)
    assert line.agreed()


def test_facts_reach_the_gallery_and_receipts_go_up(line: Line) -> None:
    line.pair()
    bob, dora, _ = three_come(line)
    line.run()
    charlie = an_id()
    line.hub.tell(
        Erase(erasure_id=an_id(), identity_id=an_id(), person_ids=[bob]),
        OptOut(erasure_id=an_id(), identity_id=charlie, templates=lent(face(CHARLIE))),
        PersonKnown(person_id=dora, identity_id=an_id(), name="Dora", also_at=["Riverside"]),
    )
    line.run()
    line.shop.recognition.check()
    assert line.agreed() and line.people_changed
    assert sum(isinstance(r, ReceiptRecord) for r in line.hub.known.records) == 2
    assert line.shop.see(face(CHARLIE), NOON + DAY_MS).verdict == "opted_out"


def test_thousands_of_facts_come_in_a_few_round_trips(line: Line) -> None:
    line.pair()
    line.hub.tell(*(guest(f"{an_id()[:-4]}{i:04}", face(20)) for i in range(900)))
    before = len(line.hub.asked)
    line.run(12)
    assert line.shop.count("guests") == 900 and len(line.hub.asked) - before <= 7


def test_a_revoked_appliance_works_on_by_itself_and_says_so(line: Line) -> None:
    line.pair()
    line.hub.refuses = Code.REVOKED
    three_come(line)
    line.run()
    asked = len(line.hub.asked)
    stands = standing.read(line.shop.store.db.conn)
    assert stands.revoked and "revoked" in stands.error and stands.mood(NOON) == "bad"
    line.begin()
    line.run(4000)
    assert len(line.hub.asked) == asked and line.shop.see(face(BOB), NOON + DAY_MS).verdict == "returning"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(200, content=b"<html>", headers={"content-type": "text/html"}), "no headquarters"),
        (httpx.Response(404), "there is no headquarters at this address"),
        (httpx.Response(302, headers={"location": "https://elsewhere"}), "no headquarters"),
        (httpx.Response(200, content=b"\x93rubbish", headers={"content-type": "application/msgpack"}), "cannot be used"),
        (httpx.Response(200, content=b"", headers={"content-type": "application/msgpack"}), "cannot be used"),
        (httpx.Response(200, content=bytes(4 << 20), headers={"content-type": "application/msgpack"}), "more than 3 MB"),
        (httpx.Response(500, content=b"\x92\xc4\x00\xc4\x00", headers={"content-type": "application/msgpack"}), "cannot be used"),
    ],
)
def test_rubbish_for_an_answer_is_words_and_nothing_is_lost(line: Line, answer: httpx.Response, words: str) -> None:
    line.pair()
    three_come(line)
    line.hub.rubbish = answer
    line.run(10)
    assert words in standing.read(line.shop.store.db.conn).error
    line.hub.rubbish = None
    line.run(700)
    assert line.agreed()


def test_a_headquarters_with_other_keys_is_not_believed(line: Line) -> None:
    line.pair()
    three_come(line)
    own, line.hub.own = line.hub.own, keys.make()
    line.run(10)
    assert standing.read(line.shop.store.db.conn).error and line.hub.known.records == []
    line.hub.own = own
    line.run(700)
    assert line.agreed()


def test_keys_are_rotated_at_both_ends_without_losing_a_record(line: Line) -> None:
    line.pair()
    three_come(line)
    before = line.hub.appliance
    link.rotate(line.shop.store, keys.make())
    line.hub.loses = 1
    line.run()
    found = link.read(line.shop.store)
    assert line.hub.appliance != before and found and not found.rotating
    line.hub.rotate()
    line.shop.see(face(BOB), NOON + DAY_MS)
    line.run()
    found = link.read(line.shop.store)
    assert found and found.hub == line.hub.own.public and line.agreed()


def test_a_backup_of_the_time_when_keys_were_changed_finds_the_right_ones(line: Line) -> None:
    line.pair()
    link.rotate(line.shop.store, keys.make())
    kept = table(line.shop, "SELECT own_keys_sealed, next_keys_sealed FROM link")[0]
    line.run()
    line.shop.see(face(BOB), NOON)
    line.run()
    line.hub.old_sign = bytes(32)
    with line.shop.store.transaction() as db:
        db.execute("UPDATE link SET own_keys_sealed = ?, next_keys_sealed = ?", list(kept))
    three_come(line, NOON + DAY_MS)
    line.run(1000)
    assert line.agreed()


def test_an_old_answer_in_the_place_of_the_right_one_is_no_answer_and_the_line_goes_on(line: Line) -> None:
    line.pair()
    line.run(5)
    kept: list[httpx.Response] = []
    line.hub.keeps = kept
    line.run(70)
    line.hub.rubbish = httpx.Response(200, content=kept[0].content, headers=kept[0].headers)
    three_come(line)
    line.run(10)
    assert "belongs to another message" in standing.read(line.shop.store.db.conn).error
    line.hub.rubbish = None
    line.run(300)
    assert line.agreed()


def test_a_headquarters_set_back_to_an_earlier_day_is_told_anew(line: Line) -> None:
    line.pair()
    three_come(line)
    line.run()
    kept = line.hub.backup()
    bob = str(line.shop.see(face(BOB), NOON + DAY_MS).person_id)
    with line.shop.store.transaction():
        line.shop.recognition.renew(forgetting.erase(line.shop.store, bob, NOON).keys)
    line.run()
    set_back(line.hub, kept)
    line.shop.see(face(DORA), NOON + 2 * DAY_MS)
    line.run()
    assert line.agreed()
    assert any(isinstance(r, PersonGone) and r.id == bob and r.erased for r in line.hub.known.records)


def test_a_headquarters_that_says_so_is_told_anew_and_heard_from_the_start(line: Line) -> None:
    line.hub.life = "before"
    line.pair()
    bob, *_ = three_come(line)
    dora_elsewhere, opted_out, erased = an_id(), an_id(), an_id()
    line.hub.tell(
        PersonKnown(person_id=bob, identity_id=an_id(), name="Bob"),
        guest(dora_elsewhere, face(GRACE)),
        OptOut(erasure_id=an_id(), identity_id=opted_out, templates=lent(face(CHARLIE))),
    )
    line.run()
    kept = line.hub.backup()
    line.hub.tell(Erase(erasure_id=erased, identity_id=an_id(), person_ids=[bob]))
    line.run()
    assert table(line.shop, "SELECT hub_life, cursor, acknowledged > 0 FROM link") == [("before", 4, 1)]
    set_back(line.hub, kept)
    line.hub.known.told.clear()
    line.hub.life = "after"
    heard = len(line.hub.known.records)
    line.run()
    # Even though nothing new had happened, and no record was missing that it could have asked for.
    first, *_ = line.hub.known.records[heard:]
    assert isinstance(first, ToldBack) and line.agreed()
    assert table(line.shop, "SELECT hub_life, cursor FROM link") == [("after", 0)]
    assert table(line.shop, "SELECT identity_id FROM guests") == [(opted_out,)] and line.shop.count("chain") == 0
    line.shop.recognition.check()


def test_an_outbox_that_had_no_room_is_made_good_by_telling_anew(line: Line) -> None:
    line.pair()
    line.hub.away = True
    three_come(line)
    line.run(20)
    store = line.shop.store
    assert room.keep(store, NOON, records_max=12) == 0 and "% full" in notices.open_notices(store)[0].words
    assert room.keep(store, NOON, records_max=7) > 0 and "told everything anew" in notices.open_notices(store)[0].words
    line.hub.away = False
    line.run(700)
    assert line.agreed() and len(line.hub.persons()) == 3
    assert room.keep(store, NOON) == 0 and notices.open_notices(store) == []


def test_a_store_that_is_paired_with_nobody_is_not_troubled_by_its_outbox(line: Line) -> None:
    three_come(line)
    assert room.keep(line.shop.store, NOON, records_max=7) > 0 and notices.open_notices(line.shop.store) == []
    line.pair()
    line.run()
    assert line.agreed() and len(line.hub.persons()) == 3


def test_a_store_set_back_to_a_backup_tells_everything_in_a_new_line(line: Line) -> None:
    line.pair()
    three_come(line)
    line.run()
    with line.shop.store.transaction() as db:
        db.execute("UPDATE settings SET value = ? WHERE key = 'outbox_line'", [an_id()])
        db.execute("DELETE FROM outbox")
    line.shop.see(face(GRACE), NOON + DAY_MS)
    line.run()
    assert line.agreed() and line.hub.known.progress.line == link.line_of(line.shop.store)


def test_a_disk_put_back_to_an_earlier_day_begins_a_new_line(line: Line) -> None:
    line.pair()
    three_come(line)
    line.run()
    with line.shop.store.transaction() as db:
        # The very same line, whose numbers are given out a second time.
        db.execute("UPDATE sqlite_sequence SET seq = 2 WHERE name = 'outbox'")
    line.shop.see(face(GRACE), NOON + DAY_MS)
    line.run(700)
    assert line.agreed() and line.hub.known.progress.past_lines


def test_the_line_waits_while_sightings_wait_but_not_for_ever(line: Line) -> None:
    line.pair()
    line.busy = True
    assert line.agent.step() == YIELD_S and line.hub.asked == ["/sync/v1/pair"]
    for _ in range(round(YIELD_S_MAX / YIELD_S)):
        line.agent.step()
    assert line.hub.asked[-1] == "/sync/v1/exchange"
