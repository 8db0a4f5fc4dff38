"""Cameras as a page shows them: their state in words, and the newest picture with the boxes that the page draws over it.

A picture is asked of a camera only while somebody looks, and is served once: a page that has it gets 204.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from appliance.web import retold
from ui import formats
from ui.words import gettext as _
from ui.words import ngettext

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from appliance.live import Picture


@dataclass(frozen=True, slots=True)
class CameraLine:
    """One camera as the main process knows it. `state`: opening, watching, silent, ended (played to its end), failed (cannot be opened),
    broken (broke off), off; `since_ms`: since when it is in it."""

    id: str
    name: str
    state: str
    since_ms: int
    analysed_fps: float = 0.0
    analysis_ms: float = 0.0
    frames_dropped: int = 0
    """Since it was started last."""
    restarts: int = 0
    """Today."""
    error: str = ""
    """In words, without a credential."""
    faces_flat: int = 0
    """Taken for pictures of faces and not counted, since it was started last."""


Mood = Literal["good", "warn", "bad", "idle"]


@dataclass(frozen=True, slots=True)
class CameraHealth:
    id: str
    name: str
    mood: Mood
    words: str
    error: str
    streams: bool
    """Whether it is worth asking it for pictures."""


def health(line: CameraLine, zone: ZoneInfo) -> CameraHealth:
    since, error = formats.clock(line.since_ms, zone), retold.said(line.error)
    mood: Mood
    if line.state == "watching":
        words = [_("%(fps)s pictures a second") % {"fps": formats.brief(line.analysed_fps)}]
        if line.frames_dropped:
            words.append(_("%(n)s dropped") % {"n": formats.number(line.frames_dropped)})
        else:
            words.append(_("nothing dropped"))
        if line.restarts:
            words.append(ngettext("%(n)d restart today", "%(n)d restarts today", line.restarts) % {"n": line.restarts})
        mood = "warn" if line.restarts else "good"
        return CameraHealth(line.id, line.name, mood, ", ".join(words), "", streams=True)
    if line.state == "opening":
        return CameraHealth(line.id, line.name, "warn", _("being opened since %(time)s") % {"time": since}, error, streams=True)
    if line.state == "silent":
        words_silent = _("silent since %(time)s, tried again by itself") % {"time": since}
        return CameraHealth(line.id, line.name, "bad", words_silent, error, streams=True)
    if line.state in ("failed", "broken"):
        what = _("cannot be opened") if line.state == "failed" else _("broke off at %(time)s") % {"time": since}
        why = error or _("for a reason it did not say")
        return CameraHealth(line.id, line.name, "bad", f"{what}: {why}", "", streams=False)
    if line.state == "ended":
        return CameraHealth(line.id, line.name, "idle", _("played to its end at %(time)s") % {"time": since}, error, streams=False)
    return CameraHealth(line.id, line.name, "idle", _("switched off"), error, streams=False)


def boxes_header(picture: Picture) -> str:
    """The picture's boxes as ASCII JSON: they travel with the picture they belong to, so a name never sits on another moment's face."""
    boxes = [{**asdict(box), "label": retold.said(box.label)} for box in picture.boxes]
    return json.dumps(boxes, ensure_ascii=True, separators=(",", ":"))
