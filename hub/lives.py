"""Which life of this database the stores have heard of: the column `tenants.life`.

A database that was put back to an earlier day has lost what it told and was told since. It begins a new life, which each store hears of
with its next answer: the store then lets go of what it was told, hears all that holds from the start, and tells everything it has anew,
first of all who was forgotten. Who puts a database back says so (`begin`); where nobody did, a store gives it away that was acknowledged
more records than there are, or has heard later facts, or others by the same numbers: each answer gives the store a random mark of the
newest that it has heard (`facts.mark_at`), as a log's entries are matched in Raft (Ongaro, Ousterhout, 2014).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import uuid_utils

from hub import facts
from hub.database import Tx
from sync.messages import Push

log = logging.getLogger(__name__)
BEGIN = "UPDATE tenants SET life = %s WHERE tenant_id = (SELECT current_tenant())"


@dataclass(frozen=True, slots=True)
class Heard:
    """`life`: this one. `cursor`: up to which of its facts the store has heard; None: it speaks of another life, and must hear of this one
    before it is told anything."""

    life: str
    cursor: int | None


def begin(tx: Tx) -> str:
    """In a transaction of the tenant."""
    life = str(uuid_utils.uuid4())
    tx.execute(BEGIN, [life])
    return life


def heard(tx: Tx, push: Push, applied: int) -> Heard:
    """`applied`: how many records of the store's line there were before. Last in the transaction that takes what the store told: what that
    adds to the facts is counted."""
    row = tx.execute("SELECT life, fact_sequence FROM tenants WHERE tenant_id = (SELECT current_tenant())").fetchone()
    assert row is not None, "a store is heard in its tenant's transaction"
    life, newest = str(row[0]), int(row[1])
    if push.life not in ("", life):
        return Heard(life, None)
    # One of a store that has heard of no marks yet, or of a number too old to have one, says nothing.
    ours = facts.mark_at(tx, push.cursor) if push.mark else ""
    others = bool(ours) and ours != push.mark
    if push.cursor <= newest and push.acknowledged <= applied and not others:
        return Heard(life, push.cursor)
    log.warning(
        "event=database_was_put_back cursor=%d newest=%d acknowledged=%d applied=%d others=%s",
        *(push.cursor, newest, push.acknowledged, applied, others),
    )
    # A store that has never heard of a life is told from the start at once.
    return Heard(begin(tx), None if push.life else 0)
