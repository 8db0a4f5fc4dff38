"""Names that somebody typed: of a tenant, a site, an appliance."""

from __future__ import annotations

import unicodedata
import uuid
from typing import LiteralString

from hub.database import Tx
from hub.errors import NotAllowed, NotFound

NAME_MAX = 80


def proper(name: str, what: str) -> str:
    """The name without blanks around it, composed as Unicode wants it (NFC), so that the same name is the same bytes.

    Raises NotAllowed for one that is empty, too long, or holds what cannot be printed.
    """
    composed = unicodedata.normalize("NFC", name).strip()
    if not 0 < len(composed) <= NAME_MAX or not composed.isprintable():
        raise NotAllowed(f"{what} is named with 1 to {NAME_MAX} printable characters.")
    if as_id(composed) is not None:
        raise NotAllowed(f"{what} cannot have an id for a name: {composed}.")
    return composed


def as_id(text: str) -> str | None:
    """The text as an id of ours, or None if it is none."""
    try:
        return str(uuid.UUID(text.strip())) if len(text.strip()) == 36 else None
    except ValueError:
        return None


def found_id(tx: Tx, query: LiteralString, named: str, what: str) -> str:
    """The one id that `query` gives for a name. Raises NotFound, NotAllowed when there are several."""
    rows = tx.execute(query, [unicodedata.normalize("NFC", named).strip()]).fetchmany(2)
    if not rows:
        raise NotFound(f"There is no {what} called '{named}'.")
    if len(rows) > 1:
        raise NotAllowed(f"There is more than one {what} called '{named}'; say its id.")
    return str(rows[0][0])
