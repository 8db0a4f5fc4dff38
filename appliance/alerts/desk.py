"""What the page may have done with alerts: each is one transaction, with its audit row. Raises AlertError or StoreError with words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from appliance import audit
from appliance.alerts import register, rules, targets
from appliance.alerts.rules import Rule
from appliance.alerts.targets import Entry
from appliance.alerts.telling import Telling
from appliance.live import AlertsChanged
from appliance.meanwhile import as_asked
from appliance.opening_hours import Span


@dataclass(frozen=True, slots=True)
class AlertDesk:
    telling: Telling
    who: str = audit.THIS_COMPUTER
    """In whose name."""

    def by(self, who: str) -> AlertDesk:
        return replace(self, who=who)

    def save_rule(self, rule: Rule, settled: Callable[[Rule, Rule], Rule] = as_asked) -> None:
        """`settled`: of what stands and what is wanted what is to stand."""
        store, now_ms = self.telling.store, self.telling.now()
        with store.transaction():
            stands = rules.read(store.db.conn).get(rule.kind, rule)
            rules.save(store, settled(stands, rule), now_ms)
            self._note("alert_rule", rule.kind, now_ms)

    def save_quiet(self, span: Span | None, settled: Callable[[Span | None, Span | None], Span | None] = as_asked) -> None:
        """`settled`: of what stands and what is wanted what is to stand."""
        store, now_ms = self.telling.store, self.telling.now()
        with store.transaction():
            rules.save_quiet(store, settled(rules.quiet(store.db.conn), span))
            self._note("alert_rule", "quiet", now_ms)

    def add_target(self, entry: Entry) -> str:
        store, now_ms = self.telling.store, self.telling.now()
        with store.transaction():
            target_id = targets.add(store, entry, now_ms)
            self._note("alert_target_added", target_id, now_ms)
        return target_id

    def remove_target(self, target_id: str) -> None:
        store, now_ms = self.telling.store, self.telling.now()
        with store.transaction():
            targets.remove(store, target_id)
            self._note("alert_target_removed", target_id, now_ms)

    def try_out(self, target_id: str) -> None:
        self.telling.try_out(target_id)

    def answer(self, alert_id: int, said: str) -> str:
        """The visit that it was about."""
        store, now_ms = self.telling.store, self.telling.now()
        with store.transaction():
            places = targets.list_targets(store.db.conn)
            alert = register.answer(store, alert_id, said, self.who, places, now_ms)
            self._note(f"alert_{said}", alert.subject or alert.rule, now_ms, alert.visit_id)
        self.telling.wake()
        self.telling.live.publish(AlertsChanged())
        return alert.visit_id

    def _note(self, what: str, subject_id: str, now_ms: int, other_id: str = "") -> None:
        audit.note(self.telling.store, what, subject_id, now_ms, other_id, who=self.who)
