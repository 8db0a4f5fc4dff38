"""How commands write on a terminal: tables for people in a place's own time, JSON in UTC milliseconds for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

NOTHING = "-"


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their longest word; the last one runs free. No borders: it pastes well into an e-mail."""
    widths = [max(len(row[i]) for row in [headings, *rows]) for i in range(len(headings) - 1)]
    for row in [headings, *rows]:
        click.echo("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip())


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        click.echo(f"{name.ljust(width)}  {value}")


def print_json(value: Any) -> None:
    """Text that is no ASCII stays readable; a JPEG or other bytes never gets here."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def when(at_ms: int | None, zone: ZoneInfo, now_ms: int) -> str:
    """14:05:09 of today, else 2026-11-21 14:05; '-' for never."""
    if at_ms is None:
        return NOTHING
    then, now = (datetime.fromtimestamp(ms / 1000, zone) for ms in (at_ms, now_ms))
    return then.strftime("%H:%M:%S" if then.date() == now.date() else "%Y-%m-%d %H:%M")


def how_long(duration_ms: int) -> str:
    """8 s, 4 min 10 s, 2 h 5 min, 3 days."""
    seconds = max(0, round(duration_ms / 1000))
    minutes, hours = seconds // 60, seconds // 3600
    if seconds < 60:
        return f"{seconds} s"
    if hours == 0:
        return f"{minutes} min {seconds % 60} s" if seconds % 60 else f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{hours // 24} days"


def how_large(size_bytes: int) -> str:
    """In the powers of ten that Finder and disks use: 512 bytes, 4.2 MB, 118 GB."""
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    size = float(size_bytes)
    for unit in ("kB", "MB", "GB", "TB"):
        size /= 1000
        # 999.95 would be written as 1000.0: that is the next unit's 1.0.
        if size < 999.5 or unit == "TB":
            break
    return f"{size:.1f} {unit}" if size < 99.95 else f"{size:.0f} {unit}"


def asked_password() -> str:
    """Typed twice at a terminal; else one line of the standard input, so that it stays out of the shell's history."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt="Password again"))
    return sys.stdin.readline().rstrip("\n")
