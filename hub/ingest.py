"""What a store says and what it is answered: one message in, one out. Nothing that comes in raises; it is answered, or refused with a
reason.

open      find the appliance that the header names; nothing is believed before its signature holds
judge     where the batch stands in the appliance's line; under a lock, so that of two at once the second is judged after the first
apply     records, progress, status and keys in one transaction
answer    after the commit and never before: acknowledged means stored
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from hub import appliance_rows, applying, erasure, facts, giving_back, lives, set_aside
from hub.appliance_rows import Appliance
from hub.applying import MustBeAlone
from hub.batch import Told
from hub.database import Database
from hub.errors import DatabaseAway, DatabaseBusy, NotFound
from hub.facts import Page
from hub.hub_keys import HubKeys
from hub.moments import to_ms
from hub.rates import EXCHANGES, STRANGERS, Rates
from hub.set_aside import Aside
from sync import envelope, packing, receiving
from sync.envelope import Read
from sync.errors import CannotOpen, NewerProtocol, SyncError, TooLarge, WrongKey
from sync.keys import OwnKeys, key_id
from sync.messages import Answer, PublicKeys, Push, Snapshot
from sync.receiving import Standing, Verdict
from sync.records import Record
from sync.refusals import Code, refusal_message

TRIES_MAX = 4
"""Two transactions that lock each other out are told so at once; twice in a row is rare."""
BUSY_RETRY_S = 5
OLD_WORDS = "This is of a life of the store's database that has ended. The store begins a new one and tells everything anew."

log = logging.getLogger(__name__)
B = TypeVar("B", Push, Snapshot)
Noted = Callable[[str, int, int], None]
"""What came of an exchange (taken, repeat, resend, refused), its records, and those set aside."""


@dataclass(frozen=True, slots=True)
class Deps:
    database: Database
    keys: HubKeys
    rates: Rates
    noted: Noted = lambda _outcome, _records, _aside: None


class Refuse(Exception):
    """Ends an exchange: nothing of it is stored."""

    def __init__(self, code: Code, words: str, retry_s: int = 0) -> None:
        super().__init__(words)
        self.code, self.words, self.retry_s = code, words, retry_s


@dataclass(frozen=True, slots=True)
class Opened:
    """A message whose sender is proven. `pair`: ours that it was sealed to, which answers it; `newest`: the one to use from now on."""

    read: Read
    appliance: Appliance
    pair: OwnKeys
    newest: OwnKeys


@dataclass(frozen=True, slots=True)
class Done:
    """What is committed. `seal_to`: the appliance's key since. `life`: of our database."""

    verdict: Verdict
    asides: int
    page: Page
    seal_to: PublicKeys
    keys_taken: bool
    life: str
    mark: str


def exchange(deps: Deps, message: bytes, now: datetime, *, came_from: str = "") -> bytes:
    """The answer to a push, or a refusal. `came_from`: the address, against strangers who try again and again."""
    try:
        opened, push = open_message(deps, message, Push, now, came_from=came_from)
        if wait_s := deps.rates.wait_s(EXCHANGES, opened.appliance.id, now):
            raise Refuse(Code.TOO_FAST, "The hub takes no more batches of this store just now.", wait_s)
        payloads = packing.unpacked(push.records)
        told, asides = applying.read(payloads, opened.read.header.first, to_ms(now))
        done = _commit(deps, opened, push, payloads, told, asides, now)
        deps.noted("resend" if done.verdict.resend else str(done.verdict.standing), len(payloads) - done.verdict.skip, done.asides)
        return _answer(opened, push, done, now)
    except Exception as error:
        deps.noted("refused", 0, 0)
        return refused(deps, message, error, now)


def open_message(deps: Deps, message: bytes, kind: type[B], now: datetime, *, came_from: str = "") -> tuple[Opened, B]:
    """Raises Refuse, SyncError, DatabaseError."""
    if came_from and (wait_s := deps.rates.wait_s(STRANGERS, came_from, now, spend=False)):
        raise Refuse(Code.TOO_FAST, "Too much came from this address that could not be taken.", wait_s)
    try:
        return _opened(deps, message, kind, now)
    except (Refuse, SyncError):
        if came_from:
            deps.rates.wait_s(STRANGERS, came_from, now)
        raise


def _opened(deps: Deps, message: bytes, kind: type[B], now: datetime) -> tuple[Opened, B]:
    read = envelope.read_header(message)
    header = read.header
    try:
        with deps.database.tenant(header.tenant) as tx:
            appliance = appliance_rows.find(tx, header.appliance)
    except NotFound:
        raise Refuse(Code.UNKNOWN, "The hub knows no such store. Pair it again with a new code.") from None
    pairs = deps.keys.newest_first(now, wanted=header.seal_key)
    body = envelope.opened_message(
        read, kind, tenant=appliance.tenant_id, appliance=appliance.id, answers=b"", own=pairs, senders=appliance.known.senders
    )
    if appliance.revoked:
        # Only said to whom it concerns: the signature holds.
        raise Refuse(Code.REVOKED, "This store was taken off the chain at headquarters. It works on by itself; pair it again to come back.")
    pair = next(pair for pair in pairs if key_id(pair.public.seal) == header.seal_key)
    return Opened(read, appliance, pair, pairs[0]), body


def _commit(
    deps: Deps, opened: Opened, push: Push, payloads: list[bytes], told: list[Told[Record]], asides: list[Aside], now: datetime
) -> Done:
    alone = applying.may_forget(told)
    for tries_left in reversed(range(TRIES_MAX)):
        try:
            return _in_transaction(deps, opened, push, payloads, told, asides, now, alone)
        except MustBeAlone:
            alone = True
        except DatabaseBusy:
            if not tries_left:
                raise
    raise DatabaseBusy("A batch could not be stored beside others.")


def _in_transaction(
    deps: Deps,
    opened: Opened,
    push: Push,
    payloads: list[bytes],
    told: list[Told[Record]],
    asides: list[Aside],
    now: datetime,
    alone: bool,
) -> Done:
    header = opened.read.header
    with deps.database.tenant(header.tenant) as tx:
        (erasure.shut_out_ingest if alone else erasure.hold_off_forgetting)(tx)
        appliance = appliance_rows.find(tx, header.appliance, lock=True)
        if appliance.revoked or header.sign_key not in map(key_id, appliance.known.senders):
            raise Refuse(Code.WRONG_KEY, "The store's keys were changed while this was on its way.")
        vault = deps.database.vault(tx, header.tenant)
        verdict = receiving.judge(appliance.progress, header, push, payloads)
        if verdict.standing is Standing.OLD_LINE:
            raise Refuse(Code.OLD_LINE, OLD_WORDS)
        aside: list[Aside] = []
        if verdict.standing is Standing.NEXT:
            fresh = [one for one in told if one.sequence >= verdict.first]
            aside = [one for one in asides if one.sequence >= verdict.first]
            aside += applying.apply(tx, vault, appliance.sender, fresh, now, alone=alone)
            set_aside.keep(tx, vault, appliance.id, header.line, aside, now)
            if appliance.progress.line and appliance.progress.line != header.line:
                giving_back.give_back(tx, vault, appliance.id, now)
        known, keys_taken = receiving.keys_after(appliance.known, header, push)
        appliance_rows.keep_keys(tx, appliance, known, now)
        heard = lives.heard(tx, push, appliance.progress.applied if appliance.progress.line == header.line else 0)
        appliance_rows.heard_from(tx, appliance, push, verdict.progress, heard.cursor or 0, len(aside), now)
        if heard.cursor is None:
            page, mark = Page([], push.cursor, False), ""
        else:
            page = facts.after(tx, vault, appliance.id, heard.cursor, facts_max=push.facts_max)
            mark = facts.mark_at(tx, page.cursor)
    return Done(verdict, len(aside), page, known.newest, keys_taken, heard.life, mark)


def _answer(opened: Opened, push: Push, done: Done, now: datetime) -> bytes:
    header = opened.read.header
    answer = Answer(
        acknowledged=done.verdict.acknowledged,
        resend=done.verdict.resend,
        facts=done.page.facts,
        cursor=done.page.cursor,
        more=done.page.more,
        now_ms=to_ms(now),
        set_aside=done.asides,
        hub_keys=None if opened.pair is opened.newest else opened.newest.public,
        keys_taken=done.keys_taken,
        life=done.life,
        mark=done.mark,
    )
    return envelope.sealed_message(
        answer,
        tenant=header.tenant,
        appliance=header.appliance,
        line=header.line,
        first=header.first,
        last=header.last,
        made_ms=to_ms(now),
        answers=opened.read.digest,
        to=done.seal_to,
        own=opened.pair,
    )


CODES: tuple[tuple[type[Exception], Code, int], ...] = (
    (TooLarge, Code.TOO_LARGE, 0),
    (NewerProtocol, Code.NEWER_PROTOCOL, 0),
    (WrongKey, Code.WRONG_KEY, 0),
    (CannotOpen, Code.WRONG_KEY, 0),
    (SyncError, Code.MALFORMED, 0),
    (DatabaseAway, Code.BUSY, BUSY_RETRY_S),
    (DatabaseBusy, Code.BUSY, BUSY_RETRY_S),
)
BUSY_WORDS = "The hub cannot store anything just now. Nothing is lost; the store tries again by itself."


def refused(deps: Deps, message: bytes, error: Exception, now: datetime) -> bytes:
    """A refusal, signed by the pair that the message was sealed to, where it is one of ours. A defect of the hub is logged and looks to the
    store like a hub that is busy: it keeps what it has to tell."""
    if isinstance(error, Refuse):
        code, words, retry_s = error.code, error.words, error.retry_s
    else:
        found = next(((code, retry_s) for kind, code, retry_s in CODES if isinstance(error, kind)), None)
        code, retry_s = found or (Code.BUSY, BUSY_RETRY_S)
        words = str(error) if isinstance(error, SyncError) else BUSY_WORDS
        if found is None:
            log.error("exchange_failed error=%s at=%s", type(error).__name__, _place(error))
    pairs = deps.keys.known()
    try:
        wanted = envelope.read_header(message).header.seal_key
    except SyncError:
        wanted = ""
    own = next((pair for pair in pairs if key_id(pair.public.seal) == wanted), pairs[0])
    return refusal_message(code, words, answers=envelope.digest(message), now_ms=to_ms(now), retry_s=retry_s, own=own)


def _place(error: Exception) -> str:
    """Where it failed, and not the error's words: they may hold a name."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace is not None else "unknown"
