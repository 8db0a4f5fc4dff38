"""What somebody wants to be told of: the table `alert_rules`, with five rules that every store has, and the quiet hours.

A rule is off until somebody switches it on, except the one that warns of a spoilt template: its alert stands on the page alone.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from appliance import opening_hours
from appliance.database import Store
from appliance.errors import AlertError
from appliance.opening_hours import Span
from ui.words import gettext as _

VIP, WATCHLIST, CAMERA, NOBODY, BURST = "vip", "watchlist", "camera", "nobody", "burst"
QUIET = "alerts_quiet"
"""Settings row."""
PAUSE_MIN_MAX = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class Rule:
    """`number`: minutes that a camera is away, hours without a visitor, recognitions of one person in 24 hours. `pause_min`: for so long
    the same is not told again. `always`: sent in the quiet hours too. `since_ms`: what was before is none of its business."""

    kind: str
    enabled: bool
    number: int
    pause_min: int
    always: bool = False
    targets: tuple[str, ...] = ()
    since_ms: int = 0


USUAL = {
    VIP: Rule(VIP, False, 0, 60),
    WATCHLIST: Rule(WATCHLIST, False, 0, 60),
    CAMERA: Rule(CAMERA, False, 5, 60),
    NOBODY: Rule(NOBODY, False, 2, 240),
    BURST: Rule(BURST, True, 20, 1440),
}
NUMBERS = {VIP: (0, 0), WATCHLIST: (0, 0), CAMERA: (1, 1440), NOBODY: (1, 24), BURST: (5, 1000)}
"""The least and the most that may be chosen. A customer who is recognised 20 times a day is no customer: 900 false matches of one person
in five days, in 130 shops, are what the regulator's best known case was about."""


def read(connection: sqlite3.Connection) -> dict[str, Rule]:
    """All five, in the page's order."""
    rows = connection.execute("SELECT kind, enabled, number, pause_min, always, targets, changed_ms FROM alert_rules").fetchall()
    chosen = {row[0]: Rule(row[0], bool(row[1]), row[2], row[3], bool(row[4]), tuple(msgspec.json.decode(row[5])), row[6]) for row in rows}
    return {kind: chosen.get(kind, usual) for kind, usual in USUAL.items()}


def save(store: Store, rule: Rule, now_ms: int) -> None:
    """In the caller's transaction, or one of its own. Switched on, it looks at what comes from now on. Raises AlertError."""
    if rule.kind not in USUAL:
        raise AlertError(_("There is no such rule."))
    least, most = NUMBERS[rule.kind]
    if not least <= rule.number <= most:
        raise AlertError(_("The number must be from %(least)s to %(most)s.") % {"least": least, "most": most})
    if not 1 <= rule.pause_min <= PAUSE_MIN_MAX:
        raise AlertError(_("The pause must be from 1 to %(most)s minutes, a week.") % {"most": PAUSE_MIN_MAX})
    before = read(store.db.conn)[rule.kind]
    since_ms = before.since_ms if before.enabled else now_ms
    with store.writing() as db:
        db.execute(
            "INSERT OR REPLACE INTO alert_rules VALUES (?, ?, ?, ?, ?, ?, ?)",
            [rule.kind, rule.enabled, rule.number, rule.pause_min, rule.always, msgspec.json.encode(rule.targets).decode(), since_ms],
        )


def quiet(connection: sqlite3.Connection) -> Span | None:
    """Minutes of the store's day. None: no quiet hours."""
    row = connection.execute("SELECT value FROM settings WHERE key = ?", [QUIET]).fetchone()
    return msgspec.json.decode(row[0], type=Span) if row else None


def save_quiet(store: Store, span: Span | None) -> None:
    with store.writing() as db:
        db.execute("DELETE FROM settings WHERE key = ?", [QUIET])
        if span:
            db.execute("INSERT INTO settings VALUES (?, ?)", [QUIET, msgspec.json.encode(span).decode()])


def quiet_until(span: Span | None, at_ms: int, zone: ZoneInfo) -> int | None:
    """When the quiet hours end in which this moment lies; None: it lies in none."""
    if span is None:
        return None
    day = datetime.fromtimestamp(at_ms / 1000, zone).date()
    for begun in (day, day - timedelta(days=1)):
        begin, end = opening_hours.bounds(begun, span, zone)
        if begin <= at_ms < end:
            return end
    return None
