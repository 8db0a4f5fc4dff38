"""Everything told anew, from the tables as they are: to a hub that never heard it, that lost it, or for which the outbox had no room.

In pieces, each in one transaction with how far it came (`link.retell`), so that it goes on after a power cut and holds nobody up. Records
go to the end of the outbox: what changes meanwhile is told behind them, and the newest record of an id holds.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance import gone_rows, persons, visits
from appliance.database import Store
from appliance.forgetting import ASKED_HERE, NEVER_HERE
from appliance.line import had_forgotten
from appliance.line.link import FROM_THE_START
from sync import outbox
from sync.records import ApartRecord, CameraRecord, OptedOutCount, PersonGone, ReceiptRecord

PIECE = 200
"""Records in one transaction: some 20 ms, in which a visitor waits."""


def tell_piece(store: Store, now_ms: int) -> bool:
    """Tells the next piece; whether there is more. Nothing to tell: False."""
    with store.transaction() as db:
        row = db.execute("SELECT retell FROM link").fetchone()
        if row is None or not row[0]:
            return False
        kind, _, after = (row[0] if row[0] != FROM_THE_START else f"{KINDS[0]}:").partition(":")
        query, tell = TOLD[kind]
        # A letter sorts before nothing: every id is larger than "".
        ids = [found for (found,) in db.execute(query, [after, PIECE]).fetchall()]
        for row_id in ids:
            tell(store, row_id, now_ms)
        if len(ids) == PIECE:
            goes_on = f"{kind}:{ids[-1]}"
        else:
            following = KINDS[KINDS.index(kind) + 1 :]
            goes_on = f"{following[0]}:" if following else ""
        db.execute("UPDATE link SET retell = ?", [goes_on])
    return bool(goes_on)


def _camera(store: Store, row_id: str, now_ms: int) -> None:
    name, kind, enabled = store.db.execute("SELECT name, kind, enabled FROM cameras WHERE id = ?", [row_id]).fetchone()
    store.record(CameraRecord(id=row_id, name=name, kind=kind, enabled=bool(enabled)), now_ms)


def _gone(store: Store, row_id: str, now_ms: int) -> None:
    """Without this a hub that was set back would keep them."""
    merged_into, erased = store.db.execute("SELECT merged_into, erased FROM gone_persons WHERE id = ?", [row_id]).fetchone()
    told = PersonGone(id=row_id, merged_into=merged_into or "", erased=erased == ASKED_HERE)
    outbox.append(store.db.conn, told, now_ms, store.vault.seal)


def _row_gone(store: Store, number: str, now_ms: int) -> None:
    """Not remembered a second time: it is the same word again."""
    kind, row_id, person_id = store.db.execute("SELECT kind, id, person_id FROM gone_rows WHERE number = ?", [int(number)]).fetchone()
    aside = " AND NOT set_aside" if kind == "template" else ""
    if store.db.execute(f"SELECT 1 FROM {kind}s WHERE id = ?{aside}", [row_id]).fetchone():
        # Given back by headquarters since, or no longer set aside.
        return
    if kind == "person" and store.db.execute("SELECT 1 FROM gone_persons WHERE id = ?", [row_id]).fetchone():
        return
    outbox.append(store.db.conn, gone_rows.record_of(kind, row_id, person_id), now_ms, store.vault.seal)


def _apart(store: Store, pair: str, now_ms: int) -> None:
    one, other = pair.split("/")
    (reason,) = store.db.execute("SELECT reason FROM apart WHERE person_a = ? AND person_b = ?", [one, other]).fetchone()
    store.record(ApartRecord(person_a=one, person_b=other, reason=reason), now_ms)


def _count(store: Store, day: str, now_ms: int) -> None:
    (count,) = store.db.execute("SELECT visits FROM opted_out_counts WHERE day = ?", [day]).fetchone()
    store.record(OptedOutCount(day=day, visits=count), now_ms)


def _receipt(store: Store, erasure_id: str, now_ms: int) -> None:
    done_ms, persons_gone, templates, pictures = store.db.execute(
        "SELECT done_ms, persons, templates, snapshots FROM receipts WHERE erasure_id = ?", [erasure_id]
    ).fetchone()
    told = ReceiptRecord(erasure_id=erasure_id, done_ms=done_ms, persons=persons_gone, templates=templates, snapshots=pictures)
    store.record(told, now_ms)


Tell = Callable[[Store, str, int], None]
TOLD: dict[str, tuple[str, Tell]] = {
    # First: of these nothing that follows is to be stored.
    "forgotten": ("SELECT key FROM had_forgotten WHERE key > ? ORDER BY key LIMIT ?", had_forgotten.tell),
    "cameras": ("SELECT id FROM cameras WHERE id > ? ORDER BY id LIMIT ?", _camera),
    "persons": ("SELECT id FROM persons WHERE id > ? ORDER BY id LIMIT ?", persons.tell),
    "templates": ("SELECT id FROM templates WHERE id > ? ORDER BY id LIMIT ?", persons.tell_template),
    "apart": ("SELECT person_a || '/' || person_b AS pair FROM apart WHERE pair > ? ORDER BY pair LIMIT ?", _apart),
    "visits": ("SELECT id FROM visits WHERE id > ? ORDER BY id LIMIT ?", visits.tell),
    "counts": ("SELECT day FROM opted_out_counts WHERE day > ? ORDER BY day LIMIT ?", _count),
    "receipts": ("SELECT erasure_id FROM receipts WHERE erasure_id > ? ORDER BY erasure_id LIMIT ?", _receipt),
    "rows_gone": ("SELECT number || '' FROM gone_rows WHERE number > CAST(? AS INTEGER) ORDER BY number LIMIT ?", _row_gone),
    # Last: what a merged person had is told as the survivor's by then. Who was never here is nobody's business here.
    "gone": (f"SELECT id FROM gone_persons WHERE erased <> {NEVER_HERE} AND id > ? ORDER BY id LIMIT ?", _gone),
}
"""By kind, in the order they are told: whom a record names is told before it. Ids in order, behind one of them."""
KINDS = list(TOLD)
