"""The store's end of the line: one thread that tells headquarters what is in the outbox and carries out what it answers.

    outbox → sync.pushing → Carrier → headquarters
    reception's thread ← facts ← sync.pushing ← answer

It waits while sightings wait, has one message under way at most, and may be stopped or lose its power between any two steps. Without a
pairing it does nothing; whatever happens on the line, the store works on.
"""

from __future__ import annotations

import logging
import random
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from appliance import notices
from appliance.database import Store
from appliance.errors import RegularsError
from appliance.line import applying, clock, link, retelling
from appliance.line.carrying import EXCHANGE, SNAPSHOT, Carrier
from appliance.line.clock import Shown
from appliance.line.link import Link
from appliance.line.snapshots_up import Pictures
from appliance.line.standing import behind, waiting_in
from sync import outbox, pushing
from sync.contact import (
    Acknowledge,
    Action,
    ApplyFacts,
    BeginLine,
    Contact,
    HubPutBack,
    LearnHub,
    LearnLife,
    Now,
    SnapshotDone,
    TellAnew,
    UseNextKeys,
)
from sync.errors import SyncError
from sync.messages import Status
from sync.records import ClockJumped
from sync.refusals import Code

log = logging.getLogger(__name__)

POLL_S = 1.0
"""How soon a pairing, or somebody who does not want to wait, is noticed."""
YIELD_S = 0.25
YIELD_S_MAX = 10.0
"""While sightings wait to be decided the line waits too, but not for longer than this: a busy day must reach headquarters as well."""
RETELL_AHEAD = 4_000
"""While everything is told anew, so many records may wait: the outbox must not fill with what the tables hold anyway."""
FULL_S = 300.0
"""How full the outbox is, is counted this often: that reads all of it."""
STOP_S = 1.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the agent is given. `on_reception`: runs a function where recognition and gallery may be touched, and waits; `renew` and
    `renew_guests`: Recognition's; `busy`: whether sightings wait; `people_changed`: somebody is called or counted otherwise; `status`: how
    the appliance does. `now`: UTC milliseconds; `steady_s`: what waiting goes by; `passed_s`: likewise, sleep included."""

    now: Callable[[], int]
    on_reception: Callable[[Callable[[], None]], None] = lambda do: do()
    renew: Callable[[Iterable[str]], None] = lambda _keys: None
    renew_guests: Callable[[], None] = lambda: None
    busy: Callable[[], bool] = lambda: False
    people_changed: Callable[[], None] = lambda: None
    status: Callable[[], Status] = Status
    ca_file: Path | None = None
    transport: httpx.BaseTransport | None = None
    chance: Callable[[], float] = random.random
    steady_s: Callable[[], float] = time.monotonic
    passed_s: Callable[[], float] = clock.steady_s


class Agent:
    """`start` and `stop` its thread, or call `step` oneself."""

    def __init__(self, store: Store, around: Surroundings) -> None:
        self._store, self._around = store, around
        self._contact = Contact()
        self._carrier: Carrier | None = None
        self._pictures = Pictures(store)
        self._paired: tuple[str, int] | None = None
        self._yielded_s = 0.0
        self._shown: Shown | None = None
        self._full: tuple[float, float] | None = None
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)

    @property
    def stands(self) -> Contact:
        return self._contact

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """A message that is under way may be cut off: it is told again at the next start."""
        self._stopping.set()
        self._wanted.set()
        if self._thread.ident:
            self._thread.join(STOP_S)
        self._hang_up()

    def try_now(self) -> None:
        """Somebody does not want to wait for the next turn."""
        self._wanted.set()

    def begin_again(self) -> None:
        """No waiting, and one that was revoked asks once more. Not while the thread runs: that is `try_now`."""
        self._contact = pushing.started_again(self._contact, self._now())

    def _run(self) -> None:
        wait_s = 0.0
        while not self._stopping.is_set():
            asked = self._wanted.wait(wait_s)
            if self._stopping.is_set():
                return
            try:
                if asked:
                    self._wanted.clear()
                    self.begin_again()
                wait_s = self.step()
            except Exception as error:
                if self._stopping.is_set():
                    return
                # Whatever it is, it must not end the line for good. Where it happened, not what it says: that may quote data.
                place = traceback.extract_tb(error.__traceback__)[-1]
                log.error("event=line_failed error=%s at=%s:%s", type(error).__name__, Path(place.filename).name, place.lineno)
                self._contact = pushing.failed(self._contact, _said(error), self._now(), self._around.chance())
                wait_s = POLL_S

    def step(self) -> float:
        """Does what is due, a few milliseconds of work or one message; in how many seconds there may be more to do."""
        self._watch_clock()
        found = link.read(self._store)
        paired = (found.appliance_id, found.paired_ms) if found else None
        if paired != self._paired:
            # A command did that, which cannot reach the gallery.
            self._around.on_reception(self._around.renew_guests)
            self._hang_up()
            self._paired = paired
            self._contact = Contact(stopped=found is not None and found.state == "revoked")
        if found is None:
            return POLL_S
        if found.line != link.line_of(self._store):
            link.begin_line(self._store, fresh=False)
            return 0.0
        if self._gives_way():
            return YIELD_S
        now, span = self._now(), outbox.span(self._store.db.conn)
        if found.retell and waiting_in(span) < RETELL_AHEAD and not self._contact.stopped:
            retelling.tell_piece(self._store, now.ms)
            return 0.0
        picture = span.oldest is None and found.snapshots and self._pictures.any_waits(now.steady_s)
        wait_s = pushing.wait_s(self._contact, now, waiting=span.oldest is not None or picture)
        if wait_s > 0:
            return min(wait_s, POLL_S)
        self._exchange(found, picture=picture)
        return 0.0

    def _exchange(self, found: Link, *, picture: bool) -> None:
        """One message there and its answer back, with all that follows from it."""
        before = self._contact
        try:
            self._ask(found, picture=picture)
        except (RegularsError, SyncError, TimeoutError, sqlite3.Error) as error:
            self._contact = pushing.failed(self._contact, _said(error), self._now(), self._around.chance())
        if self._contact.trouble and self._contact.trouble != before.trouble:
            log.warning("event=line_trouble failures=%d why=%r", self._contact.failures, self._contact.trouble)
        if before.trouble and not self._contact.trouble:
            log.info("event=line_works_again")
        set_aside = max(0, self._contact.set_aside - before.set_aside)
        with self._store.transaction():
            if link.is_still(self._store, found):
                link.note(self._store, self._contact, set_aside, self._around.now())

    def _ask(self, found: Link, *, picture: bool) -> None:
        stored, connection = link.for_pushing(self._store), self._store.db.conn
        if stored is None:
            return
        # The due question goes first: an opt-out at headquarters must not wait behind a thousand pictures.
        due = pushing.wait_s(self._contact, self._now(), waiting=False) <= 0
        snapshot = self._pictures.next(self._around.now(), self._around.steady_s()) if picture and not due else None
        now, span = self._now(), outbox.span(connection)
        if picture and snapshot is None and not due:
            return
        if snapshot is not None:
            path, (self._contact, message) = SNAPSHOT, pushing.show(self._contact, stored, snapshot, span, now)
        else:
            entries = outbox.pending(connection, self._store.vault.unseal, records_max=self._contact.records_max)
            status = self._status(behind(span, entries))
            path, (self._contact, message) = EXCHANGE, pushing.ask(self._contact, stored, entries, span, status, now)
        answer = self._carrier_to(found.hub_url).carry(path, message)
        span, now = outbox.span(self._store.db.conn), self._now()
        stands, actions = pushing.answered(self._contact, stored, span, answer, now, self._around.chance())
        for action in actions:
            self._carry_out(action, found)
        if stands.flight is not None:
            # An old answer in the place of this one: there will be no other.
            stands = pushing.failed(stands, "What headquarters answered belongs to another message.", now, self._around.chance())
        self._contact = stands
        if stands.trouble == pushing.WORDS[Code.WRONG_KEY] and stored.next_keys is not None:
            # From a backup of the time when keys were being changed: headquarters knows the other ones.
            link.swap_keys(self._store)

    def _carry_out(self, action: Action, asked: Link) -> None:
        """Each in a transaction of its own. Raises StoreError, and LineError when the store was paired anew meanwhile; then the rest is not
        done, and comes again."""
        store = self._store
        if isinstance(action, ApplyFacts) and action.facts:
            self._apply(action, asked)
        elif isinstance(action, HubPutBack):
            self._begin_anew(action, asked)
        elif not isinstance(action, Acknowledge) or self._has(action):
            with store.transaction():
                link.require_still(store, asked)
                self._note(action)

    def _has(self, answered: Acknowledge) -> bool:
        """Whether there is anything to drop: an idle line writes nothing for it."""
        oldest = outbox.span(self._store.db.conn).oldest
        return oldest is not None and oldest <= answered.through

    def _note(self, action: Action) -> None:
        store = self._store
        match action:
            case Acknowledge(through=through):
                link.acknowledge(store, through)
            case ApplyFacts(cursor=cursor, mark=mark):
                link.advance(store, cursor, mark, 0)
            case TellAnew(abandoned_through=through):
                log.warning("event=told_anew why=headquarters_misses_records")
                link.tell_anew(store, through)
            case BeginLine():
                log.warning("event=told_anew why=headquarters_knows_other_records")
                link.begin_line(store, fresh=True)
            case LearnLife(life=life):
                link.learn_life(store, life)
            case LearnHub(keys=keys):
                link.learn_hub(store, keys)
            case UseNextKeys():
                link.use_next_keys(store)
                log.info("event=keys_rotated")
            case SnapshotDone(visit_id=visit_id, wanted=wanted):
                self._pictures.sent(visit_id)
                if not wanted:
                    store.db.execute("UPDATE link SET snapshots = 0")

    def _apply(self, page: ApplyFacts, asked: Link) -> None:
        def do() -> None:
            applied = applying.apply_page(self._store, page.facts, page.cursor, self._around.now(), asked, page.mark)
            self._around.renew(applied.keys)
            log.info("event=facts_applied count=%d passed_over=%d", applied.facts, applied.passed_over)
            if applied.people:
                self._around.people_changed()

        self._around.on_reception(do)

    def _begin_anew(self, action: HubPutBack, asked: Link) -> None:
        def do() -> None:
            log.warning("event=told_anew why=headquarters_was_put_back")
            with self._store.transaction():
                link.require_still(self._store, asked)
                link.hub_put_back(self._store, action.life, action.abandoned_through)
            self._around.renew_guests()
            self._around.people_changed()

        self._around.on_reception(do)

    def _gives_way(self) -> bool:
        """Whether sightings wait to be decided: they come first."""
        if not self._around.busy() or self._yielded_s >= YIELD_S_MAX:
            self._yielded_s = 0.0
            return False
        self._yielded_s += YIELD_S
        return True

    def _status(self, span: outbox.Span) -> Status:
        """`span`: what will still wait when headquarters has this message."""
        now_s, connection = self._around.steady_s(), self._store.db.conn
        if self._full is None or now_s - self._full[0] >= FULL_S:
            self._full = (now_s, outbox.pressure(connection).share)
        oldest = connection.execute("SELECT made_ms FROM outbox WHERE sequence = ?", [span.oldest]).fetchone()
        return msgspec.structs.replace(
            self._around.status(), waiting=waiting_in(span), oldest_ms=oldest[0] if oldest else None, outbox_share=self._full[1]
        )

    def _carrier_to(self, url: str) -> Carrier:
        if self._carrier is None or self._carrier.url != url:
            self._hang_up()
            self._carrier = Carrier(url, ca_file=self._around.ca_file, transport=self._around.transport)
        return self._carrier

    def _hang_up(self) -> None:
        if self._carrier is not None:
            self._carrier.close()
            self._carrier = None

    def _now(self) -> Now:
        return Now(self._around.now(), self._around.steady_s())

    def _watch_clock(self) -> None:
        shown = Shown(self._around.now(), self._around.passed_s())
        moved_ms = clock.jumped_ms(self._shown, shown) if self._shown else 0
        if moved_ms:
            log.warning("event=clock_jumped by_ms=%d", moved_ms)
            with self._store.transaction():
                self._store.record(ClockJumped(at_ms=shown.wall_ms, by_ms=moved_ms), shown.wall_ms)
                notices.notify(self._store, "clock", clock.words(moved_ms), shown.wall_ms)
        self._shown = shown


def _said(error: Exception) -> str:
    """For the page. Only our own errors are words for people."""
    if isinstance(error, RegularsError):
        return str(error)
    if isinstance(error, SyncError):
        return f"The line to headquarters cannot be used: {error}."
    return "Something went wrong on the way to headquarters; the log says what. It is tried again."
