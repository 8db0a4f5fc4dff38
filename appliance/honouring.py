"""Forgetting anew what a backup brings back: persons, templates and pictures whose marks are on the list of what was forgotten."""

from __future__ import annotations

from collections.abc import Callable, Set
from pathlib import Path

from appliance import forgetting, forgotten_list, snapshots
from appliance.database import Store
from appliance.forgetting import Forgotten
from appliance.forgotten_list import BY_THE_CHAIN, OPTED_OUT, PERSON, TEMPLATE, VISIT
from sync.records import TemplateGone


def honour(store: Store, backups: Path, now_ms: int) -> Forgotten:
    """To be called before anything else reads a database that may have been restored. One that was not costs reading two small files.

    Raises StoreErrors.
    """
    marks = forgotten_list.unknown(store.db.conn, forgotten_list.places(store.folder, backups))
    return forget_marked(store, marks, now_ms) if marks else Forgotten()


def forget_marked(store: Store, marks: Set[bytes], now_ms: int) -> Forgotten:
    """In one transaction: a store that is cut off in between begins again."""

    def marked(kind: str, row_id: str) -> bool:
        return forgotten_list.mark(store.vault, kind, row_id) in marks

    gone = Forgotten()
    with store.transaction() as db:
        taken = {row[0] for row in db.execute("SELECT taken_id FROM merges").fetchall()}
        _merges_of(store, {one for one in taken if any(marked(kind, one) for kind in (PERSON, BY_THE_CHAIN, OPTED_OUT))})
        for person_id, role in db.execute("SELECT id, role FROM persons").fetchall():
            gone += _person(store, person_id, role, marked, now_ms)
        templates = db.execute("SELECT id, person_id, visit_id, embedding_sealed FROM templates").fetchall()
        for template_id, person_id, visit_id, sealed in templates:
            if marked(TEMPLATE, template_id) or (visit_id is not None and marked(VISIT, visit_id)):
                store.trace([sealed])
                db.execute("DELETE FROM templates WHERE id = ?", [template_id])
                store.record(TemplateGone(id=template_id, person_id=person_id), now_ms)
                gone += Forgotten(templates=1)
        for (visit_id,) in db.execute(SHOWING).fetchall():
            if marked(VISIT, visit_id):
                gone += _visit(store, visit_id)
        db.conn.executemany("INSERT OR IGNORE INTO forgotten VALUES (?)", [(mark,) for mark in marks])
        if gone != Forgotten():
            db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", [forgetting.CLEARING, str(now_ms)])
    return gone


def forget_again(store: Store, person_id: str, now_ms: int) -> Forgotten:
    """Of a person whom headquarters gave back: it may not have heard yet that they were forgotten here, and the backup that was put back
    did not have them. In the transaction in which they came."""

    def marked(kind: str, row_id: str) -> bool:
        return forgotten_list.knows(store, kind, row_id)

    (role,) = store.db.execute("SELECT role FROM persons WHERE id = ?", [person_id]).fetchone()
    return _person(store, person_id, role, marked, now_ms)


def _person(store: Store, person_id: str, role: str, marked: Callable[[str, str], bool], now_ms: int) -> Forgotten:
    if marked(PERSON, person_id):
        return forgetting.erase(store, person_id, now_ms)
    if marked(BY_THE_CHAIN, person_id):
        return forgetting.erase(store, person_id, now_ms, by_the_chain=True)
    if role != "opted_out" and marked(OPTED_OUT, person_id):
        return forgetting.opt_out(store, person_id, now_ms)
    return Forgotten()


SHOWING = """SELECT id FROM visits WHERE snapshot IS NOT NULL UNION SELECT visit_id FROM sightings WHERE embedding_sealed IS NOT NULL
    UNION SELECT visit_id FROM rejected_looks"""
"""Visits of which there is more than that they were."""


def _merges_of(store: Store, taken: set[str]) -> None:
    """What would undo their merges holds what they were."""
    for person_id in taken:
        rows = store.db.execute("DELETE FROM merges WHERE taken_id = ? RETURNING before_sealed", [person_id]).fetchall()
        store.trace(row[0] for row in rows)


def _visit(store: Store, visit_id: str) -> Forgotten:
    """Whose it was then, it was somebody else's when it was forgotten: pictures and looks go, the visit stays as it is."""
    db = store.db
    (name,) = db.execute("SELECT snapshot FROM visits WHERE id = ?", [visit_id]).fetchone() or (None,)
    if name:
        db.execute("UPDATE visits SET snapshot = NULL, snapshot_width_px = 0, snapshot_sent = NULL WHERE id = ?", [visit_id])
        if snapshots.there(store, name):
            snapshots.remove(store, name)
    looks = db.execute("SELECT embedding_sealed FROM sightings WHERE visit_id = ? AND embedding_sealed IS NOT NULL", [visit_id]).fetchall()
    looks += db.execute("DELETE FROM rejected_looks WHERE visit_id = ? RETURNING embedding_sealed", [visit_id]).fetchall()
    store.trace(row[0] for row in looks)
    db.execute("UPDATE sightings SET embedding_sealed = NULL WHERE visit_id = ? AND embedding_sealed IS NOT NULL", [visit_id])
    db.execute("UPDATE review SET undo = NULL WHERE subject = ? AND undo IS NOT NULL", [visit_id])
    return Forgotten(snapshots=1 if name else 0, looks=len(looks))
