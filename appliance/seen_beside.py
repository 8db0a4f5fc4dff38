"""Two faces in one frame are two people: who is taken for somebody already, beside a face, is not that face as well.

Whoever was told first need not be the nearer one. While a sighting is still open, it gives its person up to one beside it that resembles
that person clearly more; its own next telling then decides it anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from appliance.gallery import Gallery
from models.faces import Floats

CLEARLY = 0.05
"""Less than this is what two shots of one face differ by."""


class Beside(Protocol):
    """Where the other sighting stands. `settled`: it will not be told again, or its person has learned from it or was made from it."""

    @property
    def person_id(self) -> str | None: ...
    @property
    def look(self) -> Floats | None: ...
    @property
    def settled(self) -> bool: ...


def taken(beside: Iterable[Beside], gallery: Gallery, look: Floats) -> set[str]:
    """Persons whom a face of this (D,) look cannot be, because of those it was seen with."""
    out = set()
    for other in beside:
        if other.person_id is None:
            continue
        gives_up = not other.settled and other.look is not None
        if gives_up and other.look is not None:
            mine, theirs = (gallery.likeness_to(other.person_id, one) for one in (look, other.look))
            gives_up = mine >= theirs + CLEARLY
        if not gives_up:
            out.add(other.person_id)
    return out
