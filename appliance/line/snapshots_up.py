"""Pictures on their way to headquarters: behind everything else, one at a time, and only where the tenant wants them.

A visit remembers the picture that headquarters has (`visits.snapshot_sent`); a better one that took its place is sent again. Whose face it
is went ahead as a record, and what was erased meanwhile is not sent.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from appliance import snapshots
from appliance.database import Store
from appliance.errors import SnapshotError
from sync.messages import Snapshot

LOOKED_UP_MAX = 200
LOOK_AGAIN_S = 60.0
"""While nothing is left to send, the visits are searched this often: reading thirty days of them takes some ten milliseconds."""
BETWEEN_S = 0.5
"""Between two pictures: a backlog of thousands must not fill a shop's line, nor keep its computer from the cameras."""


@dataclass(slots=True)
class Pictures:
    """Which pictures wait, as last looked up. In memory alone."""

    store: Store
    _waiting: deque[tuple[str, str, int]] = field(default_factory=deque)
    _not_before_s: float = 0.0
    _searched_s: float | None = None
    _under_way: tuple[str, str] | None = None

    def any_waits(self, steady_s: float) -> bool:
        """Whether there is one to send now."""
        if steady_s < self._not_before_s:
            return False
        if not self._waiting and (self._searched_s is None or steady_s - self._searched_s >= LOOK_AGAIN_S):
            self._waiting.extend(waiting(self.store))
            # A full page means that there are more behind it.
            self._searched_s = steady_s if len(self._waiting) < LOOKED_UP_MAX else None
        return bool(self._waiting)

    def next(self, now_ms: int, steady_s: float) -> Snapshot | None:
        """The next picture, taken off the list: one that headquarters does not take comes again with a later look-up, behind the others."""
        self._not_before_s = steady_s + BETWEEN_S
        while self._waiting:
            visit_id, name, taken_ms = self._waiting.popleft()
            if self.store.db.execute("SELECT 1 FROM visits WHERE id = ? AND snapshot = ?", [visit_id, name]).fetchone() is None:
                continue
            try:
                jpeg = snapshots.load(self.store, name)
            except SnapshotError:
                continue
            self._under_way = (visit_id, name)
            return Snapshot(visit_id=visit_id, taken_ms=taken_ms, jpeg=jpeg, sent_ms=now_ms)
        return None

    def sent(self, visit_id: str) -> None:
        """Headquarters has the picture that went last."""
        if self._under_way and self._under_way[0] == visit_id:
            with self.store.writing() as db:
                db.execute("UPDATE visits SET snapshot_sent = ? WHERE id = ?", [self._under_way[1], visit_id])
        self._under_way = None


def waiting(store: Store) -> list[tuple[str, str, int]]:
    """Visit, picture and time of the oldest pictures that headquarters has not got. Of visits that are over: their picture stays."""
    rows = store.db.execute(
        """SELECT id, snapshot, first_seen_ms FROM visits WHERE snapshot IS NOT NULL AND snapshot IS NOT snapshot_sent
            AND state = 'settled' ORDER BY first_seen_ms LIMIT ?""",
        [LOOKED_UP_MAX],
    ).fetchall()
    return [(visit_id, name, first_ms) for visit_id, name, first_ms in rows]
