"""Whom the chain knows and this store had not met: the tables `guests` and `guest_templates`.

Headquarters lends a guest's templates and takes them back; they are never taught anything here. A guest who is recognised becomes a person
of this store (`met`), and the lent templates then speak for that person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from appliance import persons
from appliance.database import Store
from appliance.gallery import GUEST_KEY, Candidate, Template, guest_key
from appliance.identity import Decision, Verdict
from models.faces import Floats
from sync.facts import LentTemplate
from sync.records import whole

GUESTS_MAX = 20_000
"""Far more than a hub lends; a bound for one that has gone mad: the gallery is held in memory."""
OWN = "own:"
"""Before the id of a template that this store had itself, of somebody who opted out."""
KEPT_OF_AN_OPT_OUT = 12
"""Templates kept of somebody who opted out: what other stores lend, and a few of this one's own cameras."""


@dataclass(frozen=True, slots=True)
class GuestRow:
    """As headquarters tells of them. `role`: customer, staff or opted_out."""

    identity_id: str
    role: str
    name: str = ""
    vip: bool = False
    watchlist: bool = False
    also_at: Sequence[str] = ()


def put(store: Store, guest: GuestRow, templates: Sequence[LentTemplate], *, guests_max: int = GUESTS_MAX) -> bool:
    """Keeps a guest and what is lent of them in place of what was there; False when there are too many already. In the caller's
    transaction. Raises RecordError for a template that is none."""
    db, identity_id = store.db, guest.identity_id
    there = db.execute("SELECT 1 FROM guests WHERE identity_id = ?", [identity_id]).fetchone()
    # An opt-out is never turned away: the store would keep somebody who wants not to be kept.
    if not there and guest.role != "opted_out" and db.execute("SELECT count(*) FROM guests").fetchone()[0] >= guests_max:
        return False
    name, also_at = sealed_words(store, "guests", identity_id, guest.name, guest.also_at)
    db.execute(
        """INSERT INTO guests (identity_id, role, name_sealed, vip, watchlist, also_at_sealed) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (identity_id) DO UPDATE SET role = excluded.role, name_sealed = excluded.name_sealed, vip = excluded.vip,
            watchlist = excluded.watchlist, also_at_sealed = excluded.also_at_sealed""",
        [identity_id, guest.role, name, guest.vip, guest.watchlist, also_at],
    )
    if templates or guest.role != "opted_out":
        db.execute("DELETE FROM guest_templates WHERE identity_id = ? AND substr(id, 1, ?) <> ?", [identity_id, len(OWN), OWN])
    for template in templates:
        lend(store, identity_id, template.id, template.model, whole(template.embedding))
    return True


def lend(store: Store, identity_id: str, template_id: str, model: str, embedding: Floats) -> None:
    """Keeps one more (D,) unit vector of a guest, while there are not too many."""
    (there,) = store.db.execute("SELECT count(*) FROM guest_templates WHERE identity_id = ?", [identity_id]).fetchone()
    if there >= KEPT_OF_AN_OPT_OUT:
        return
    row = f"{identity_id}/{template_id}"
    sealed = store.vault.seal(embedding.astype("<f4").tobytes(), table="guest_templates", column="embedding", row=row)
    store.db.execute("INSERT OR REPLACE INTO guest_templates VALUES (?, ?, ?, ?)", [identity_id, template_id, model, sealed])


def remove(store: Store, identity_id: str, *roles: str) -> int:
    """Lets go of a guest who has one of these roles; how many templates went."""
    marks = ", ".join("?" * len(roles))
    row = store.db.execute(f"SELECT 1 FROM guests WHERE identity_id = ? AND role IN ({marks})", [identity_id, *roles]).fetchone()
    if row is None:
        return 0
    (templates,) = store.db.execute("SELECT count(*) FROM guest_templates WHERE identity_id = ?", [identity_id]).fetchone()
    store.db.execute("DELETE FROM guests WHERE identity_id = ?", [identity_id])
    return int(templates)


def recognised(decision: Decision) -> bool:
    """Whether it names a guest, who is no person of this store yet."""
    return decision.verdict is Verdict.KNOWN and (decision.person_id or "").startswith(GUEST_KEY)


def as_person(decision: Decision, person_id: str | None) -> Decision:
    """A decision that names a guest, once it is known which person of this store that is."""
    return replace(decision, person_id=person_id, nearest_id=person_id) if person_id and recognised(decision) else decision


def met(store: Store, key: str, now_ms: int) -> str | None:
    """The id of the person of this store that a guest is, made now if need be. None: they were taken back a moment ago. In the caller's
    transaction."""
    identity_id = key.removeprefix(GUEST_KEY)
    db = store.db
    row = db.execute("SELECT role, person_id, vip, watchlist FROM guests WHERE identity_id = ?", [identity_id]).fetchone()
    if row is None:
        return None
    role, person_id, vip, watchlist = row
    if person_id is None:
        person_id = persons.create(store, role, now_ms, guest_of=identity_id)
        db.execute("UPDATE guests SET person_id = ? WHERE identity_id = ?", [person_id, identity_id])
        name, also_at = words_of(store, "guests", identity_id)
        name_sealed, also_sealed = sealed_words(store, "chain", person_id, name, also_at)
        db.execute(
            "INSERT INTO chain (person_id, identity_id, name_sealed, vip, watchlist, also_at_sealed) VALUES (?, ?, ?, ?, ?, ?)",
            [person_id, identity_id, name_sealed, vip, watchlist, also_sealed],
        )
    return str(person_id)


def chain_names(store: Store) -> dict[str, str]:
    """What the chain calls people of this store, by their ids."""
    rows = store.db.execute("SELECT person_id FROM chain WHERE name_sealed IS NOT NULL").fetchall()
    return {person_id: words_of(store, "chain", person_id)[0] for (person_id,) in rows}


def known_as(store: Store) -> dict[str, str]:
    """Guest's key to the person of this store that they are."""
    rows = store.db.execute("SELECT identity_id, person_id FROM guests WHERE person_id IS NOT NULL").fetchall()
    return {guest_key(identity_id): person_id for identity_id, person_id in rows}


def templates(store: Store, model: str, identity_id: str | None = None) -> list[Template]:
    """Lent templates of a model, of one guest or all, as they stand in the gallery."""
    rows = store.db.execute(
        """SELECT t.identity_id, t.id, t.embedding_sealed, g.role FROM guest_templates t JOIN guests g USING (identity_id)
            WHERE t.model = ?1 AND (?2 IS NULL OR t.identity_id = ?2)""",
        [model, identity_id],
    ).fetchall()
    found = []
    for identity, template_id, sealed, role in rows:
        plain = store.vault.unseal(sealed, table="guest_templates", column="embedding", row=f"{identity}/{template_id}")
        key = guest_key(identity)
        found.append(Template(f"{key}:{template_id}", key, "guest" if role == "customer" else role, model, np.frombuffer(plain, "<f4")))
    return found


def as_persons(candidates: Sequence[Candidate], known: Mapping[str, str]) -> list[Candidate]:
    """Candidates with each guest who is a person of this store under that person's name, once, by the better likeness."""
    best: dict[str, Candidate] = {}
    for candidate in candidates:
        person_id = known.get(candidate.person_id, candidate.person_id)
        held = best.get(person_id)
        if held is None or held.similarity < candidate.similarity:
            role = "customer" if candidate.role == "guest" and person_id != candidate.person_id else candidate.role
            best[person_id] = Candidate(person_id, role, candidate.similarity)
    return sorted(best.values(), key=lambda c: -c.similarity)


def sealed_words(store: Store, table: str, row: str, name: str, also_at: Sequence[str]) -> tuple[bytes | None, bytes | None]:
    """A name and the names of other stores as the tables `guests` and `chain` keep them."""
    seal = store.vault.seal
    return (
        seal(name.encode(), table=table, column="name", row=row) if name else None,
        seal(json.dumps(list(also_at)).encode(), table=table, column="also_at", row=row) if also_at else None,
    )


def words_of(store: Store, table: str, row: str) -> tuple[str, list[str]]:
    """What `sealed_words` sealed: the name, empty if there is none, and the other stores'."""
    key = {"guests": "identity_id", "chain": "person_id"}[table]
    found = store.db.execute(f"SELECT name_sealed, also_at_sealed FROM {table} WHERE {key} = ?", [row]).fetchone()
    if found is None:
        return "", []
    unseal, (name, also_at) = store.vault.unseal, found
    return (
        unseal(name, table=table, column="name", row=row).decode() if name else "",
        json.loads(unseal(also_at, table=table, column="also_at", row=row)) if also_at else [],
    )
