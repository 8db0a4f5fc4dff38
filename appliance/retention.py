"""What is kept for a time only, besides snapshots: templates of people who stay away, and the embeddings kept of unsure visits."""

from __future__ import annotations

from collections.abc import Callable

from appliance import rejected_looks
from appliance.database import Store
from sync.records import TemplateGone

DAY_MS = 86_400_000
PERSONS_A_TURN = 200
"""Up to 8 templates each: a transaction of some 20 ms."""


def drop_templates(store: Store, now_ms: int, days: int, forgotten: Callable[[list[str]], None] = lambda _ids: None) -> int:
    """Drops the templates of customers not seen for `days`; how many people. They stay in the visit log and would be new if they came back.

    Staff and opted-out people are kept: they were enrolled on purpose. `forgotten` gets the person ids after each commit, so that the
    gallery lets go of them.
    """
    before_ms, dropped = now_ms - days * DAY_MS, 0
    while True:
        with store.transaction() as db:
            rows = db.execute(
                """SELECT p.id, t.id FROM persons p JOIN templates t ON t.person_id = p.id WHERE p.role = 'customer' AND p.id IN (
                    SELECT id FROM persons WHERE role = 'customer' AND coalesce(last_seen_ms, created_ms) < ?
                    AND EXISTS (SELECT 1 FROM templates WHERE person_id = persons.id) LIMIT ?)""",
                [before_ms, PERSONS_A_TURN],
            ).fetchall()
            for person in {row[0] for row in rows}:
                rejected_looks.forget(store, person)
                # What would undo a merge holds templates as well.
                db.execute("DELETE FROM merges WHERE holder_id = ?", [person])
            for person, template in rows:
                db.execute("DELETE FROM templates WHERE id = ?", [template])
                store.record(TemplateGone(id=template, person_id=person), now_ms)
        persons = sorted({row[0] for row in rows})
        if persons:
            forgotten(persons)
        dropped += len(persons)
        if len(persons) < PERSONS_A_TURN:
            return dropped


def drop_unsure_embeddings(store: Store, now_ms: int, days: int) -> int:
    """Empties the embeddings kept for review of sightings that ended more than `days` ago, and of decisions of then; how many."""
    with store.transaction() as db:
        db.execute("UPDATE review SET undo = NULL WHERE undo IS NOT NULL AND decided_ms < ?", [now_ms - days * DAY_MS])
        return db.execute(
            "UPDATE sightings SET embedding_sealed = NULL WHERE embedding_sealed IS NOT NULL AND ended_ms < ?", [now_ms - days * DAY_MS]
        ).rowcount
