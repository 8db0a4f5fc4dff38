"""Whom headquarters had forgotten or never stored again, as it told this store: the table `had_forgotten`.

It is told back with everything else that is told anew, and first of all: a headquarters that was put back to an earlier day knows of the
people and no longer of their wish. Ids alone are kept here; the templates of an opt-out are the opt-out gallery's.
"""

from __future__ import annotations

import numpy as np

from appliance.database import Store
from appliance.line import guests
from sync import facts
from sync.facts import Erase, LentTemplate, OptOut
from sync.records import ToldBack, halved


def note(store: Store, fact: Erase | OptOut) -> None:
    """In the transaction that carries it out. The same fact again changes nothing."""
    first = fact.person_ids[0] if fact.person_ids else ""
    key = f"{fact.erasure_id}/{fact.identity_id}/{first}"
    row = [key, fact.erasure_id, fact.identity_id, facts.kind_of(fact), " ".join(fact.person_ids)]
    store.db.execute("INSERT OR REPLACE INTO had_forgotten VALUES (?, ?, ?, ?, ?)", row)


def ended(store: Store, identity_id: str) -> None:
    """They opted in again."""
    store.db.execute("DELETE FROM had_forgotten WHERE identity_id = ? AND kind = 'opt_out'", [identity_id])


def tell(store: Store, key: str, now_ms: int) -> None:
    erasure_id, identity_id, kind, joined = store.db.execute(
        "SELECT erasure_id, identity_id, kind, person_ids FROM had_forgotten WHERE key = ?", [key]
    ).fetchone()
    person_ids = joined.split()
    fact: Erase | OptOut = Erase(erasure_id=erasure_id, identity_id=identity_id, person_ids=person_ids)
    if kind == "opt_out":
        kept = _kept(store, identity_id)
        fact = OptOut(erasure_id=erasure_id, identity_id=identity_id, person_ids=person_ids, templates=kept)
    store.record(ToldBack(payload=facts.encoded(fact)), now_ms)


def _kept(store: Store, identity_id: str) -> list[LentTemplate]:
    """By which somebody who opted out is known again: what was lent first, then this store's own views."""
    rows = store.db.execute(
        """SELECT t.id, t.model, t.embedding_sealed FROM guest_templates t JOIN guests g USING (identity_id)
            WHERE g.identity_id = ?1 AND g.role = 'opted_out' ORDER BY substr(t.id, 1, ?2) = ?3, t.id LIMIT ?4""",
        [identity_id, len(guests.OWN), guests.OWN, facts.TEMPLATES_MAX],
    ).fetchall()
    found: dict[str, LentTemplate] = {}
    for template_id, model, sealed in rows:
        plain = store.vault.unseal(sealed, table="guest_templates", column="embedding", row=f"{identity_id}/{template_id}")
        own_id = template_id.removeprefix(guests.OWN)
        found.setdefault(own_id, LentTemplate(id=own_id, model=model, embedding=halved(np.frombuffer(plain, "<f4"))))
    return list(found.values())
