"""How numbers and times are written on a page. Times come as UTC milliseconds and are shown in the store's own zone."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ui.terminal import how_large
from ui.words import gettext as _
from ui.words import language, ngettext

NARROW_SPACE = "\u202f"
"""Between thousands: never breaks and is narrower than a word space."""


def local(at_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, zone)


def day_of(at_ms: int, zone: ZoneInfo) -> date:
    return local(at_ms, zone).date()


def day_bounds(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """UTC milliseconds of the day's first moment and of the next day's: 23 or 25 hours apart when the clocks change."""
    first = datetime.combine(day, time.min, zone)
    after = datetime.combine(day + timedelta(days=1), time.min, zone)
    return round(first.timestamp() * 1000), round(after.timestamp() * 1000)


def clock(at_ms: int, zone: ZoneInfo) -> str:
    return local(at_ms, zone).strftime("%H:%M")


def clock_exact(at_ms: int, zone: ZoneInfo) -> str:
    return local(at_ms, zone).strftime("%H:%M:%S")


def machine_time(at_ms: int, zone: ZoneInfo) -> str:
    """ISO 8601 with offset, for a `datetime` attribute."""
    return local(at_ms, zone).isoformat(timespec="seconds")


LOCALES = {"en": "en_GB", "vi": "vi"}
"""How each language's dates and numbers are written: English ones in the order that the rest of the world uses."""


def long_day(day: date, today: date) -> str:
    """Sunday, 22 November; with the year when it is not this one."""
    return _written(day, "EEEE, d MMMM" if day.year == today.year else "EEEE, d MMMM y")


def short_day(day: date, today: date) -> str:
    """today, yesterday, 3 October, 3 October 2025."""
    if day == today:
        return _("today")
    if day == today - timedelta(days=1):
        return _("yesterday")
    return _written(day, "d MMMM" if day.year == today.year else "d MMMM y")


def whole_day(day: date) -> str:
    """3 October 2026, whatever day it is read on."""
    return _written(day, "d MMMM y")


def short_month(day: date) -> str:
    """Jan, Feb."""
    return _written(day, "MMM")


def weekday(number: int) -> str:
    """0 is Monday."""
    return _written(date(2024, 1, 1 + number), "EEEE")


def _written(day: date, pattern: str) -> str:
    # Late: Babel's data take a while to read, and many commands write no day.
    from babel.dates import format_date

    return format_date(day, pattern, locale=LOCALES[language()])


def short_date(day: date, today: date) -> str:
    """22 Nov; with the year when it is not this one: for an axis, where there is little room."""
    return _written(day, "d MMM" if day.year == today.year else "d MMM y")


def month(day: date) -> str:
    """November 2026."""
    return _written(day, "LLLL y")


def duration(milliseconds: int) -> str:
    """12 seconds, 3 minutes, 2 h 5 min: one glance, no more exact than is useful."""
    seconds = max(0, round(milliseconds / 1000))
    if seconds < 60:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    minutes = round(seconds / 60)
    if minutes < 60:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        words = _("%(hours)d h %(minutes)d min") if rest else _("%(hours)d h")
        return words % {"hours": hours, "minutes": rest}
    return ngettext("%(n)d day", "%(n)d days", hours // 24) % {"n": hours // 24}


def number(value: int) -> str:
    """1204 as 1 204; in Vietnamese 1.204."""
    return f"{value:,}".replace(",", "." if language() == "vi" else NARROW_SPACE)


def change(share: float) -> str:
    """.124 as +12 %, -.03 as −3 %; the same for less than half a percent."""
    percent = round(100 * share)
    if not percent:
        return _("the same")
    return _("%(sign)s%(n)d %%") % {"sign": "+" if percent > 0 else "\u2212", "n": abs(percent)}


def decimal(value: float) -> str:
    """1204.5 as 1 204.5, in Vietnamese 1.204,5; one decimal, as means are given."""
    whole, part = f"{value:,.1f}".split(".")
    thousands, mark = marks()
    return f"{whole.replace(',', thousands)}{mark}{part}"


def brief(value: float) -> str:
    """5, 4.8, 12.5, in Vietnamese 4,8: three digits at most, as rates are given."""
    return f"{value:.3g}".replace(".", marks()[1])


def size(size_bytes: int) -> str:
    """4.2 MB, in Vietnamese 4,2 MB."""
    return how_large(size_bytes).replace(".", marks()[1])


def marks() -> tuple[str, str]:
    """What stands between thousands, and before the decimals."""
    return (".", ",") if language() == "vi" else (NARROW_SPACE, ".")


def ordinal(value: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st. Languages without such endings have the bare number."""
    if language() != "en":
        return str(value)
    ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{ending}"


def similarity(value: float) -> str:
    """A cosine as .41 (in Vietnamese 0,41): it is no probability, so it is never written as a percentage."""
    written = f"{value:.2f}"
    if language() == "vi":
        return written.replace(".", ",")
    return written.replace("0.", ".", 1) if abs(value) < 1 and written not in ("1.00", "-1.00") else written
