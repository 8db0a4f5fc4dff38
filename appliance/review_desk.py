"""Review as the page and the jobs use it: everything is done where recognition and gallery are, and the gallery follows the commit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from appliance import audit, calibration, review, review_deciding, review_finding
from appliance.database import Store
from appliance.recognition import Recognition

log = logging.getLogger(__name__)

PIECES_A_TURN = 40
"""A turn a minute: at most 5 seconds' work at 50,000 people, whose 200,000 views are looked through in two days after an update; a new
view is looked at within the minute."""


@dataclass(frozen=True, slots=True)
class ReviewDesk:
    """`ask`: has something done where recognition is, and waits; `busy`: whether visitors wait there."""

    store: Store
    recognition: Recognition
    ask: Callable[[Callable[[], None]], None]
    busy: Callable[[], bool]
    now: Callable[[], int]
    changed: Callable[[], None] = lambda: None

    def decide(self, case_id: int, answer: str, who: str = audit.THIS_COMPUTER) -> None:
        """Raises PersonError, StoreError, TimeoutError."""
        seen = self.recognition

        def do() -> list[str]:
            case = review.get_open(self.store, case_id)
            keys = review_deciding.decide(self.store, case_id, answer, seen.gallery.model, seen.gap_ms, self.now())
            if case is not None:
                audit.note(self.store, f"review_{answer}", case.person_id, self.now(), case.subject, who=who)
            return keys

        self._done(do)

    def undo(self, who: str = audit.THIS_COMPUTER) -> None:
        """Raises PersonError, StoreError, TimeoutError."""

        def do() -> list[str]:
            last = review.last_decided(self.store.db.conn)
            keys = review_deciding.undo_last(self.store, self.recognition.gallery.model, self.now())
            if last is not None:
                audit.note(self.store, "review_undo", last[0].person_id, self.now(), last[0].subject, who=who)
            return keys

        self._done(do)

    def look_through(self, stopping: Callable[[], bool]) -> None:
        """A turn of the pass over the gallery: it gives way to visitors."""
        before = review.count_open(self.store.db.conn)
        self._calibrate()
        with self.store.transaction():
            review.tidy(self.store)
        for _ in range(PIECES_A_TURN):
            if stopping() or self.busy() or not self._piece():
                break
        if review.count_open(self.store.db.conn) != before:
            self.changed()

    def _calibrate(self) -> None:
        """Brings the bars in line with what was answered and taken back."""
        seen, gallery = self.recognition, self.recognition.gallery
        searched = len(gallery) + gallery.persons("customer")
        strictness = calibration.renewed(self.store, gallery.model, seen.policy.false_match, searched)
        if strictness != seen.strictness:
            log.warning("event=bars_stricter times=%.1f", strictness)
            self.ask(lambda: seen.be_strict(strictness))

    def _piece(self) -> bool:
        more: list[bool] = []

        def do() -> None:
            seen = self.recognition
            looked = review_finding.look_through(self.store, seen.gallery, seen.bars, seen.thresholds(), self.now())
            if looked.keys:
                seen.renew(looked.keys)
            more.append(looked.more)

        self.ask(do)
        return more[-1]

    def _done(self, do: Callable[[], list[str]]) -> None:
        def carry_out() -> None:
            with self.store.transaction():
                keys = do()
            if keys:
                self.recognition.renew(keys)

        self.ask(carry_out)
        self.changed()
