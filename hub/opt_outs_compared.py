"""Who among the known looks like somebody that opted out since: those are queued, so that the resolver compares them and forgets who is.

A store may opt somebody out before headquarters has linked them with the person that another store has had for long. The resolver compares
whoever comes with those who opted out; here those who opt out are compared with whoever came. The table `opt_outs_compared` says up to
which fact that was done, so that an index that is away delays it and forgets nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from hub import facts
from hub.database import Database, Tx
from hub.deciding import OPTED_OUT_FALSE_MATCH, SLACK, look_of
from hub.index import NEAR_MAX, PROBES_MAX, Floats, Index
from hub.model_bars import BarsOf
from hub.opt_outs import KIND
from hub.opted_out_likeness import PERSONS_MIN
from hub.vault import Vault
from sync.facts import OptOut
from sync.records import whole

FACTS_MAX = 200
"""Compared at a time; the rest in the next run."""
NEWER = """SELECT sequence, payload_sealed FROM facts
    WHERE kind = %s AND sequence > coalesce((SELECT sequence FROM opt_outs_compared), 0) ORDER BY sequence LIMIT %s"""


@dataclass(frozen=True, slots=True)
class Fresh:
    """Opt-outs not yet compared, and the fact's number up to which they go."""

    told: list[OptOut]
    through: int


def any_fresh(tx: Tx) -> bool:
    return tx.execute(NEWER, [KIND, 1]).fetchone() is not None


def compare(database: Database, index: Index, bars_of: BarsOf, tenant_id: str, now: datetime) -> int:
    """How many persons were queued. Raises IndexAway; then all is as before."""
    with database.tenant(tenant_id) as tx:
        fresh = _fresh(tx, database.vault(tx, tenant_id))
    if fresh is None:
        return 0
    template_ids = _near(index, bars_of, tenant_id, fresh.told)
    with database.tenant(tenant_id) as tx:
        queued = tx.execute(
            """INSERT INTO resolve_queue (tenant_id, person_id, queued_at, not_before)
                SELECT DISTINCT p.tenant_id, p.id, %(now)s::timestamptz, %(now)s::timestamptz
                FROM templates AS t JOIN persons AS p ON p.id = t.person_id WHERE t.id = ANY(%(ids)s::uuid[]) ORDER BY p.id
                ON CONFLICT (tenant_id, person_id) DO UPDATE SET not_before = least(resolve_queue.not_before, excluded.not_before)""",
            {"now": now, "ids": template_ids},
        ).rowcount
        tx.execute(
            """INSERT INTO opt_outs_compared (tenant_id, sequence) VALUES ((SELECT current_tenant()), %s)
                ON CONFLICT (tenant_id) DO UPDATE SET sequence = greatest(opt_outs_compared.sequence, excluded.sequence)""",
            [fresh.through],
        )
        return queued


def _fresh(tx: Tx, vault: Vault) -> Fresh | None:
    rows = tx.execute(NEWER, [KIND, FACTS_MAX]).fetchall()
    opened = [facts.opened(vault, sequence, sealed) for sequence, sealed in rows]
    return Fresh([one for one in opened if isinstance(one, OptOut) and one.templates], rows[-1][0]) if rows else None


def _near(index: Index, bars_of: BarsOf, tenant_id: str, told: Sequence[OptOut]) -> list[str]:
    """Templates that may be of somebody who opted out; too many do no harm, the resolver looks closer."""
    views: dict[str, dict[str, list[Floats]]] = defaultdict(lambda: defaultdict(list))
    for fact in told:
        for template in fact.templates:
            known, embedding = bars_of(template.model), whole(template.embedding)
            if known is not None and len(embedding) == known.size:
                views[template.model][fact.identity_id].append(embedding)
    found: list[str] = []
    for model, people in views.items():
        measured = bars_of(model)
        assert measured is not None
        bar = measured.bars.bar_for_search(PERSONS_MIN, OPTED_OUT_FALSE_MATCH) / SLACK
        probes = np.stack([look_of(np.stack(rows)).direction for rows in people.values()])
        for start in range(0, len(probes), PROBES_MAX):
            hits = index.search(tenant_id, model, probes[start : start + PROBES_MAX], NEAR_MAX)
            found += [one.template_id for near in hits for one in near if one.similarity >= bar]
    return found
