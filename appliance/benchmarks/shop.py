"""A store as the measurements need it: a fresh data folder with a real database, recognition upon it, and a pack that is here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.data_key import KeyFile
from appliance.database import Store, open_store
from appliance.gallery import Gallery
from appliance.identity import Policy
from appliance.recognition import Recognition
from models.acceptance import require_accepted
from models.errors import ManifestError, WeightsError
from models.weights import Weights, find, weights_of

STARTER = "starter"
LOG_BYTES = 8 << 20
GAP_MS = 10_000
"""Short, so that visits end and begin while something is measured."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def weights_in(model_folders: list[str]) -> Weights:
    """`model_folders` as in messages.Start: the data folder and, if the settings name one, a folder of models."""
    return weights_of(Path(model_folders[0]), folder=Path(model_folders[1]) if len(model_folders) > 1 else None)


def require_pack(weights: Weights, name: str) -> None:
    """Raises WeightsError or NotAccepted with a sentence where the pack cannot be used: before minutes are spent."""
    manifest = weights.manifest()
    pack = manifest.pack(name)
    require_accepted(weights, pack)
    find(weights, manifest.detector(pack))
    find(weights, manifest.embedder(pack))


def usable_pack(weights: Weights, wanted: str) -> str:
    """The wanted pack, or the starter pack, which is part of every checkout, where its files are not here."""
    try:
        require_pack(weights, wanted)
    except WeightsError:
        return STARTER
    return wanted


@contextmanager
def shop(folder: Path, pack_name: str, weights: Weights) -> Iterator[Recognition]:
    """Recognition with an empty log in `folder`. Loads no net, as the appliance's main process does not."""
    manifest = weights.manifest()
    pack = manifest.pack(pack_name)
    bars, embedder = manifest.bars_of(pack), manifest.embedder(pack)
    if bars is None:
        raise ManifestError(f"the pack {pack_name!r} has no bars: measure them with `regulars models evaluate DIR --pack {pack_name}`")
    store = open_store(folder, now_ms(), keeper=KeyFile(folder))
    try:
        yield Recognition(store, Gallery(embedder.name, embedder.output_size), bars, Policy(), GAP_MS, ZoneInfo("UTC"))
    finally:
        store.close()


def run_for_a_while(store: Store) -> None:
    """Its write-ahead log gets the size that it has after the first few hundred visits. From then on it is written over and no longer
    grows, which takes the disk half as long."""
    with store.transaction() as db:
        db.execute("INSERT INTO settings VALUES ('bench', hex(zeroblob(?)))", [LOG_BYTES // 2])
    with store.transaction() as db:
        db.execute("DELETE FROM settings WHERE key = 'bench'")
    store.checkpoint()
