"""Forgetting somebody: `erasures`, `tombstones`, and what goes from every table at once. Nothing may bring back what was forgotten.

    erase      everything of the identity goes, everywhere
    opt_out    the same, but its best templates stay in the one fact that lends them to the stores' opt-out galleries

One transaction deletes here, sets a tombstone for each person, tells all appliances, and notes where it is still to be done
(`hub.receipts`). It shuts out ingest of the tenant while it runs, so that no record of the person slips in behind it: call it first in a
transaction. Postgres is done when it commits; index and pictures are `hub.forgetting`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import uuid_utils

from hub import audit, facts, forgotten_rows, opt_outs, receipts
from hub.database import Tx
from hub.errors import NotFound
from hub.forgotten_rows import NOBODYS
from hub.vault import Vault
from sync.facts import PERSONS_MAX, Erase, LentTemplate, OptOut

ERASE, OPT_OUT = "erase", "opt_out"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants it, for the record: "store …", an admin's name, or what rule it follows from."""

    by: str
    reason: str = ""


def erase(tx: Tx, vault: Vault, identity_id: str, asked: Asked, now: datetime) -> str:
    """Forgets an identity, or the opted-out one of that id; the id of the erasure. Raises NotFound."""
    shut_out_ingest(tx)
    if out := opt_outs.in_force(tx, identity_id):
        return _erase_opted_out(tx, vault, out, asked, now)
    return _forget(tx, vault, ERASE, _family(tx, identity_id), [], asked, now)


def opt_out(tx: Tx, vault: Vault, identity_id: str, asked: Asked, now: datetime) -> str:
    """Never to be stored again; the id of the erasure. Once more is harmless. Raises NotFound."""
    shut_out_ingest(tx)
    if out := opt_outs.in_force(tx, identity_id):
        return out.erasure_ids[-1]
    return _forget(tx, vault, OPT_OUT, _family(tx, identity_id), [], asked, now)


def end_opt_out(tx: Tx, vault: Vault, identity_id: str, by: str, now: datetime) -> None:
    """Raises NotFound when there is none in force."""
    shut_out_ingest(tx)
    if not opt_outs.end(tx, vault, identity_id, by, now):
        raise NotFound(f"There is no opt-out of identity {identity_id}.")


def erase_persons(
    tx: Tx, vault: Vault, person_ids: Sequence[str], asked: Asked, now: datetime, *, appliance_id: str = NOBODYS
) -> list[str]:
    """Forgets whole identities through their persons; a person without one alone, also one that is not known here (then of this
    appliance). Gives the erasures."""
    return _forget_persons(tx, vault, ERASE, person_ids, asked, now, appliance_id)


def opt_out_persons(
    tx: Tx, vault: Vault, person_ids: Sequence[str], asked: Asked, now: datetime, *, appliance_id: str = NOBODYS
) -> list[str]:
    return _forget_persons(tx, vault, OPT_OUT, person_ids, asked, now, appliance_id)


def forget_also(
    tx: Tx, vault: Vault, erasure_id: str, person_ids: Sequence[str], asked: Asked, now: datetime, *, appliance_id: str = NOBODYS
) -> str:
    """The same for further persons who turned out to be somebody forgotten: merged with them, recognised by what was lent of them, or like
    them. The id of an erasure of their own, or "" where an opt-out has ended since."""
    shut_out_ingest(tx)
    row = tx.execute("SELECT kind, identity_id, ended_at FROM erasures WHERE id = %s", [erasure_id]).fetchone()
    if row is None:
        raise NotFound(f"There is no erasure {erasure_id}.")
    kind, identity_id, ended_at = row
    if ended_at is not None:
        return ""
    return _forget(tx, vault, kind, [identity_id], person_ids, asked, now, appliance_id, known=True)


def shut_out_ingest(tx: Tx) -> None:
    """Waits until nobody of the tenant stores or links, and keeps them out until the transaction ends."""
    tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('forgetting ' || (SELECT current_tenant()), 0))")


def hold_off_forgetting(tx: Tx) -> None:
    """For whoever stores or links persons: nobody is forgotten until the transaction ends. What was read of them before must be read
    again."""
    tx.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended('forgetting ' || (SELECT current_tenant()), 0))")


def _forget_persons(
    tx: Tx, vault: Vault, kind: str, person_ids: Sequence[str], asked: Asked, now: datetime, appliance_id: str
) -> list[str]:
    shut_out_ingest(tx)
    made = []
    for person_id in dict.fromkeys(person_ids):
        row = tx.execute("SELECT identity_id FROM persons WHERE id = %s", [person_id]).fetchone()
        stone = forgotten_rows.tombstones(tx, [person_id]).get(person_id)
        if row is not None and row[0] is not None:
            made.append(_forget(tx, vault, kind, _family(tx, row[0]), [person_id], asked, now, appliance_id))
        elif stone is None:
            made.append(_forget(tx, vault, kind, [str(uuid_utils.uuid7())], [person_id], asked, now, appliance_id))
        elif kind == ERASE and stone.kind == OPT_OUT and (out := opt_outs.in_force(tx, stone.identity_id)):
            # They had opted out, and now want that to be forgotten as well.
            made.append(_erase_opted_out(tx, vault, out, asked, now))
    return made


def _family(tx: Tx, identity_id: str) -> list[str]:
    """The identity that this one is today, first, and all that were merged into it. Raises NotFound."""
    # UNION, not UNION ALL: it ends even where ids point in a circle.
    rows = tx.execute(
        """WITH RECURSIVE up AS (SELECT id, merged_into FROM identities WHERE id = %s
                UNION SELECT i.id, i.merged_into FROM identities AS i JOIN up ON i.id = up.merged_into),
            down AS (SELECT id, merged_into FROM up
                UNION SELECT i.id, i.merged_into FROM identities AS i JOIN down ON i.merged_into = down.id)
            SELECT id FROM down ORDER BY merged_into IS NOT NULL, id""",
        [identity_id],
    ).fetchall()
    if not rows:
        raise NotFound(f"There is no identity {identity_id}.")
    return [row[0] for row in rows]


def _forget(
    tx: Tx,
    vault: Vault,
    kind: str,
    family: list[str],
    person_ids: Sequence[str],
    asked: Asked,
    now: datetime,
    appliance_id: str = NOBODYS,
    *,
    known: bool = False,
) -> str:
    """`family`: the identity's ids, its own first. `known`: it was forgotten before, and these persons are told to be it as well."""
    erasure_id, identity_id = str(uuid_utils.uuid7()), family[0]
    persons = forgotten_rows.persons_of(tx, family, person_ids, appliance_id)
    lent = opt_outs.lent(tx, vault, identity_id, [one.id for one in persons]) if kind == OPT_OUT else []
    tx.execute(
        """INSERT INTO erasures (tenant_id, id, kind, identity_id, identity_ids, asked_at, asked_by, reason)
            VALUES ((SELECT current_tenant()), %s, %s, %s, %s::uuid[], %s, %s, %s)""",
        [erasure_id, kind, identity_id, family, now, asked.by, asked.reason],
    )
    counts = forgotten_rows.delete(tx, vault, erasure_id, persons, [] if known else family, now)
    receipts.open_receipts(tx, erasure_id, counts, now)
    if kind == OPT_OUT:
        opt_outs.keep_no_older(tx, vault, identity_id)
    ids = [one.id for one in persons]
    facts.tell_many(
        tx,
        vault,
        [
            facts.Telling(
                _fact(kind, erasure_id, named, ids[start : start + PERSONS_MAX], lent if named == identity_id else []),
                None,
                f"{erasure_id}/{number}",
            )
            for number, (named, start) in enumerate(_pages(family, len(ids)))
        ],
        now,
    )
    audit.note(tx, asked.by, f"{kind} asked", erasure_id, now)
    return erasure_id


def _pages(family: Sequence[str], persons: int) -> list[tuple[str, int]]:
    """Each identity is told once, the first with all persons, page by page."""
    return [(family[0], start) for start in range(0, max(1, persons), PERSONS_MAX)] + [(other, persons) for other in family[1:]]


def _fact(kind: str, erasure_id: str, identity_id: str, person_ids: list[str], lent: list[LentTemplate]) -> Erase | OptOut:
    if kind == ERASE:
        return Erase(erasure_id=erasure_id, identity_id=identity_id, person_ids=person_ids)
    return OptOut(erasure_id=erasure_id, identity_id=identity_id, person_ids=person_ids, templates=lent)


def _erase_opted_out(tx: Tx, vault: Vault, out: opt_outs.InForce, asked: Asked, now: datetime) -> str:
    """What was kept for the opt-out goes too, and the stores are told to erase the same persons."""
    opt_outs.end(tx, vault, out.identity_id, asked.by, now)
    gone = [
        row[0] for row in tx.execute("SELECT person_id FROM tombstones WHERE erasure_id = ANY(%s::uuid[]) ORDER BY 1", [out.erasure_ids])
    ]
    return _forget(tx, vault, ERASE, out.identity_ids, gone, asked, now, known=True)
