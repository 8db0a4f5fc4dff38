"""Where real weights, photos and videos lie that are too large, or not ours, to be part of the checkout."""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def shared() -> Path | None:
    """$REGULARS_SHARED, else the folder `shared` beside the checkout, if there is one."""
    folder = Path(os.environ.get("REGULARS_SHARED") or CHECKOUT.parent / "shared")
    return folder if (folder / "data").is_dir() or (folder / "models").is_dir() else None
