"""Finds the identity of each person that the stores told of: works off the table `resolve_queue`, behind ingest and at its own pace.

One resolver a tenant. A batch goes three steps: read who is due; ask the index (what went is taken out of it, what is new put in, and each
person searched for once, by their look); decide and write in one transaction (`hub.settling`). Before the last step nothing is decided, so
a crash anywhere costs a repeat. Whoever changed meanwhile stays in the queue. An index that is away delays, and loses nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from hub import erasure, index_upkeep, looks, opt_outs, opt_outs_compared, settling
from hub.database import Database, Tx
from hub.deciding import look_of
from hub.erasure import Asked
from hub.index import NEAR_MAX, PROBES_MAX, Index, IndexAway, Near
from hub.looks import Stored
from hub.model_bars import BarsOf
from hub.opted_out_likeness import OptedOutLooks
from hub.settling import AWAY, Work

BATCH = 256
"""Persons searched for together. Milvus Lite goes through all of a tenant's rows once a search, whatever the number of probes: beside
10,000 identities 64 at a time made 110 a second, 256 made 440."""
BATCHES_MAX = 20
"""In one run; the next run goes on, and other tenants have their turn between."""
NEAR = 12
"""Templates of others looked at for a person. At the bar's height strangers are rare: among 200,000 templates the twelfth is at a likeness
where one of 17,000 strangers is, and what is linked is nearer by far."""
AGAIN_S = 2
AGAIN_S_MAX = 300
"""After an index that is away: 2 s, doubling to 5 min. The first batch that goes through makes all others due."""
UNUSABLE_AGAIN = timedelta(days=1)
"""A person whose templates nobody can compare: perhaps a later version knows the model."""
UNUSABLE = "templates of a model that has no bars here, or of another size than its"
REFUSED = "the index does not take the templates"
LIKE_OPTED_OUT = Asked("headquarters", "like somebody who opted out")


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a run did. `away`: why the index could not be asked; `busy`: another process is at it; `more`: persons are still due."""

    persons: int = 0
    linked: int = 0
    new: int = 0
    questions: int = 0
    forgotten: int = 0
    away: str = ""
    busy: bool = False
    more: bool = False


def resolve_due(
    database: Database, index: Index, bars_of: BarsOf, tenant_id: str, now: datetime, *, batches_max: int = BATCHES_MAX
) -> Resolved:
    """Raises DatabaseAway, DatabaseBusy; an index that is away is told in the result."""
    with database.once(index_upkeep.RESOLVER, tenant_id) as ours:
        if not ours:
            return Resolved(busy=True)
        if index.suspect:
            return Resolved(away="The index has not been compared with Postgres since a crash.", more=True)
        try:
            opt_outs_compared.compare(database, index, bars_of, tenant_id, now)
        except IndexAway as error:
            # Nobody is told apart from those who opted out until it answers.
            return Resolved(away=str(error), more=True)
        total = Resolved()
        for _ in range(batches_max):
            work = _read(database, tenant_id, now)
            if not work.due and not work.leftovers:
                return total
            total = _added(total, _batch(database, index, bars_of, tenant_id, work, now))
            if total.away:
                return total
        return replace(total, more=True)


def _batch(database: Database, index: Index, bars_of: BarsOf, tenant_id: str, work: Work, now: datetime) -> Resolved:
    try:
        near = ask(index, bars_of, tenant_id, work)
    except IndexAway as error:
        _postpone(database, tenant_id, work.due, AWAY, now)
        return Resolved(away=str(error), more=True)
    except ValueError:
        # Something that was never seen before: find whose it is, so that the others need not wait for them.
        if len(work.due) <= 1:
            _postpone(database, tenant_id, work.due, REFUSED, now)
            return Resolved(persons=len(work.due))
        alone = [replace(work, due=[one], templates=[t for t in work.templates if t.person_id == one]) for one in work.due]
        total = Resolved()
        for one in alone:
            total = _added(total, _batch(database, index, bars_of, tenant_id, one, now))
        return total
    settled = settling.settle(database, tenant_id, bars_of, work, near, now)
    if settled.unusable:
        _postpone(database, tenant_id, settled.unusable, UNUSABLE, now)
    _forget(database, tenant_id, settled.forget, now)
    return Resolved(len(work.due), settled.linked, settled.new, settled.questions, sum(map(len, settled.forget.values())))


def ask(index: Index, bars_of: BarsOf, tenant_id: str, work: Work) -> dict[str, dict[str, list[Near]]]:
    """Brings the index up to date with the batch and searches: person -> model -> the templates nearest to their look. Persons of one batch
    find one another. Raises IndexAway."""
    index_upkeep.take_out(index, tenant_id, work.leftovers)
    found: dict[str, dict[str, list[Near]]] = defaultdict(dict)
    by_model = index_upkeep.usable(work.templates, bars_of)
    for model, templates in by_model.items():
        index_upkeep.put(index, tenant_id, model, [one for one in templates if not one.indexed])
    for model, templates in by_model.items():
        persons: dict[str, list[Stored]] = defaultdict(list)
        for one in templates:
            persons[one.person_id].append(one)
        ids = list(persons)
        # Their own are the nearest.
        most = min(NEAR + max(len(those) for those in persons.values()), NEAR_MAX)
        probes = np.stack([look_of(np.stack([t.embedding for t in persons[i]])).direction for i in ids])
        for start in range(0, len(ids), PROBES_MAX):
            hits = index.search(tenant_id, model, probes[start : start + PROBES_MAX], most)
            for person_id, near in zip(ids[start : start + PROBES_MAX], hits, strict=True):
                found[person_id][model] = near
    return found


def is_due(tx: Tx, now: datetime) -> bool:
    """Whether a run would find something to do."""
    row = tx.execute(
        "SELECT EXISTS (SELECT FROM resolve_queue WHERE not_before <= %s) OR EXISTS (SELECT FROM index_leftovers)", [now]
    ).fetchone()
    return bool(row and row[0]) or opt_outs_compared.any_fresh(tx)


def waiting(tx: Tx) -> int:
    """Persons whose identity is still to be found."""
    row = tx.execute("SELECT count(*) FROM resolve_queue").fetchone()
    assert row is not None
    return int(row[0])


def _read(database: Database, tenant_id: str, now: datetime) -> Work:
    with database.tenant(tenant_id) as tx:
        vault = database.vault(tx, tenant_id)
        rows = tx.execute(
            "SELECT person_id FROM resolve_queue WHERE not_before <= %s ORDER BY not_before, person_id LIMIT %s", [now, BATCH]
        ).fetchall()
        due = [row[0] for row in rows]
        templates = looks.of_persons(tx, vault, due)
        models = {one.model for one in templates}
        opted_out = [one for model in sorted(models) for one in opt_outs.templates(tx, vault, model)]
        return Work(due, templates, looks.leftovers(tx), OptedOutLooks(opted_out))


def _postpone(database: Database, tenant_id: str, person_ids: Sequence[str], trouble: str, now: datetime) -> None:
    with database.tenant(tenant_id) as tx:
        tx.execute(
            """UPDATE resolve_queue SET trouble = %(trouble)s, attempts = attempts + 1, not_before = %(now)s
                + CASE WHEN %(trouble)s = %(away)s THEN least(%(most)s, %(first)s * 2 ^ least(attempts, 20)) * interval '1 second'
                    ELSE %(later)s END
                WHERE person_id = ANY(%(ids)s::uuid[])""",
            {
                "trouble": trouble,
                "away": AWAY,
                "now": now,
                "most": AGAIN_S_MAX,
                "first": AGAIN_S,
                "later": UNUSABLE_AGAIN,
                "ids": list(person_ids),
            },
        )


def _forget(database: Database, tenant_id: str, forget: dict[str, list[str]], now: datetime) -> None:
    """Persons who turned out to be somebody who opted out; in transactions of their own, which begin with shutting out ingest."""
    for erasure_id, person_ids in forget.items():
        with database.tenant(tenant_id) as tx:
            erasure.forget_also(tx, database.vault(tx, tenant_id), erasure_id, person_ids, LIKE_OPTED_OUT, now)


def _added(one: Resolved, other: Resolved) -> Resolved:
    return Resolved(
        one.persons + other.persons,
        one.linked + other.linked,
        one.new + other.new,
        one.questions + other.questions,
        one.forgotten + other.forgotten,
        one.away or other.away,
        more=one.more or other.more,
    )
