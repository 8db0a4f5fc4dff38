"""People as the chain knows them: the table `identities`, which persons each is, and every change of that in `identity_events`.

An identity is one person or several, each of one appliance. What a person decided no machine changes. Every link, parting and merge keeps
what was before and why, so that it can be shown and undone. A merged identity's row stays and names the one that took its persons: ids
that were told to a store go on meaning somebody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import uuid_utils

from hub import erasure
from hub.database import Tx
from hub.errors import NotFound
from hub.identity_events import Event, note_many

MACHINE = "machine"
MERGES_FOLLOWED_MAX = 100
"""Identities merged one into the next; more than a few is unheard of."""


@dataclass(frozen=True, slots=True)
class Placing:
    """A person's identity as it was decided. `linked_by`: machine, person or guest. `before`: what it was."""

    person_id: str
    identity_id: str
    linked_by: str
    similarity: float | None
    bar: float | None
    reason: str
    before: str | None = None


def hold(tx: Tx) -> None:
    """Before anything here is changed: nobody else changes identities of the tenant, and nobody is forgotten, until the transaction
    ends."""
    erasure.hold_off_forgetting(tx)
    tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('identities ' || (SELECT current_tenant()), 0))")


def new_id() -> str:
    return str(uuid_utils.uuid7())


def add(tx: Tx, identity_ids: Sequence[str], now: datetime) -> None:
    """New identities, numbered on. To be called after `hold`."""
    tx.execute(
        """INSERT INTO identities (tenant_id, id, number, made_at)
            SELECT (SELECT current_tenant()), t.id, (SELECT coalesce(max(number), 0) FROM identities) + t.place, %s
            FROM unnest(%s::uuid[]) WITH ORDINALITY AS t (id, place)""",
        [now, list(identity_ids)],
    )


def place(tx: Tx, placings: Sequence[Placing], by: str, now: datetime) -> None:
    """Writes whose persons are whose, and why."""
    if not placings:
        return
    tx.execute(
        """UPDATE persons AS p SET identity_id = t.identity_id, linked_by = t.linked_by, similarity = t.similarity, bar = t.bar,
                linked_at = %s
            FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::real[], %s::real[])
                AS t (id, identity_id, linked_by, similarity, bar)
            WHERE p.id = t.id""",
        [
            now,
            [one.person_id for one in placings],
            [one.identity_id for one in placings],
            [one.linked_by for one in placings],
            [one.similarity for one in placings],
            [one.bar for one in placings],
        ],
    )
    note_many(
        tx,
        [
            Event("link", by, one.identity_id, one.person_id, {"identity_id": one.before} if one.before else {}, one.reason)
            for one in placings
        ],
        now,
    )


def note_why(tx: Tx, placing: Placing) -> None:
    """Of a person that came along with its whole identity: why the machine did it."""
    tx.execute(
        "UPDATE persons SET linked_by = %s, similarity = %s, bar = %s WHERE id = %s",
        [placing.linked_by, placing.similarity, placing.bar, placing.person_id],
    )


def today(tx: Tx, identity_ids: Sequence[str]) -> dict[str, str]:
    """What each of these ids means today: itself, or what it was merged into. Ids that are not there are left out."""
    found = {
        row[0]: row[1] for row in tx.execute("SELECT id, merged_into FROM identities WHERE id = ANY(%s::uuid[])", [list(identity_ids)])
    }
    meant: dict[str, str] = {}
    for identity_id in found:
        here, into = identity_id, found[identity_id]
        for _ in range(MERGES_FOLLOWED_MAX):
            if into is None:
                meant[identity_id] = here
                break
            row = tx.execute("SELECT id, merged_into FROM identities WHERE id = %s", [into]).fetchone()
            if row is None:
                break
            here, into = row
    return meant


def keep_apart(tx: Tx, some: Sequence[str], others: Sequence[str], reason: str, now: datetime) -> None:
    """None of these persons is any of those, and the machine links none of them."""
    pairs = [(min(a, b), max(a, b)) for a in some for b in others if a != b]
    tx.execute(
        """INSERT INTO apart (tenant_id, person_a, person_b, reason, made_at)
            SELECT (SELECT current_tenant()), t.*, %s, %s FROM unnest(%s::uuid[], %s::uuid[]) AS t ON CONFLICT DO NOTHING""",
        [reason, now, [a for a, _ in pairs], [b for _, b in pairs]],
    )


def persons_of(tx: Tx, identity_id: str) -> list[str]:
    return [row[0] for row in tx.execute("SELECT id FROM persons WHERE identity_id = %s ORDER BY id", [identity_id])]


def about_how_many(tx: Tx) -> int:
    """Identities of the tenant. Those that went are counted, too: that costs nothing, and makes bars stricter, not looser."""
    row = tx.execute("SELECT coalesce(max(number), 0) FROM identities").fetchone()
    assert row is not None
    return int(row[0])


def sweep(tx: Tx, identity_ids: Sequence[str]) -> int:
    """Of these identities, those whose last person went are nobody, and their row goes. How many went."""
    return tx.execute(
        """DELETE FROM identities AS i WHERE i.id = ANY(%s::uuid[]) AND NOT EXISTS (SELECT FROM persons AS p WHERE p.identity_id = i.id)
            AND NOT EXISTS (SELECT FROM persons AS p WHERE p.identity_id = i.merged_into)""",
        [list(identity_ids)],
    ).rowcount


def living(tx: Tx, identity_id: str) -> str:
    """The identity that this id means today. Raises NotFound."""
    meant = today(tx, [identity_id])
    if identity_id not in meant:
        raise NotFound(f"There is no identity {identity_id}.")
    return meant[identity_id]


def identity_of(tx: Tx, person_id: str) -> str | None:
    """Raises NotFound for a person that is not there."""
    row = tx.execute("SELECT identity_id FROM persons WHERE id = %s", [person_id]).fetchone()
    if row is None:
        raise NotFound(f"There is no person {person_id}.")
    found: str | None = row[0]
    return found
