"""What happened and what is sent of it: the tables `alerts` and `alert_messages`. A message is queued in the transaction that enters the
alert, and waits there until it is known to have arrived: a power cut loses none, and may send one twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from appliance.alerts.rules import CAMERA, NOBODY, WATCHLIST, Rule
from appliance.alerts.targets import Target
from appliance.database import Store
from appliance.errors import AlertError
from ui.words import gettext as _

TRIES = (10_000, 60_000, 300_000, 1_800_000, 7_200_000)
"""Milliseconds to the next try: a line that is down for two hours is waited for, a wrong password is given up the same evening."""
KEPT_MAX = 5_000
"""Alerts: years of them, in a store that has a few a day."""
ENDS = (CAMERA, NOBODY)
"""What is over by itself, and said to be."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a rule is about. `subject`: a person's or a camera's id."""

    rule: str
    subject: str = ""
    visit_id: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Alert:
    id: int
    rule: str
    at_ms: int
    subject: str
    visit_id: str
    number: int
    state: str
    answered_ms: int | None
    answered_by: str
    over_ms: int | None


@dataclass(frozen=True, slots=True)
class Message:
    id: int
    alert_id: int
    target_id: str
    target_name: str
    what: str
    state: str
    tries: int
    due_ms: int
    why: str
    made_ms: int
    done_ms: int | None


ALERT = "SELECT id, rule, at_ms, subject, visit_id, number, state, answered_ms, answered_by, over_ms FROM alerts"
MESSAGE = "SELECT id, alert_id, target_id, target_name, what, state, tries, due_ms, why, made_ms, done_ms FROM alert_messages"


def enter(store: Store, found: Found, rule: Rule, targets: Sequence[Target], now_ms: int, quiet_until_ms: int | None) -> int | None:
    """The alert's number; None where the same was told within the pause. In the caller's transaction."""
    db = store.db
    if db.execute(
        "SELECT 1 FROM alerts WHERE rule = ? AND subject = ? AND at_ms > ? AND at_ms <= ?",
        [found.rule, found.subject, now_ms - rule.pause_min * 60_000, now_ms],
    ).fetchone():
        return None
    made = db.execute(
        "INSERT INTO alerts (rule, at_ms, subject, visit_id, number) VALUES (?, ?, ?, ?, ?)",
        [found.rule, now_ms, found.subject, found.visit_id, found.number],
    )
    assert made.lastrowid is not None
    due_ms = now_ms if rule.always or quiet_until_ms is None else quiet_until_ms
    queue(store, made.lastrowid, [one for one in targets if one.id in rule.targets], "raised", now_ms, due_ms)
    db.execute("DELETE FROM alerts WHERE id <= ?", [made.lastrowid - KEPT_MAX])
    return made.lastrowid


def queue(store: Store, alert_id: int, targets: Iterable[Target], what: str, now_ms: int, due_ms: int | None = None) -> None:
    """In the caller's transaction."""
    store.db.conn.executemany(
        "INSERT INTO alert_messages (alert_id, target_id, target_name, what, due_ms, made_ms) VALUES (?, ?, ?, ?, ?, ?)",
        [(alert_id, one.id, one.name, what, now_ms if due_ms is None else due_ms, now_ms) for one in targets],
    )


def end(store: Store, alert: Alert, targets: Sequence[Target], now_ms: int, *, tell: bool) -> None:
    """It is over. `tell`: those who were told of it are told of that; for the others there is nothing to tell any more."""
    db = store.db
    db.execute("UPDATE alerts SET state = 'over', over_ms = ? WHERE id = ?", [now_ms, alert.id])
    told = _told(store, alert.id)
    _drop(store, alert.id, now_ms)
    queue(store, alert.id, [one for one in targets if tell and one.id in told], "over", now_ms)


def answer(store: Store, alert_id: int, said: str, by: str, targets: Sequence[Target], now_ms: int) -> Alert:
    """`said`: "seen", or of somebody on the watchlist "yes" or "no". Only the yes is told on, to those who were asked. In the caller's
    transaction. Raises AlertError."""
    alert = one(store.db.conn, alert_id)
    if alert is None:
        raise AlertError(_("That alert is not there any more."))
    if said not in (("yes", "no") if alert.rule == WATCHLIST else ("seen",)):
        raise AlertError(_("That is no answer to this alert."))
    if alert.state == said:
        return alert
    if alert.state != "open":
        raise AlertError(_("Somebody answered that alert already."))
    store.db.execute("UPDATE alerts SET state = ?, answered_ms = ?, answered_by = ? WHERE id = ?", [said, now_ms, by, alert_id])
    if said == "yes":
        told = _told(store, alert_id)
        queue(store, alert_id, [one for one in targets if one.id in told], "confirmed", now_ms)
    if said != "seen":
        _drop(store, alert_id, now_ms)
    return alert


def _told(store: Store, alert_id: int) -> set[str]:
    rows = store.db.execute("SELECT target_id FROM alert_messages WHERE alert_id = ? AND state = 'sent'", [alert_id]).fetchall()
    return {row[0] for row in rows}


def _drop(store: Store, alert_id: int, now_ms: int) -> None:
    """What still waits of it, but the confirmation, is out of date."""
    store.db.execute(
        "UPDATE alert_messages SET state = 'dropped', done_ms = ? WHERE alert_id = ? AND state = 'waiting' AND what = 'raised'",
        [now_ms, alert_id],
    )


def one(connection: sqlite3.Connection, alert_id: int) -> Alert | None:
    row = connection.execute(f"{ALERT} WHERE id = ?", [alert_id]).fetchone()
    return Alert(*row) if row else None


def open_alerts(connection: sqlite3.Connection, limit: int) -> list[Alert]:
    """Newest first: what nobody has looked at yet."""
    return [
        Alert(*row) for row in connection.execute(f"{ALERT} WHERE state = 'open' ORDER BY at_ms DESC, id DESC LIMIT ?", [limit]).fetchall()
    ]


def past(connection: sqlite3.Connection, limit: int) -> list[Alert]:
    """Newest first: what was answered, or is over."""
    return [Alert(*row) for row in connection.execute(f"{ALERT} WHERE state != 'open' ORDER BY id DESC LIMIT ?", [limit]).fetchall()]


def count_open(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM alerts WHERE state = 'open'").fetchone()
    return int(count)


def running(connection: sqlite3.Connection, rules: Iterable[str] = ENDS) -> list[Alert]:
    """Of the rules whose matter ends by itself: those that have not."""
    wanted = list(rules)
    marks = ", ".join("?" * len(wanted))
    rows = connection.execute(f"{ALERT} WHERE rule IN ({marks}) AND over_ms IS NULL ORDER BY id DESC LIMIT 200", wanted).fetchall()
    return [Alert(*row) for row in rows]


def messages(connection: sqlite3.Connection, limit: int) -> list[Message]:
    """Newest first."""
    return [Message(*row) for row in connection.execute(f"{MESSAGE} ORDER BY id DESC LIMIT ?", [limit]).fetchall()]


def due(connection: sqlite3.Connection, now_ms: int, limit: int) -> list[Message]:
    rows = connection.execute(f"{MESSAGE} WHERE state = 'waiting' AND due_ms <= ? ORDER BY due_ms, id LIMIT ?", [now_ms, limit]).fetchall()
    return [Message(*row) for row in rows]


def sent(store: Store, message: Message, now_ms: int) -> None:
    with store.writing() as db:
        db.execute("UPDATE alert_messages SET state = 'sent', tries = tries + 1, why = '', done_ms = ? WHERE id = ?", [now_ms, message.id])


def failed(store: Store, message: Message, why: str, now_ms: int, *, for_good: bool = False) -> bool:
    """Tries again later. Whether it is given up."""
    given_up = for_good or message.tries >= len(TRIES)
    wait_ms = 0 if given_up else TRIES[message.tries]
    with store.writing() as db:
        db.execute(
            "UPDATE alert_messages SET state = ?, tries = tries + 1, why = ?, due_ms = ?, done_ms = ? WHERE id = ? AND state = 'waiting'",
            ["failed" if given_up else "waiting", why, now_ms + wait_ms, now_ms if given_up else None, message.id],
        )
    return given_up
