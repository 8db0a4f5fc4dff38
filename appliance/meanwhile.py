"""Two people with the same form open: what one of them saved is never lost in silence to the other.

A form carries the values it was made from. What only one of the two changed is taken from whoever changed it. Where both changed a field,
to different things, nothing is saved: `Met` says so, and whoever saves second decides. Values are texts, as a form sends them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec

T = TypeVar("T")
Values = Mapping[str, str]
NUMBER_MAX = 1 << 53
"""A form comes back from outside: SQLite takes no number of any length."""


class Made(msgspec.Struct, frozen=True):
    """What a form was made from. `after`: the audit log's newest entry then."""

    after: Annotated[int, msgspec.Meta(ge=0, le=NUMBER_MAX)]
    values: dict[str, str]


class Met(Exception):
    """Both changed the fields `both`. `now`: what stands; `values`: what would, with the second one's of `both`; `theirs`: fields that only
    the first one changed."""

    def __init__(self, made: Made, now: dict[str, str], values: dict[str, str], both: list[str], theirs: list[str]) -> None:
        super().__init__(f"changed by two: {', '.join(both)}")
        self.made, self.now, self.values, self.both, self.theirs = made, now, values, both, theirs


def settled(made: Made | None, now: Values, mine: Values) -> dict[str, str]:
    """What is to stand. None: whoever sent it does not say what it was made from, so all of it is meant. Raises Met."""
    if made is None:
        return dict(mine)
    values, both, theirs = {}, [], []
    for field, wanted in mine.items():
        stands = now[field]
        before = made.values.get(field, stands)
        values[field] = wanted
        if stands in (before, wanted):
            continue
        if wanted == before:
            values[field] = stands
            theirs.append(field)
        else:
            both.append(field)
    if both:
        raise Met(made, dict(now), values, both, theirs)
    return values


def as_asked(_now: object, mine: T) -> T:
    """Where nobody else is asked: a command, a test."""
    return mine
