"""The appliance's half of the protocol, as values: how it stands and what happened in, how it stands then and what to do out.

    idle ── wait_s is 0, ask ──▶ in flight ── answered ──▶ idle, with actions to carry out
                                     │
                                     └── failed ──▶ idle, not before a while

At most one request is in flight, and only its own answer counts. Records leave the outbox only by an acknowledgement, and the cursor is
told only once its facts are committed, so that stopping between any two steps loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sync import packing
from sync.contact import (
    Acknowledge,
    Action,
    ApplyFacts,
    BeginLine,
    Contact,
    Flight,
    HubPutBack,
    LearnHub,
    LearnLife,
    Link,
    Now,
    SnapshotDone,
    TellAnew,
    UseNextKeys,
    counted,
)
from sync.envelope import B, digest, opened_message, read_header, sealed_message
from sync.errors import AnotherAnswer, Malformed, SyncError
from sync.keys import checked
from sync.messages import FACTS_MAX, RECORDS_MAX, Answer, Push, Refusal, Snapshot, Status, Taken
from sync.outbox import Entry, Span
from sync.refusals import Code, is_refusal, read_refusal

BACKOFF_S_MIN, BACKOFF_S_MAX = 1.0, 300.0
"""Doubling: a line that blinks is used again within seconds, and a hub that comes back after a day meets its stores over five minutes."""
JITTER_MIN = 0.5
"""A wait is this share of its length at least: a chain whose line came back at once must not come back at once."""
PACE_S = 2.0
"""Between two batches of a few records: a visit makes several within seconds, and they travel together."""
IDLE_S = 60.0
"""Between two questions while there is nothing to tell: how long an opt-out at headquarters takes to reach a store, at most."""
FLIGHT_S_MAX = 60.0
"""Whoever carries messages gives up after this: a full batch takes ten seconds on a slow line."""
RECORDS_MIN = 16
"""A batch is halved at each failure down to this, so that a line too bad for a megabyte carries something."""
SKEW_MS_LOUD = 120_000
"""A clock two minutes off puts visits into the wrong hour often enough to tell somebody."""
PASSING = frozenset({Code.TOO_FAST, Code.TOO_LARGE, Code.BUSY})
"""Refusals that pass by themselves; the others wait for somebody to do something, and are tried at the slowest pace."""
WORDS: dict[str, str] = {
    Code.REVOKED: "Headquarters has revoked this store's computer. It keeps working here; pair it again to send.",
    Code.UNKNOWN: "Headquarters does not know this store's computer. Pair it again.",
    Code.TOO_FAST: "Headquarters asks this store to send less often.",
    Code.TOO_LARGE: "Headquarters asks this store to send less at once.",
    Code.MALFORMED: "Headquarters cannot read what this store sends. Bring both to the same version.",
    Code.WRONG_KEY: "Headquarters does not know the key this store uses. If headquarters was set up anew, pair again.",
    Code.NEWER_PROTOCOL: "This store's version is newer than headquarters'. Headquarters must be updated.",
    Code.BUSY: "Headquarters is busy.",
}
PUT_BACK = "This computer was put back to an earlier day. Headquarters is told everything anew."
TOLD_ANEW = "Headquarters misses records that are no longer kept here. It is told everything anew."
HUB_PUT_BACK = "Headquarters was put back to an earlier day. It is told everything anew."


def wait_s(contact: Contact, now: Now, *, waiting: bool) -> float:
    """How long until the next request is due: 0 when it is. `waiting`: whether there are records (or pictures) to send."""
    if contact.flight is not None or contact.stopped:
        return IDLE_S
    due = contact.not_before_s if waiting else max(contact.not_before_s, contact.idle_until_s)
    return max(0.0, due - now.steady_s)


def ask(contact: Contact, link: Link, entries: Sequence[Entry], span: Span, status: Status, now: Now) -> tuple[Contact, bytes]:
    """The next request. `entries`: the front of the outbox (`outbox.pending`, with `contact.records_max`); without any it is a question.

    Raises TooLarge, WrongKey (the stored keys of the hub are damaged).
    """
    assert contact.flight is None, "one request at a time"
    first = entries[0].sequence if entries else span.newest + 1
    last = entries[-1].sequence if entries else span.newest
    push = Push(
        records=packing.packed([entry.payload for entry in entries]) if entries else b"",
        abandoned_through=link.abandoned_through,
        cursor=link.cursor,
        facts_max=FACTS_MAX,
        sent_ms=now.ms,
        status=status,
        next_keys=link.next_keys.public if link.next_keys else None,
        life=link.life,
        acknowledged=link.acknowledged,
        mark=link.mark,
    )
    message = _sealed(link, push, first, last, now)
    return replace(contact, flight=Flight(digest(message), first, last, len(message), now, last < span.newest)), message


def show(contact: Contact, link: Link, snapshot: Snapshot, span: Span, now: Now) -> tuple[Contact, bytes]:
    """A picture, when there is nothing else to send. Raises as `ask`."""
    assert contact.flight is None, "one request at a time"
    message = _sealed(link, snapshot, span.newest + 1, span.newest, now)
    flight = Flight(digest(message), span.newest + 1, span.newest, len(message), now, True, snapshot.visit_id)
    return replace(contact, flight=flight), message


def answered(contact: Contact, link: Link, span: Span, message: bytes, now: Now, chance: float) -> tuple[Contact, tuple[Action, ...]]:
    """What came back. `span`: of the outbox as it is now. `chance`: random, 0..1. Never raises: what cannot be believed is a failure with
    words, and what belongs to another request changes nothing."""
    if (flight := contact.flight) is None:
        return contact, ()
    try:
        if is_refusal(message):
            return _refused(contact, read_refusal(message, answers=flight.digest, senders=[link.hub.sign]), now, chance)
        if flight.visit_id:
            return _taken(contact, flight, _opened(link, flight, message, Taken), now)
        return _applied(contact, link, flight, span, _opened(link, flight, message, Answer), now)
    except AnotherAnswer:
        return contact, ()
    except SyncError as error:
        return failed(contact, f"What headquarters answered cannot be used: {error}.", now, chance), ()


def failed(contact: Contact, words: str, now: Now, chance: float, at_least_s: float = 0.0) -> Contact:
    """No answer, or none that counts: the same again later, and less of it."""
    backoff_s = min(BACKOFF_S_MAX, BACKOFF_S_MIN * 2 ** min(contact.failures, 16))
    wait = max(at_least_s, backoff_s * (JITTER_MIN + (1 - JITTER_MIN) * chance))
    return replace(
        contact,
        flight=None,
        failures=contact.failures + 1,
        not_before_s=now.steady_s + wait,
        records_max=max(RECORDS_MIN, contact.records_max // 2),
        trouble=words,
    )


def started_again(contact: Contact, now: Now) -> Contact:
    """Somebody asked for it now, or the store was paired anew: no waiting, and not stopped any more."""
    return replace(contact, failures=0, not_before_s=now.steady_s, idle_until_s=now.steady_s, stopped=False)


def clock_words(contact: Contact) -> str:
    """For the page, when the clock here is off; empty otherwise."""
    if contact.skew_ms is None or abs(contact.skew_ms) < SKEW_MS_LOUD:
        return ""
    side = "ahead of" if contact.skew_ms > 0 else "behind"
    return f"This computer's clock is {_length(abs(contact.skew_ms))} {side} headquarters'. Visits carry its time."


def _length(milliseconds: int) -> str:
    """Minutes below two hours, hours below two days, days."""
    minutes = round(milliseconds / 60_000)
    for size, word in ((1440, "day"), (60, "hour")):
        if minutes >= 2 * size:
            return f"{round(minutes / size)} {word}s"
    return f"{minutes} minute{'s'[: minutes != 1]}"


def _sealed(link: Link, body: Push | Snapshot, first: int, last: int, now: Now) -> bytes:
    return sealed_message(
        body,
        tenant=link.tenant,
        appliance=link.appliance,
        line=link.line,
        first=first,
        last=last,
        made_ms=now.ms,
        answers=b"",
        to=link.hub,
        own=link.keys,
    )


def _opened(link: Link, flight: Flight, message: bytes, kind: type[B]) -> B:
    return opened_message(
        read_header(message),
        kind,
        tenant=link.tenant,
        appliance=link.appliance,
        answers=flight.digest,
        own=link.own,
        senders=[link.hub.sign],
    )


def _applied(contact: Contact, link: Link, flight: Flight, span: Span, answer: Answer, now: Now) -> tuple[Contact, tuple[Action, ...]]:
    sequences = [sequence for sequence, _ in answer.facts]
    if sequences != sorted(set(sequences)) or (sequences and answer.cursor < sequences[-1]):
        raise Malformed("its facts are out of order")
    put_back = bool(link.life and answer.life and answer.life != link.life)
    actions: list[Action] = []
    trouble, at_once = "", flight.full
    if answer.acknowledged > span.newest:
        actions.append(BeginLine())
        trouble, at_once = PUT_BACK, True
    else:
        actions.append(Acknowledge(answer.acknowledged))
        if answer.resend:
            at_once = True
            # What is still here is sent from the front of the outbox in any case; what is gone from it is told anew.
            gone_through = _gone_through(span)
            if gone_through > answer.acknowledged and not put_back:
                if link.abandoned_through >= gone_through:
                    raise Malformed("it asks for records that it was told are gone")
                actions.append(TellAnew(gone_through))
                trouble = TOLD_ANEW
    if put_back:
        # Its facts count anew: of this answer none is taken.
        actions.append(HubPutBack(answer.life, _gone_through(span)))
        trouble, at_once = HUB_PUT_BACK, True
    else:
        if answer.life and not link.life:
            actions.append(LearnLife(answer.life))
        if answer.facts or (answer.cursor, answer.mark) != (link.cursor, link.mark):
            actions.append(ApplyFacts(tuple(answer.facts), answer.cursor, answer.mark))
    if answer.keys_taken and link.next_keys is not None:
        actions.append(UseNextKeys())
    if answer.hub_keys is not None and checked(answer.hub_keys) != link.hub:
        actions.append(LearnHub(answer.hub_keys))
    contact = _in_touch(contact, flight, answer.now_ms, now)
    return replace(
        contact,
        not_before_s=now.steady_s + (0.0 if at_once else PACE_S),
        idle_until_s=now.steady_s + (0.0 if answer.resend or answer.more or put_back else IDLE_S),
        trouble=trouble,
        set_aside=contact.set_aside + answer.set_aside,
    ), tuple(actions)


def _gone_through(span: Span) -> int:
    """Up to which record there is nothing in the outbox any more."""
    return span.newest if span.oldest is None else span.oldest - 1


def _taken(contact: Contact, flight: Flight, taken: Taken, now: Now) -> tuple[Contact, tuple[Action, ...]]:
    if taken.visit_id != flight.visit_id:
        raise Malformed("it speaks of another picture")
    contact = replace(_in_touch(contact, flight, taken.now_ms, now), not_before_s=now.steady_s, trouble="")
    return contact, (SnapshotDone(taken.visit_id, taken.wanted),)


def _in_touch(contact: Contact, flight: Flight, hub_ms: int, now: Now) -> Contact:
    """What any good answer says of the line and of the clock. The hub's clock was read about half-way between sending and receiving."""
    seconds = max(0.0, now.steady_s - flight.sent.steady_s)
    return replace(
        contact,
        flight=None,
        failures=0,
        records_max=min(RECORDS_MAX, contact.records_max * 2),
        last_contact_ms=now.ms,
        skew_ms=round(now.ms - seconds * 500) - hub_ms,
        speed=counted(contact.speed, flight.records, flight.bytes, seconds) if flight.records or flight.visit_id else contact.speed,
    )


def _refused(contact: Contact, refusal: Refusal, now: Now, chance: float) -> tuple[Contact, tuple[Action, ...]]:
    if refusal.code == Code.OLD_LINE:
        contact = replace(contact, flight=None, not_before_s=now.steady_s, idle_until_s=now.steady_s, trouble=PUT_BACK)
        return contact, (BeginLine(),)
    words = WORDS.get(refusal.code, f"Headquarters takes nothing from this store: {refusal.words or refusal.code}")
    at_least_s = float(refusal.retry_s) if refusal.code in PASSING else max(refusal.retry_s, BACKOFF_S_MAX)
    after = failed(contact, words, now, chance, at_least_s)
    return replace(
        after,
        records_max=after.records_max if refusal.code == Code.TOO_LARGE else contact.records_max,
        stopped=refusal.code == Code.REVOKED,
        last_contact_ms=now.ms,
    ), ()
