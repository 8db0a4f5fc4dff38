"""The page in a ZIP of everything about one person: read anywhere, so it holds its own style and needs no server."""

from __future__ import annotations

from typing import Any

from appliance.privacy.papers import FOLDER
from appliance.privacy.particulars import Particulars
from ui import frame


def page(data: dict[str, Any], told: Particulars) -> str:
    """`data`: as `dossier.gathered` has it."""
    return frame.environment((FOLDER,), {}).get_template("dossier.html").render(data=data, told=told)
