"""The page in a ZIP of everything about one person: read anywhere, so it holds its own style and needs no server. Times and words are for
people; data.json has them for programs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from appliance.audit_words import what_words
from appliance.privacy.papers import FOLDER
from appliance.privacy.particulars import Particulars
from ui import formats, frame
from ui.words import gettext as _

WORDS = {
    "customer": _("a customer"),
    "staff": _("staff"),
    "new": _("a new visitor"),
    "returning": _("somebody who came back"),
    "unsure": _("not sure"),
    "visit": _("a visit"),
    "enrolled": _("a photo"),
    "female": _("female"),
    "male": _("male"),
    "other": _("other"),
}
"""What data.json says, where a word of its own is clearer."""


def page(data: dict[str, Any], told: Particulars) -> str:
    """`data`: as `dossier.gathered` has it."""
    made = frame.environment((FOLDER,), {})
    made.filters["moment"] = _moment
    made.filters["so"] = lambda value: _(WORDS[value]) if value in WORDS else value
    made.filters["done"] = what_words
    return made.get_template("dossier.html").render(data=data, told=told)


def _moment(written: str | None) -> str:
    """Of a time in the store's zone with its offset: 24 November 2026, 16:06."""
    if not written:
        return ""
    at = datetime.fromisoformat(written)
    return f"{formats.whole_day(at.date())}, {at:%H:%M}"
