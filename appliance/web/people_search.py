"""Who is meant by what somebody types: a number, a phone number, an e-mail address, or part of a name.

Names are sealed, so they are opened one by one, those seen last first, and no more than a page can wait for. Phone numbers and addresses
are found by a keyed hash, whole ones only.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata

from appliance import details
from appliance.database import Store
from appliance.web.pages import Names, PersonRow

NAMES_MAX = 2_000
"""Opened for a search: under 100 ms. A store that names more people finds the others by number, phone or e-mail."""
FOUND_MAX = 480
"""Ten pages; who finds more types another letter."""
ASKED_MAX = 100
NUMBER = re.compile(r"(?:visitor|no\.?|#)?\s*(\d[\d\s.,]*)", re.IGNORECASE)


def search(connection: sqlite3.Connection, store: Store, names: Names, asked: str) -> list[str]:
    """Ids of who is meant, at most `FOUND_MAX`."""
    asked = asked.strip()[:ASKED_MAX]
    if "@" in asked:
        return _keyed(connection, "email_key", details.email_key(store, asked))
    found = _keyed(connection, "phone_key", details.phone_key(store, asked)) if re.fullmatch(r"\+?[\d ()./-]{5,}", asked) else []
    if number := NUMBER.fullmatch(asked):
        digits = re.sub(r"\D", "", number[1])[:15]
        found += [i for (i,) in connection.execute("SELECT id FROM persons WHERE number = ?", (int(digits),)).fetchall()]
    return list(dict.fromkeys([*found, *_named(connection, names, folded(asked))]))[:FOUND_MAX]


def folded(text: str) -> str:
    """As it is compared: without case, accents and the Vietnamese stroke, so that "le" finds "Lê" and "dung" finds "Dũng"."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(plain.replace("đ", "d").split())


def _keyed(connection: sqlite3.Connection, column: str, key: bytes | None) -> list[str]:
    return [i for (i,) in connection.execute(f"SELECT person_id FROM details WHERE {column} = ?", (key,)).fetchall()]


def _named(connection: sqlite3.Connection, names: Names, asked: str) -> list[str]:
    """By the store's own name, or the chain's where there is none."""
    rows = connection.execute(
        """SELECT id, number, role, name_sealed FROM persons INDEXED BY persons_named WHERE name_sealed IS NOT NULL
            ORDER BY last_seen_ms DESC LIMIT ?""",
        (NAMES_MAX,),
    ).fetchall()
    rows += connection.execute(
        """SELECT p.id, p.number, p.role, p.name_sealed FROM chain c JOIN persons p ON p.id = c.person_id
            WHERE c.name_sealed IS NOT NULL AND p.name_sealed IS NULL LIMIT ?""",
        (NAMES_MAX - len(rows),),
    ).fetchall()
    parts = asked.split()
    return [row[0] for row in rows if parts and all(part in folded(names(PersonRow(*row))) for part in parts)]
