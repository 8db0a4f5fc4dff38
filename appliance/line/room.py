"""Sees to it that the outbox stays within its bound, and says so long before: what is dropped is told anew when the line works again."""

from __future__ import annotations

from appliance import gone_rows, notices
from appliance.database import Store
from appliance.line import link
from sync import outbox

NOTICE = "outbox"


def keep(store: Store, now_ms: int, *, records_max: int = outbox.RECORDS_MAX, bytes_max: int = outbox.BYTES_MAX) -> int:
    """How many records had to be dropped. Only a store that is paired is told that it fills up: for another the outbox waits for a pairing
    that may never come."""
    with store.transaction() as db:
        gone_rows.forget_oldest(db.conn)
    full = outbox.pressure(store.db.conn, records_max=records_max, bytes_max=bytes_max)
    paired = link.read(store) is not None
    if full.share <= 1.0:
        if full.loud and paired:
            notices.notify(store, NOTICE, _words(full), now_ms)
        else:
            notices.settle(store, NOTICE, now_ms)
        return 0
    with store.transaction() as db:
        dropped = outbox.shed(db.conn, records_max=records_max, bytes_max=bytes_max)
        # Headquarters may never have heard of this run of numbers, and then would not know that some are missing.
        link.tell_anew(store)
        if paired:
            notices.notify(store, NOTICE, DROPPED, now_ms)
    return dropped


DROPPED = (
    "Headquarters could not be reached for so long that the oldest records for it had to be dropped. Nothing is lost here, and "
    "headquarters is told everything anew as soon as it can be reached. See `regulars sync status`."
)


def _words(full: outbox.Pressure) -> str:
    return (
        f"Headquarters could not be reached for so long that the room for what it has to be told is {full.share:.0%} full "
        f"({full.records} records). See `regulars sync status` for what is wrong."
    )
