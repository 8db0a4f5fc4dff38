"""The line to headquarters in a few words, for the page's Health: when it last answered, what waits, how fast, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from appliance.line.standing import Mood, Standing
from appliance.web import retold
from ui import formats
from ui.words import gettext as _
from ui.words import ngettext


@dataclass(frozen=True, slots=True)
class LineHealth:
    mood: Mood
    words: str
    error: str


def line_health(line: Standing, zone: ZoneInfo, now_ms: int) -> LineHealth:
    today = formats.day_of(now_ms, zone)
    if not line.paired:
        return LineHealth("idle", _("not connected; this store works by itself"), "")
    errors = [retold.said(line.error), retold.said(line.clock)]
    if line.set_aside:
        errors.append(
            ngettext("%(n)s record was set aside there: look at it at headquarters.", "%(n)s records were set aside there.", line.set_aside)
            % {"n": formats.number(line.set_aside)}
        )
    words = f"{_contact(line, zone, today)}, {waiting_words(line, zone, today)}"
    return LineHealth(line.mood(now_ms), words, " ".join(error for error in errors if error))


def waiting_words(line: Standing, zone: ZoneInfo, today: date) -> str:
    if not line.waiting:
        return _("everything is being told anew") if line.retelling else _("nothing waits")
    words = ngettext("%(n)s record waits", "%(n)s records wait", line.waiting) % {"n": formats.number(line.waiting)}
    if line.oldest_ms is not None:
        words += _(", the oldest from %(time)s") % {"time": _moment(line.oldest_ms, zone, today)}
    if line.bytes_per_s:
        words += f", {speed(line.bytes_per_s)}"
    return words


def speed(bytes_per_s: float) -> str:
    """85 kB/s, 1.2 MB/s."""
    return f"{formats.decimal(bytes_per_s / 1e6)} MB/s" if bytes_per_s >= 1e6 else f"{max(1, round(bytes_per_s / 1e3))} kB/s"


def _contact(line: Standing, zone: ZoneInfo, today: date) -> str:
    if line.contact_ms is None:
        return _("not reached yet")
    return _("last contact %(time)s") % {"time": _moment(line.contact_ms, zone, today)}


def _moment(at_ms: int, zone: ZoneInfo, today: date) -> str:
    day = formats.day_of(at_ms, zone)
    return formats.clock(at_ms, zone) if day == today else f"{formats.short_day(day, today)} {formats.clock(at_ms, zone)}"
