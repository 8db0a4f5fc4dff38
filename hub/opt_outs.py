"""Opt-outs in force: rows of `erasures`, and the facts that lend the templates by which the stores know whom not to store.

Those facts are the only place at headquarters where anything of somebody who opted out is kept. Of one identity only the newest fact holds
templates; the older say without them which persons go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from hub import audit, facts
from hub.database import Tx
from hub.vault import Vault
from sync.facts import TEMPLATES_MAX, LentTemplate, OptOut, OptOutEnded

KIND = "opt_out"


@dataclass(frozen=True, slots=True)
class InForce:
    """`identity_ids`: the identity and those merged into it. `erasure_ids`: the first, and those that found further persons; oldest
    first."""

    identity_id: str
    identity_ids: list[str]
    erasure_ids: list[str]


@dataclass(frozen=True, slots=True)
class OptedOut:
    """One template of somebody who is not to be stored: whoever is like it is not linked but forgotten (`erasure.forget_also`)."""

    identity_id: str
    erasure_id: str
    template: LentTemplate


def in_force(tx: Tx, identity_id: str) -> InForce | None:
    rows = tx.execute(
        """SELECT id, identity_id, identity_ids FROM erasures WHERE kind = 'opt_out' AND ended_at IS NULL AND identity_id IN
            (SELECT identity_id FROM erasures WHERE kind = 'opt_out' AND ended_at IS NULL AND %s = ANY (identity_ids)) ORDER BY id""",
        [identity_id],
    ).fetchall()
    if not rows:
        return None
    family = dict.fromkeys([rows[0][1], *(one for row in rows for one in row[2])])
    return InForce(rows[0][1], list(family), [row[0] for row in rows])


def every(tx: Tx) -> list[InForce]:
    rows = tx.execute("SELECT DISTINCT identity_id FROM erasures WHERE kind = 'opt_out' AND ended_at IS NULL ORDER BY 1").fetchall()
    return [found for row in rows if (found := in_force(tx, row[0]))]


def end(tx: Tx, vault: Vault, identity_id: str, by: str, now: datetime) -> bool:
    """They opted in again: what was kept of them goes, here and at the stores. Their old persons stay forgotten; the next visit makes a
    new one. Whether they had opted out."""
    out = in_force(tx, identity_id)
    if out is None:
        return False
    tx.execute("UPDATE erasures SET ended_at = %s WHERE id = ANY(%s::uuid[])", [now, out.erasure_ids])
    keep_no_older(tx, vault, out.identity_id)
    facts.tell_many(tx, vault, [facts.Telling(OptOutEnded(identity_id=one), None, one) for one in out.identity_ids], now)
    audit.note(tx, by, "opt-out ended", out.identity_id, now)
    return True


def templates(tx: Tx, vault: Vault, model: str) -> list[OptedOut]:
    """By which somebody who opted out is known again, of all who did."""
    return [
        OptedOut(fact.identity_id, fact.erasure_id, template)
        for fact in _told(tx, vault, None)
        for template in fact.templates
        if template.model == model
    ]


def lent(tx: Tx, vault: Vault, identity_id: str, person_ids: Sequence[str]) -> list[LentTemplate]:
    """The best views of these persons, and those that were lent of them before: at most what a fact may lend. Where stores use several
    models, each gets its share."""
    rows = tx.execute(
        """SELECT id, model, embedding_sealed FROM templates WHERE person_id = ANY(%s::uuid[])
            ORDER BY row_number() OVER (PARTITION BY model ORDER BY origin = 'enrolled' DESC, quality DESC, id), model LIMIT %s""",
        [list(person_ids), TEMPLATES_MAX],
    ).fetchall()
    fresh = [
        LentTemplate(id=i, model=model, embedding=vault.unseal(sealed, table="templates", column="embedding_sealed", row=i))
        for i, model, sealed in rows
    ]
    out = in_force(tx, identity_id)
    before = [template for fact in _told(tx, vault, out.erasure_ids) for template in fact.templates] if out else []
    return list({template.id: template for template in [*before, *fresh]}.values())[:TEMPLATES_MAX]


def offer(tx: Tx, vault: Vault, identity_id: str, offered: Sequence[LentTemplate], now: datetime) -> bool:
    """Views of somebody opted out that came later, as when a store tells of the person before the templates. Taken while there is room;
    whether any was."""
    out = in_force(tx, identity_id)
    held = facts.held(tx, vault, KIND, out.erasure_ids) if out else []
    newest = next((one for one in reversed(held) if isinstance(one.fact, OptOut)), None)
    if newest is None or not isinstance(newest.fact, OptOut):
        return False
    known = {template.id: template for template in newest.fact.templates}
    grown = list({**known, **{t.id: t for t in offered if t.id not in known}}.values())[:TEMPLATES_MAX]
    if len(grown) == len(known):
        return False
    facts.tell(tx, vault, replace(newest.fact, templates=grown), appliance_id=None, subject=newest.subject, now=now)
    return True


def keep_no_older(tx: Tx, vault: Vault, identity_id: str) -> None:
    """Takes the templates out of what was told of an identity, where it stands: a store that comes back after weeks hears the rest."""
    rows = tx.execute("SELECT id FROM erasures WHERE kind = 'opt_out' AND identity_id = %s", [identity_id]).fetchall()
    for one in facts.held(tx, vault, KIND, [row[0] for row in rows]):
        if isinstance(one.fact, OptOut) and one.fact.templates:
            facts.rewrite(tx, vault, one.sequence, replace(one.fact, templates=[]))


def _told(tx: Tx, vault: Vault, erasure_ids: Sequence[str] | None) -> list[OptOut]:
    return [one.fact for one in facts.held(tx, vault, KIND, erasure_ids) if isinstance(one.fact, OptOut)]
