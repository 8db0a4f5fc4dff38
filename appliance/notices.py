"""What the page has to tell the manager until it is dismissed. One open notice of a kind: a job that fails every night is said once.

Whoever leaves a notice has no reader: its words are English and kept so, and the page says them in the reader's language
(`appliance/web/notice_words.py`)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.database import Store

KEPT_MAX = 200
"""Dismissed notices beyond the newest this many are dropped."""


@dataclass(frozen=True, slots=True)
class Notice:
    id: int
    created_ms: int
    kind: str
    words: str
    details: str = ""
    """For whoever helps: where in the program it happened."""


def notify(store: Store, kind: str, words: str, now_ms: int, details: str = "") -> int:
    """Its id. An open notice of the same kind gets the new words and time instead of a second one. Joins the caller's
    transaction, if any."""
    with store.writing() as db:
        row = db.execute("SELECT id FROM notices WHERE kind = ? AND dismissed_ms IS NULL", [kind]).fetchone()
        if row:
            db.execute("UPDATE notices SET words = ?, details = ?, created_ms = ? WHERE id = ?", [words, details, now_ms, row[0]])
            return int(row[0])
        made = db.execute("INSERT INTO notices (created_ms, kind, words, details) VALUES (?, ?, ?, ?)", [now_ms, kind, words, details])
        db.execute(
            "DELETE FROM notices WHERE dismissed_ms IS NOT NULL AND id NOT IN (SELECT id FROM notices ORDER BY id DESC LIMIT ?)", [KEPT_MAX]
        )
        assert made.lastrowid is not None
        return made.lastrowid


def open_notices(store: Store) -> list[Notice]:
    return read_open(store.db.conn)


def read_open(connection: sqlite3.Connection, most: int = KEPT_MAX) -> list[Notice]:
    """Newest first."""
    rows = connection.execute(
        """SELECT id, created_ms, kind, words, details FROM notices WHERE dismissed_ms IS NULL
            ORDER BY created_ms DESC, id DESC LIMIT ?""",
        (most,),
    )
    return [Notice(*row) for row in rows.fetchall()]


def dismiss(store: Store, notice_id: int, now_ms: int) -> bool:
    """Whether it was open."""
    with store.writing() as db:
        return db.execute("UPDATE notices SET dismissed_ms = ? WHERE id = ? AND dismissed_ms IS NULL", [now_ms, notice_id]).rowcount == 1


def settle(store: Store, kind: str, now_ms: int) -> None:
    """What the notice told of is over: a job that failed went well again."""
    if store.db.execute("SELECT 1 FROM notices WHERE kind = ? AND dismissed_ms IS NULL", [kind]).fetchone():
        with store.writing() as db:
            db.execute("UPDATE notices SET dismissed_ms = ? WHERE kind = ? AND dismissed_ms IS NULL", [now_ms, kind])
