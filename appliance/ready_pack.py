"""Whether a pack of models can be used by a store: its files, its terms, its bars. Nothing of it is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.config import Config
from models.acceptance import require_accepted
from models.bars import Bars
from models.errors import ManifestError, WeightsError
from models.weights import find, look, weights_of


@dataclass(frozen=True, slots=True)
class Ready:
    """A pack that can be used: its files are here and right, its terms accepted, its bars measured. Nothing of it is loaded."""

    name: str
    model: str
    size: int
    bars: Bars
    liveness: bool = False
    """Whether it can tell a face from a picture of one."""


def ready_pack(config: Config) -> Ready:
    """Raises WeightsError, NotAccepted, ManifestError: one sentence with what to do."""
    weights = weights_of(config.data.folder, folder=config.models.folder)
    manifest = weights.manifest()
    pack = manifest.pack(config.models.pack)
    require_accepted(weights, pack)
    embedder = manifest.embedder(pack)
    for spec in (manifest.detector(pack), embedder):
        try:
            find(weights, spec)
        except WeightsError as error:
            words = str(error).replace("`regulars models pull`", f"`regulars models pull {pack.name}`")
            raise WeightsError(f"The models {pack.name!r} cannot be used: {words}.") from None
    bars, liveness = manifest.bars_of(pack), manifest.liveness(pack)
    if bars is None:
        raise ManifestError(f"The models {pack.name!r} have no bars yet: measure with `regulars models evaluate DIR --pack {pack.name}`.")
    tells_real = bool(liveness) and all(look(weights, spec).state == "ok" for spec in liveness)
    return Ready(pack.name, embedder.name, embedder.output_size, bars, tells_real)
