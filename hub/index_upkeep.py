"""Keeps the index what Postgres says: takes in what is new, out what went, compares the two, and fills it anew.

Whoever changes a tenant's part of the index is that tenant's one resolver (`Database.once`), so nothing is taken out that another just put
in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hub import looks, tenants
from hub.database import Database
from hub.index import PUT_MAX, Index, Template
from hub.looks import Leftover, Stored
from hub.model_bars import BarsOf

RESOLVER = "resolve"
"""Name of the lock: one at a time among all processes of the hub."""
FIRST = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one tenant: templates held as they should be, missing, under another person, and too many."""

    tenant_id: str
    held: int = 0
    missing: int = 0
    moved: int = 0
    extra: int = 0

    @property
    def any(self) -> bool:
        return bool(self.missing or self.moved or self.extra)


def usable(templates: Iterable[Stored], bars_of: BarsOf) -> dict[str, list[Stored]]:
    """By model, those that can be compared: of a model whose bars are known, and of its size."""
    found: dict[str, list[Stored]] = defaultdict(list)
    for one in templates:
        model = bars_of(one.model)
        if model is not None and len(one.embedding) == model.size:
            found[one.model].append(one)
    return dict(found)


def put(index: Index, tenant_id: str, model: str, templates: Sequence[Stored]) -> None:
    """Raises IndexAway."""
    for start in range(0, len(templates), PUT_MAX):
        index.put(tenant_id, model, [Template(t.id, t.person_id, t.embedding) for t in templates[start : start + PUT_MAX]])


def take_out(index: Index, tenant_id: str, leftovers: Sequence[Leftover]) -> None:
    """Raises IndexAway."""
    gone: dict[str, list[str]] = defaultdict(list)
    for one in leftovers:
        if not one.back:
            gone[one.model].append(one.template_id)
    for model, template_ids in gone.items():
        index.remove_templates(tenant_id, model, template_ids)


def verify(database: Database, index: Index, bars_of: BarsOf, tenant_id: str, *, mend: bool) -> Difference | None:
    """What differs; with `mend` it does so no longer. None: the tenant's resolver is at work just now. Raises IndexAway."""
    with database.once(RESOLVER, tenant_id) as ours:
        if not ours:
            return None
        total = Difference(tenant_id)
        with database.tenant(tenant_id) as tx:
            stored_models = looks.models(tx)
        for model in sorted({*stored_models, *index.models()}):
            total = _added(total, _verify_model(database, index, bars_of, tenant_id, model, mend))
        return total


def verify_all(database: Database, index: Index, bars_of: BarsOf, *, mend: bool) -> list[Difference]:
    """Of every tenant; an index that was suspect and is now as it should be is trusted again. Raises IndexAway."""
    found = [verify(database, index, bars_of, tenant_id, mend=mend) for tenant_id in _tenants(database)]
    if index.suspect and None not in found and (mend or not any(one.any for one in found if one)):
        index.trust()
    return [one for one in found if one is not None]


def rebuild(database: Database, index: Index, bars_of: BarsOf, tenant_id: str) -> int | None:
    """Throws a tenant's part away and fills it from Postgres; how many templates. None: its resolver is at work just now. Raises
    IndexAway; then what is still missing is noted in Postgres, and the resolver's next run or `verify` brings it."""
    with database.once(RESOLVER, tenant_id) as ours:
        if not ours:
            return None
        with database.tenant(tenant_id) as tx:
            looks.forget_indexed(tx)
            models = looks.models(tx)
        index.remove_tenant(tenant_id)
        return sum(_fill(database, index, tenant_id, model) for model in models if bars_of(model))


def _fill(database: Database, index: Index, tenant_id: str, model: str) -> int:
    count = 0
    for templates in _pages(database, tenant_id, model):
        put(index, tenant_id, model, templates)
        _note(database, tenant_id, templates)
        count += len(templates)
    return count


def _verify_model(database: Database, index: Index, bars_of: BarsOf, tenant_id: str, model: str, mend: bool) -> Difference:
    known = bars_of(model)
    held = dict(index.held(tenant_id, model))
    right = missing = moved = 0
    for page in _pages(database, tenant_id, model) if known else ():
        wrong = []
        for one in page:
            person_id = held.pop(one.id, None)
            if person_id == one.person_id:
                right += 1
            else:
                wrong.append(one)
                missing += person_id is None
                moved += person_id is not None
        if mend:
            put(index, tenant_id, model, wrong)
            _note(database, tenant_id, page)
    if mend:
        extra = list(held)
        for start in range(0, len(extra), PUT_MAX):
            index.remove_templates(tenant_id, model, extra[start : start + PUT_MAX])
    return Difference(tenant_id, right, missing, moved, len(held))


def _pages(database: Database, tenant_id: str, model: str) -> Iterator[list[Stored]]:
    after = FIRST
    while True:
        with database.tenant(tenant_id) as tx:
            page = looks.page(tx, database.vault(tx, tenant_id), model, after)
        if not page:
            return
        after = page[-1].id
        yield page


def _note(database: Database, tenant_id: str, templates: Sequence[Stored]) -> None:
    with database.tenant(tenant_id) as tx:
        looks.note_indexed(tx, sorted(looks.unchanged(tx, templates)))


def _tenants(database: Database) -> list[str]:
    with database.anyone() as tx:
        return [one.tenant_id for one in tenants.every(tx)]


def _added(one: Difference, other: Difference) -> Difference:
    return Difference(one.tenant_id, one.held + other.held, one.missing + other.missing, one.moved + other.moved, one.extra + other.extra)
