"""Both halves of the protocol together, on a line as bad as they come."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace

import pytest

from sync import keys, outbox, packing
from sync.contact import Acknowledge, Action, ApplyFacts, Contact, LearnHub, Now, UseNextKeys
from sync.envelope import opened_message, read_header, sealed_message
from sync.errors import WrongKey
from sync.messages import Answer, Push, Status
from sync.pushing import answered, ask
from sync.receiving import Known, Progress, Standing, judge, keys_after
from sync.records import VisitGone, encoded
from tests.sync.test_outbox import CREATE, seal, unseal
from tests.sync.test_pushing import APPLIANCE, HUB, LINK, STORE, TENANT, THEN


class Store:
    """An appliance: an outbox in SQLite and what else is stored, with what is in memory beside it."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        self.db.execute(CREATE)
        self.link, self.contact, self.told, self.facts = LINK, Contact(), 0, list[int]()

    def tell(self, count: int) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        for _ in range(count):
            self.told += 1
            outbox.append(self.db, VisitGone(id=str(self.told)), 1, seal)
        self.db.execute("COMMIT")

    def carry_out(self, action: Action) -> None:
        match action:
            case Acknowledge():
                outbox.acknowledge(self.db, action.through)
            case ApplyFacts():
                self.facts += [sequence for sequence, _ in action.facts if sequence not in self.facts]
                self.link = replace(self.link, cursor=action.cursor)
            case LearnHub():
                self.link = replace(self.link, hub=action.keys)
            case UseNextKeys():
                assert self.link.next_keys
                self.link = replace(self.link, keys=self.link.next_keys, next_keys=None)
            case _:
                raise AssertionError(action)


class Hub:
    """What ingest keeps: progress, applied records, keys of either side."""

    def __init__(self) -> None:
        self.progress, self.applied, self.facts = Progress(), list[bytes](), 0
        self.own, self.known = [HUB], Known(STORE.public)

    def exchange(self, message: bytes, now_ms: int) -> bytes:
        read = read_header(message)
        push = opened_message(read, Push, tenant=TENANT, appliance=APPLIANCE, answers=b"", own=self.own, senders=self.known.senders)
        payloads = packing.unpacked(push.records)
        verdict = judge(self.progress, read.header, push, payloads)
        assert verdict.standing is not Standing.OLD_LINE
        self.applied += payloads[verdict.skip :]
        self.progress = verdict.progress
        self.known, taken = keys_after(self.known, read.header, push)
        used = next(own for own in self.own if keys.key_id(own.public.seal) == read.header.seal_key)
        last = min(self.facts, push.cursor + 3)
        body = Answer(
            acknowledged=verdict.acknowledged,
            resend=verdict.resend,
            facts=[(n, b"fact") for n in range(push.cursor + 1, last + 1)],
            cursor=last,
            more=last < self.facts,
            now_ms=now_ms,
            hub_keys=self.own[0].public if used is not self.own[0] else None,
            keys_taken=taken,
        )
        where = {"tenant": TENANT, "appliance": APPLIANCE, "line": read.header.line}
        return sealed_message(
            body, **where, first=read.header.first, last=read.header.last, made_ms=1, answers=read.digest, to=self.known.newest, own=used
        )


@pytest.mark.parametrize("seed", range(20))
def test_on_a_line_that_drops_repeats_and_delays_every_record_arrives_once_and_in_order(seed: int) -> None:
    """Power goes between any two steps of the store, either side changes its keys twice, old messages arrive again at any time."""
    rng = random.Random(seed)
    store, hub = Store(), Hub()
    requests, answers = list[bytes](), list[bytes]()
    for step in range(400):
        now = Now(THEN.ms + step * 1_000, step * 1_000.0)
        if step < 300:
            store.tell(rng.randrange(3))
            hub.facts += rng.random() < 0.2
        if step in (100, 200) and len(hub.own) < 3:
            hub.own.insert(0, keys.make())
        if step in (120, 220) and store.link.next_keys is None:
            store.link = replace(store.link, next_keys=keys.make())
        if store.contact.flight is None:
            pending = outbox.pending(store.db, unseal, records_max=rng.choice((1, 5, 40)))
            store.contact, message = ask(store.contact, store.link, pending, outbox.span(store.db), Status(), now)
            requests.append(message)
        honest = step >= 300
        for request in requests[-1:] if honest or rng.random() < 0.6 else rng.sample(requests, min(2, len(requests))):
            try:
                answers.append(hub.exchange(request, now.ms))
            except WrongKey:
                # An old message signed with keys that are no longer known: nobody waits for its answer.
                assert not honest
        for message in answers[-1:] if honest or rng.random() < 0.6 else rng.sample(answers, min(2, len(answers))):
            store.contact, actions = answered(store.contact, store.link, outbox.span(store.db), message, now, rng.random())
            for action in actions:
                if rng.random() < 0.1 and not honest:
                    store.contact = Contact()
                    break
                store.carry_out(action)
                if rng.random() < 0.1 and not isinstance(action, UseNextKeys):
                    store.carry_out(action)
        if not honest and rng.random() < 0.5:
            store.contact = Contact()
        expected = [encoded(VisitGone(id=str(n))) for n in range(1, len(hub.applied) + 1)]
        assert hub.applied == expected, f"seed {seed}, step {step}"
        assert outbox.newest(store.db) == store.told
    assert len(hub.applied) == store.told and outbox.pending(store.db, unseal) == []
    assert store.facts == list(range(1, hub.facts + 1))
    assert store.link.next_keys is None and store.link.keys.public == hub.known.newest and store.link.hub == hub.own[0].public
