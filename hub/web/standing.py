"""How an appliance does, in words: heard from or not, its clock, what waits there, its cameras. Values in, words out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from hub.appliances import Appliance
from hub.heartbeats import OFFLINE_AFTER
from hub.moments import from_ms, to_ms
from hub.web.pages import ago
from ui import formats
from ui.words import gettext as _
from ui.words import ngettext

Mood = Literal["good", "warn", "bad", "idle"]
IN_TOUCH = timedelta(minutes=2)
"""An appliance calls at least once a minute when it has a line."""
SKEW_MS_SHOWN = 2_000
"""Below that it is the line's own delay."""
SKEW_MS_BAD = 60_000
CAMERA_MOODS: Mapping[str, Mood] = {"watching": "good", "opening": "warn", "ended": "idle", "off": "idle", "silent": "bad", "failed": "bad"}
CAMERAS_MAX = 64


@dataclass(frozen=True, slots=True)
class CameraLine:
    name: str
    mood: Mood
    words: str


@dataclass(frozen=True, slots=True)
class Standing:
    """`words`: heard from or not; `more`: each further thing somebody at headquarters should know, worst first."""

    appliance: Appliance
    mood: Mood
    words: str
    more: list[str]
    waiting: int
    cameras: list[CameraLine]
    version: str


def standing(appliance: Appliance, camera_names: Mapping[str, str], now: datetime) -> Standing:
    status = appliance.status if isinstance(appliance.status, dict) else {}
    mood, words = contact(appliance, now)
    cameras = [] if appliance.revoked_at else camera_lines(status, camera_names, mood)
    more = [] if appliance.revoked_at else remarks(appliance, status, now)
    broken = sum(line.mood == "bad" for line in cameras)
    if mood == "good" and (text(status.get("trouble"), 1) or broken or abs(appliance.clock_skew_ms or 0) >= SKEW_MS_BAD):
        mood = "warn"
    if broken:
        more.append(ngettext("%(n)d camera gives no picture", "%(n)d cameras give no picture", broken) % {"n": broken})
    return Standing(appliance, mood, words, more, whole(status.get("waiting")), cameras, text(status.get("version"), 40))


def contact(appliance: Appliance, now: datetime) -> tuple[Mood, str]:
    if appliance.revoked_at:
        return "idle", _("revoked %(ago)s: it works on by itself, and nothing crosses any more") % {"ago": ago(appliance.revoked_at, now)}
    heard = appliance.last_contact_at
    if heard is None:
        return "warn", _("paired %(ago)s, not heard from yet") % {"ago": ago(appliance.paired_at, now)}
    silent = now - heard
    if silent < IN_TOUCH:
        return "good", _("in touch")
    if silent < OFFLINE_AFTER:
        return "warn", _("heard from %(ago)s") % {"ago": ago(heard, now)}
    return "bad", _("offline, heard from %(ago)s: the store works on and sends everything when the line is back") % {"ago": ago(heard, now)}


def remarks(appliance: Appliance, status: Mapping[str, Any], now: datetime) -> list[str]:
    found = []
    if trouble := text(status.get("trouble"), 300):
        found.append(trouble)
    skew_ms = appliance.clock_skew_ms or 0
    if abs(skew_ms) >= SKEW_MS_SHOWN:
        said = _("its clock is %(time)s ahead") if skew_ms > 0 else _("its clock is %(time)s behind")
        found.append(said % {"time": formats.duration(abs(skew_ms))})
    if waiting := whole(status.get("waiting")):
        words = ngettext("%(n)s record waits there", "%(n)s records wait there", waiting) % {"n": formats.number(waiting)}
        if oldest_ms := min(whole(status.get("oldest_ms")), to_ms(now)):
            words = _("%(records)s, the oldest from %(ago)s") % {"records": words, "ago": ago(from_ms(oldest_ms), now)}
        found.append(words)
    share = status.get("outbox_share")
    if isinstance(share, int | float) and share >= 0.5:
        found.append(_("its outbox is more than half full"))
    return found


def camera_lines(status: Mapping[str, Any], names: Mapping[str, str], mood: Mood) -> list[CameraLine]:
    """As they were when the appliance was last heard from; of one that is silent nobody knows."""
    told = status.get("cameras")
    said = {str(camera["id"]): camera for camera in told if isinstance(camera, dict) and "id" in camera} if isinstance(told, list) else {}
    lines = []
    for id_, name in list(names.items())[:CAMERAS_MAX]:
        camera = said.get(id_)
        if camera is None:
            lines.append(CameraLine(name, "idle", _("nothing said of it yet")))
        elif mood == "bad":
            lines.append(CameraLine(name, "idle", _("unknown while the appliance is offline")))
        else:
            state = str(camera.get("state", ""))
            lines.append(CameraLine(name, CAMERA_MOODS.get(state, "bad"), text(camera.get("words"), 200) or state))
    return lines


def whole(value: object) -> int:
    """What an appliance says is taken for what it should be, or for nothing."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def text(value: object, most: int) -> str:
    return value[:most] if isinstance(value, str) else ""
