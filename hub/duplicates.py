"""A pass over all identities of a tenant for two that are one: an order of arrival, or views learned since, can leave somebody double.

Page by page, each identity is searched for by its look. Two that are as alike as a link asks, of stores that do not overlap, are joined
(and can be parted again); of others as near, and of doubtful ones, somebody is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from hub import families, identities, identity_changes, known, looks, review
from hub.database import Database, Tx
from hub.deciding import SLACK, HubBars, bars_for, likeness, raised
from hub.families import Family
from hub.identities import MACHINE
from hub.index import Index, IndexAway, Near
from hub.index_upkeep import FIRST
from hub.model_bars import BarsOf
from hub.review import Question, duplicate_question
from hub.vault import Vault

PAGE = 256
"""Identities searched for together."""
ALL_MAX = 20_000
"""So many identities are all compared, in some minutes. Of more, those that changed of late: the others were compared when they did."""
LATELY = timedelta(days=3)
"""A pass that failed for two nights has missed nobody."""
NEAR = 64
"""Templates looked at for each: an identity of several stores has many of its own."""
PASS = "duplicates"
REASON = "as alike as one person, found by the pass for doubles"


@dataclass(frozen=True, slots=True)
class Found:
    """`away`: why the pass broke off; it begins anew next time."""

    compared: int = 0
    joined: int = 0
    questions: int = 0
    away: str = ""
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two identities near one another. `beyond_link`, `beyond_review`: likeness beyond the bars."""

    one: Family
    other: Family
    similarity: float
    bar: float
    beyond_review: float

    @property
    def overlap(self) -> bool:
        """Both have a person of one appliance, which tells them apart itself."""
        return any(self.other.has_of(member.appliance_id) for member in self.one.members.values())


def find(database: Database, index: Index, bars_of: BarsOf, tenant_id: str, now: datetime, *, all_max: int = ALL_MAX) -> Found:
    """Raises DatabaseAway, DatabaseBusy."""
    with database.once(PASS, tenant_id) as ours:
        if not ours:
            return Found(busy=True)
        if index.suspect:
            return Found(away="The index has not been compared with Postgres since a crash.")
        total, after = Found(), FIRST
        while True:
            with database.tenant(tenant_id) as tx:
                review.close_settled(tx, now)
                count = identities.about_how_many(tx)
                bars = _bars(tx, count, bars_of)
                since = now - LATELY if count > all_max else None
                page = _page(tx, database.vault(tx, tenant_id), after, since, bars_of, bars)
            if not page:
                return total
            after = page[-1].identity_id
            try:
                near = _near(index, tenant_id, page, bars)
            except IndexAway as error:
                return Found(total.compared, total.joined, total.questions, str(error))
            joined, questions = _settle(database, tenant_id, bars_of, bars, [one.identity_id for one in page], near, now)
            total = Found(total.compared + len(page), total.joined + joined, total.questions + questions)


def _page(tx: Tx, vault: Vault, after: str, since: datetime | None, bars_of: BarsOf, bars: Mapping[str, HubBars]) -> list[Family]:
    """`since`: only those with a change since then."""
    rows = tx.execute(
        """SELECT i.id FROM identities AS i WHERE i.id > %(after)s::uuid AND i.merged_into IS NULL
            AND EXISTS (SELECT FROM persons AS p WHERE p.identity_id = i.id)
            AND (%(since)s::timestamptz IS NULL
                OR EXISTS (SELECT FROM identity_events AS e WHERE e.identity_id = i.id AND e.at >= %(since)s))
            ORDER BY i.id LIMIT %(most)s""",
        {"after": after, "since": since, "most": PAGE},
    ).fetchall()
    return list(families.load(tx, vault, [row[0] for row in rows], _sizes(bars_of, bars)).values())


def _near(index: Index, tenant_id: str, page: Sequence[Family], bars: Mapping[str, HubBars]) -> dict[str, dict[str, list[Near]]]:
    """Identity -> model -> the templates nearest to its look."""
    found: dict[str, dict[str, list[Near]]] = {one.identity_id: {} for one in page}
    for model in bars:
        those = [(one.identity_id, look.direction) for one in page if (look := one.look(model)) is not None]
        if those:
            hits = index.search(tenant_id, model, np.stack([direction for _, direction in those]), NEAR)
            for (identity_id, _), near in zip(those, hits, strict=True):
                found[identity_id][model] = [hit for hit in near if hit.similarity >= bars[model].review / SLACK]
    return found


def _settle(
    database: Database,
    tenant_id: str,
    bars_of: BarsOf,
    bars: Mapping[str, HubBars],
    page: Sequence[str],
    near: Mapping[str, Mapping[str, Sequence[Near]]],
    now: datetime,
) -> tuple[int, int]:
    """How many were joined, and how many questions asked."""
    with database.tenant(tenant_id) as tx:
        vault = database.vault(tx, tenant_id)
        identities.hold(tx)
        owners = looks.persons_and_identities(tx, {hit.template_id for by in near.values() for hits in by.values() for hit in hits})
        beside: dict[str, set[str]] = {
            one: {owners[hit.template_id][1] or one for hits in near[one].values() for hit in hits if hit.template_id in owners} - {one}
            for one in page
        }
        if not any(beside.values()):
            return 0, 0
        around = families.load(tx, vault, [*page, *(i for those in beside.values() for i in those)], _sizes(bars_of, bars))
        pairs = [pair for one in page for other in sorted(beside[one]) if (pair := _pair(around[one], around[other], bars)) is not None]
        joined: set[str] = set()
        questions: list[Question] = []
        for pair in sorted(pairs, key=lambda p: p.bar - p.similarity):
            both = {pair.one.identity_id, pair.other.identity_id}
            if both & joined or not pair.one.members or not pair.other.members:
                continue
            sure = pair.similarity >= pair.bar
            if sure and not pair.overlap and not _called_different(tx, pair):
                keep, taken = sorted(both)
                identity_changes.join(tx, vault, keep, taken, MACHINE, REASON, now)
                joined |= both
            elif sure or (pair.beyond_review >= 0 and not pair.overlap):
                questions.append(duplicate_question(pair.one.identity_id, pair.other.identity_id, pair.similarity, pair.bar))
        review.ask(tx, questions, now)
        known.tell(tx, vault, sorted(joined), now)
        return len(joined) // 2, len({(q.identity_id, q.other_identity_id) for q in questions})


def _pair(one: Family, other: Family, bars: Mapping[str, HubBars]) -> Pair | None:
    """By the model in which they are nearest to a link; None where they have none in common, or are far from one another in all."""
    best: Pair | None = None
    for model, those in bars.items():
        mine, theirs = one.look(model), other.look(model)
        if mine is None or theirs is None:
            continue
        alike = likeness(mine, theirs)
        link, doubt = raised(those.link, mine, theirs), raised(those.review, mine, theirs)
        if alike >= doubt and (best is None or alike - link > best.similarity - best.bar):
            best = Pair(one, other, alike, link, alike - doubt)
    return best


def _called_different(tx: Tx, pair: Pair) -> bool:
    apart = families.apart_from(tx, list(pair.one.members))
    return any(not those.isdisjoint(pair.other.members) for those in apart.values())


def _bars(tx: Tx, count: int, bars_of: BarsOf) -> dict[str, HubBars]:
    return {model: bars_for(found.bars, count) for model in looks.models(tx) if (found := bars_of(model))}


def _sizes(bars_of: BarsOf, bars: Mapping[str, HubBars]) -> dict[str, int]:
    return {model: found.size for model in bars if (found := bars_of(model))}
