"""Two persons who are one, and two who are not. Everything in the caller's transaction, with its records.

Of two persons that are merged one stays and takes the other's templates and visits. Who was taken is remembered for ever: an erasure that
asks for them reaches who took their place. Two that somebody called different are never merged.
"""

from __future__ import annotations

from appliance import details, merge_history, persons, rejected_looks, visit_joining, visits
from appliance.database import Store
from appliance.errors import PersonError
from appliance.gallery import guest_key
from appliance.persons import PersonRow
from sync.records import ApartRecord, PersonGone, TemplateGone
from ui.words import gettext as _

MERGES_FOLLOWED_MAX = 1_000
"""Longer chains of merges are a circle, which no merge makes: a broken database must not hang an erasure."""


def merge(
    store: Store, keep_id: str, taken_id: str, gap_ms: int, now_ms: int, *, although_apart: bool = False, into_staff: bool = False
) -> list[str]:
    """`taken_id`'s templates and visits become `keep_id`'s, and so does what was entered of them where that has none; gives the gallery's
    persons that are other now. `although_apart`: somebody who called them different has thought better of it. `into_staff`: a customer
    turned out to be a member of staff. Raises PersonError for who may not be merged, LookupError for who is not there."""
    keep, taken = persons.one(store, keep_id), persons.one(store, taken_id)
    if although_apart:
        store.db.execute("DELETE FROM apart WHERE person_a = ? AND person_b = ?", sorted((keep_id, taken_id)))
        rejected_looks.forget_between(store, keep_id, taken_id)
    may_be_one(store, keep, taken, into_staff=into_staff)
    db = store.db
    before = merge_history.before(store, keep_id, taken_id)
    if not _named(store, keep_id):
        _take_name(store, keep, taken)
    details.put(store, keep_id, details.together(before.kept_details, before.taken_details), now_ms)
    _take_templates(store, keep, taken, now_ms)
    moved = [row[0] for row in db.execute("SELECT id FROM visits WHERE person_id = ? ORDER BY first_seen_ms, id", [taken_id]).fetchall()]
    db.execute("UPDATE visits SET person_id = ? WHERE person_id = ?", [keep_id, taken_id])
    left = visit_joining.join(store, keep_id, moved, gap_ms, now_ms)
    visits.renumber(store, keep_id, now_ms, also=left)
    db.execute("UPDATE sightings SET nearest_person_id = ? WHERE nearest_person_id = ?", [keep_id, taken_id])
    lent = [row[0] for row in db.execute("SELECT identity_id FROM guests WHERE person_id = ?", [taken_id]).fetchall()]
    db.execute("UPDATE guests SET person_id = ? WHERE person_id = ?", [keep_id, taken_id])
    for other in _apart_from(store, taken_id):
        apart(store, keep_id, other, "merged with one that was called different", now_ms)
    db.execute("DELETE FROM apart WHERE person_a = ?1 OR person_b = ?1", [taken_id])
    db.execute("UPDATE rejected_looks SET person_id = ? WHERE person_id = ?", [keep_id, taken_id])
    merge_history.keep(store, keep_id, taken_id, before, now_ms)
    db.execute("DELETE FROM persons WHERE id = ?", [taken_id])
    db.execute("INSERT OR REPLACE INTO gone_persons VALUES (?, ?, 0, ?)", [taken_id, keep_id, now_ms])
    # Last: whoever reads the records in order finds nothing left that goes with the person.
    store.record(PersonGone(id=taken_id, merged_into=keep_id), now_ms)
    return [keep_id, taken_id, *(guest_key(i) for i in lent)]


def apart(store: Store, one_id: str, other_id: str, reason: str, now_ms: int, *, by_the_chain: bool = False) -> None:
    """Remembers that two persons are not one. Headquarters need not be told what it said itself."""
    if one_id == other_id:
        raise PersonError(_("A person cannot be told apart from themselves."))
    first, second = sorted((one_id, other_id))
    made = store.db.execute("INSERT OR IGNORE INTO apart VALUES (?, ?, ?, ?)", [first, second, reason, now_ms]).rowcount
    if made and not by_the_chain:
        store.record(ApartRecord(person_a=first, person_b=second, reason=reason), now_ms)


def are_apart(store: Store, one_id: str, other_id: str) -> bool:
    first, second = sorted((one_id, other_id))
    return store.db.execute("SELECT 1 FROM apart WHERE person_a = ? AND person_b = ?", [first, second]).fetchone() is not None


def now_called(store: Store, person_id: str) -> str:
    """The person themselves, or who took their place, however many merges ago."""
    for _step in range(MERGES_FOLLOWED_MAX):
        row = store.db.execute("SELECT merged_into FROM gone_persons WHERE id = ? AND merged_into IS NOT NULL", [person_id]).fetchone()
        if row is None:
            break
        person_id = row[0]
    return person_id


def may_be_one(store: Store, keep: PersonRow, taken: PersonRow, *, into_staff: bool = False) -> None:
    """Raises PersonError, which says why not."""
    both = {"one": keep.label, "other": taken.label}
    if keep.id == taken.id:
        raise PersonError(_("%(one)s cannot be merged with themselves.") % both)
    if "opted_out" in (keep.role, taken.role):
        raise PersonError(_("Somebody who opted out is not merged with anybody. Opt the other one out as well."))
    if keep.role != taken.role and not (into_staff and (keep.role, taken.role) == ("staff", "customer")):
        raise PersonError(_("One of %(one)s and %(other)s is staff and the other a customer: they cannot be one person.") % both)
    if are_apart(store, keep.id, taken.id):
        raise PersonError(_("%(one)s and %(other)s were called different: they are not merged.") % both)


def _named(store: Store, person_id: str) -> bool:
    return store.db.execute("SELECT 1 FROM persons WHERE id = ? AND name_sealed IS NOT NULL", [person_id]).fetchone() is not None


def _take_name(store: Store, keep: PersonRow, taken: PersonRow) -> None:
    if _named(store, taken.id):
        sealed = store.vault.seal(taken.label.encode(), table="persons", column="name", row=keep.id)
        store.db.execute("UPDATE persons SET name_sealed = ? WHERE id = ?", [sealed, keep.id])


def _take_templates(store: Store, keep: PersonRow, taken: PersonRow, now_ms: int) -> None:
    """The better half of both where they are too many."""
    db = store.db
    rows = db.execute(TEMPLATES_BY_PLACE, [keep.id, taken.id]).fetchall()
    for template_id, person_id, place in rows:
        if place > persons.TEMPLATES_MAX:
            db.execute("DELETE FROM templates WHERE id = ?", [template_id])
            store.record(TemplateGone(id=template_id, person_id=person_id), now_ms)
        elif person_id == taken.id:
            db.execute("UPDATE templates SET person_id = ? WHERE id = ?", [keep.id, template_id])
            persons.tell_template(store, template_id, now_ms)


TEMPLATES_BY_PLACE = """SELECT id, person_id, row_number() OVER (PARTITION BY model ORDER BY origin = 'enrolled' DESC, quality DESC, id)
    FROM templates WHERE person_id IN (?, ?)"""


def _apart_from(store: Store, person_id: str) -> list[str]:
    rows = store.db.execute("SELECT person_a, person_b FROM apart WHERE person_a = ?1 OR person_b = ?1", [person_id]).fetchall()
    return [b if a == person_id else a for a, b in rows]
