"""What people asked for about themselves, and what came of it: the table `privacy_requests`. Numbers and ids alone: it outlives whoever it
is about, so it never holds a name.

Whoever is erased or opted out is entered here in the transaction that does it, asked for beforehand or not.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from appliance import audit
from appliance.database import Store
from appliance.errors import PersonError
from appliance.forgetting import Forgotten
from ui.words import gettext as _

ACCESS, ERASE, OPT_OUT = "access", "erase", "opt_out"
KINDS = (ACCESS, ERASE, OPT_OUT)
OPEN, DONE, REFUSED = "open", "done", "refused"
DUE_DAYS = 30
"""A month, as article 12(3) of the GDPR has it; the shortest month has 28 days, but the law counts from the receipt."""
DAY_MS = 86_400_000
SHOWN_MAX = 100
REASONS = {
    "not_proven": _("It was not shown that they are this person"),
    "not_found": _("Nobody could be found whom it is about"),
    "withdrawn": _("They withdrew it"),
    "kept_by_law": _("The law asks the store to keep it"),
}
"""Why a request is refused. From a list: what is written by hand soon holds a name."""


@dataclass(frozen=True, slots=True)
class Request:
    """`reason`: a key of REASONS. `persons` and the other counts: what went. `cleared_ms`: since when neither log, free pages nor backups
    hold anything of them; `copies`: backups that were written anew for it."""

    id: int
    kind: str
    person_id: str
    person_number: int
    made_ms: int
    made_by: str
    due_ms: int
    state: str
    reason: str
    done_ms: int | None
    done_by: str | None
    persons: int
    templates: int
    looks: int
    snapshots: int
    visits: int
    cleared_ms: int | None
    copies: int


COLUMNS = ", ".join(Request.__dataclass_fields__)


def receive(store: Store, kind: str, person_id: str, who: str, now_ms: int) -> int:
    """Enters a request that is yet to be fulfilled, once; its number. In the caller's transaction. Raises LookupError."""
    number = number_of(store, person_id)
    if not number:
        raise LookupError(f"there is no person {person_id}")
    there = store.db.execute(
        "SELECT id FROM privacy_requests WHERE person_id = ? AND kind = ? AND state = 'open'", [person_id, kind]
    ).fetchone()
    return int(there[0]) if there else _entered(store, kind, person_id, number, who, now_ms)


def fulfil(store: Store, kind: str, person_id: str, number: int, gone: Forgotten, who: str, now_ms: int) -> int:
    """Enters that it was done, under the open request of that kind if there is one; its number. In the transaction that does it."""
    there = store.db.execute(
        "SELECT id FROM privacy_requests WHERE person_id = ? AND kind = ? AND state = 'open' ORDER BY id", [person_id, kind]
    ).fetchone()
    request_id = int(there[0]) if there else _entered(store, kind, person_id, number, who, now_ms)
    store.db.execute(
        """UPDATE privacy_requests SET state = 'done', done_ms = ?, done_by = ?, persons = ?, templates = ?, looks = ?, snapshots = ?,
            visits = ? WHERE id = ?""",
        [now_ms, who, gone.persons, gone.templates, gone.looks, gone.snapshots, gone.visits, request_id],
    )
    if kind == ERASE:
        # Nothing is left that could be shown or opted out.
        store.db.execute(
            "UPDATE privacy_requests SET state = 'done', done_ms = ?, done_by = ?, cleared_ms = ? WHERE person_id = ? AND state = 'open'",
            [now_ms, who, now_ms, person_id],
        )
    return request_id


def refuse(store: Store, request_id: int, reason: str, who: str, now_ms: int) -> None:
    """In the caller's transaction. Raises PersonError for a reason that is none, or a request that is not open."""
    if reason not in REASONS:
        raise PersonError(_("Say why: choose one of the reasons."))
    row = store.db.execute(
        """UPDATE privacy_requests SET state = 'refused', reason = ?, done_ms = ?, done_by = ? WHERE id = ? AND state = 'open'
            RETURNING person_id""",
        [reason, now_ms, who, request_id],
    ).fetchone()
    if row is None:
        raise PersonError(_("That request is not open any more."))
    audit.note(store, "refuse", row[0], now_ms, who=who)


def listed(connection: sqlite3.Connection, limit: int = SHOWN_MAX) -> list[Request]:
    """Open ones first, by when they are due; then the newest."""
    rows = connection.execute(
        f"""SELECT {COLUMNS} FROM privacy_requests
            ORDER BY state = 'open' DESC, iif(state = 'open', due_ms, -id), id DESC LIMIT ?""",
        [limit],
    ).fetchall()
    return [Request(*row) for row in rows]


def one(connection: sqlite3.Connection, request_id: int) -> Request | None:
    if not 0 < request_id < 1 << 63:
        return None
    row = connection.execute(f"SELECT {COLUMNS} FROM privacy_requests WHERE id = ?", [request_id]).fetchone()
    return Request(*row) if row else None


def last_of(connection: sqlite3.Connection, person_id: str, kind: str) -> Request | None:
    row = connection.execute(
        f"SELECT {COLUMNS} FROM privacy_requests WHERE person_id = ? AND kind = ? ORDER BY id DESC LIMIT 1", [person_id, kind]
    ).fetchone()
    return Request(*row) if row else None


def overdue(connection: sqlite3.Connection, now_ms: int) -> int:
    (count,) = connection.execute("SELECT count(*) FROM privacy_requests WHERE state = 'open' AND due_ms < ?", [now_ms]).fetchone()
    return int(count)


def number_of(store: Store, person_id: str) -> int:
    """The visitor's number; 0 for who is not there."""
    row = store.db.execute("SELECT number FROM persons WHERE id = ?", [person_id]).fetchone()
    return int(row[0]) if row else 0


def _entered(store: Store, kind: str, person_id: str, number: int, who: str, now_ms: int) -> int:
    made = store.db.execute(
        """INSERT INTO privacy_requests (kind, person_id, person_number, made_ms, made_by, due_ms, state)
            VALUES (?, ?, ?, ?, ?, ?, 'open')""",
        [kind, person_id, number, now_ms, who, now_ms + DUE_DAYS * DAY_MS],
    )
    assert made.lastrowid is not None
    return made.lastrowid
