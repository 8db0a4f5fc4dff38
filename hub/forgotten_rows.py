"""What is deleted of somebody forgotten, table by table, and the tombstones that keep it from coming back.

Visits stay, because that somebody came is counted; they lose who it was. Pictures are noted in `doomed_snapshots` and deleted where they
lie by `hub.forgetting`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub import forgotten_facts, set_aside
from hub.database import Tx
from hub.receipts import Counts
from hub.vault import Vault

NOBODYS = "00000000-0000-0000-0000-000000000000"
"""Stands for the appliance of a person that was never told of."""
FORGOTTEN = "forgotten"
"""Reason of a visit whose visitor was forgotten: no picture of it is taken any more."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    id: str
    appliance_id: str


@dataclass(frozen=True, slots=True)
class Tombstone:
    """`in_force`: an opt-out that has not ended."""

    erasure_id: str
    kind: str
    identity_id: str
    in_force: bool


def tombstones(tx: Tx, person_ids: Sequence[str]) -> dict[str, Tombstone]:
    rows = tx.execute(
        """SELECT t.person_id, e.id, e.kind, e.identity_id, e.ended_at IS NULL
            FROM tombstones AS t JOIN erasures AS e ON e.id = t.erasure_id WHERE t.person_id = ANY(%s::uuid[])""",
        [list(person_ids)],
    ).fetchall()
    return {person_id: Tombstone(*rest) for person_id, *rest in rows}


def persons_of(tx: Tx, identity_ids: Sequence[str], person_ids: Sequence[str], appliance_id: str) -> list[Forgotten]:
    """The identities' persons and these further ones, each with the appliance it is of: this one, where nothing is known of it."""
    rows = tx.execute(
        """SELECT id, appliance_id FROM persons WHERE identity_id = ANY(%(identities)s::uuid[]) OR id = ANY(%(persons)s::uuid[])
            UNION SELECT person_id, appliance_id FROM tombstones WHERE person_id = ANY(%(persons)s::uuid[]) ORDER BY 1""",
        {"identities": list(identity_ids), "persons": list(person_ids)},
    ).fetchall()
    known = {row[0]: Forgotten(*row) for row in rows}
    return [*known.values(), *(Forgotten(one, appliance_id) for one in dict.fromkeys(person_ids) if one not in known)]


def delete(tx: Tx, vault: Vault, erasure_id: str, persons: Sequence[Forgotten], identity_ids: Sequence[str], now: datetime) -> Counts:
    """Everything of these persons and identities. How much went."""
    ids = [one.id for one in persons]
    tx.execute(
        """INSERT INTO tombstones (tenant_id, person_id, erasure_id, appliance_id, at)
            SELECT (SELECT current_tenant()), t.person_id, %s, t.appliance_id, %s
            FROM unnest(%s::uuid[], %s::uuid[]) AS t (person_id, appliance_id)
            ON CONFLICT (tenant_id, person_id) DO UPDATE SET erasure_id = excluded.erasure_id""",
        [erasure_id, now, ids, [one.appliance_id for one in persons]],
    )
    identities = {
        row[0] for row in tx.execute("SELECT identity_id FROM persons WHERE id = ANY(%s::uuid[]) AND identity_id IS NOT NULL", [ids])
    }
    templates = [row[0] for row in tx.execute("DELETE FROM templates WHERE person_id = ANY(%s::uuid[]) RETURNING id", [ids])]
    snapshots = _empty_visits(tx, erasure_id, ids, now)
    gone = tx.execute("DELETE FROM persons WHERE id = ANY(%s::uuid[])", [ids]).rowcount
    tx.execute("DELETE FROM resolve_queue WHERE person_id = ANY(%s::uuid[])", [ids])
    tx.execute("DELETE FROM apart WHERE person_a = ANY(%(ids)s::uuid[]) OR person_b = ANY(%(ids)s::uuid[])", {"ids": ids})
    left = _without_persons(tx, sorted(identities - set(identity_ids)), now)
    _delete_identities(tx, ids, [*identity_ids, *left])
    forgotten_facts.take_back(tx, vault, ids, FORGOTTEN)
    forgotten_facts.lend_no_more(tx, vault, identity_ids, left, templates, now)
    set_aside.drop_mentions(tx, vault, ids)
    return Counts(gone, len(templates), snapshots)


def _empty_visits(tx: Tx, erasure_id: str, person_ids: Sequence[str], now: datetime) -> int:
    """How many pictures are doomed."""
    doomed = tx.execute(
        """INSERT INTO doomed_snapshots (tenant_id, key, erasure_id, doomed_at)
            SELECT tenant_id, snapshot, %s, %s FROM visits WHERE person_id = ANY(%s::uuid[]) AND snapshot IS NOT NULL
            ON CONFLICT (tenant_id, key) DO UPDATE SET erasure_id = excluded.erasure_id""",
        [erasure_id, now, list(person_ids)],
    ).rowcount
    tx.execute(
        """UPDATE visits SET person_id = NULL, reason = %s, similarity = NULL, bar = NULL, snapshot = NULL, snapshot_taken_at = NULL
            WHERE person_id = ANY(%s::uuid[])""",
        [FORGOTTEN, list(person_ids)],
    )
    return doomed


def _without_persons(tx: Tx, identity_ids: Sequence[str], now: datetime) -> list[str]:
    """Of identities that lost a person, those with none left. The others are looked at anew: what is told of them has changed."""
    tx.execute(
        """INSERT INTO resolve_queue (tenant_id, person_id, queued_at, not_before)
            SELECT tenant_id, id, %(now)s, %(now)s FROM persons WHERE identity_id = ANY(%(ids)s::uuid[])
            ON CONFLICT (tenant_id, person_id) DO UPDATE SET not_before = least(resolve_queue.not_before, excluded.not_before)""",
        {"now": now, "ids": list(identity_ids)},
    )
    rows = tx.execute(
        """SELECT i.id FROM identities AS i WHERE i.id = ANY(%s::uuid[])
            AND NOT EXISTS (SELECT FROM persons AS p WHERE p.identity_id = i.id)""",
        [list(identity_ids)],
    ).fetchall()
    return [row[0] for row in rows]


def _delete_identities(tx: Tx, person_ids: Sequence[str], identity_ids: Sequence[str]) -> None:
    which = {"persons": list(person_ids), "identities": list(identity_ids)}
    tx.execute(
        """DELETE FROM review WHERE person_id = ANY(%(persons)s::uuid[]) OR identity_id = ANY(%(identities)s::uuid[])
            OR other_identity_id = ANY(%(identities)s::uuid[])""",
        which,
    )
    tx.execute("DELETE FROM identity_events WHERE person_id = ANY(%(persons)s::uuid[]) OR identity_id = ANY(%(identities)s::uuid[])", which)
    # A merge names whom it brought; they may have been parted from that identity since.
    tx.execute(
        """UPDATE identity_events SET before = jsonb_set(before, '{persons}', (before->'persons') - %(persons)s::text[])
            WHERE kind = 'merge' AND before->'persons' ?| %(persons)s::text[]""",
        which,
    )
    tx.execute("DELETE FROM identities WHERE id = ANY(%(identities)s::uuid[])", which)
