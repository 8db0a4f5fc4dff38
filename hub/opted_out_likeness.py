"""Whether somebody looks like a person who opted out: such a one is not linked, but forgotten as well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from hub.deciding import OPTED_OUT_FALSE_MATCH, Look, likeness, look_of, raised
from hub.index import Floats
from hub.model_bars import BarsOf
from hub.opt_outs import OptedOut
from sync.records import whole

PERSONS_MIN = 4
"""Below so many opted-out people their bar falls no further, as in a store."""


class OptedOutLooks:
    """The looks of all who opted out, by model, as lent to the stores."""

    def __init__(self, templates: Sequence[OptedOut]) -> None:
        rows: dict[tuple[str, str], list[Floats]] = defaultdict(list)
        newest: dict[str, str] = {}
        for one in templates:
            rows[one.template.model, one.identity_id].append(whole(one.template.embedding))
            newest[one.identity_id] = max(one.erasure_id, newest.get(one.identity_id, ""))
        self._looks: dict[str, list[tuple[str, Look]]] = defaultdict(list)
        for (model, identity_id), embeddings in rows.items():
            sizes = {len(row) for row in embeddings}
            if len(sizes) == 1:
                self._looks[model].append((newest[identity_id], look_of(np.stack(embeddings))))

    def like(self, embeddings: Mapping[str, Sequence[Floats]], bars_of: BarsOf) -> str:
        """The erasure of the opted-out person whom somebody with these templates looks like; "" for nobody."""
        best, found = 0.0, ""
        for model, rows in embeddings.items():
            known, those = bars_of(model), self._looks.get(model, [])
            if known is None or not rows or not those:
                continue
            look = look_of(np.stack(list(rows)))
            bar = known.bars.bar_for_search(max(len(those), PERSONS_MIN), OPTED_OUT_FALSE_MATCH)
            for erasure_id, other in those:
                if len(other.direction) == len(look.direction):
                    beyond = likeness(look, other) - raised(bar, look, other)
                    if beyond >= best:
                        best, found = beyond, erasure_id
        return found
