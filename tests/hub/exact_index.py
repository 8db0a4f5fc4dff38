"""The index's twin for tests: exact, in memory, and it may be told to be away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hub.index import NEAR_MAX, PROBES_MAX, PUT_MAX, Floats, IndexAway, Near, Template, checked


class ExactIndex:
    """`away`: answers nothing. `calls_left`: goes away after so many more calls."""

    def __init__(self) -> None:
        self.suspect = False
        self.away = False
        self.calls_left: int | None = None
        self._rows: dict[tuple[str, str], dict[str, Template]] = {}
        self._sizes: dict[str, int] = {}

    def trust(self) -> None:
        self.suspect = False

    def put(self, tenant_id: str, model: str, templates: Sequence[Template]) -> None:
        self._asked()
        if len(templates) > PUT_MAX:
            raise ValueError(f"{len(templates)} templates in one call; at most {PUT_MAX}")
        if templates:
            rows = checked(np.stack([t.embedding for t in templates]), self._sizes.get(model))
            self._sizes[model] = rows.shape[1]
            held = self._rows.setdefault((tenant_id, model), {})
            held.update({t.id: Template(t.id, t.person_id, row) for t, row in zip(templates, rows, strict=True)})

    def remove_templates(self, tenant_id: str, model: str, template_ids: Sequence[str]) -> None:
        self._asked()
        for template_id in template_ids:
            self._rows.get((tenant_id, model), {}).pop(template_id, None)

    def remove_persons(self, tenant_id: str, person_ids: Sequence[str]) -> None:
        self._asked()
        gone = set(person_ids)
        for held in self._of_tenant(tenant_id):
            for template in [t for t in held.values() if t.person_id in gone]:
                del held[template.id]

    def remove_tenant(self, tenant_id: str) -> None:
        self._asked()
        for place in [place for place in self._rows if place[0] == tenant_id]:
            del self._rows[place]

    def search(self, tenant_id: str, model: str, probes: Floats, near: int) -> list[list[Near]]:
        self._asked()
        if not 0 < near <= NEAR_MAX or len(probes) > PROBES_MAX:
            raise ValueError(f"{len(probes)} probes for {near} templates each; at most {PROBES_MAX} and {NEAR_MAX}")
        if not len(probes):
            return []
        rows = checked(probes, self._sizes.get(model))
        held = list(self._rows.get((tenant_id, model), {}).values())
        if not held:
            return [[] for _ in rows]
        alike = rows @ np.stack([t.embedding for t in held]).T
        order = np.argsort(-alike, axis=1, kind="stable")[:, :near]
        return [[Near(held[i].id, held[i].person_id, float(alike[n, i])) for i in best] for n, best in enumerate(order.tolist())]

    def held(self, tenant_id: str, model: str) -> Iterator[tuple[str, str]]:
        self._asked()
        yield from sorted((t.id, t.person_id) for t in self._rows.get((tenant_id, model), {}).values())

    def count(self, tenant_id: str, model: str) -> int:
        return sum(1 for _ in self.held(tenant_id, model))

    def count_of_persons(self, tenant_id: str, person_ids: Sequence[str]) -> int:
        self._asked()
        return sum(t.person_id in set(person_ids) for held in self._of_tenant(tenant_id) for t in held.values())

    def models(self) -> list[str]:
        self._asked()
        return sorted(self._sizes)

    def close(self) -> None:
        pass

    def _of_tenant(self, tenant_id: str) -> list[dict[str, Template]]:
        return [held for place, held in self._rows.items() if place[0] == tenant_id]

    def _asked(self) -> None:
        if self.calls_left is not None:
            self.calls_left -= 1
            self.away = self.away or self.calls_left < 0
        if self.away:
            raise IndexAway("The index was told to be away.")
