"""What headquarters gives back after the database was restored from a backup: the appliance's own records of the time in between.

Each is taken where nothing of its id is here; what was erased or merged away stays gone, and who was forgotten before the backup was put
back is forgotten anew. A camera comes back by hand: its address was never told. Runs in the caller's transaction.
"""

from __future__ import annotations

import uuid_utils

from appliance import forgotten_list, honouring, merging, visits
from appliance.database import Store
from sync.records import ApartRecord, OptedOutCount, PersonRecord, Record, TemplateRecord, VisitRecord, whole

VERDICTS = {"new": "new", "returning": "known", "staff": "known", "unsure": "unsure"}
"""A visit's verdict as its sighting has it."""


def take_back(store: Store, record: Record, now_ms: int) -> str | None:
    """The person whom it concerns, if it was taken. Raises RecordError for an embedding that is none."""
    match record:
        case PersonRecord():
            return _person(store, record, now_ms)
        case TemplateRecord():
            return _template(store, record)
        case VisitRecord():
            return _visit(store, record, now_ms)
        case OptedOutCount(day=day, visits=visits):
            store.db.execute(
                "INSERT INTO opted_out_counts VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET visits = max(visits, excluded.visits)",
                [day, visits],
            )
        case ApartRecord(person_a=one, person_b=other, reason=reason) if one != other:
            merging.apart(store, one, other, reason, now_ms, by_the_chain=True)
    return None


def _person(store: Store, record: PersonRecord, now_ms: int) -> str | None:
    db = store.db
    if _is("persons", store, record.id) or _is("gone_persons", store, record.id) or _went("person", store, record.id):
        return None
    (last,) = db.execute("SELECT value FROM settings WHERE key = 'last_visitor_number'").fetchone() or ("0",)
    taken = db.execute("SELECT 1 FROM persons WHERE number = ?", [record.number]).fetchone()
    number = int(last) + 1 if taken else record.number
    db.execute("INSERT OR REPLACE INTO settings VALUES ('last_visitor_number', ?)", [str(max(int(last), number))])
    sealed = store.vault.seal(record.name.encode(), table="persons", column="name", row=record.id) if record.name else None
    db.execute(
        """INSERT INTO persons (id, number, role, name_sealed, guest_of, first_seen_ms, last_seen_ms, visit_count, created_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            *(record.id, number, record.role, sealed, record.guest_of or None),
            *(record.first_seen_ms, record.last_seen_ms, record.visit_count, record.first_seen_ms or now_ms),
        ],
    )
    honouring.forget_again(store, record.id, now_ms)
    return record.id if _is("persons", store, record.id) else None


def _template(store: Store, record: TemplateRecord) -> str | None:
    if _is("templates", store, record.id) or _went("template", store, record.id) or not _is("persons", store, record.person_id):
        return None
    if forgotten_list.knows(store, forgotten_list.TEMPLATE, record.id):
        return None
    plain = whole(record.embedding).astype("<f4").tobytes()
    sealed = store.vault.seal(plain, table="templates", column="embedding", row=record.id)
    store.db.execute(
        """INSERT INTO templates (id, person_id, model, embedding_sealed, quality, origin, visit_id, created_ms)
            VALUES (?, ?, ?, ?, ?, ?, NULL, ?)""",
        [record.id, record.person_id, record.model, sealed, record.quality, record.origin, record.created_ms],
    )
    return record.person_id


def _visit(store: Store, record: VisitRecord, now_ms: int) -> str | None:
    """A visit is what its sightings say: each of its cameras gets one."""
    if _is("visits", store, record.id) or _went("visit", store, record.id):
        return None
    person_id = record.person_id if record.person_id and _may_have_visits(store, record.person_id) else None
    verdict = record.verdict if person_id else "unsure"
    store.db.execute(
        """INSERT INTO visits (id, person_id, verdict, state, first_seen_ms, last_seen_ms, visit_number)
            VALUES (?, ?, ?, 'settled', ?, ?, ?)""",
        [record.id, person_id, verdict, record.first_seen_ms, record.last_seen_ms, record.visit_number if person_id else 0],
    )
    for camera_id in record.cameras or [""]:
        store.db.execute(
            """INSERT INTO sightings (id, visit_id, camera_id, began_ms, ended_ms, shots, face_width_px, model, verdict, reason,
                similarity, bar, settled) VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, 1)""",
            [
                *(str(uuid_utils.uuid7()), record.id, camera_id, record.first_seen_ms, record.last_seen_ms),
                *(record.model, VERDICTS[verdict], record.reason, record.similarity, record.bar),
            ],
        )
    if not record.settled or (person_id or "", verdict) != (record.person_id, record.verdict):
        # It was told otherwise, and nobody will tell it again.
        visits.tell(store, record.id, now_ms)
    return person_id


def _may_have_visits(store: Store, person_id: str) -> bool:
    """Of who opted out nothing is stored but by whom they are known."""
    return store.db.execute("SELECT 1 FROM persons WHERE id = ? AND role <> 'opted_out'", [person_id]).fetchone() is not None


def _is(table: str, store: Store, row_id: str) -> bool:
    return store.db.execute(f"SELECT 1 FROM {table} WHERE id = ?", [row_id]).fetchone() is not None


def _went(kind: str, store: Store, row_id: str) -> bool:
    """Whether it went here since: headquarters is told, or will be, and is behind."""
    return store.db.execute("SELECT 1 FROM gone_rows WHERE kind = ? AND id = ?", [kind, row_id]).fetchone() is not None
