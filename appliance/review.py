"""What the machine is unsure of, for somebody to decide: the table `review`. What was decided is remembered and never asked again.

A `visit` is a visit that nobody was named for and the person it resembles; a `duplicate` two persons that look alike, the smaller id
first; a `template` a view that does not resemble its own person. A case whose visit, person or view is gone is no longer open.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from appliance.database import Store

VISIT, DUPLICATE, TEMPLATE = "visit", "duplicate", "template"
SAME, DIFFERENT, IGNORED = "same", "different", "ignored"
ANSWERS = (SAME, DIFFERENT, IGNORED)
NUMBER_MAX = (1 << 63) - 1
"""SQLite's largest; what a page's address says may be larger."""
COUNTED_MAX = 1_000
"""More open cases than this are not told apart: nobody decides so many in a day."""
UNDONE_MAX = 20
"""Last decisions that can be undone: what undoes one holds the look of a face, which is not kept longer than it takes to think again."""

OPEN = """FROM review r JOIN persons p ON p.id = r.person_id WHERE r.decision IS NULL AND p.role IN ('customer', 'staff') AND CASE r.kind
    WHEN 'visit' THEN EXISTS (SELECT 1 FROM visits v WHERE v.id = r.subject AND v.person_id IS NULL AND v.state = 'settled')
    WHEN 'duplicate' THEN EXISTS (SELECT 1 FROM persons o WHERE o.id = r.subject AND o.role = p.role)
        AND NOT EXISTS (SELECT 1 FROM apart a WHERE a.person_a = r.subject AND a.person_b = r.person_id)
    ELSE EXISTS (SELECT 1 FROM templates t WHERE t.id = r.subject AND t.person_id = r.person_id AND NOT t.set_aside) END"""


@dataclass(frozen=True, slots=True)
class Case:
    """`subject`: the visit, the other person or the template. `low`, `bar`: new below the one, the same from the other; of a template,
    set aside below the one, in order from the other."""

    id: int
    kind: str
    subject: str
    person_id: str
    similarity: float
    low: float
    bar: float


COLUMNS = "r.id, r.kind, r.subject, r.person_id, r.similarity, r.low, r.bar"


def ask(store: Store, kind: str, subject: str, person_id: str, similarity: float, low: float, bar: float, now_ms: int) -> None:
    """In the caller's transaction. A case that is open gets the newer figures; one that was decided stays decided."""
    store.db.execute(
        """INSERT INTO review (kind, subject, person_id, similarity, low, bar, made_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (kind, subject, person_id) DO UPDATE SET similarity = excluded.similarity, low = excluded.low, bar = excluded.bar
            WHERE decision IS NULL""",
        [kind, subject, person_id, similarity, low, bar, now_ms],
    )


def count_open(connection: sqlite3.Connection, kind: str | None = None) -> int:
    """At most `COUNTED_MAX`."""
    (count,) = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 {OPEN} AND (?1 IS NULL OR r.kind = ?1) LIMIT {COUNTED_MAX})", [kind]
    ).fetchone()
    return int(count)


def first_open(connection: sqlite3.Connection) -> Case | None:
    """The one that is nearest to its bar, or furthest beyond it: that is the quickest to decide."""
    row = connection.execute(f"SELECT {COLUMNS} {OPEN} ORDER BY r.similarity - r.bar DESC, r.id LIMIT 1").fetchone()
    return Case(*row) if row else None


def get_open(store: Store, case_id: int) -> Case | None:
    if not 0 < case_id <= NUMBER_MAX:
        return None
    row = store.db.execute(f"SELECT {COLUMNS} {OPEN} AND r.id = ?", [case_id]).fetchone()
    return Case(*row) if row else None


def note(store: Store, case_id: int, decision: str, undo: str, now_ms: int) -> None:
    """`undo`: what it takes to take the decision back, as JSON. Older decisions can no longer be undone."""
    db = store.db
    (last,) = db.execute("SELECT coalesce(max(turn), 0) FROM review").fetchone()
    db.execute(
        "UPDATE review SET decision = ?, decided_ms = ?, turn = ?, undo = ? WHERE id = ?", [decision, now_ms, last + 1, undo, case_id]
    )
    db.execute("UPDATE review SET undo = NULL WHERE undo IS NOT NULL AND turn <= ?", [last + 1 - UNDONE_MAX])


def last_decided(connection: sqlite3.Connection) -> tuple[Case, str, str] | None:
    """The newest decision that can be undone, with its answer and what undoes it."""
    row = connection.execute(
        f"SELECT {COLUMNS}, r.decision, r.undo FROM review r WHERE r.undo IS NOT NULL ORDER BY r.turn DESC LIMIT 1"
    ).fetchone()
    return (Case(*row[:7]), row[7], row[8]) if row else None


def reopen(store: Store, case_id: int) -> None:
    store.db.execute("UPDATE review SET decision = NULL, decided_ms = NULL, turn = NULL, undo = NULL WHERE id = ?", [case_id])


def forget(store: Store, person_id: str) -> None:
    """Cases and decisions about a person, and about whoever was merged into them, with what would undo them."""
    store.db.execute(
        """WITH RECURSIVE they (id) AS (SELECT ?1 UNION SELECT g.id FROM gone_persons g JOIN they ON g.merged_into = they.id)
            DELETE FROM review WHERE person_id IN (SELECT id FROM they) OR subject IN (SELECT id FROM they)""",
        [person_id],
    )


def tidy(store: Store) -> None:
    """Open cases follow a merge, and go where they can no longer be decided: of a visit without its look nothing could be learned."""
    db = store.db
    db.execute(
        """UPDATE OR IGNORE review SET person_id = (SELECT merged_into FROM gone_persons g WHERE g.id = review.person_id)
            WHERE decision IS NULL AND kind = 'visit'
            AND person_id IN (SELECT id FROM gone_persons WHERE merged_into IS NOT NULL)"""
    )
    db.execute(
        f"""DELETE FROM review WHERE decision IS NULL AND (id NOT IN (SELECT r.id {OPEN}) OR kind = 'visit'
            AND NOT EXISTS (SELECT 1 FROM sightings s WHERE s.visit_id = subject AND s.embedding_sealed IS NOT NULL))"""
    )


def answered(connection: sqlite3.Connection, kind: str, similarity: float, within: float, answers: int) -> tuple[int, int, int]:
    """Of the last `answers` same-or-different answers: how many, how many to pairs about this alike, how many of those were different."""
    row = connection.execute(
        """SELECT count(*), coalesce(sum(abs(similarity - ?2) <= ?3), 0),
            coalesce(sum(abs(similarity - ?2) <= ?3 AND decision = 'different'), 0) FROM (
            SELECT similarity, decision FROM review WHERE kind = ?1 AND decision IN ('same', 'different') ORDER BY turn DESC LIMIT ?4)""",
        [kind, similarity, within, answers],
    ).fetchone()
    return int(row[0]), int(row[1]), int(row[2])
