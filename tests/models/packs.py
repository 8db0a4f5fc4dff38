"""Packs and photos for the tests of models/: the starter pack and its photo are always there, the others need the shared data."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.acceptance import accept
from models.faces import Picture
from models.pack import Pack, load_pack
from models.weights import BUNDLED, Weights
from tests.shared import shared

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def weights(own: Path) -> Weights:
    folder = shared()
    return Weights(own, (*([folder / "models"] if folder else []), BUNDLED))


def pack(name: str, own: Path) -> Pack:
    """The pack, its terms accepted in `own`."""
    if name != "starter" and shared() is None:
        pytest.skip("no shared data: set REGULARS_SHARED, or put the folder 'shared' beside the checkout")
    here = weights(own)
    accept(here, here.manifest().pack(name), name, NOW)
    return load_pack(name, here)


def group_photo() -> Picture:
    """The photo of six people that the insightface package carries."""
    from importlib.util import find_spec

    found = find_spec("insightface")
    path = Path(found.origin or "").parent / "data/images/t1.jpg" if found else Path()
    if not path.is_file():
        pytest.skip("the insightface package, whose group photo is needed, is not installed")
    return picture(path)


def lfw_photo() -> Picture:
    folder = shared()
    path = folder / "data/lfw/images/Abdullah_Gul/Abdullah_Gul_0008.jpg" if folder else Path()
    if not path.is_file():
        pytest.skip("no shared data: set REGULARS_SHARED, or put the folder 'shared' beside the checkout")
    return picture(path)


def picture(path: Path) -> Picture:
    read = cv2.imread(str(path))
    assert read is not None, path
    return np.asarray(read, np.uint8)
