"""What headquarters tells this store, put into its tables: one page of facts, one transaction, with the receipts and the cursor.

Every fact may come again and changes nothing then. One that cannot be understood, or does not fit, is passed over and counted: it must not
hold up the others. The gallery follows after the commit (`Applied.keys`, for `Recognition.renew`).
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from appliance import forgetting, merging, persons, visits
from appliance.database import Store
from appliance.errors import RegularsError, StoreError
from appliance.forgetting import Forgotten
from appliance.gallery import guest_key
from appliance.line import guests, had_forgotten, link, restoring
from appliance.line.guests import GuestRow
from appliance.line.link import Link
from models.faces import Floats
from sync import facts, records
from sync.facts import (
    Apart,
    Erase,
    Fact,
    GivenBack,
    Guest,
    GuestGone,
    OptOut,
    OptOutEnded,
    PersonKnown,
    PersonUnknown,
    TenantSettings,
)
from sync.records import ReceiptRecord, RecordError

log = logging.getLogger(__name__)

OWN_TEMPLATES_KEPT = 4
"""Of somebody who opted out elsewhere: views by this store's own cameras, besides those that the chain lends."""


@dataclass(slots=True)
class Applied:
    """What came of a page. `keys`: the gallery's persons that are other now; `people`: whether anybody is called or counted otherwise."""

    facts: int = 0
    passed_over: int = 0
    keys: set[str] = field(default_factory=set)
    people: bool = False
    returned: set[str] = field(default_factory=set)
    """Persons of whom something was given back."""


def apply_page(
    store: Store, page: Sequence[tuple[int, bytes]], cursor: int, now_ms: int, asked: Link | None = None, mark: str = ""
) -> Applied:
    """Applies a page and remembers to go on behind `cursor`, and its `mark`. `asked`: the pairing under which it was asked for. Raises
    StoreError, and LineError when the store was paired anew since; then nothing of it is applied."""
    applied = Applied()
    with store.transaction():
        if asked is not None:
            link.require_still(store, asked)
        for sequence, payload in page:
            try:
                with store.part():
                    _apply(store, facts.decoded(payload), applied, now_ms)
                applied.facts += 1
            except StoreError:
                raise
            except (RegularsError, RecordError, LookupError, ValueError, sqlite3.IntegrityError) as error:
                applied.passed_over += 1
                # The type alone: the words of a foreign error may quote what came.
                log.warning("event=fact_passed_over sequence=%d error=%s", sequence, type(error).__name__)
        for person_id in sorted(applied.returned):
            visits.renumber(store, person_id, now_ms)
        link.advance(store, cursor, mark, applied.passed_over)
    return applied


def _apply(store: Store, fact: Fact, applied: Applied, now_ms: int) -> None:
    match fact:
        case PersonKnown():
            _person_known(store, fact, applied, now_ms)
        case PersonUnknown(person_id=person_id):
            _person_unknown(store, person_id, applied)
        case Guest():
            _guest(store, fact, applied, now_ms)
        case GuestGone(identity_id=identity_id):
            guests.remove(store, identity_id, "customer", "staff")
            applied.keys.add(guest_key(identity_id))
        case OptOut():
            _opt_out(store, fact, applied, now_ms)
        case OptOutEnded(identity_id=identity_id):
            guests.remove(store, identity_id, "opted_out")
            had_forgotten.ended(store, identity_id)
            applied.keys.add(guest_key(identity_id))
        case Erase():
            _erase(store, fact, applied, now_ms)
        case Apart(person_a=one, person_b=other):
            one, other = merging.now_called(store, one), merging.now_called(store, other)
            if one != other:
                merging.apart(store, one, other, "headquarters called them different", now_ms, by_the_chain=True)
        case GivenBack(payload=payload):
            returned = restoring.take_back(store, records.decoded(payload), now_ms)
            applied.returned.update([returned] if returned else [])
            applied.keys.update([returned] if returned else [])
            applied.people = True
        case TenantSettings():
            link.switch(store, snapshots=fact.snapshots, also_at=fact.also_at)
        case _:
            assert_never(fact)


def _person_known(store: Store, fact: PersonKnown, applied: Applied, now_ms: int) -> None:
    # Of one who was merged into another meanwhile nothing is taken: of that other headquarters tells when it has heard of the merge.
    person_id = fact.person_id
    row = store.db.execute("SELECT role FROM persons WHERE id = ?", [person_id]).fetchone()
    if row is None or row[0] == "opted_out":
        return
    name, also_at = guests.sealed_words(store, "chain", person_id, fact.name, fact.also_at)
    store.db.execute(
        "INSERT OR REPLACE INTO chain VALUES (?, ?, ?, ?, ?, ?, ?)",
        [person_id, fact.identity_id, name, fact.vip, fact.watchlist, also_at, fact.chain_visits],
    )
    _is_the_guest(store, person_id, fact.identity_id, applied, now_ms)
    applied.people = True


def _person_unknown(store: Store, person_id: str, applied: Applied) -> None:
    store.db.execute("DELETE FROM chain WHERE person_id = ?", [person_id])
    rows = store.db.execute("UPDATE guests SET person_id = NULL WHERE person_id = ? RETURNING identity_id", [person_id]).fetchall()
    applied.keys.update(guest_key(identity_id) for (identity_id,) in rows)
    applied.people = True


def _guest(store: Store, fact: Guest, applied: Applied, now_ms: int) -> None:
    if fact.role not in ("customer", "staff"):
        raise ValueError("a guest is a customer or staff")
    there = store.db.execute("SELECT role FROM guests WHERE identity_id = ?", [fact.identity_id]).fetchone()
    if there and there[0] == "opted_out":
        return
    row = GuestRow(fact.identity_id, fact.role, fact.name, fact.vip, fact.watchlist, fact.also_at)
    if not guests.put(store, row, fact.templates):
        raise ValueError(f"there are {guests.GUESTS_MAX} guests already")
    known = store.db.execute("SELECT person_id FROM chain WHERE identity_id = ? ORDER BY person_id LIMIT 1", [fact.identity_id]).fetchone()
    if known:
        _is_the_guest(store, known[0], fact.identity_id, applied, now_ms)
    applied.keys.add(guest_key(fact.identity_id))


def _is_the_guest(store: Store, person_id: str, identity_id: str, applied: Applied, now_ms: int) -> None:
    """Lent templates of an identity speak for the person of this store that it is; staff of the chain are staff here."""
    row = store.db.execute(
        "UPDATE guests SET person_id = ? WHERE identity_id = ? AND role <> 'opted_out' RETURNING role", [person_id, identity_id]
    ).fetchone()
    if row is None:
        return
    applied.keys.add(guest_key(identity_id))
    became_staff = "UPDATE persons SET role = 'staff' WHERE id = ? AND role = 'customer'"
    if row[0] == "staff" and store.db.execute(became_staff, [person_id]).rowcount:
        visits.renumber(store, person_id, now_ms)
        applied.keys.add(person_id)


def _opt_out(store: Store, fact: OptOut, applied: Applied, now_ms: int) -> None:
    """What this store has of them goes; the lent templates, and a few of its own, are kept to know them again."""
    had_forgotten.note(store, fact)
    guests.remove(store, fact.identity_id, "customer", "staff")
    own = [found for person_id in _theirs(store, fact.person_ids) for found in _few_of(store, person_id)]
    gone = _forgotten(store, fact.person_ids, now_ms)
    guests.put(store, GuestRow(fact.identity_id, "opted_out"), fact.templates)
    for template_id, model, embedding in own[:OWN_TEMPLATES_KEPT]:
        guests.lend(store, fact.identity_id, guests.OWN + template_id, model, embedding)
    _receipt(store, fact.erasure_id, fact.identity_id, _with_what_went_before(store, fact.person_ids, gone), applied, now_ms)


def _erase(store: Store, fact: Erase, applied: Applied, now_ms: int) -> None:
    had_forgotten.ended(store, fact.identity_id)
    had_forgotten.note(store, fact)
    lent = guests.remove(store, fact.identity_id, "customer", "staff", "opted_out")
    gone = _with_what_went_before(store, fact.person_ids, _forgotten(store, fact.person_ids, now_ms))
    _receipt(store, fact.erasure_id, fact.identity_id, gone + Forgotten(templates=lent), applied, now_ms)


def _with_what_went_before(store: Store, person_ids: Sequence[str], gone: Forgotten) -> Forgotten:
    """Where it was asked here, it was done here at once, before headquarters told every store of it: the receipt says how much that was."""
    were, before = forgetting.taken_here(store, _theirs(store, person_ids))
    now = set(gone.keys)
    return gone + before + Forgotten(persons=sum(person_id not in now for person_id in were))


def _receipt(store: Store, erasure_id: str, identity_id: str, gone: Forgotten, applied: Applied, now_ms: int) -> None:
    key = guest_key(identity_id)
    store.db.execute("UPDATE sightings SET nearest_person_id = NULL WHERE nearest_person_id = ?", [key])
    applied.keys.update(gone.keys, [key])
    applied.people = True
    # The first one holds, and is told again: a repeat finds nothing left to count.
    row = [erasure_id, now_ms, gone.persons, gone.templates, gone.snapshots]
    store.db.execute("INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?, ?)", row)
    done_ms, persons_gone, templates, pictures = store.db.execute(
        "SELECT done_ms, persons, templates, snapshots FROM receipts WHERE erasure_id = ?", [erasure_id]
    ).fetchone()
    told = ReceiptRecord(erasure_id=erasure_id, done_ms=done_ms, persons=persons_gone, templates=templates, snapshots=pictures)
    store.record(told, now_ms)


def _theirs(store: Store, person_ids: Sequence[str]) -> list[str]:
    """Who these persons are by now: one that was merged into another is that other."""
    return list(dict.fromkeys(merging.now_called(store, person_id) for person_id in person_ids))


def _forgotten(store: Store, person_ids: Sequence[str], now_ms: int) -> Forgotten:
    gone = Forgotten()
    for person_id in _theirs(store, person_ids):
        gone += forgetting.erase(store, person_id, now_ms, by_the_chain=True)
    for person_id in person_ids:
        # Also of one that is not here: of the chain's other stores, or of the time since a backup that was restored.
        store.db.execute(
            "INSERT INTO gone_persons VALUES (?1, NULL, ?2, ?3) ON CONFLICT (id) DO UPDATE SET erased = iif(erased, erased, ?2)",
            [person_id, forgetting.NEVER_HERE, now_ms],
        )
    return gone


def _few_of(store: Store, person_id: str) -> list[tuple[str, str, Floats]]:
    """Id, model and embedding of a person's best templates."""
    rows = store.db.execute(
        "SELECT id, model FROM templates WHERE person_id = ? ORDER BY quality DESC LIMIT ?", [person_id, OWN_TEMPLATES_KEPT]
    ).fetchall()
    best = {row[0] for row in rows}
    found = []
    for model in dict.fromkeys(row[1] for row in rows):
        found += [(t.id, model, t.embedding) for t, _, _ in persons.templates_of(store, person_id, model) if t.id in best]
    return found
