"""What an answer at review does, and how it is taken back. Everything in the caller's transaction; each gives the gallery's persons and
visits that are other now, for `Recognition.renew`.

Same: the visit is the person's and its view is learned, because somebody said so. Different: remembered, and used by recognition.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Sequence

import msgspec

from appliance import merge_history, merging, persons, review, snapshots, visits
from appliance.called_different import REASON
from appliance.database import Store
from appliance.errors import PersonError
from appliance.gallery import UNSURE_KEY
from appliance.review import DIFFERENT, DUPLICATE, SAME, TEMPLATE, VISIT, Case
from ui.words import gettext as _

AROUND_MS = 86_400_000
"""Visits this near may become one with the visit that is given to their person."""
QUALITY = 0.5
"""Of a view whose shots are no longer there: as of a visit that another one agreed with."""


class Look(msgspec.Struct, frozen=True):
    """A sighting's sealed embedding, as its column had it."""

    sighting_id: str
    sealed: str


class Former(msgspec.Struct, frozen=True):
    """A visit as it was before it was given to somebody."""

    visit_id: str
    sightings: list[str]
    person_id: str | None
    picture: str | None
    width_px: float
    views: list[str]
    """Templates that were learned at it."""


class View(msgspec.Struct, frozen=True):
    """A template that had to make room: its row, the embedding sealed."""

    id: str
    sealed: str
    model: str
    quality: float
    origin: str
    visit_id: str | None
    created_ms: int


class Undo(msgspec.Struct, frozen=True, omit_defaults=True):
    """What takes an answer back."""

    looks: list[Look] = []
    visits: list[Former] = []
    learned: str = ""
    dropped: list[View] = []
    apart: bool = False
    merge: str = ""
    taken: str = ""
    """The merge that it was, and who was taken by it."""


def decide(store: Store, case_id: int, answer: str, model: str, gap_ms: int, now_ms: int) -> list[str]:
    """Raises PersonError for a case that is no longer open, or cannot be decided so."""
    case = review.get_open(store, case_id)
    if case is None:
        raise PersonError(_("That case is no longer open: it was just decided, or what it asked about is gone."))
    undo, keys = Undo(), list[str]()
    if answer == SAME and case.kind == VISIT:
        undo, keys = _give(store, case, model, gap_ms, now_ms)
    elif answer == SAME and case.kind == DUPLICATE:
        undo, keys = _merge(store, case, gap_ms, now_ms)
    elif answer == DIFFERENT and case.kind == DUPLICATE:
        merging.apart(store, case.person_id, case.subject, REASON, now_ms)
        undo = Undo(apart=True)
    elif answer == DIFFERENT and case.kind == TEMPLATE:
        persons.set_aside(store, case.subject, True, now_ms)
        keys = [case.person_id]
    elif answer not in review.ANSWERS:
        raise PersonError(_("A case is decided by same, different or ignored, not by “%(answer)s”.") % {"answer": answer[:20]})
    review.note(store, case_id, answer, msgspec.json.encode(undo).decode(), now_ms)
    return keys


def undo_last(store: Store, model: str, now_ms: int) -> list[str]:
    """Takes the newest decision back; its case is open again. Raises PersonError when there is none, or when it cannot be."""
    last = review.last_decided(store.db.conn)
    if last is None:
        raise PersonError(_("There is nothing to undo. The last %(n)s decisions can be taken back.") % {"n": review.UNDONE_MAX})
    case, answer, words = last
    undo = msgspec.json.decode(words, type=Undo)
    keys = [case.person_id, UNSURE_KEY + case.subject]
    if undo.merge:
        return keys + _unmerge(store, case, undo, now_ms)
    if answer == SAME and case.kind == VISIT:
        keys += _take_away(store, case, undo, now_ms)
    elif answer == DIFFERENT and case.kind == DUPLICATE and undo.apart:
        store.db.execute("DELETE FROM apart WHERE person_a = ? AND person_b = ?", sorted((case.person_id, case.subject)))
    elif answer == DIFFERENT and case.kind == TEMPLATE and _is_there(store, case.subject):
        persons.set_aside(store, case.subject, False, now_ms)
    review.reopen(store, case.id)
    return keys


def _give(store: Store, case: Case, model: str, gap_ms: int, now_ms: int) -> tuple[Undo, list[str]]:
    """The visit to the person, and its view to their templates."""
    visit_id, person_id = case.subject, case.person_id
    looks, before = _looks(store, visit_id), _around(store, visit_id, person_id)
    held = {view.id: view for view in _views(store, person_id, model)}
    found = visits.unsure_looks(store, model, 1, visit_id)
    named = visits.name_visit(store, visit_id, person_id, gap_ms, now_ms)
    learned = ""
    if found:
        (role,) = store.db.execute("SELECT role FROM persons WHERE id = ?", [person_id]).fetchone()
        template, _gone = persons.learn(store, person_id, role, model, found[0][1], QUALITY, "reviewed", named, now_ms)
        learned = template.id if template else ""
    left = {view.id for view in _views(store, person_id, model)}
    inside = {i for (i,) in store.db.execute("SELECT id FROM sightings WHERE visit_id = ?", [named]).fetchall()}
    changed = [former for former in before if inside.intersection(former.sightings)]
    dropped = [view for template_id, view in held.items() if template_id not in left]
    return Undo(looks=looks, visits=changed, learned=learned, dropped=dropped), [person_id, UNSURE_KEY + visit_id]


def _take_away(store: Store, case: Case, undo: Undo, now_ms: int) -> list[str]:
    """Each visit as it was; what was learned is unlearned, and what made room for it comes back. Whoever took the person's place meanwhile
    is asked."""
    db, person_id = store.db, merging.now_called(store, case.person_id)
    if undo.learned:
        persons.unlearn(store, undo.learned, now_ms)
    for view in undo.dropped:
        _put_back(store, person_id, view, now_ms)
    still = [(former, found) for former in undo.visits if (found := _still_theirs(store, person_id, former.sightings))]
    for former, sighting_ids in still:
        _restore(store, former, sighting_ids, person_id if former.person_id else None)
    for look in undo.looks:
        db.execute(
            "UPDATE sightings SET embedding_sealed = ? WHERE id = ? AND visit_id = ?",
            [base64.b64decode(look.sealed), look.sighting_id, case.subject],
        )
    there = [former.visit_id for former, _known in still]
    for visit_id in there:
        visits.refresh(store, visit_id, now_ms)
    visits.renumber(store, person_id, now_ms, also=there)
    return [person_id]


def _still_theirs(store: Store, person_id: str, sighting_ids: Sequence[str]) -> list[str]:
    """Of these sightings those that are in the person's visits."""
    theirs = "SELECT 1 FROM sightings s JOIN visits v ON v.id = s.visit_id WHERE s.id = ? AND v.person_id = ?"
    return [i for i in sighting_ids if store.db.execute(theirs, [i, person_id]).fetchone()]


def _restore(store: Store, former: Former, sighting_ids: Sequence[str], owner: str | None) -> None:
    """The visit with its sightings and, while that is kept, its picture."""
    db = store.db
    if not db.execute("SELECT 1 FROM visits WHERE id = ?", [former.visit_id]).fetchone():
        picture = former.picture if former.picture and snapshots.there(store, former.picture) else None
        db.execute(
            """INSERT INTO visits (id, verdict, state, first_seen_ms, last_seen_ms, snapshot, snapshot_width_px)
                SELECT ?, 'unsure', 'settled', began_ms, ended_ms, ?, ? FROM sightings WHERE id = ?""",
            [former.visit_id, picture, former.width_px if picture else 0, sighting_ids[0]],
        )
        # The picture of a visit that was joined may have become the picture of the one it was joined with.
        db.execute(
            "UPDATE visits SET snapshot = NULL, snapshot_width_px = 0, snapshot_sent = NULL WHERE snapshot = ? AND id <> ?",
            [picture, former.visit_id],
        )
    db.execute("UPDATE visits SET person_id = ? WHERE id = ?", [owner, former.visit_id])
    for template_id in former.views:
        db.execute("UPDATE templates SET visit_id = ? WHERE id = ?", [former.visit_id, template_id])
    for sighting_id in sighting_ids:
        db.execute("UPDATE sightings SET visit_id = ? WHERE id = ?", [former.visit_id, sighting_id])


def _unmerge(store: Store, case: Case, undo: Undo, now_ms: int) -> list[str]:
    """Who was taken comes back under a new id. Not as somebody who was called different: it is being asked again."""
    new_id, keys = merge_history.undo(store, undo.merge, now_ms)
    kept_id = case.subject if undo.taken == case.person_id else case.person_id
    store.db.execute("DELETE FROM apart WHERE person_a = ? AND person_b = ?", sorted((kept_id, new_id)))
    store.db.execute("UPDATE review SET subject = ?, person_id = ? WHERE id = ?", [*sorted((kept_id, new_id)), case.id])
    review.reopen(store, case.id)
    return keys


def _merge(store: Store, case: Case, gap_ms: int, now_ms: int) -> tuple[Undo, list[str]]:
    """Who has a name stays, else who came more often, else who came first."""
    rows = store.db.execute(
        "SELECT id FROM persons WHERE id IN (?, ?) ORDER BY name_sealed IS NOT NULL DESC, visit_count DESC, number",
        [case.subject, case.person_id],
    ).fetchall()
    (keep,), (taken,) = rows
    keys = merging.merge(store, keep, taken, gap_ms, now_ms)
    (merge_id,) = store.db.execute("SELECT max(id) FROM merges WHERE kept_id = ? AND taken_id = ?", [keep, taken]).fetchone()
    return Undo(merge=merge_id, taken=taken), keys


def _is_there(store: Store, template_id: str) -> bool:
    return store.db.execute("SELECT 1 FROM templates WHERE id = ?", [template_id]).fetchone() is not None


def _looks(store: Store, visit_id: str) -> list[Look]:
    rows = store.db.execute(
        "SELECT id, embedding_sealed FROM sightings WHERE visit_id = ? AND embedding_sealed IS NOT NULL", [visit_id]
    ).fetchall()
    return [Look(sighting_id, base64.b64encode(sealed).decode()) for sighting_id, sealed in rows]


def _around(store: Store, visit_id: str, person_id: str) -> list[Former]:
    """The visit, and the person's visits that it may be joined with."""
    first_ms, last_ms = store.db.execute("SELECT first_seen_ms, last_seen_ms FROM visits WHERE id = ?", [visit_id]).fetchone()
    rows = store.db.execute(
        """SELECT id, person_id, snapshot, snapshot_width_px FROM visits WHERE id = ?
            OR person_id = ? AND last_seen_ms >= ? AND first_seen_ms <= ?""",
        [visit_id, person_id, first_ms - AROUND_MS, last_ms + AROUND_MS],
    ).fetchall()
    return [Former(i, _sightings(store, i), owner, picture, width_px, _learned_at(store, i)) for i, owner, picture, width_px in rows]


def _sightings(store: Store, visit_id: str) -> list[str]:
    return [i for (i,) in store.db.execute("SELECT id FROM sightings WHERE visit_id = ?", [visit_id]).fetchall()]


def _learned_at(store: Store, visit_id: str) -> list[str]:
    return [i for (i,) in store.db.execute("SELECT id FROM templates WHERE visit_id = ?", [visit_id]).fetchall()]


def _views(store: Store, person_id: str, model: str) -> Sequence[View]:
    rows = store.db.execute(
        """SELECT id, embedding_sealed, model, quality, origin, visit_id, created_ms FROM templates
            WHERE person_id = ? AND model = ? AND NOT set_aside""",
        [person_id, model],
    ).fetchall()
    return [View(i, base64.b64encode(sealed).decode(), *rest) for i, sealed, *rest in rows]


def _put_back(store: Store, person_id: str, view: View, now_ms: int) -> None:
    try:
        store.db.execute(
            """INSERT INTO templates (id, person_id, model, embedding_sealed, quality, origin, visit_id, created_ms)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
            [view.id, person_id, view.model, base64.b64decode(view.sealed), view.quality, view.origin, view.visit_id, view.created_ms],
        )
    except sqlite3.IntegrityError:
        # It is there already: given back by headquarters meanwhile.
        return
    persons.tell_template(store, view.id, now_ms)
