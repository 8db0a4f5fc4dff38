"""What it takes to undo a merge: the table `merges`. What the two were is sealed there until one of them is forgotten.

Who was taken comes back under a new id, with the old number: of the old id headquarters was told that it is gone. What was seen or learned
after the merge stays with who was kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import uuid_utils

from appliance import details, merging, persons, snapshots, visit_joining, visits
from appliance.database import Store
from appliance.details import Details
from appliance.errors import PersonError
from appliance.gallery import guest_key
from ui.words import gettext as _

IDS_A_STATEMENT = 500
"""SQLite takes 32,766 values; staff who are merged bring thousands of sightings."""


class FormerVisit(msgspec.Struct, frozen=True, array_like=True):
    id: str
    sightings: list[str]
    snapshot: str | None
    width_px: float


class FormerTemplate(msgspec.Struct, frozen=True, array_like=True):
    """`embedding`: (D,) float32, little-endian, unsealed: the whole is sealed."""

    id: str
    person_id: str
    model: str
    embedding: bytes
    quality: float
    origin: str
    visit_id: str | None
    created_ms: int
    set_aside: int


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """Who was taken, with their visits, and the templates of both. `nearest`: sightings that resembled the taken one most."""

    number: int
    role: str
    name: str
    guest_of: str | None
    created_ms: int
    keep_was_named: bool
    visits: list[FormerVisit]
    templates: list[FormerTemplate]
    nearest: list[str]
    guests: list[str]
    apart: list[tuple[str, str]]
    rejected: list[str]
    kept_details: Details
    taken_details: Details


class Merged(msgspec.Struct, frozen=True):
    """A merge that can be undone. `number`: of who was taken."""

    id: str
    made_ms: int
    number: int
    name: str
    visits: int


def before(store: Store, keep_id: str, taken_id: str) -> Before:
    db = store.db
    number, role, guest_of, created_ms = db.execute(
        "SELECT number, role, guest_of, created_ms FROM persons WHERE id = ?", [taken_id]
    ).fetchone()
    return Before(
        number=number,
        role=role,
        name=details.name_of(store, taken_id),
        guest_of=guest_of,
        created_ms=created_ms,
        keep_was_named=bool(details.name_of(store, keep_id)),
        visits=_visits(store, taken_id),
        templates=[t for person_id in (keep_id, taken_id) for t in _templates(store, person_id)],
        nearest=_column(store, "SELECT id FROM sightings WHERE nearest_person_id = ?", taken_id),
        guests=_column(store, "SELECT identity_id FROM guests WHERE person_id = ?", taken_id),
        apart=db.execute(
            "SELECT iif(person_a = ?1, person_b, person_a), reason FROM apart WHERE person_a = ?1 OR person_b = ?1", [taken_id]
        ).fetchall(),
        rejected=_column(store, "SELECT id FROM rejected_looks WHERE person_id = ?", taken_id),
        kept_details=details.of(store, keep_id),
        taken_details=details.of(store, taken_id),
    )


def keep(store: Store, keep_id: str, taken_id: str, found: Before, now_ms: int) -> None:
    """In the transaction of the merge, before the taken one's row goes. Earlier merges into that one are now held by who stays."""
    store.db.execute("UPDATE merges SET holder_id = ? WHERE holder_id = ?", [keep_id, taken_id])
    merge_id = str(uuid_utils.uuid7())
    sealed = store.vault.seal(msgspec.msgpack.encode(found), table="merges", column="before", row=merge_id)
    store.db.execute("INSERT INTO merges VALUES (?, ?, ?, ?, ?, ?)", [merge_id, keep_id, keep_id, taken_id, sealed, now_ms])


def of(store: Store, person_id: str) -> list[Merged]:
    """Merges into a person that can be undone now, newest first. One into somebody who was merged in turn waits for that to be undone."""
    rows = store.db.execute(
        "SELECT id, before_sealed, made_ms FROM merges WHERE holder_id = ?1 AND kept_id = ?1 ORDER BY id DESC", [person_id]
    ).fetchall()
    found = [(merge_id, _opened(store, merge_id, sealed), made_ms) for merge_id, sealed, made_ms in rows]
    return [Merged(merge_id, made_ms, was.number, was.name, len(was.visits)) for merge_id, was, made_ms in found]


def undo(store: Store, merge_id: str, now_ms: int) -> tuple[str, list[str]]:
    """Takes two apart again; the new id of who was taken, and the gallery's persons that are other now. They are called different from now
    on. In the caller's transaction. Raises PersonError when it cannot be undone any more."""
    db = store.db
    row = db.execute("SELECT holder_id, kept_id, taken_id, before_sealed FROM merges WHERE id = ?", [merge_id]).fetchone()
    if row is None:
        raise PersonError(_("That merge was undone already, or who was merged was forgotten since."))
    holder_id, kept_id, taken_id, sealed = row
    if holder_id != kept_id:
        raise PersonError(_("Who was kept then was merged with somebody since. Undo that first."))
    was = _opened(store, merge_id, sealed)
    new_id = _made_again(store, was, now_ms)
    _templates_back(store, kept_id, taken_id, new_id, was, now_ms)
    _visits_back(store, kept_id, new_id, was.visits, now_ms)
    _update(store, "UPDATE sightings SET nearest_person_id = ? WHERE nearest_person_id = ? AND id IN", new_id, kept_id, was.nearest)
    _update(store, "UPDATE guests SET person_id = ? WHERE person_id = ? AND identity_id IN", new_id, kept_id, was.guests)
    _update(store, "UPDATE rejected_looks SET person_id = ? WHERE person_id = ? AND id IN", new_id, kept_id, was.rejected)
    details.put(store, new_id, was.taken_details, now_ms)
    details.put(store, kept_id, details.apart_again(details.of(store, kept_id), was.kept_details, was.taken_details), now_ms)
    if not was.keep_was_named and details.name_of(store, kept_id) == was.name:
        details.rename(store, kept_id, "", now_ms)
    for other, reason in [*was.apart, (kept_id, "a merge was undone")]:
        if db.execute("SELECT 1 FROM persons WHERE id = ?", [other]).fetchone():
            merging.apart(store, new_id, other, reason, now_ms)
    db.execute("UPDATE merges SET holder_id = ?1, kept_id = ?1 WHERE kept_id = ?2", [new_id, taken_id])
    db.execute("DELETE FROM merges WHERE id = ?", [merge_id])
    db.execute("UPDATE gone_persons SET merged_into = ? WHERE id = ?", [new_id, taken_id])
    return new_id, [kept_id, new_id, *(guest_key(i) for i in was.guests)]


def _made_again(store: Store, was: Before, now_ms: int) -> str:
    new_id = str(uuid_utils.uuid7())
    sealed = store.vault.seal(was.name.encode(), table="persons", column="name", row=new_id) if was.name else None
    store.db.execute(
        "INSERT INTO persons (id, number, role, name_sealed, guest_of, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
        [new_id, was.number, was.role, sealed, was.guest_of, was.created_ms],
    )
    persons.tell(store, new_id, now_ms)
    return new_id


def _templates_back(store: Store, kept_id: str, taken_id: str, new_id: str, was: Before, now_ms: int) -> None:
    """Those that moved go back; those that had to make room are put in again, under new ids: of the old ones it was told that they went."""
    db = store.db
    # The taken one's first: theirs that go are the room that the kept one's come back into.
    for template in sorted(was.templates, key=lambda t: t.person_id != taken_id):
        mine = template.person_id == taken_id
        owner = new_id if mine else kept_id
        there = db.execute("SELECT person_id FROM templates WHERE id = ?", [template.id]).fetchone()
        if there and mine and there[0] == kept_id:
            db.execute("UPDATE templates SET person_id = ? WHERE id = ?", [new_id, template.id])
            persons.tell_template(store, template.id, now_ms)
        elif not there and _room(store, owner, template.model):
            row = str(uuid_utils.uuid7())
            sealed = store.vault.seal(template.embedding, table="templates", column="embedding", row=row)
            rest = [template.quality, template.origin, template.visit_id, template.created_ms, template.set_aside]
            db.execute("INSERT INTO templates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [row, owner, template.model, sealed, *rest])
            persons.tell_template(store, row, now_ms)


def _room(store: Store, person_id: str, model: str) -> bool:
    (held,) = store.db.execute("SELECT count(*) FROM templates WHERE person_id = ? AND model = ?", [person_id, model]).fetchone()
    return bool(held < persons.TEMPLATES_MAX)


def _visits_back(store: Store, kept_id: str, new_id: str, former: Sequence[FormerVisit], now_ms: int) -> None:
    """Each visit as it was, where its sightings still are the kept one's. One that was joined with a visit of theirs gets a new id."""
    moved, split = [], []
    for visit in former:
        for stands_in in _places(store, kept_id, visit.sightings):
            if _holds_others(store, stands_in, visit.sightings):
                split.append((stands_in, _parted(store, stands_in, new_id, visit)))
            else:
                store.db.execute("UPDATE visits SET person_id = ? WHERE id = ?", [new_id, stands_in])
                moved.append(stands_in)
    for visit_id in dict.fromkeys(visit_id for pair in split for visit_id in pair):
        visit_joining.align(store, visit_id)
    visits.renumber(store, kept_id, now_ms, also=[stays for stays, _parted in split])
    visits.renumber(store, new_id, now_ms, also=[*moved, *(parted for _stays, parted in split)])


def _parted(store: Store, stands_in: str, new_id: str, visit: FormerVisit) -> str:
    """A visit of its own again, with the picture it had while that is there."""
    db, parted = store.db, str(uuid_utils.uuid7())
    db.execute(
        """INSERT INTO visits (id, person_id, verdict, state, first_seen_ms, last_seen_ms)
            SELECT ?, ?, verdict, state, first_seen_ms, last_seen_ms FROM visits WHERE id = ?""",
        [parted, new_id, stands_in],
    )
    marks = ",".join("?" * len(visit.sightings))
    db.execute(f"UPDATE sightings SET visit_id = ? WHERE visit_id = ? AND id IN ({marks})", [parted, stands_in, *visit.sightings])
    db.execute("UPDATE templates SET visit_id = ? WHERE person_id = ? AND visit_id = ?", [parted, new_id, stands_in])
    shown = db.execute("SELECT snapshot FROM visits WHERE id = ?", [stands_in]).fetchone()[0]
    if visit.snapshot and (visit.snapshot == shown or snapshots.there(store, visit.snapshot)):
        db.execute("UPDATE visits SET snapshot = NULL, snapshot_width_px = 0 WHERE id = ? AND snapshot = ?", [stands_in, visit.snapshot])
        db.execute("UPDATE visits SET snapshot = ?, snapshot_width_px = ? WHERE id = ?", [visit.snapshot, visit.width_px, parted])
    return parted


def _places(store: Store, person_id: str, sighting_ids: Sequence[str]) -> list[str]:
    marks = ",".join("?" * len(sighting_ids))
    rows = store.db.execute(
        f"SELECT DISTINCT v.id FROM sightings s JOIN visits v ON v.id = s.visit_id WHERE v.person_id = ? AND s.id IN ({marks})",
        [person_id, *sighting_ids],
    ).fetchall()
    return [row[0] for row in rows]


def _holds_others(store: Store, visit_id: str, sighting_ids: Sequence[str]) -> bool:
    marks = ",".join("?" * len(sighting_ids))
    other = f"SELECT 1 FROM sightings WHERE visit_id = ? AND id NOT IN ({marks}) LIMIT 1"
    return store.db.execute(other, [visit_id, *sighting_ids]).fetchone() is not None


def _visits(store: Store, person_id: str) -> list[FormerVisit]:
    rows = store.db.execute(
        """SELECT v.id, v.snapshot, v.snapshot_width_px, s.id FROM visits v JOIN sightings s ON s.visit_id = v.id
            WHERE v.person_id = ? ORDER BY v.first_seen_ms, v.id""",
        [person_id],
    ).fetchall()
    found: dict[str, FormerVisit] = {}
    for visit_id, snapshot, width_px, sighting_id in rows:
        found.setdefault(visit_id, FormerVisit(visit_id, [], snapshot, width_px)).sightings.append(sighting_id)
    return list(found.values())


def _templates(store: Store, person_id: str) -> list[FormerTemplate]:
    rows = store.db.execute(
        """SELECT id, model, embedding_sealed, quality, origin, visit_id, created_ms, set_aside FROM templates WHERE person_id = ?
            ORDER BY id""",
        [person_id],
    ).fetchall()
    found = []
    for template_id, model, sealed, *rest in rows:
        plain = store.vault.unseal(sealed, table="templates", column="embedding", row=template_id)
        found.append(FormerTemplate(template_id, person_id, model, plain, *rest))
    return found


def _column(store: Store, question: str, value: str) -> list[str]:
    return [row[0] for row in store.db.execute(question, [value]).fetchall()]


def _update(store: Store, statement: str, new_id: str, kept_id: str, ids: Sequence[str]) -> None:
    for start in range(0, len(ids), IDS_A_STATEMENT):
        some = ids[start : start + IDS_A_STATEMENT]
        store.db.execute(f"{statement} ({','.join('?' * len(some))})", [new_id, kept_id, *some])


def _opened(store: Store, merge_id: str, sealed: bytes) -> Before:
    return msgspec.msgpack.decode(store.vault.unseal(sealed, table="merges", column="before", row=merge_id), type=Before)
