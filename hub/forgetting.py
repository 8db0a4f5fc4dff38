"""What remains to be done of a request to be forgotten once the rows are gone: index and pictures. A job, and right after somebody asked.

Each place's receipt is written when it was searched and nothing was found. A place that is away stays outstanding and is tried again.
"""

from __future__ import annotations

import logging
from datetime import datetime

from hub import facts, receipts, set_aside, snapshots
from hub.database import Database
from hub.errors import DatabaseBusy
from hub.index import Index, IndexAway
from hub.receipts import INDEX, SNAPSHOTS, Counts
from hub.snapshot_store import SnapshotsAway, SnapshotStore

RESOLVE = "resolve"
"""The lock under which persons are put into the index: what is read to be put there is read after this."""
PERSONS_A_TURN = 500

log = logging.getLogger(__name__)


def work_off(database: Database, index: Index, store: SnapshotStore, tenant_id: str, now: datetime) -> bool:
    """Whether nothing is outstanding here any more."""
    done = True
    try:
        _from_index(database, index, tenant_id, now)
    except (IndexAway, DatabaseBusy) as error:
        # Busy: the resolver is at it for longer than we wait.
        log.warning("forgetting_waits place=index tenant=%s error=%s", tenant_id, type(error).__name__)
        done = False
    try:
        _from_snapshots(database, store, tenant_id, now)
    except SnapshotsAway as error:
        log.warning("forgetting_waits place=snapshots tenant=%s error=%s", tenant_id, type(error).__name__)
        done = False
    return done


def _from_index(database: Database, index: Index, tenant_id: str, now: datetime) -> None:
    """Raises IndexAway."""
    with database.tenant(tenant_id) as tx:
        waiting = receipts.outstanding_at(tx, INDEX)
    for erasure_id in waiting:
        # Under the resolver's lock: it reads what it puts into the index after taking it, and the rows are gone.
        with database.tenant(tenant_id, lock=RESOLVE) as tx:
            ids = [row[0] for row in tx.execute("SELECT person_id FROM tombstones WHERE erasure_id = %s ORDER BY 1", [erasure_id])]
            held = 0
            for start in range(0, len(ids), PERSONS_A_TURN):
                some = ids[start : start + PERSONS_A_TURN]
                held += index.count_of_persons(tenant_id, some)
                index.remove_persons(tenant_id, some)
                if left := index.count_of_persons(tenant_id, some):
                    raise IndexAway(f"{left} templates were deleted from the index and are still there.")
            receipts.done(tx, erasure_id, INDEX, Counts(persons=len(ids), templates=held), now)


def _from_snapshots(database: Database, store: SnapshotStore, tenant_id: str, now: datetime) -> None:
    """Raises SnapshotsAway."""
    snapshots.delete_doomed(database, store, tenant_id, now)
    with database.tenant(tenant_id) as tx:
        for erasure_id in receipts.outstanding_at(tx, SNAPSHOTS):
            left = tx.execute("SELECT count(*) FROM doomed_snapshots WHERE erasure_id = %s", [erasure_id]).fetchone()
            here = tx.execute(
                "SELECT snapshots FROM erasure_receipts WHERE erasure_id = %s AND place = %s", [erasure_id, receipts.POSTGRES]
            ).fetchone()
            if left == (0,):
                receipts.done(tx, erasure_id, SNAPSHOTS, Counts(snapshots=here[0] if here else 0), now)


def tidy(database: Database, tenant_id: str, now: datetime) -> None:
    """Once a day: facts that need not be told any more, and what was set aside long ago."""
    with database.tenant(tenant_id) as tx:
        facts.prune(tx, now)
        set_aside.expire(tx, now)
