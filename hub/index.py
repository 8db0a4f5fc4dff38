"""The index of templates at headquarters: what may be asked of it. Disposable: Postgres is the truth, and the index is rebuilt from it.

A tenant's templates are found under that tenant alone, those of one model under that model alone. Vectors are turned by the tenant's
secret rotation (`hub.rotation`) before they leave the process; whoever calls brings and gets plain ones. Doing a thing twice is harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from hub.errors import HubError

PROBES_MAX = 256
"""Vectors in one search: with a hundred thousand templates their likenesses are 100 MB."""
NEAR_MAX = 128
"""Templates that one probe may ask for."""
PUT_MAX = 2_000
"""Templates in one call: 4 MB of 512 numbers each, a message that any server takes."""
UNIT_OFF_MAX = 1e-2
"""How far a vector's length may be from 1; float16 on the wire costs 0.001."""

Floats = npt.NDArray[np.float32]


class IndexAway(HubError):
    """The index cannot be asked now. Nothing is lost by waiting and asking again."""


@dataclass(frozen=True, slots=True)
class Template:
    """`embedding` (D,) float32 unit vector. `id` and `person_id`: UUIDs in text form."""

    id: str
    person_id: str
    embedding: Floats


@dataclass(frozen=True, slots=True)
class Near:
    """A template found, and its cosine to the probe."""

    template_id: str
    person_id: str
    similarity: float


class Index(Protocol):
    """Every method raises IndexAway when the index does not answer in time, and ValueError for what no index may hold: a vector that is
    not finite, not of length 1, or of another size than the model's.

    `suspect`: what it holds may not be what Postgres says, after a crash; it is not to be searched before `hub.index_upkeep` has compared
    them and called `trust`."""

    suspect: bool

    def trust(self) -> None: ...

    def put(self, tenant_id: str, model: str, templates: Sequence[Template]) -> None:
        """At most PUT_MAX. A template of an id that is there replaces it. Found by the next search."""

    def remove_templates(self, tenant_id: str, model: str, template_ids: Sequence[str]) -> None:
        """Unknown ids are ignored."""

    def remove_persons(self, tenant_id: str, person_ids: Sequence[str]) -> None:
        """All templates of these persons, of every model. Slower than by the templates' ids; leaves nothing behind."""

    def remove_tenant(self, tenant_id: str) -> None: ...

    def search(self, tenant_id: str, model: str, probes: Floats, near: int) -> list[list[Near]]:
        """The `near` nearest templates of each of the (N, D) unit vectors, nearest first. N at most PROBES_MAX, `near` at most NEAR_MAX."""

    def held(self, tenant_id: str, model: str) -> Iterator[tuple[str, str]]:
        """(template id, person id) of everything held, in pages: to compare with Postgres."""

    def count(self, tenant_id: str, model: str) -> int: ...

    def count_of_persons(self, tenant_id: str, person_ids: Sequence[str]) -> int:
        """Templates of these persons, of every model: asked after an erasure, to prove it."""

    def models(self) -> list[str]:
        """Models that the index has templates of, of whatever tenant."""

    def close(self) -> None: ...


def checked(vectors: Floats, size: int | None = None) -> Floats:
    """(N, D) as contiguous float32 rows of length 1. Raises ValueError for anything that is not a unit vector of `size` numbers."""
    rows = np.ascontiguousarray(vectors, np.float32)
    if rows.ndim != 2 or not rows.shape[1]:
        raise ValueError(f"vectors come as rows, got shape {rows.shape}")
    if size is not None and rows.shape[1] != size:
        raise ValueError(f"vectors have {rows.shape[1]} numbers; this model's have {size}")
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows, dtype=np.float64))
    wrong = ~(np.abs(lengths - 1.0) < UNIT_OFF_MAX)
    if wrong.any():
        raise ValueError(f"{int(wrong.sum())} of {len(rows)} vectors are no unit vectors (the first has length {lengths[wrong][0]:g})")
    unit: Floats = rows / lengths[:, None].astype(np.float32)
    return unit
