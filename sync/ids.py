"""Ids as they cross the line: a UUID in its one usual text form. Whatever else Postgres would take for one is refused, so that two texts
never stand for one id."""

from __future__ import annotations

import re

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LINE = re.compile(r"[0-9a-z-]{1,64}")


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def is_line(text: str) -> bool:
    """Whether a text may name the life of an appliance's database: a UUID today, no more than a word for ever."""
    return _LINE.fullmatch(text) is not None
