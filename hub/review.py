"""What the machine is unsure of, for somebody to decide: the table `review`. What was called different is never asked again.

A `link` is a person and an identity that it may be; a `duplicate` two identities that may be one. `gone`: the question fell away, because
one of them went or they were joined otherwise; it may be asked anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import uuid_utils

from hub.database import Tx
from hub.errors import NotFound

LINK, DUPLICATE = "link", "duplicate"
LISTED_MAX = 100


@dataclass(frozen=True, slots=True)
class Question:
    """`person_id`: of a link. `identity_id`, `other_identity_id`: of a duplicate, the smaller id first."""

    kind: str
    person_id: str | None
    identity_id: str
    other_identity_id: str | None
    similarity: float
    bar: float


@dataclass(frozen=True, slots=True)
class Open:
    id: str
    question: Question
    made_at: datetime


def link_question(person_id: str, identity_id: str, similarity: float, bar: float) -> Question:
    return Question(LINK, person_id, identity_id, None, similarity, bar)


def duplicate_question(one: str, other: str, similarity: float, bar: float) -> Question:
    return Question(DUPLICATE, None, min(one, other), max(one, other), similarity, bar)


def ask(tx: Tx, questions: Sequence[Question], now: datetime) -> None:
    """A question that is open gets the newer figures; one that was decided, or whose persons were called different, is not asked."""
    for kind, where, conflict in (
        (LINK, "kind = 'link'", "tenant_id, person_id, identity_id"),
        (DUPLICATE, "kind = 'duplicate'", "tenant_id, identity_id, other_identity_id"),
    ):
        asked = list({(q.person_id, q.identity_id, q.other_identity_id): q for q in questions if q.kind == kind}.values())
        if not asked:
            continue
        tx.execute(
            f"""INSERT INTO review AS r (tenant_id, id, kind, person_id, identity_id, other_identity_id, similarity, bar, made_at)
                SELECT (SELECT current_tenant()), t.id, %s, t.person_id, t.identity_id, t.other, t.similarity, t.bar, %s
                FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::real[], %s::real[])
                    AS t (id, person_id, identity_id, other, similarity, bar)
                WHERE NOT EXISTS (SELECT FROM apart AS a JOIN persons AS pa ON pa.id = a.person_a JOIN persons AS pb ON pb.id = a.person_b
                    WHERE {CALLED_DIFFERENT[kind]}) AND NOT ({ASKED_OTHERWISE[kind]})
                ON CONFLICT ({conflict}) WHERE {where} DO UPDATE SET similarity = excluded.similarity, bar = excluded.bar,
                    decision = NULL, decided_by = NULL, decided_at = NULL
                WHERE r.decision IS NULL OR r.decision = 'gone'""",
            [
                kind,
                now,
                [str(uuid_utils.uuid7()) for _ in asked],
                [q.person_id for q in asked],
                [q.identity_id for q in asked],
                [q.other_identity_id for q in asked],
                [q.similarity for q in asked],
                [q.bar for q in asked],
            ],
        )


CALLED_DIFFERENT = {
    LINK: "(pa.id = t.person_id AND pb.identity_id = t.identity_id) OR (pb.id = t.person_id AND pa.identity_id = t.identity_id)",
    DUPLICATE: "(pa.identity_id, pb.identity_id) IN ((t.identity_id, t.other), (t.other, t.identity_id))",
}
ASKED_OTHERWISE = {
    LINK: "false",
    DUPLICATE: """EXISTS (SELECT FROM review AS l JOIN persons AS p ON p.id = l.person_id
        WHERE l.kind = 'link' AND l.decision IS DISTINCT FROM 'gone'
            AND (p.identity_id, l.identity_id) IN ((t.identity_id, t.other), (t.other, t.identity_id)))""",
}
"""Two identities of which one is the person of a link question are one question, not two."""
SELECT = "SELECT id, kind, person_id, identity_id, other_identity_id, similarity, bar, made_at FROM review"


def list_open(tx: Tx, limit: int = LISTED_MAX) -> list[Open]:
    """Most alike first: those are the quickest to decide."""
    rows = tx.execute(f"{SELECT} WHERE decision IS NULL ORDER BY similarity - bar DESC, id LIMIT %s", [limit])
    return [_open(*row) for row in rows]


def count_open(tx: Tx) -> int:
    row = tx.execute("SELECT count(*) FROM review WHERE decision IS NULL").fetchone()
    assert row is not None
    return int(row[0])


def get_open(tx: Tx, review_id: str) -> Open:
    """Raises NotFound for one that is not open."""
    row = tx.execute(f"{SELECT} WHERE id = %s AND decision IS NULL FOR UPDATE", [review_id]).fetchone()
    if row is None:
        raise NotFound(f"There is no open question {review_id}; perhaps it was just decided.")
    return _open(*row)


def note_decision(tx: Tx, review_id: str, decision: str, by: str, now: datetime) -> None:
    tx.execute("UPDATE review SET decision = %s, decided_by = %s, decided_at = %s WHERE id = %s", [decision, by, now, review_id])


def close_between(tx: Tx, keep: str, taken: str, by: str, now: datetime) -> None:
    """Two identities were joined: open questions about the one that is no more, and between the two, fall away."""
    tx.execute(
        """UPDATE review SET decision = 'gone', decided_by = %(by)s, decided_at = %(now)s WHERE decision IS NULL AND (
            identity_id = %(taken)s OR other_identity_id = %(taken)s
            OR (identity_id = %(keep)s AND person_id IN (SELECT id FROM persons WHERE identity_id = %(keep)s)))""",
        {"by": by, "now": now, "keep": keep, "taken": taken},
    )


def close_settled(tx: Tx, now: datetime) -> int:
    """Questions whose person or identity is gone, or which were answered by a link. How many."""
    return tx.execute(
        """UPDATE review AS r SET decision = 'gone', decided_by = 'machine', decided_at = %s WHERE r.decision IS NULL AND (
            NOT EXISTS (SELECT FROM identities AS i WHERE i.id = r.identity_id AND i.merged_into IS NULL)
            OR (r.kind = 'link' AND NOT EXISTS (SELECT FROM persons AS p WHERE p.id = r.person_id AND p.identity_id <> r.identity_id))
            OR (r.kind = 'duplicate'
                AND NOT EXISTS (SELECT FROM identities AS i WHERE i.id = r.other_identity_id AND i.merged_into IS NULL)))""",
        [now],
    ).rowcount


def _open(
    review_id: str,
    kind: str,
    person_id: str | None,
    identity_id: str,
    other: str | None,
    similarity: float,
    bar: float,
    made_at: datetime,
) -> Open:
    return Open(review_id, Question(kind, person_id, identity_id, other, similarity, bar), made_at)
