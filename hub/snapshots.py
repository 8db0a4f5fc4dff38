"""Pictures of visits: taken from the stores, shown by signed links, gone after the tenant's days. `visits.snapshot` holds the key.

A key is noted in `doomed_snapshots` before anything is written under it, and taken off that list in the transaction that names it in the
visit. So whatever happens in between, each picture is named by a visit or will be deleted.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

from hub import erasure, tenants
from hub.database import Database, Tx
from hub.errors import NotFound
from hub.forgotten_rows import FORGOTTEN
from hub.ingest import Deps, Opened, Refuse, open_message, refused
from hub.moments import from_ms, to_ms
from hub.rates import SNAPSHOTS
from hub.snapshot_store import SnapshotsAway, SnapshotStore, new_key
from hub.stored_rows import month_of
from sync import envelope
from sync.ids import is_id
from sync.judging import snapshot_fault
from sync.messages import Snapshot, Taken
from sync.refusals import Code

UPLOAD_MAX = timedelta(hours=1)
"""A key that no visit names after this long is of an upload that broke off."""
LINK_FOR = timedelta(minutes=10)
"""A page that stays open longer is loaded again."""
LINKS = "snapshot links"
ROWS_A_TURN = 500
AWAY_RETRY_S = 60


def take(deps: Deps, store: SnapshotStore, message: bytes, now: datetime, *, came_from: str = "") -> bytes:
    """The answer to a store that sends a picture, or a refusal."""
    try:
        opened, snapshot = open_message(deps, message, Snapshot, now, came_from=came_from)
        if wait_s := deps.rates.wait_s(SNAPSHOTS, opened.appliance.id, now):
            raise Refuse(Code.TOO_FAST, "The hub takes no more pictures of this store just now.", wait_s)
        return _answer(opened, snapshot, _kept(deps.database, store, opened, snapshot, now), now)
    except SnapshotsAway as error:
        return refused(deps, message, Refuse(Code.BUSY, str(error), AWAY_RETRY_S), now)
    except Exception as error:
        return refused(deps, message, error, now)


def _kept(database: Database, store: SnapshotStore, opened: Opened, snapshot: Snapshot, now: datetime) -> bool:
    """Whether pictures are wanted at all. One that cannot be used, or is of no visit or of somebody forgotten, is taken and not kept."""
    tenant_id, owners = opened.appliance.tenant_id, list(opened.appliance.owned)
    fault = snapshot_fault(snapshot, to_ms(now))
    with database.tenant(tenant_id) as tx:
        if not tenants.get(tx, tenant_id).snapshots:
            return False
        if fault or not _wanted(tx, store, snapshot, owners):
            return True
        vault = database.vault(tx, tenant_id)
        key = new_key(tenant_id, from_ms(snapshot.taken_ms))
        _doom(tx, key, now + UPLOAD_MAX)
    store.put(vault, key, snapshot.jpeg)
    with database.tenant(tenant_id) as tx:
        erasure.hold_off_forgetting(tx)
        before = _visit(tx, snapshot, owners)
        if before is None:
            return True
        if before[0]:
            _doom(tx, before[0], now)
        tx.execute(
            "UPDATE visits SET snapshot = %s, snapshot_taken_at = %s WHERE id = %s AND month = %s",
            [key, from_ms(snapshot.taken_ms), snapshot.visit_id, month_of(snapshot.visit_id)],
        )
        tx.execute("DELETE FROM doomed_snapshots WHERE key = %s", [key])
    return True


def _visit(tx: Tx, snapshot: Snapshot, owners: list[str]) -> tuple[str | None, datetime | None] | None:
    row = tx.execute(
        """SELECT snapshot, snapshot_taken_at FROM visits WHERE id = %s AND month = %s AND appliance_id = ANY(%s::uuid[]) AND reason <> %s
            FOR NO KEY UPDATE""",
        [snapshot.visit_id, month_of(snapshot.visit_id), owners, FORGOTTEN],
    ).fetchone()
    return None if row is None else (row[0], row[1])


def _wanted(tx: Tx, store: SnapshotStore, snapshot: Snapshot, owners: list[str]) -> bool:
    """Also where the visit names it and it is not there: a database that was put back names pictures that are gone since."""
    found = _visit(tx, snapshot, owners)
    return found is not None and not (found[0] and found[1] == from_ms(snapshot.taken_ms) and store.holds(found[0]))


def _doom(tx: Tx, key: str, at: datetime) -> None:
    tx.execute(
        "INSERT INTO doomed_snapshots (tenant_id, key, doomed_at) VALUES ((SELECT current_tenant()), %s, %s) ON CONFLICT DO NOTHING",
        [key, at],
    )


def _answer(opened: Opened, snapshot: Snapshot, wanted: bool, now: datetime) -> bytes:
    header = opened.read.header
    return envelope.sealed_message(
        Taken(visit_id=snapshot.visit_id, wanted=wanted, now_ms=to_ms(now)),
        tenant=header.tenant,
        appliance=header.appliance,
        line=header.line,
        first=header.first,
        last=header.last,
        made_ms=to_ms(now),
        answers=opened.read.digest,
        to=opened.appliance.known.newest,
        own=opened.pair,
    )


def signed_link(database: Database, tenant_id: str, visit_id: str, now: datetime) -> str:
    """The last part of an address under /snapshots/. It names the visit and not the object, so it shows nothing any more once the picture
    is gone."""
    said = f"{tenant_id}.{visit_id}.{int((now + LINK_FOR).timestamp())}"
    return f"{said}.{_mark(database, said)}"


def follow(database: Database, store: SnapshotStore, link: str, may_see: Callable[[str], bool], now: datetime) -> bytes:
    """The picture that a link of ours leads to, for somebody who may see the tenant. Raises NotFound for any other, SnapshotsAway."""
    said, _, mark = link.rpartition(".")
    parts = said.split(".")
    if len(parts) != 3 or not hmac.compare_digest(mark.encode(), _mark(database, said).encode()):
        raise NotFound("There is no such picture.")
    tenant_id, visit_id, until = parts
    if int(until) < now.timestamp() or not is_id(visit_id) or not may_see(tenant_id):
        raise NotFound("There is no such picture, or the link is too old: load the page again.")
    with database.tenant(tenant_id) as tx:
        row = tx.execute("SELECT snapshot FROM visits WHERE id = %s AND month = %s", [visit_id, month_of(visit_id)]).fetchone()
        vault = database.vault(tx, tenant_id)
    jpeg = store.get(vault, row[0]) if row and row[0] else None
    if jpeg is None:
        raise NotFound("The picture is gone: its days are over, or it was deleted.")
    return jpeg


def _mark(database: Database, said: str) -> str:
    return hmac.digest(database.master.subkey(LINKS), said.encode(), hashlib.sha256).hex()


def expire(database: Database, store: SnapshotStore, tenant_id: str, now: datetime) -> int:
    """Empties the visits whose picture has had its days, and deletes the pictures; also those that nobody names, as after a database that
    was restored. How many visits were emptied. Raises SnapshotsAway."""
    emptied = 0
    while True:
        with database.tenant(tenant_id) as tx:
            days = tenants.get(tx, tenant_id).snapshot_days
            rows = tx.execute(
                """WITH old AS (SELECT id, month, snapshot FROM visits
                        WHERE snapshot IS NOT NULL AND snapshot_taken_at < %(before)s LIMIT %(rows)s),
                    emptied AS (UPDATE visits AS v SET snapshot = NULL, snapshot_taken_at = NULL FROM old
                        WHERE v.id = old.id AND v.month = old.month)
                    INSERT INTO doomed_snapshots (tenant_id, key, doomed_at) SELECT (SELECT current_tenant()), snapshot, %(now)s FROM old
                    ON CONFLICT DO NOTHING""",
                {"before": now - timedelta(days=days), "rows": ROWS_A_TURN, "now": now},
            ).rowcount
        emptied += rows
        if rows < ROWS_A_TURN:
            break
    delete_doomed(database, store, tenant_id, now)
    # A day more for each time zone's end of it.
    for keys in store.keys_before(tenant_id, (now - timedelta(days=days + 2)).date()):
        store.delete(keys)
    return emptied


def delete_doomed(database: Database, store: SnapshotStore, tenant_id: str, now: datetime) -> int:
    """Deletes the pictures whose rows are gone; how many. Raises SnapshotsAway."""
    deleted = 0
    while True:
        with database.tenant(tenant_id) as tx:
            keys = [
                row[0]
                for row in tx.execute("SELECT key FROM doomed_snapshots WHERE doomed_at <= %s ORDER BY key LIMIT %s", [now, ROWS_A_TURN])
            ]
        if not keys:
            return deleted
        store.delete(keys)
        if left := [key for key in keys if store.holds(key)]:
            raise SnapshotsAway(f"{len(left)} pictures were deleted and are still there.")
        with database.tenant(tenant_id) as tx:
            tx.execute("DELETE FROM doomed_snapshots WHERE key = ANY(%s)", [keys])
        deleted += len(keys)


def days_at_least(database: Database) -> int:
    """For the bucket's own rule, which must not delete before any tenant's days are over."""
    with database.anyone() as tx:
        return max((tenant.snapshot_days for tenant in tenants.every(tx)), default=30) + 2
