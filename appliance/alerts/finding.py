"""What the rules are about, found in the visit log and in how the cameras do. Looks once a second, and asks for the newest alone.

A visit is told of when it is settled, or when somebody has stood before a camera for three seconds: a first guess may be another's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

from appliance import opening_hours
from appliance.alerts.register import Found
from appliance.alerts.rules import BURST, CAMERA, NOBODY, VIP, WATCHLIST, Rule
from appliance.opening_hours import Week
from appliance.web.cameras import CameraLine

SURE_AFTER_MS = 3_000
BACK_MS = 86_400_000
"""How old a visit may be that was not told of yet: the computer may have been off in between."""
SOON_MS = 900_000
"""Visits of so long ago are looked at every second, the others once a minute: a day's are 15 ms' work in a store with a thousand a day."""
AWAY = ("silent", "failed", "broken", "opening")
"""A camera's states in which it sees nobody though it should."""


def people(connection: sqlite3.Connection, rules: Mapping[str, Rule], now_ms: int, back_ms: int = BACK_MS) -> list[Found]:
    """Who is VIP or on the watchlist and came, and was not told of yet. The store's own mark counts from when it was made."""
    found: list[Found] = []
    for kind, column in ((WATCHLIST, "watchlist"), (VIP, "vip")):
        rule = rules[kind]
        if not rule.enabled:
            continue
        since_ms = max(rule.since_ms, now_ms - back_ms)
        rows = connection.execute(
            f"""SELECT v.person_id, v.id FROM visits v
                LEFT JOIN details d ON d.person_id = v.person_id AND d.{column} AND d.changed_ms <= v.last_seen_ms
                LEFT JOIN chain c ON c.person_id = v.person_id AND c.{column}
                WHERE v.first_seen_ms >= ? AND v.first_seen_ms <= ? AND v.person_id IS NOT NULL AND v.verdict IN ('new', 'returning')
                AND (d.person_id IS NOT NULL OR c.person_id IS NOT NULL)
                AND (v.state = 'settled' OR v.last_seen_ms - v.first_seen_ms >= ?)
                AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.visit_id = v.id AND a.visit_id != '' AND a.rule = ?)
                AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.rule = ? AND a.subject = v.person_id AND a.at_ms > v.first_seen_ms - ?)
                ORDER BY v.first_seen_ms""",
            [since_ms, now_ms, SURE_AFTER_MS, kind, kind, rule.pause_min * 60_000],
        ).fetchall()
        found += [Found(kind, person_id, visit_id) for person_id, visit_id in rows]
    return found


def bursts(connection: sqlite3.Connection, rule: Rule, now_ms: int) -> list[Found]:
    """Customers who are recognised again and again: more likely a template that resembles everybody. The same looks are told of once."""
    if not rule.enabled:
        return []
    rows = connection.execute(
        """SELECT v.person_id, count(*) FROM visits v INDEXED BY visits_time CROSS JOIN sightings s ON s.visit_id = v.id
            CROSS JOIN persons p ON p.id = v.person_id
            WHERE v.first_seen_ms >= ? AND v.first_seen_ms <= ? AND p.role = 'customer' GROUP BY v.person_id
            HAVING count(*) >= ? AND max(v.last_seen_ms) > coalesce(
                (SELECT max(a.at_ms) FROM alerts a WHERE a.rule = ? AND a.subject = v.person_id), 0)""",
        [now_ms - BACK_MS, now_ms, rule.number, BURST],
    ).fetchall()
    return [Found(BURST, person_id, number=count) for person_id, count in rows]


def away_since(before: Mapping[str, int], lines: Iterable[CameraLine], now_ms: int) -> dict[str, int]:
    """Camera to when it was last known to watch. One that is tried again every half minute is away all the same."""
    return {line.id: before.get(line.id, min(line.since_ms or now_ms, now_ms)) for line in lines if line.state in AWAY}


def cameras(rule: Rule, away: Mapping[str, int], now_ms: int) -> list[Found]:
    if not rule.enabled:
        return []
    minutes = {camera: (now_ms - since_ms) // 60_000 for camera, since_ms in away.items()}
    return [Found(CAMERA, camera, number=away_for) for camera, away_for in minutes.items() if away_for >= rule.number]


def nobody(connection: sqlite3.Connection, rule: Rule, week: Week | None, zone: ZoneInfo, now_ms: int) -> Found | None:
    """No visitor for so many hours of the present opening: a camera that was turned to the wall watches well."""
    if not rule.enabled:
        return None
    since_ms = opening_hours.open_since(week, now_ms, zone)
    last_ms = last_visit(connection, now_ms)
    if since_ms is None or last_ms is None:
        return None
    hours = (now_ms - max(since_ms, last_ms, rule.since_ms)) // 3_600_000
    return Found(NOBODY, number=hours) if hours >= rule.number else None


def last_visit(connection: sqlite3.Connection, now_ms: int) -> int | None:
    """When somebody was seen last. Of visits that began before it one of the newest ten was the last to end."""
    (last_ms,) = connection.execute(
        "SELECT max(last_seen_ms) FROM (SELECT last_seen_ms FROM visits WHERE first_seen_ms <= ? ORDER BY first_seen_ms DESC LIMIT 10)",
        [now_ms],
    ).fetchone()
    return int(last_ms) if last_ms is not None else None
