"""The round trip at the hub's end: what is acknowledged is committed, what comes twice is applied once, what cannot be is refused."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub import appliances, facts, ingest
from hub.database import Database
from hub.ingest import exchange
from hub.rates import EXCHANGES
from sync import envelope, keys
from sync.errors import CannotOpen, SyncError
from sync.facts import Apart, GivenBack, decoded
from sync.messages import MESSAGE_BYTES_MAX, Answer, CameraStatus, Refusal, Status
from sync.records import decoded as record_of
from sync.refusals import read_refusal
from tests.hub.chain import NOW, Chain
from tests.hub.lines import Line, World, make_world
from tests.hub.telling import NOW_MS, new_id, person, template, visit
from tests.simulation.planted import skips_a_gap


@pytest.fixture
def world(chain: Chain) -> World:
    return make_world(chain)


def rows(line: Line, database: Database, query: str, *values: object) -> list[tuple[Any, ...]]:
    with database.tenant(line.tenant_id) as tx:
        return tx.execute(query, list(values)).fetchall()  # type: ignore[arg-type]


def test_what_is_acknowledged_is_stored(world: World) -> None:
    bob = new_id()
    answer = world.a.tells(person(bob), template(bob), visit(bob))
    assert (answer.acknowledged, answer.resend, answer.set_aside) == (3, False, 0)
    assert rows(world.a, world.deps.database, "SELECT person_id FROM visits") == [(bob,)]
    assert rows(world.danas, world.deps.database, "SELECT count(*) FROM visits") == [(0,)]


def test_a_batch_that_comes_again_is_applied_once_and_acknowledged_again(world: World) -> None:
    bob = new_id()
    message = world.a.message([person(bob), visit(bob)])
    first, second = world.a.send(message), world.a.send(message)
    assert isinstance(first, Answer) and isinstance(second, Answer)
    assert first.acknowledged == second.acknowledged == 2
    assert rows(world.a, world.deps.database, "SELECT count(*) FROM visits") == [(1,)]


def test_a_gap_is_asked_for_again_and_nothing_of_it_is_applied(world: World) -> None:
    world.a.tells(visit())
    answer = world.a.send(world.a.message([visit()], first=3))
    assert isinstance(answer, Answer)
    assert (answer.acknowledged, answer.resend) == (1, True)
    assert rows(world.a, world.deps.database, "SELECT count(*) FROM visits") == [(1,)]
    told_anew = world.a.send(world.a.message([visit()], first=3, abandoned_through=2))
    assert isinstance(told_anew, Answer)
    assert (told_anew.acknowledged, told_anew.resend) == (3, False)


def test_the_planted_bug_that_skips_a_gap_loses_a_visit_without_a_word(world: World) -> None:
    world.a.tells(visit())
    gap = world.a.message([visit()], first=3)
    answer = world.a.opened(gap, skips_a_gap(world.deps, gap, NOW))
    assert isinstance(answer, Answer)
    assert (answer.acknowledged, answer.resend) == (3, False)
    assert rows(world.a, world.deps.database, "SELECT count(*) FROM visits") == [(2,)]


def test_the_known_head_of_a_batch_is_skipped(world: World) -> None:
    one, two = visit(), visit()
    world.a.tells(one)
    answer = world.a.send(world.a.message([one, two], first=1))
    assert isinstance(answer, Answer)
    assert answer.acknowledged == 2
    assert rows(world.a, world.deps.database, "SELECT count(*) FROM visits") == [(2,)]


def test_rubbish_among_records_is_set_aside_once_and_counted(world: World) -> None:
    message = world.a.message([visit(), b"\xc1", visit()])
    for _ in range(2):
        answer = world.a.send(message)
        assert isinstance(answer, Answer)
        assert answer.acknowledged == 3
    assert rows(world.a, world.deps.database, "SELECT sequence, kind FROM set_aside") == [(2, "unreadable")]
    assert rows(world.a, world.deps.database, "SELECT set_aside_count FROM appliances WHERE id = %s", world.a.appliance_id) == [(1,)]


def test_facts_come_down_with_the_answer_page_by_page(world: World) -> None:
    with world.deps.database.tenant(world.a.tenant_id) as tx:
        vault = world.deps.database.vault(tx, world.a.tenant_id)
        told = [Apart(person_a=str(number), person_b="9") for number in range(5)]
        facts.tell_many(tx, vault, [facts.Telling(one, world.a.appliance_id, one.person_a) for one in told], NOW)
    heard = []
    for expected_more in (True, True, False):
        answer = world.a.tells(facts_max=2)
        assert answer.more is expected_more
        heard += [decoded(payload) for _, payload in answer.facts]
    assert heard == told
    assert world.a.tells().facts == []
    assert world.b.tells().facts == []


def test_how_an_appliance_does_is_kept_and_shown(world: World) -> None:
    status = Status(version="0.2", waiting=7, cameras=[CameraStatus(id=new_id(), state="running", words="all well")])
    world.a.tells(status=status, sent_ms=NOW_MS + 90_000)
    with world.deps.database.tenant(world.a.tenant_id) as tx:
        kept = appliances.get(tx, world.a.appliance_id)
    assert (kept.last_contact_at, kept.clock_skew_ms) == (NOW, 90_000)
    assert (kept.status["waiting"], kept.status["cameras"][0]["state"]) == (7, "running")


def refusal(world: World, line: Line, message: bytes) -> Refusal:
    body = exchange(world.deps, message, world.now)
    return read_refusal(body, answers=envelope.digest(message), senders=[line.hub.sign])


def test_who_is_not_known_is_refused_with_a_signed_word(world: World) -> None:
    stranger = replace(world.a, appliance_id=new_id())
    assert refusal(world, world.a, stranger.message([visit()])).code == "unknown"
    liar = replace(world.a, own=keys.make())
    assert refusal(world, world.a, liar.message([visit()])).code == "wrong_key"


def test_an_appliance_cannot_speak_for_another_or_for_another_tenant(world: World) -> None:
    as_b = replace(world.a, appliance_id=world.b.appliance_id)
    as_danas = replace(world.a, tenant_id=world.danas.tenant_id)
    as_danas_own = replace(world.danas, tenant_id=world.a.tenant_id)
    assert refusal(world, world.a, as_b.message([visit()])).code == "wrong_key"
    assert refusal(world, world.a, as_danas.message([visit()])).code == "unknown"
    assert refusal(world, world.a, as_danas_own.message([visit()])).code == "unknown"
    for line in (world.a, world.danas):
        assert rows(line, world.deps.database, "SELECT count(*) FROM visits") == [(0,)]


def test_a_revoked_appliance_is_told_so_and_nobody_else_is(world: World) -> None:
    with world.deps.database.tenant(world.a.tenant_id) as tx:
        appliances.revoke(tx, world.a.appliance_id, NOW)
    assert refusal(world, world.a, world.a.message([visit()])).code == "revoked"
    assert refusal(world, world.a, replace(world.a, own=keys.make()).message([visit()])).code == "wrong_key"


@pytest.mark.parametrize(
    "rubbish",
    [b"", b"\xc1", b"\x93\xc4\x00\xc4\x00\xc4\x00", b"GET / HTTP/1.1", b"\x93" * 5000, b"\x00" * (MESSAGE_BYTES_MAX + 1)],
)
def test_rubbish_is_refused_and_stores_nothing(world: World, rubbish: bytes) -> None:
    assert refusal(world, world.a, rubbish).code in ("malformed", "too_large")


def test_a_message_changed_on_the_way_is_refused(world: World) -> None:
    message = world.a.message([visit()])
    for at in range(0, len(message), max(1, len(message) // 40)):
        changed = message[:at] + bytes([message[at] ^ 1]) + message[at + 1 :]
        body = exchange(world.deps, changed, NOW)
        assert read_refusal(body, answers=envelope.digest(changed), senders=[world.a.hub.sign]).code
    assert rows(world.a, world.deps.database, "SELECT count(*) FROM visits") == [(0,)]


def test_an_appliance_that_comes_too_often_is_sent_away_for_a_while(world: World) -> None:
    for _ in range(int(EXCHANGES.burst)):
        world.a.tells()
    told = refusal(world, world.a, world.a.message([visit()]))
    assert (told.code, told.retry_s >= 1) == ("too_fast", True)
    world.b.tells(visit())
    world.now = NOW + timedelta(seconds=told.retry_s)
    world.a.tells(visit())


def test_two_batches_of_one_appliance_at_once_are_applied_one_after_the_other(world: World) -> None:
    # Of a line that the hub has never heard of, whichever batch came first would begin it.
    world.a.tells(visit())
    seen = [visit() for _ in range(20)]
    messages = [world.a.message(seen[:10], first=2), world.a.message(seen, first=2), world.a.message(seen[10:], first=12)] * 3
    answers: list[Answer | Refusal] = []
    threads = [threading.Thread(target=lambda one=message: answers.append(world.a.send(one))) for message in messages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(one, Answer) for one in answers)
    last = world.a.send(world.a.message([], first=22))
    assert isinstance(last, Answer) and last.acknowledged == 21
    assert rows(world.a, world.deps.database, "SELECT count(*) FROM visits") == [(21,)]


def test_keys_of_an_appliance_are_rotated_and_a_lost_answer_loses_nothing(world: World) -> None:
    fresh, old = keys.make(), world.a.own
    world.a.tells(visit())
    message = world.a.message([visit()], next_keys=fresh.public)
    assert isinstance(exchange(world.deps, message, NOW), bytes)  # the answer is lost
    world.a.opens_with = [fresh]
    again = world.a.send(message)
    assert isinstance(again, Answer) and again.keys_taken and again.acknowledged == 2
    world.a.sent, world.a.own = 2, fresh
    world.a.tells(visit())
    assert refusal(world, world.a, replace(world.a, own=old).message([visit()])).code == "wrong_key"


def test_an_old_message_played_again_cannot_put_old_keys_back(world: World) -> None:
    old, first, second = world.a.own, keys.make(), keys.make()
    recorded = world.a.message([], next_keys=first.public)
    world.a.opens_with = [first, second]
    world.a.tells(next_keys=first.public)
    world.a.own = first
    world.a.tells(next_keys=second.public)
    for line in (world.a, replace(world.a, own=old)):
        assert isinstance(line.send(recorded), Refusal)
    world.a.own = second
    assert world.a.tells(visit()).acknowledged == 1


def test_the_hubs_keys_are_rotated_and_stores_that_know_the_old_are_told(world: World) -> None:
    before = world.a.hub
    new = world.deps.keys.rotate(NOW)
    answer = world.a.tells(visit())
    assert answer.hub_keys == new.public != before
    world.a.hub = new.public
    assert world.a.tells(visit()).hub_keys is None
    assert world.b.tells(visit()).hub_keys == new.public


def test_a_new_life_of_the_database_is_given_back_what_the_hub_has(world: World) -> None:
    bob = new_id()
    told = [person(bob, name="Bob"), template(bob), visit(bob, similarity=0.5, bar=0.25)]
    world.a.tells(*told)
    world.a.line, world.a.sent, world.a.cursor, old = new_id(), 0, 0, world.a.line
    answer = world.a.tells(visit())
    given = [record_of(fact.payload) for _, payload in answer.facts if isinstance(fact := decoded(payload), GivenBack)]
    assert [one for one in given if getattr(one, "id", "") in {one.id for one in told}] == [
        told[0],
        given[[type(one) for one in given].index(type(told[1]))],
        told[2],
    ]
    assert refusal(world, world.a, world.a.message([visit()], line=old, first=4)).code == "old_line"
    assert world.b.tells().facts == []


def test_a_disk_that_was_put_back_does_not_pass_off_new_records_as_old_ones(world: World) -> None:
    world.a.tells(visit(), visit())
    assert refusal(world, world.a, world.a.message([visit()], first=2)).code == "old_line"


def test_a_store_paired_again_takes_over_the_ids_of_its_revoked_predecessor(world: World, chain: Chain) -> None:
    bob, seen = new_id(), visit()
    world.a.tells(person(bob), template(bob), seen)
    with world.deps.database.tenant(world.a.tenant_id) as tx:
        appliances.revoke(tx, world.a.appliance_id, NOW)
        tx.execute("UPDATE appliances SET site_id = %s WHERE id = %s", [chain.site_a.id, world.b.appliance_id])
    assert world.b.tells(person(bob), template(bob), visit(bob, id=seen.id)).set_aside == 0
    owners = rows(world.b, world.deps.database, "SELECT appliance_id FROM visits UNION SELECT appliance_id FROM persons WHERE id = %s", bob)
    assert owners == [(world.b.appliance_id,)]


def test_a_database_that_is_away_is_a_hub_that_is_busy(world: World) -> None:
    message = world.a.message([visit()])
    world.deps.database.close()
    told = refusal(world, world.a, message)
    assert told.code == "busy"
    assert told.retry_s > 0


def test_a_message_of_another_kind_is_refused(world: World) -> None:
    answer = world.a.carry(world.a.message([]))
    with pytest.raises((SyncError, CannotOpen)):
        ingest.open_message(world.deps, answer, ingest.Push, NOW)
