"""What somebody at headquarters changes about who is who: link, part, merge, describe, and undoing it. Each keeps what was before and why,
tells the stores, and stands in the audit log.

What was parted by a person is never joined by the machine again: the persons are called apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hub import audit, facts, identities, known, review
from hub.database import Tx
from hub.errors import NotAllowed
from hub.identities import Placing, identity_of, living, persons_of, place
from hub.identity_events import MERGE, UNLINK, Event, get, note_many, note_undone
from hub.vault import Vault
from sync.facts import Apart

NAME_MAX = 200
PERSON = "person"


def link(tx: Tx, vault: Vault, person_id: str, identity_id: str, by: str, reason: str, now: datetime) -> None:
    """Somebody says that a person is this identity. Raises NotFound."""
    identities.hold(tx)
    former, target = identity_of(tx, person_id), living(tx, identity_id)
    if former != target:
        _join(tx, vault, person_id, former, target, by, reason, now)
    tx.execute("UPDATE persons SET linked_by = %s WHERE id = %s", [PERSON, person_id])
    _changed(tx, vault, [target, *([former] if former else [])], by, "person linked", person_id, now)


def unlink(tx: Tx, vault: Vault, person_id: str, by: str, reason: str, now: datetime) -> str:
    """Somebody says that a person is not the others of its identity: it becomes one of its own. The new identity's id. Raises NotFound,
    NotAllowed."""
    identities.hold(tx)
    former = identity_of(tx, person_id)
    others = [one for one in persons_of(tx, former) if one != person_id] if former else []
    if former is None or not others:
        raise NotAllowed("This person is an identity of its own: there is nobody to part it from.")
    own = _part(tx, vault, [person_id], others, None, by, now)
    note_many(tx, [Event(UNLINK, by, former, person_id, {"identity_id": former, "own": own}, reason)], now)
    _changed(tx, vault, [own, former], by, "person unlinked", person_id, now)
    return own


def merge(tx: Tx, vault: Vault, keep_id: str, taken_id: str, by: str, reason: str, now: datetime) -> str:
    """Two identities are one. The event's id, to undo it by. Raises NotFound, NotAllowed."""
    identities.hold(tx)
    keep, taken = living(tx, keep_id), living(tx, taken_id)
    if keep == taken:
        raise NotAllowed("These two are one identity already.")
    event_id = join(tx, vault, keep, taken, by, reason, now)
    _changed(tx, vault, [keep], by, "identities merged", keep, now)
    return event_id


def undo(tx: Tx, vault: Vault, event_id: str, by: str, now: datetime) -> None:
    """Takes a link or a merge back, as far as the persons are still where it put them. Raises NotFound, NotAllowed."""
    identities.hold(tx)
    noted = get(tx, event_id)
    if noted.undone_at is not None:
        raise NotAllowed("This was undone already.")
    event = noted.event
    here = living(tx, event.identity_id)
    gone_over = [str(one) for one in event.before.get("persons", [])] if event.kind == MERGE else [event.person_id or ""]
    moved = [one for one in persons_of(tx, here) if one in set(gone_over)]
    stay = [one for one in persons_of(tx, here) if one not in set(moved)]
    if event.kind == UNLINK:
        raise NotAllowed("To take this back, link the person again.")
    if not moved or not stay:
        raise NotAllowed("The persons are not there any more where this had put them: there is nothing to take back.")
    before = event.before.get("taken") if event.kind == MERGE else None
    own = _part(tx, vault, moved, stay, str(before) if before else None, by, now)
    if own == before:
        _take_back(tx, vault, here, own, [str(what) for what in event.before.get("brought", [])])
    note_undone(tx, event_id, now)
    _changed(tx, vault, [own, here], by, f"{event.kind} undone", event_id, now)


def describe(
    tx: Tx,
    vault: Vault,
    identity_id: str,
    by: str,
    now: datetime,
    *,
    name: str | None = None,
    vip: bool | None = None,
    watchlist: bool | None = None,
    role: str | None = None,
) -> None:
    """What headquarters knows of somebody; what is None stays, an empty name takes it away. Raises NotFound, NotAllowed."""
    identities.hold(tx)
    identity = living(tx, identity_id)
    if role not in (None, "customer", "staff"):
        raise NotAllowed(f"Somebody is a customer or staff, not {role!r}; to opt out is a request of its own.")
    called = " ".join(name.split()) if name is not None else None
    if called is not None and len(called) > NAME_MAX:
        raise NotAllowed(f"A name has at most {NAME_MAX} characters, not {len(called)}.")
    said = {"name": called, "vip": vip, "watchlist": watchlist, "staff": role == "staff" if role is not None else None}
    for what, value in said.items():
        if value is not None:
            _set(tx, vault, identity, what, value)
    _changed(tx, vault, [identity], by, "identity described", identity, now)


def join(tx: Tx, vault: Vault, keep: str, taken: str, by: str, reason: str, now: datetime) -> str:
    """All persons of `taken` become `keep`'s, and what was known of it. The event's id. To be called after `identities.hold`; telling the
    stores is the caller's."""
    persons = persons_of(tx, taken)
    there, here = _known(tx, vault, taken), _known(tx, vault, keep)
    brought = [what for what in there if there[what] and not here[what]]
    tx.execute("UPDATE persons SET identity_id = %s, linked_at = %s WHERE identity_id = %s", [keep, now, taken])
    tx.execute("UPDATE identities SET merged_into = %s, merged_at = %s WHERE id = %s", [keep, now, taken])
    for what in brought:
        _set(tx, vault, keep, what, there[what])
    review.close_between(tx, keep, taken, by, now)
    return note_many(tx, [Event(MERGE, by, keep, None, {"taken": taken, "persons": persons, "brought": brought}, reason)], now)[0]


def _known(tx: Tx, vault: Vault, identity_id: str) -> dict[str, Any]:
    """What headquarters knows of an identity; empty or False: nothing."""
    row = tx.execute("SELECT name_sealed, vip, watchlist, role = 'staff' FROM identities WHERE id = %s", [identity_id]).fetchone()
    assert row is not None
    return {"name": known.name_of(vault, "identities", identity_id, row[0]), "vip": row[1], "watchlist": row[2], "staff": row[3]}


def _set(tx: Tx, vault: Vault, identity_id: str, what: str, value: Any) -> None:
    if what == "name":
        sealed = vault.seal(value.encode(), table="identities", column="name_sealed", row=identity_id) if value else None
        tx.execute("UPDATE identities SET name_sealed = %b WHERE id = %s", [sealed, identity_id])
    elif what == "vip":
        tx.execute("UPDATE identities SET vip = %s WHERE id = %s", [value, identity_id])
    elif what == "watchlist":
        tx.execute("UPDATE identities SET watchlist = %s WHERE id = %s", [value, identity_id])
    elif what == "staff":
        tx.execute("UPDATE identities SET role = %s WHERE id = %s", ["staff" if value else "customer", identity_id])


def _take_back(tx: Tx, vault: Vault, keep: str, taken: str, brought: Sequence[str]) -> None:
    """What came with a merge goes with it, unless somebody has changed it since."""
    there, here = _known(tx, vault, taken), _known(tx, vault, keep)
    for what in brought:
        if there.get(what) and there[what] == here[what]:
            _set(tx, vault, keep, what, "" if what == "name" else False)


def _join(tx: Tx, vault: Vault, person_id: str, former: str | None, target: str, by: str, reason: str, now: datetime) -> None:
    if former is not None and persons_of(tx, former) == [person_id]:
        join(tx, vault, target, former, by, reason, now)
    else:
        place(tx, [Placing(person_id, target, PERSON, None, None, reason, former)], by, now)


def _part(tx: Tx, vault: Vault, leave: Sequence[str], stay: Sequence[str], to: str | None, by: str, now: datetime) -> str:
    """`leave` become identity `to` again, or a new one, and are called apart from `stay`. Its id."""
    if to is not None and _is_empty(tx, to):
        identity_id = to
    else:
        identity_id = identities.new_id()
        identities.add(tx, [identity_id], now)
    tx.execute("UPDATE identities SET merged_into = NULL, merged_at = NULL WHERE id = %s", [identity_id])
    tx.execute(
        """UPDATE persons SET identity_id = %s, linked_by = %s, similarity = NULL, bar = NULL, linked_at = %s
            WHERE id = ANY(%s::uuid[])""",
        [identity_id, PERSON, now, list(leave)],
    )
    identities.keep_apart(tx, leave, stay, by, now)
    tell_apart(tx, vault, leave, stay, now)
    return identity_id


def _is_empty(tx: Tx, identity_id: str) -> bool:
    row = tx.execute(
        "SELECT NOT EXISTS (SELECT FROM persons WHERE identity_id = %(id)s) FROM identities WHERE id = %(id)s", {"id": identity_id}
    ).fetchone()
    return bool(row and row[0])


def tell_apart(tx: Tx, vault: Vault, some: Sequence[str], others: Sequence[str], now: datetime) -> None:
    """A store is told of pairs of its own, so that it does not join them either."""
    rows = tx.execute("SELECT id, appliance_id FROM persons WHERE id = ANY(%s::uuid[])", [[*some, *others]])
    of: dict[str, str] = dict(rows.fetchall())
    told = [
        facts.Telling(Apart(person_a=min(a, b), person_b=max(a, b)), of[a], f"{min(a, b)}/{max(a, b)}")
        for a in some
        for b in others
        if a in of and of[a] == of.get(b)
    ]
    if told:
        facts.tell_many(tx, vault, told, now)


def _changed(tx: Tx, vault: Vault, identity_ids: Sequence[str], by: str, what: str, subject: str, now: datetime) -> None:
    audit.note(tx, by, what, subject, now)
    known.tell(tx, vault, identity_ids, now)
