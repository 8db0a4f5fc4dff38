"""Which appliances are heard from, and which are not. An appliance that says nothing for a quarter of an hour is offline, since it was last
heard; the first word of it ends that."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub import audit
from hub.database import Tx

OFFLINE_AFTER = timedelta(minutes=15)
"""A store that is idle says so every minute, one that cannot get through tries at least every five."""


def notice_offline(tx: Tx, now: datetime) -> list[str]:
    """Ids of the appliances that went offline just now. A job, every minute."""
    rows = tx.execute(
        """UPDATE appliances SET offline_since = coalesce(last_contact_at, paired_at)
            WHERE revoked_at IS NULL AND offline_since IS NULL AND coalesce(last_contact_at, paired_at) < %s RETURNING id, name""",
        [now - OFFLINE_AFTER],
    ).fetchall()
    for appliance_id, name in rows:
        audit.note(tx, name, "went offline", appliance_id, now)
    return sorted(row[0] for row in rows)


def back_again(tx: Tx, appliance_id: str, name: str, offline_since: datetime | None, now: datetime) -> None:
    """To be called when it is heard from."""
    if offline_since is not None:
        audit.note(tx, name, f"is back after {_words(now - offline_since)}", appliance_id, now)


def _words(away: timedelta) -> str:
    hours = away.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours" if hours >= 2 else f"{hours * 60:.0f} minutes"
