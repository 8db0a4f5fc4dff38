"""Bars by the name that templates carry: the embedder's. Headquarters runs no model; it only needs to know how alike strangers are to
it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from models.bars import Bars
from models.manifest import EmbedderSpec, manifest

STRICT_FAR = 1e-5


@dataclass(frozen=True, slots=True)
class ModelBars:
    """`size`: numbers of an embedding."""

    bars: Bars
    size: int


BarsOf = Callable[[str], ModelBars | None]
"""None: nobody has measured this model, and its templates cannot be compared."""


@lru_cache(maxsize=64)
def bars_of(model: str) -> ModelBars | None:
    """From the built-in manifest. A template does not say with which detector's points it was made: the bars are those of the packs that
    use the embedder, and of several the strictest."""
    known = manifest()
    embedder = next((one for one in known.files if one.name == model), None)
    measured = [bars for pack in known.packs if pack.embedder == model and (bars := known.bars_of(pack))]
    if not isinstance(embedder, EmbedderSpec) or not measured:
        return None
    return ModelBars(max(measured, key=lambda bars: bars.bar_at(STRICT_FAR)), embedder.output_size)
