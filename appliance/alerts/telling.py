"""Alerts of a store that runs: one thread looks for them and enters them, another sends what waits. Neither is the reception's, and a place
that does not answer holds up nobody but the next message.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from appliance import notices, opening_hours
from appliance.alerts import finding, register, rules, targets, words
from appliance.alerts.register import Alert, Found, Message
from appliance.alerts.rules import CAMERA, NOBODY
from appliance.alerts.sending import Sender
from appliance.database import Store
from appliance.errors import AlertError, RegularsError
from appliance.live import AlertsChanged, Live
from appliance.log import place_of
from appliance.web.cameras import CameraLine
from ui import formats
from ui.words import gettext as _

log = logging.getLogger(__name__)

LOOK_S = 1.0
SLOW_LOOK_MS = 60_000
"""How often is counted what changes slowly."""
A_TURN_MAX = 20
STOP_S = 1.0
NOTICE = "alert_not_sent"


@dataclass(frozen=True, slots=True)
class Site:
    name: str
    zone: ZoneInfo


@dataclass(slots=True)
class Telling:
    """`lines`: the cameras as they are; `name_of`: a person's name by id."""

    store: Store
    lines: Callable[[], Sequence[CameraLine]]
    live: Live
    site: Site
    name_of: Callable[[str], str]
    now: Callable[[], int]
    sender: Sender = field(default_factory=Sender)
    _away: dict[str, int] = field(default_factory=dict)
    _counted_ms: int = 0
    _stopping: threading.Event = field(default_factory=threading.Event)
    _waits: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for name, run in (("alerts", self._look_always), ("alerts-sending", self._send_always)):
            thread = threading.Thread(target=run, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """What is under way may be sent again at the next start."""
        self._stopping.set()
        self._waits.set()
        for thread in self._threads:
            thread.join(STOP_S)

    def look(self) -> int:
        """Looks once; how many alerts there are more, or are over."""
        now_ms, connection = self.now(), self.store.db.conn
        chosen, lines = rules.read(connection), self.lines()
        self._away = finding.away_since(self._away, lines, now_ms)
        slow = abs(now_ms - self._counted_ms) >= SLOW_LOOK_MS
        found = finding.people(connection, chosen, now_ms, finding.BACK_MS if slow else finding.SOON_MS)
        found += finding.cameras(chosen[CAMERA], self._away, now_ms)
        if slow:
            self._counted_ms = now_ms
            found += finding.bursts(connection, chosen[rules.BURST], now_ms)
        running = register.running(connection)
        week = opening_hours.read(connection)
        silent = finding.nobody(connection, chosen[NOBODY], week, self.site.zone, now_ms)
        opened_ms = opening_hours.open_since(week, now_ms, self.site.zone)
        states, last_ms = {line.id: line.state for line in lines}, finding.last_visit(connection, now_ms)
        over = [(alert, tell) for alert in running if (tell := is_over(alert, states, last_ms, opened_ms)) is not None]
        held = {(alert.rule, alert.subject) for alert in running}
        found = [one for one in (*found, *([silent] if silent and slow else [])) if (one.rule, one.subject) not in held]
        if not found and not over:
            return 0
        return self._entered(found, over, chosen, now_ms)

    def _entered(self, found: Sequence[Found], over: Sequence[tuple[Alert, bool]], chosen: dict[str, rules.Rule], now_ms: int) -> int:
        places = targets.list_targets(self.store.db.conn)
        until_ms = rules.quiet_until(rules.quiet(self.store.db.conn), now_ms, self.site.zone)
        with self.store.transaction():
            entered = [register.enter(self.store, one, chosen[one.rule], places, now_ms, until_ms) for one in found]
            for alert, tell in over:
                register.end(self.store, alert, places, now_ms, tell=tell)
        changed = sum(one is not None for one in entered) + len(over)
        if changed:
            self.live.publish(AlertsChanged())
            self._waits.set()
        return changed

    def send_due(self) -> int:
        """Sends what is due; how many messages that were."""
        waiting = register.due(self.store.db.conn, self.now(), A_TURN_MAX)
        for message in waiting:
            if self._stopping.is_set():
                break
            self._sent(message)
        return len(waiting)

    def _sent(self, message: Message) -> None:
        alert, address = register.one(self.store.db.conn, message.alert_id), None
        try:
            address = targets.address_of(self.store, message.target_id)
            if alert is None or address is None:
                register.failed(self.store, message, _("The place was removed."), self.now(), for_good=True)
                return
            said = self.said(alert, message)
            self.sender.send(address, said.title, said.body)
            register.sent(self.store, message, self.now())
            notices.settle(self.store, NOTICE, self.now())
        except (RegularsError, LookupError, ValueError) as error:
            # Whatever is wrong with one message, the others behind it are sent.
            why = str(error) if isinstance(error, RegularsError) else _("It could not be sent (%(kind)s).") % {"kind": type(error).__name__}
            given_up = register.failed(self.store, message, why, self.now())
            log.warning("event=alert_not_sent message=%d tries=%d given_up=%s", message.id, message.tries + 1, given_up)
            if given_up:
                notices.notify(self.store, NOTICE, f"An alert could not be sent to {message.target_name}. {why}", self.now())

    def said(self, alert: Alert, message: Message) -> words.Said:
        place = next((one for one in targets.list_targets(self.store.db.conn) if one.id == message.target_id), None)
        if alert.rule == CAMERA:
            who = next((line.name for line in self.lines() if line.id == alert.subject), "")
        else:
            who = self.name_of(alert.subject) if place and place.with_names and alert.subject else ""
        at, today = formats.day_of(alert.at_ms, self.site.zone), formats.day_of(self.now(), self.site.zone)
        when = f"{formats.short_day(at, today)} {formats.clock(alert.at_ms, self.site.zone)}"
        return words.outside(alert, message.what, self.site.name, who, when)

    def try_out(self, target_id: str) -> None:
        """Sends a test at once, on the calling thread. Raises AlertError with why it did not arrive."""
        address = targets.address_of(self.store, target_id)
        if address is None:
            raise AlertError(_("That place is not there any more."))
        title = _("%(site)s: this is a test") % {"site": self.site.name}
        # A sender of its own: a place that hangs must not keep real alerts waiting.
        Sender(self.sender.plugin).send(address, title, _("Alerts of this store will arrive here."))

    def wake(self) -> None:
        """Something may be due."""
        self._waits.set()

    def _look_always(self) -> None:
        while not self._stopping.wait(LOOK_S):
            self._tried(self.look, "looking")

    def _send_always(self) -> None:
        while not self._stopping.is_set():
            self._waits.wait(LOOK_S)
            self._waits.clear()
            self._tried(self.send_due, "sending")

    def _tried(self, do: Callable[[], int], what: str) -> None:
        try:
            do()
        except Exception as error:
            # This loop is where an error ends: without it nobody would be told of anything any more.
            if not self._stopping.is_set():
                log.error("event=alerts_failed while=%s%s", what, place_of(error))
                self._stopping.wait(5 * LOOK_S)


def is_over(alert: Alert, states: Mapping[str, str], last_visit_ms: int | None, opened_ms: int | None) -> bool | None:
    """Whether it is to be told that it is over; None: it goes on. A camera that was removed or switched off does not watch again. That
    nobody came yesterday is over when the store opens (`opened_ms`): else nobody would be told of a day without a visitor."""
    if alert.rule == CAMERA:
        state = states.get(alert.subject, "off")
        return True if state in ("watching", "ended") else False if state == "off" else None
    if last_visit_ms is not None and last_visit_ms > alert.at_ms:
        return True
    return False if opened_ms is not None and opened_ms > alert.at_ms else None
