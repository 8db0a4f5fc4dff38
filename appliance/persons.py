"""People the appliance can tell apart, and their templates: the tables `persons` and `templates`.

Every change writes its record for the hub in the transaction it is made in; callers bring an open one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import uuid_utils

from appliance.database import Store
from appliance.gallery import Template
from models.faces import Floats
from sync.records import PersonGone, PersonRecord, TemplateGone, TemplateRecord, halved
from ui.words import gettext as _

TEMPLATES_MAX = 8
"""Views kept of a person: more make a search slower and a stranger's chance of resembling one of them larger."""
SAME_VIEW = 0.92
"""Two templates this alike show the same view; the better one is enough."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """`label`: the name, or "Visitor 1204"."""

    id: str
    number: int
    role: str
    label: str
    visit_count: int
    first_seen_ms: int | None
    last_seen_ms: int | None
    templates: int


def create(store: Store, role: str, now_ms: int, name: str = "", guest_of: str | None = None) -> str:
    """A new person's id. `role`: customer, staff or opted_out; `guest_of`: the chain's identity they were recognised as."""
    person_id = str(uuid_utils.uuid7())
    db = store.db
    (number,) = db.execute("SELECT value FROM settings WHERE key = 'last_visitor_number'").fetchone() or ("0",)
    db.execute("INSERT OR REPLACE INTO settings VALUES ('last_visitor_number', ?)", [str(int(number) + 1)])
    sealed = store.vault.seal(name.encode(), table="persons", column="name", row=person_id) if name else None
    db.execute(
        "INSERT INTO persons (id, number, role, name_sealed, guest_of, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
        [person_id, int(number) + 1, role, sealed, guest_of, now_ms],
    )
    tell(store, person_id, now_ms)
    return person_id


def tell(store: Store, person_id: str, now_ms: int) -> None:
    """The hub's record of the person as they are now."""
    row = _row(store, person_id)
    named, guest_of = store.db.execute("SELECT name_sealed IS NOT NULL, guest_of FROM persons WHERE id = ?", [person_id]).fetchone()
    store.record(
        PersonRecord(
            id=row.id,
            number=row.number,
            role=row.role,
            name=row.label if named else "",
            first_seen_ms=row.first_seen_ms,
            last_seen_ms=row.last_seen_ms,
            visit_count=row.visit_count,
            guest_of=guest_of or "",
        ),
        now_ms,
    )


def count_visits(store: Store, person_id: str, now_ms: int) -> None:
    """Brings a person's first and last visit and their number in line with the visit log."""
    store.db.execute(
        """UPDATE persons SET (first_seen_ms, last_seen_ms, visit_count) =
            (SELECT min(first_seen_ms), max(last_seen_ms), count(*) FROM visits WHERE person_id = persons.id) WHERE id = ?""",
        [person_id],
    )
    tell(store, person_id, now_ms)


def remove(store: Store, person_id: str, now_ms: int, *, erased: bool = False) -> None:
    """The person and all templates are gone; visits that were theirs are `visits.unname`d first. `erased`: the whole chain must."""
    for (template_id,) in store.db.execute("SELECT id FROM templates WHERE person_id = ?", [person_id]).fetchall():
        store.db.execute("DELETE FROM templates WHERE id = ?", [template_id])
        store.record(TemplateGone(id=template_id, person_id=person_id), now_ms)
    store.db.execute("DELETE FROM persons WHERE id = ?", [person_id])
    store.record(PersonGone(id=person_id, erased=erased), now_ms)


def learn(
    store: Store, person_id: str, role: str, model: str, embedding: Floats, quality: float, origin: str, visit_id: str | None, now_ms: int
) -> tuple[Template | None, list[str]]:
    """Adds a view to a person's templates where it adds something; gives the new template (None: it added nothing) and those that went."""
    own = templates_of(store, person_id, model)
    keep, drop = room_for(embedding, quality, [(t.embedding, q, o) for t, q, o in own], chosen=origin == "enrolled")
    if not keep:
        return None, []
    gone = [own[i][0].id for i in drop]
    for template_id in gone:
        store.db.execute("DELETE FROM templates WHERE id = ?", [template_id])
        store.record(TemplateGone(id=template_id, person_id=person_id), now_ms)
    template = Template(str(uuid_utils.uuid7()), person_id, role, model, embedding)
    sealed = store.vault.seal(embedding.astype("<f4").tobytes(), table="templates", column="embedding", row=template.id)
    store.db.execute(
        """INSERT INTO templates (id, person_id, model, embedding_sealed, quality, origin, visit_id, created_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        [template.id, person_id, model, sealed, quality, origin, visit_id, now_ms],
    )
    told = TemplateRecord(
        id=template.id,
        person_id=person_id,
        model=model,
        embedding=halved(embedding),
        quality=quality,
        origin=origin,
        created_ms=now_ms,
    )
    store.record(told, now_ms)
    return template, gone


def set_aside(store: Store, template_id: str, aside: bool, now_ms: int) -> None:
    """A view that takes no part in recognition, or does again. For headquarters the one that does not is gone."""
    (person_id,) = store.db.execute(
        "UPDATE templates SET set_aside = ? WHERE id = ? RETURNING person_id", [int(aside), template_id]
    ).fetchone()
    if aside:
        store.record(TemplateGone(id=template_id, person_id=person_id), now_ms)
    else:
        tell_template(store, template_id, now_ms)


def unlearn(store: Store, template_id: str, now_ms: int) -> None:
    """Harmless when it is gone."""
    row = store.db.execute("DELETE FROM templates WHERE id = ? RETURNING person_id", [template_id]).fetchone()
    if row:
        store.record(TemplateGone(id=template_id, person_id=row[0]), now_ms)


def tell_template(store: Store, template_id: str, now_ms: int) -> None:
    """The hub's record of a template as it is now, told anew. One that is set aside is nothing to it."""
    person_id, model, sealed, quality, origin, created_ms, aside = store.db.execute(
        "SELECT person_id, model, embedding_sealed, quality, origin, created_ms, set_aside FROM templates WHERE id = ?", [template_id]
    ).fetchone()
    if aside:
        return
    told = TemplateRecord(
        id=template_id,
        person_id=person_id,
        model=model,
        embedding=halved(_unsealed(store, template_id, sealed)),
        quality=quality,
        origin=origin,
        created_ms=created_ms,
    )
    store.record(told, now_ms)


def room_for(
    embedding: Floats, quality: float, own: list[tuple[Floats, float, str]], *, chosen: bool = False
) -> tuple[bool, list[int]]:
    """Whether a new view of a person is worth keeping beside their `own` (embedding, quality, origin), and which of those it replaces.

    A view nearly the same as another replaces it if it is better; when all places are taken, the view most like the others goes.
    Enrolled views were chosen by a person (`chosen`) and stay.
    """
    if not own:
        return True, []
    alike = np.array([float(embedding @ e) for e, _, _ in own])
    twin = int(np.argmax(alike))
    if alike[twin] >= SAME_VIEW:
        better = quality > own[twin][1] and own[twin][2] != "enrolled"
        return better, [twin] if better else []
    if len(own) < TEMPLATES_MAX:
        return True, []
    vectors = np.stack([e for e, _, _ in own] + [embedding])
    crowd = (vectors @ vectors.T - np.eye(len(vectors), dtype=np.float32)).sum(axis=1)
    learned = [i for i, (_, _, origin) in enumerate(own) if origin != "enrolled"]
    if not chosen or not learned:
        learned.append(len(own))
    most = max(learned, key=lambda i: float(crowd[i]))
    return most != len(own), [most] if most != len(own) else []


def templates_of(store: Store, person_id: str, model: str) -> list[tuple[Template, float, str]]:
    """A person's templates of a model, each with quality and origin."""
    rows = store.db.execute(
        """SELECT t.id, t.embedding_sealed, t.quality, t.origin, p.role FROM templates t JOIN persons p ON p.id = t.person_id
            WHERE t.person_id = ? AND t.model = ? AND NOT t.set_aside ORDER BY t.id""",
        [person_id, model],
    ).fetchall()
    return [
        (Template(i, person_id, role, model, _unsealed(store, i, sealed)), quality, origin) for i, sealed, quality, origin, role in rows
    ]


def all_templates(store: Store, model: str) -> list[Template]:
    """Every template of a model that takes part in recognition."""
    rows = store.db.execute(
        """SELECT t.id, t.person_id, p.role, t.embedding_sealed FROM templates t JOIN persons p ON p.id = t.person_id
            WHERE t.model = ? AND NOT t.set_aside""",
        [model],
    ).fetchall()
    return [Template(i, person, role, model, _unsealed(store, i, sealed)) for i, person, role, sealed in rows]


def count(store: Store) -> int:
    """Everybody the store can tell apart, staff and people who opted out included."""
    (found,) = store.db.execute("SELECT count(*) FROM persons").fetchone()
    return int(found)


def list_persons(store: Store, role: str | None = None, limit: int = 200) -> list[PersonRow]:
    """People, last seen first."""
    rows = store.db.execute(
        f"{SELECT} WHERE (? IS NULL OR role = ?) ORDER BY last_seen_ms DESC NULLS LAST, number DESC LIMIT ?", [role, role, limit]
    ).fetchall()
    return [_person(store, row) for row in rows]


def one(store: Store, person_id: str) -> PersonRow:
    """Raises LookupError."""
    return _row(store, person_id)


def label(store: Store, person_id: str) -> str:
    return _row(store, person_id).label


SELECT = """SELECT id, number, role, name_sealed, visit_count, first_seen_ms, last_seen_ms,
    (SELECT count(*) FROM templates WHERE person_id = persons.id) FROM persons"""


def _row(store: Store, person_id: str) -> PersonRow:
    row = store.db.execute(f"{SELECT} WHERE id = ?", [person_id]).fetchone()
    if row is None:
        raise LookupError(f"there is no person {person_id}")
    return _person(store, row)


def _person(store: Store, row: tuple[str, int, str, bytes | None, int, int | None, int | None, int]) -> PersonRow:
    person_id, number, role, sealed, visits, first, last, templates = row
    if sealed:
        name = store.vault.unseal(sealed, table="persons", column="name", row=person_id).decode()
    else:
        name = _("Visitor %(number)s") % {"number": number}
    return PersonRow(person_id, number, role, name, visits, first, last, templates)


def _unsealed(store: Store, template_id: str, sealed: bytes) -> Floats:
    return np.frombuffer(store.vault.unseal(sealed, table="templates", column="embedding", row=template_id), "<f4").astype(np.float32)
