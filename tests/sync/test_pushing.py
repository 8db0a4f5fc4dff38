"""The appliance's half: what it asks, what an answer makes of it, how long it waits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync import keys, packing
from sync.contact import (
    Acknowledge,
    Action,
    ApplyFacts,
    BeginLine,
    Contact,
    HubPutBack,
    LearnHub,
    LearnLife,
    Link,
    Now,
    SnapshotDone,
    Speed,
    TellAnew,
    UseNextKeys,
    counted,
)
from sync.envelope import digest, opened_message, read_header, sealed_message
from sync.messages import RECORDS_MAX, Answer, Push, Snapshot, Status, Taken
from sync.outbox import Entry, Span
from sync.pushing import (
    BACKOFF_S_MAX,
    HUB_PUT_BACK,
    IDLE_S,
    PACE_S,
    PUT_BACK,
    RECORDS_MIN,
    TOLD_ANEW,
    WORDS,
    answered,
    ask,
    clock_words,
    failed,
    show,
    started_again,
    wait_s,
)
from sync.records import VisitGone, encoded
from sync.refusals import Code, refusal_message

TENANT, APPLIANCE, LINE = (f"01940000-0000-7000-8000-00000000000{n}" for n in "abc")
HUB, NEW_HUB, STORE, NEXT, STRANGER = (keys.from_stored(b"\x01" + bytes([n]) * 64) for n in range(2, 7))
LINK = Link(TENANT, APPLIANCE, LINE, HUB.public, STORE)
THEN = Now(1_795_000_000_000, 100.0)
LATER = Now(THEN.ms + 4_000, 104.0)


def entries(first: int, last: int) -> list[Entry]:
    return [Entry(n, 1, "visit_gone", encoded(VisitGone(id=str(n)))) for n in range(first, last + 1)]


def span(first: int, last: int) -> Span:
    return Span(first if first <= last else None, last)


def asked(first: int = 1, last: int = 3, newest: int = 3, link: Link = LINK, contact: Contact | None = None) -> tuple[Contact, bytes]:
    return ask(contact or Contact(), link, entries(first, last), span(1, newest), Status(waiting=newest), THEN)


def answer(request: bytes, hub: keys.OwnKeys = HUB, to: keys.OwnKeys = STORE, now_ms: int = THEN.ms + 2_000, **fields: object) -> bytes:
    body = Answer(**{"acknowledged": 3, "now_ms": now_ms, **fields})  # type: ignore[arg-type]
    where = {"tenant": TENANT, "appliance": APPLIANCE, "line": LINE}
    return sealed_message(body, **where, first=1, last=3, made_ms=1, answers=digest(request), to=to.public, own=hub)


def after(held: Span | None = None, link: Link = LINK, hub: keys.OwnKeys = HUB, **fields: object) -> tuple[Contact, tuple[Action, ...]]:
    contact, request = asked(link=link)
    return answered(contact, link, held or Span(1, 3), answer(request, hub, **fields), LATER, 0.5)


def refused(code: Code, retry_s: int = 0, by: keys.OwnKeys = HUB) -> tuple[Contact, tuple[Action, ...]]:
    contact, request = asked()
    refusal = refusal_message(code, "words", answers=digest(request), now_ms=THEN.ms, retry_s=retry_s, own=by)
    return answered(contact, LINK, Span(1, 3), refusal, LATER, 0.5)


def test_a_request_carries_the_records_in_order_and_what_else_the_hub_wants() -> None:
    link = replace(LINK, cursor=7, abandoned_through=2, next_keys=NEXT)
    contact, message = asked(3, 5, 9, link)
    read = read_header(message)
    push = opened_message(read, Push, tenant=TENANT, appliance=APPLIANCE, answers=b"", own=[HUB], senders=[STORE.public.sign])
    assert (read.header.first, read.header.last, read.header.line) == (3, 5, LINE)
    assert packing.unpacked(push.records) == [entry.payload for entry in entries(3, 5)]
    assert (push.cursor, push.abandoned_through, push.next_keys, push.sent_ms) == (7, 2, NEXT.public, THEN.ms)
    assert push.status.waiting == 9
    assert contact.flight and contact.flight.records == 3 and contact.flight.full and contact.flight.digest == digest(message)


def test_without_records_it_asks_behind_the_newest_number() -> None:
    contact, message = ask(Contact(), LINK, [], Span(None, 9), Status(), THEN)
    assert (read_header(message).header.first, read_header(message).header.last) == (10, 9)
    assert contact.flight and contact.flight.records == 0 and not contact.flight.full


def test_only_one_request_is_in_flight() -> None:
    contact, _ = asked()
    assert wait_s(contact, LATER, waiting=True) > 0
    with pytest.raises(AssertionError):
        asked(contact=contact)


ACKNOWLEDGED = Acknowledge(3)
PUT_BACK_FROM = replace(LINK, life="one", cursor=7)


@pytest.mark.parametrize(
    ("held", "link", "fields", "actions"),
    [
        (Span(1, 3), LINK, {}, (ACKNOWLEDGED,)),
        (Span(1, 3), LINK, {"acknowledged": 0}, (Acknowledge(0),)),
        (Span(4, 9), LINK, {}, (ACKNOWLEDGED,)),
        (Span(1, 9), LINK, {"acknowledged": 0, "resend": True}, (Acknowledge(0),)),
        (Span(4, 9), LINK, {"resend": True}, (ACKNOWLEDGED,)),
        (Span(5, 9), LINK, {"resend": True}, (ACKNOWLEDGED, TellAnew(4))),
        (Span(None, 9), LINK, {"resend": True}, (ACKNOWLEDGED, TellAnew(9))),
        (Span(5, 9), replace(LINK, abandoned_through=3), {"resend": True}, (ACKNOWLEDGED, TellAnew(4))),
        (Span(None, 2), LINK, {}, (BeginLine(),)),
        (Span(1, 2), LINK, {"resend": True}, (BeginLine(),)),
        (Span(1, 3), LINK, {"facts": [(8, b"f"), (9, b"g")], "cursor": 9}, (ACKNOWLEDGED, ApplyFacts(((8, b"f"), (9, b"g")), 9))),
        (Span(1, 3), LINK, {"cursor": 9}, (ACKNOWLEDGED, ApplyFacts((), 9))),
        (Span(1, 3), replace(LINK, cursor=50), {"facts": [(1, b"f")], "cursor": 1}, (ACKNOWLEDGED, ApplyFacts(((1, b"f"),), 1))),
        (Span(1, 3), replace(LINK, next_keys=NEXT), {"keys_taken": True}, (ACKNOWLEDGED, UseNextKeys())),
        (Span(1, 3), LINK, {"keys_taken": True}, (ACKNOWLEDGED,)),
        (Span(1, 3), LINK, {"hub_keys": NEW_HUB.public}, (ACKNOWLEDGED, LearnHub(NEW_HUB.public))),
        (Span(1, 3), LINK, {"hub_keys": HUB.public}, (ACKNOWLEDGED,)),
        (Span(1, 3), LINK, {"life": "one"}, (ACKNOWLEDGED, LearnLife("one"))),
        (Span(1, 3), replace(LINK, life="one"), {"life": "one"}, (ACKNOWLEDGED,)),
        (Span(1, 3), replace(LINK, life="one"), {}, (ACKNOWLEDGED,)),
        (Span(1, 3), replace(LINK, life="one"), {"life": "one", "mark": "m"}, (ACKNOWLEDGED, ApplyFacts((), 0, "m"))),
        (Span(1, 3), replace(LINK, life="one", mark="m"), {"life": "one", "mark": "m"}, (ACKNOWLEDGED,)),
        (Span(5, 9), PUT_BACK_FROM, {"life": "two", "facts": [(8, b"f")], "cursor": 8}, (ACKNOWLEDGED, HubPutBack("two", 4))),
        (Span(5, 9), PUT_BACK_FROM, {"life": "two", "resend": True, "acknowledged": 1}, (Acknowledge(1), HubPutBack("two", 4))),
        (Span(None, 9), replace(PUT_BACK_FROM, abandoned_through=9), {"life": "two", "resend": True}, (ACKNOWLEDGED, HubPutBack("two", 9))),
        (Span(None, 2), PUT_BACK_FROM, {"life": "two"}, (BeginLine(), HubPutBack("two", 2))),
    ],
)
def test_what_an_answer_asks_for(held: Span, link: Link, fields: dict[str, object], actions: tuple[Action, ...]) -> None:
    contact, done = after(held, link, **fields)
    assert done == actions
    assert contact.flight is None and contact.failures == 0 and contact.last_contact_ms == LATER.ms
    told = {HubPutBack: HUB_PUT_BACK, BeginLine: PUT_BACK, TellAnew: TOLD_ANEW}
    assert contact.trouble == next((words for kind, words in told.items() if any(isinstance(one, kind) for one in done)), "")


@pytest.mark.parametrize(
    ("held", "link", "hub", "fields", "words"),
    [
        (Span(5, 9), replace(LINK, abandoned_through=4), HUB, {"resend": True}, "it was told are gone"),
        (Span(1, 3), LINK, HUB, {"facts": [(9, b"f"), (8, b"g")], "cursor": 9}, "facts are out of order"),
        (Span(1, 3), LINK, HUB, {"facts": [(8, b"f"), (8, b"g")], "cursor": 9}, "facts are out of order"),
        (Span(1, 3), LINK, HUB, {"facts": [(8, b"f")], "cursor": 7}, "facts are out of order"),
        (Span(1, 3), LINK, HUB, {"hub_keys": keys.PublicKeys(seal=b"", sign=b"")}, "sealing key"),
        (Span(1, 3), LINK, STRANGER, {}, "pair again"),
    ],
)
def test_an_answer_that_cannot_be_believed_is_a_failure_and_nothing_is_done(
    held: Span, link: Link, hub: keys.OwnKeys, fields: dict[str, object], words: str
) -> None:
    contact, done = after(held, link, hub, **fields)
    assert done == () and words in contact.trouble
    assert contact.flight is None and contact.failures == 1 and wait_s(contact, LATER, waiting=True) > 0


@pytest.mark.parametrize("rubbish", [b"", b"<!doctype html><title>Free Wi-Fi</title>", b"\x93\xc0\xc0\xc0", b"\x92\xc0\xc0"])
def test_a_page_of_somebody_elses_is_a_failure_in_words(rubbish: bytes) -> None:
    contact, _ = asked()
    contact, done = answered(contact, LINK, Span(1, 3), rubbish, LATER, 0.5)
    assert done == () and contact.trouble.startswith("What headquarters answered cannot be used") and contact.failures == 1


def test_only_the_answer_to_the_request_in_flight_counts() -> None:
    _, old = asked()
    contact, request = asked()
    assert answered(contact, LINK, Span(1, 3), answer(old), LATER, 0.5) == (contact, ())
    late = refusal_message(Code.REVOKED, "", answers=digest(old), now_ms=1, retry_s=0, own=HUB)
    assert answered(contact, LINK, Span(1, 3), late, LATER, 0.5) == (contact, ())
    done, actions = answered(contact, LINK, Span(1, 3), answer(request), LATER, 0.5)
    assert actions == (ACKNOWLEDGED,)
    assert answered(done, LINK, Span(None, 3), answer(request), LATER, 0.5) == (done, ())


def test_an_answer_sealed_to_the_next_keys_opens_too() -> None:
    link = replace(LINK, next_keys=NEXT)
    contact, request = asked(link=link)
    _, done = answered(contact, link, Span(1, 3), answer(request, to=NEXT, keys_taken=True), LATER, 0.5)
    assert UseNextKeys() in done


@pytest.mark.parametrize(
    ("code", "retry_s", "wait_min", "wait_max", "stopped"),
    [
        (Code.REVOKED, 0, BACKOFF_S_MAX, BACKOFF_S_MAX, True),
        (Code.UNKNOWN, 0, BACKOFF_S_MAX, BACKOFF_S_MAX, False),
        (Code.WRONG_KEY, 0, BACKOFF_S_MAX, BACKOFF_S_MAX, False),
        (Code.NEWER_PROTOCOL, 900, 900, 900, False),
        (Code.MALFORMED, 0, BACKOFF_S_MAX, BACKOFF_S_MAX, False),
        (Code.TOO_FAST, 30, 30, 30, False),
        (Code.BUSY, 0, 0.5, 1.0, False),
        (Code.TOO_LARGE, 0, 0.5, 1.0, False),
    ],
)
def test_a_refusal_is_told_in_words_and_obeyed(code: Code, retry_s: int, wait_min: float, wait_max: float, stopped: bool) -> None:
    contact, done = refused(code, retry_s)
    assert done == () and contact.trouble == WORDS[code] and contact.stopped is stopped
    assert wait_min <= contact.not_before_s - LATER.steady_s <= wait_max
    assert contact.records_max == (RECORDS_MAX // 2 if code is Code.TOO_LARGE else RECORDS_MAX)


def test_a_revoked_store_sends_nothing_until_somebody_asks_for_it() -> None:
    contact, _ = refused(Code.REVOKED)
    much_later = Now(LATER.ms, LATER.steady_s + 10**6)
    assert wait_s(contact, much_later, waiting=True) > 0
    again = started_again(contact, much_later)
    assert wait_s(again, much_later, waiting=False) == 0 and not again.stopped


def test_a_refusal_by_a_stranger_revokes_nobody() -> None:
    contact, _ = refused(Code.REVOKED, by=STRANGER)
    assert not contact.stopped and "not the hub's" in contact.trouble


def test_a_code_of_tomorrow_is_told_in_the_hubs_own_words() -> None:
    contact, request = asked()
    refusal = refusal_message("moved", "Ask again at noon.", answers=digest(request), now_ms=1, retry_s=0, own=HUB)  # type: ignore[arg-type]
    contact, _ = answered(contact, LINK, Span(1, 3), refusal, LATER, 0.5)
    assert contact.trouble == "Headquarters takes nothing from this store: Ask again at noon."


def test_a_store_whose_disk_was_put_back_begins_a_new_line() -> None:
    contact, done = refused(Code.OLD_LINE)
    assert done == (BeginLine(),) and contact.trouble == PUT_BACK and wait_s(contact, LATER, waiting=False) == 0


def test_waits_double_to_five_minutes_and_are_spread() -> None:
    contact, waits = Contact(), []
    for _ in range(12):
        contact = failed(contact, "no line", THEN, 1.0)
        waits.append(wait_s(contact, THEN, waiting=True))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert wait_s(failed(contact, "no line", THEN, 0.0), THEN, waiting=True) == BACKOFF_S_MAX / 2
    assert wait_s(failed(replace(contact, failures=10**9), "no line", THEN, 1.0), THEN, waiting=True) == BACKOFF_S_MAX


def test_a_bad_line_carries_smaller_batches_and_a_good_one_larger_again() -> None:
    contact = Contact()
    for _ in range(20):
        contact = failed(contact, "no line", THEN, 0.5)
    assert contact.records_max == RECORDS_MIN
    for _ in range(20):
        contact, request = asked(contact=replace(contact, flight=None))
        contact, _ = answered(contact, LINK, Span(1, 3), answer(request), LATER, 0.5)
    assert contact.records_max == RECORDS_MAX


@pytest.mark.parametrize(
    ("newest", "fields", "waiting_s", "idle_s"),
    [
        (3, {}, PACE_S, IDLE_S),
        (9, {}, 0.0, IDLE_S),
        (3, {"more": True}, PACE_S, PACE_S),
        (3, {"resend": True, "acknowledged": 0}, 0.0, 0.0),
    ],
)
def test_what_is_left_decides_how_soon_it_goes_on(newest: int, fields: dict[str, object], waiting_s: float, idle_s: float) -> None:
    contact, request = asked(newest=newest)
    contact, _ = answered(contact, LINK, Span(1, newest), answer(request, **fields), LATER, 0.5)
    assert wait_s(contact, LATER, waiting=True) == waiting_s
    assert wait_s(contact, LATER, waiting=False) == idle_s


def test_the_clock_is_measured_against_the_middle_of_the_round_trip() -> None:
    contact, _ = after(now_ms=THEN.ms + 2_000)
    assert contact.skew_ms == 0 and clock_words(contact) == ""
    ahead, _ = after(now_ms=THEN.ms + 2_000 - 600_000)
    assert ahead.skew_ms == 600_000 and "10 minutes ahead of" in clock_words(ahead)
    behind, _ = after(now_ms=THEN.ms + 2_000 + 180_000)
    assert "3 minutes behind" in clock_words(behind)
    assert clock_words(Contact()) == ""


def test_speed_is_of_the_last_batches_and_a_question_leaves_it_alone() -> None:
    contact, _ = after()
    assert contact.speed.records_per_s == pytest.approx(3 / 4) and contact.speed.bytes_per_s > 100
    contact, message = ask(contact, LINK, [], Span(None, 3), Status(), LATER)
    asked_nothing, _ = answered(contact, LINK, Span(None, 3), answer(message), Now(1, 200.0), 0.5)
    assert asked_nothing.speed == contact.speed
    assert counted(Speed(100.0, 1000.0), 0, 0, 0.0).records_per_s == pytest.approx(70.0)


def test_a_picture_travels_like_a_batch_and_can_be_unwanted() -> None:
    contact, request = show(Contact(), LINK, Snapshot(visit_id="v", taken_ms=1, jpeg=b"j", sent_ms=1), Span(None, 3), THEN)
    where = {"tenant": TENANT, "appliance": APPLIANCE, "line": LINE, "first": 4, "last": 3, "made_ms": 1, "answers": digest(request)}
    for visit_id, wanted, done in (("v", False, (SnapshotDone("v", False),)), ("w", True, ())):
        taken = sealed_message(Taken(visit_id=visit_id, wanted=wanted, now_ms=THEN.ms), **where, to=STORE.public, own=HUB)
        after_it, actions = answered(contact, LINK, Span(None, 3), taken, LATER, 0.5)
        assert actions == done and after_it.flight is None
    assert answered(contact, LINK, Span(None, 3), answer(request), LATER, 0.5)[1] == ()
