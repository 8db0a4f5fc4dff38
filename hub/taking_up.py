"""Forgetting somebody again whom this database does not know to be forgotten, because it was put back to an earlier day since: a store that
was told of it then tells it back.

It is carried out under its own id, for the persons that it named then and for nobody else: who is linked with them by now is looked at
anew. All appliances are told, since some may never have heard of it. What is known changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from hub import audit, erasure, facts, forgotten_rows, opt_outs, receipts
from hub.database import Tx
from hub.erasure import ERASE, OPT_OUT, Asked
from hub.forgotten_rows import NOBODYS, Tombstone
from hub.vault import Vault
from sync.facts import TEMPLATES_MAX, Erase, OptOut, OptOutEnded


def take_up(tx: Tx, vault: Vault, fact: Erase | OptOut, asked: Asked, now: datetime) -> bool:
    """Whether there was anything to do. Call it first in a transaction."""
    erasure.shut_out_ingest(tx)
    kind = ERASE if isinstance(fact, Erase) else OPT_OUT
    row = tx.execute("SELECT kind, identity_ids, ended_at IS NOT NULL FROM erasures WHERE id = %s", [fact.erasure_id]).fetchone()
    stones = forgotten_rows.tombstones(tx, fact.person_ids)
    if row is not None and (row[0] != kind or row[2] or _is_known(fact, row[1], stones)):
        return False
    if kind == OPT_OUT and _asked_for_more(tx, vault, fact, stones, asked, now):
        _note(tx, fact, kind, asked, now, ended=True)
        return False
    if kind == ERASE:
        # Of a person whom a store had opt out since, that opt-out is another identity's.
        for identity_id in dict.fromkeys([fact.identity_id, *(stone.identity_id for stone in stones.values() if stone.in_force)]):
            opt_outs.end(tx, vault, identity_id, asked.by, now)
    _note(tx, fact, kind, asked, now)
    persons = forgotten_rows.persons_of(tx, [], fact.person_ids, NOBODYS)
    told: Erase | OptOut = fact
    if isinstance(fact, OptOut):
        here = opt_outs.lent(tx, vault, fact.identity_id, [one.id for one in persons])
        lent = list({template.id: template for template in [*fact.templates, *here]}.values())[:TEMPLATES_MAX]
        told = replace(fact, templates=lent)
    _set_free(tx, fact.identity_id, fact.person_ids, now)
    counts = forgotten_rows.delete(tx, vault, fact.erasure_id, persons, [fact.identity_id], now)
    if row is None:
        receipts.open_receipts(tx, fact.erasure_id, counts, now)
        audit.note(tx, asked.by, f"{kind} told back", fact.erasure_id, now)
    else:
        receipts.reopen(tx, fact.erasure_id, counts)
    if isinstance(fact, OptOut):
        opt_outs.keep_no_older(tx, vault, fact.identity_id)
    facts.tell(tx, vault, told, appliance_id=None, subject=f"{fact.erasure_id}/{_pages(tx, fact.erasure_id)}", now=now)
    return True


def _is_known(fact: Erase | OptOut, identity_ids: Sequence[str], stones: Mapping[str, Tombstone]) -> bool:
    return fact.identity_id in identity_ids and all(one in stones for one in fact.person_ids)


def _asked_for_more(tx: Tx, vault: Vault, fact: Erase | OptOut, stones: Mapping[str, Tombstone], asked: Asked, now: datetime) -> bool:
    """Whether somebody who opted out was erased, which another store told back before. Then the opt-out ends everywhere."""
    erased = next((stone.erasure_id for stone in stones.values() if stone.kind == ERASE), None)
    if erased is None:
        query = "SELECT FROM erasures WHERE kind = 'erase' AND %s = ANY (identity_ids)"
        return tx.execute(query, [fact.identity_id]).fetchone() is not None
    if not opt_outs.end(tx, vault, fact.identity_id, asked.by, now):
        facts.tell(tx, vault, OptOutEnded(identity_id=fact.identity_id), appliance_id=None, subject=fact.identity_id, now=now)
    if others := [one for one in fact.person_ids if one not in stones]:
        erasure.forget_also(tx, vault, erased, others, asked, now)
    return True


def _note(tx: Tx, fact: Erase | OptOut, kind: str, asked: Asked, now: datetime, *, ended: bool = False) -> None:
    """One erasure is told in several facts: of each identity that it was, and in pages of persons."""
    tx.execute(
        """INSERT INTO erasures AS e (tenant_id, id, kind, identity_id, identity_ids, asked_at, asked_by, reason, ended_at)
            VALUES ((SELECT current_tenant()), %s, %s, %s, ARRAY[%s::uuid], %s, %s, %s, %s)
            ON CONFLICT (tenant_id, id) DO UPDATE
                SET identity_ids = array_remove(e.identity_ids, excluded.identity_id) || excluded.identity_ids""",
        [fact.erasure_id, kind, fact.identity_id, fact.identity_id, now, asked.by, asked.reason, now if ended else None],
    )


def _set_free(tx: Tx, identity_id: str, person_ids: Sequence[str], now: datetime) -> None:
    """Persons that are this identity here and were not when it was forgotten."""
    rows = tx.execute(
        """UPDATE persons SET identity_id = NULL, linked_by = '', similarity = NULL, bar = NULL, linked_at = NULL
            WHERE identity_id = %s AND id <> ALL(%s::uuid[]) RETURNING id""",
        [identity_id, list(person_ids)],
    ).fetchall()
    tx.execute(
        """INSERT INTO resolve_queue (tenant_id, person_id, queued_at, not_before)
            SELECT (SELECT current_tenant()), t.id, %(now)s, %(now)s FROM unnest(%(ids)s::uuid[]) AS t (id)
            ON CONFLICT (tenant_id, person_id) DO UPDATE SET not_before = least(resolve_queue.not_before, excluded.not_before)""",
        {"now": now, "ids": sorted(row[0] for row in rows)},
    )


def _pages(tx: Tx, erasure_id: str) -> int:
    """How many facts of it were told already."""
    row = tx.execute("SELECT count(*) FROM facts WHERE kind IN ('erase', 'opt_out') AND split_part(subject, '/', 1) = %s", [erasure_id])
    found = row.fetchone()
    return int(found[0]) if found else 0
