"""The table `identity_events`: every link, parting and merge, with what was before, so that its reason can be shown and it can be
undone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import uuid_utils

from hub.database import Tx
from hub.errors import NotFound

LINK, MERGE, UNLINK = "link", "merge", "unlink"
LISTED_MAX = 200


@dataclass(frozen=True, slots=True)
class Event:
    """`kind`: link (a person came to the identity), unlink (it left `before`'s for one of its own) or merge (`before`'s identity went into
    this one)."""

    kind: str
    made_by: str
    identity_id: str
    person_id: str | None
    before: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    id: str
    at: datetime
    event: Event
    undone_at: datetime | None


def note_many(tx: Tx, events: Sequence[Event], now: datetime) -> list[str]:
    """Their ids."""
    ids = [str(uuid_utils.uuid7()) for _ in events]
    tx.execute(
        """INSERT INTO identity_events (tenant_id, id, at, kind, made_by, identity_id, person_id, before, reason)
            SELECT (SELECT current_tenant()), t.id, %s, t.kind, t.made_by, t.identity_id, t.person_id, t.before::jsonb, t.reason
            FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::uuid[], %s::text[], %s::text[])
                AS t (id, kind, made_by, identity_id, person_id, before, reason)""",
        [
            now,
            ids,
            [one.kind for one in events],
            [one.made_by for one in events],
            [one.identity_id for one in events],
            [one.person_id for one in events],
            [json.dumps(dict(one.before)) for one in events],
            [one.reason for one in events],
        ],
    )
    return ids


SELECT = "SELECT id, at, kind, made_by, identity_id, person_id, before, reason, undone_at FROM identity_events"


def of_identity(tx: Tx, identity_id: str) -> list[Noted]:
    """Newest first."""
    rows = tx.execute(f"{SELECT} WHERE identity_id = %s ORDER BY at DESC, id DESC LIMIT %s", [identity_id, LISTED_MAX])
    return [_noted(*row) for row in rows]


def get(tx: Tx, event_id: str) -> Noted:
    """Raises NotFound."""
    row = tx.execute(f"{SELECT} WHERE id = %s FOR UPDATE", [event_id]).fetchone()
    if row is None:
        raise NotFound(f"There is no event {event_id}.")
    return _noted(*row)


def note_undone(tx: Tx, event_id: str, now: datetime) -> None:
    tx.execute("UPDATE identity_events SET undone_at = %s WHERE id = %s", [now, event_id])


def _noted(
    event_id: str,
    at: datetime,
    kind: str,
    made_by: str,
    identity_id: str,
    person_id: str | None,
    before: dict[str, Any],
    reason: str,
    undone_at: datetime | None,
) -> Noted:
    return Noted(event_id, at, Event(kind, made_by, identity_id, person_id, before, reason), undone_at)
