"""An appliance's row as ingest reads and writes it: its keys, how far it has been heard, how it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from hub import heartbeats
from hub.database import Tx
from hub.errors import NotFound
from hub.stored_rows import Sender
from sync import receiving
from sync.judging import trimmed
from sync.messages import PublicKeys, Push, Status
from sync.receiving import Known, Progress

SKEW_MS_MAX = 1 << 53


@dataclass(frozen=True, slots=True)
class Appliance:
    """`known`: its keys. `owned`: whose ids it may tell of: its own, and those of appliances of its
    site that were revoked, because a store that is paired again tells everything under the old ids."""

    id: str
    tenant_id: str
    site_id: str
    name: str
    known: Known
    revoked: bool
    progress: Progress
    owned: tuple[str, ...]
    offline_since: datetime | None

    @property
    def sender(self) -> Sender:
        return Sender(self.tenant_id, self.id, self.site_id, self.name, self.owned)


def find(tx: Tx, appliance_id: str, *, lock: bool = False) -> Appliance:
    """`lock`: nobody else judges a batch of it until the transaction ends. Raises NotFound."""
    row = tx.execute(
        """SELECT id, tenant_id, site_id, name, seal_public, sign_public, old_sign_public, revoked_at IS NOT NULL, line,
                applied, last_digest, past_lines, offline_since,
                array(SELECT b.id FROM appliances AS b WHERE b.site_id = a.site_id AND b.revoked_at IS NOT NULL)
            FROM appliances AS a WHERE id = %s"""
        + (" FOR NO KEY UPDATE" if lock else ""),
        [appliance_id],
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no appliance {appliance_id}.")
    found, tenant_id, site_id, name, seal, sign, old_sign, revoked, line, applied, digest, past, offline, before = row
    progress = Progress(line, applied, digest, tuple(past))
    owned = (found, *(one for one in before if one != found))
    return Appliance(found, tenant_id, site_id, name, Known(PublicKeys(seal=seal, sign=sign), old_sign), revoked, progress, owned, offline)


def keep_keys(tx: Tx, appliance: Appliance, known: Known, now: datetime) -> None:
    """The keys that hold from now on, where they are others than before."""
    if known != appliance.known:
        tx.execute(
            """UPDATE appliances SET keys_made_at = CASE WHEN sign_public = %(sign)s THEN keys_made_at ELSE %(now)s END,
                seal_public = %(seal)s, sign_public = %(sign)s, old_sign_public = %(old)s WHERE id = %(id)s""",
            {"seal": known.newest.seal, "sign": known.newest.sign, "old": known.old_sign, "now": now, "id": appliance.id},
        )


def heard_from(tx: Tx, appliance: Appliance, push: Push, progress: Progress, cursor: int, set_aside: int, now: datetime) -> None:
    """In the transaction of what it told. `cursor`: the newest of our facts that it has committed."""
    skew_ms = receiving.clock_skew_ms(push, int(now.timestamp() * 1000))
    tx.execute(
        """UPDATE appliances SET line = %s, applied = %s, last_digest = %s, past_lines = %s, cursor = %s, last_contact_at = %s,
            clock_skew_ms = %s, status = %s, set_aside_count = set_aside_count + %s, offline_since = NULL WHERE id = %s""",
        [
            progress.line,
            progress.applied,
            progress.last_digest,
            list(progress.past_lines),
            max(0, min(cursor, SKEW_MS_MAX)),
            now,
            max(-SKEW_MS_MAX, min(skew_ms, SKEW_MS_MAX)),
            Jsonb(_status(push.status), dumps=msgspec.json.encode),
            set_aside,
            appliance.id,
        ],
    )
    heartbeats.back_again(tx, appliance.id, appliance.name, appliance.offline_since, now)


def _status(status: Status) -> Mapping[str, Any]:
    """With names, which on the wire are left out."""
    kept = trimmed(status)
    fields: dict[str, Any] = {name: getattr(kept, name) for name in kept.__struct_fields__}
    fields["cameras"] = [{name: getattr(camera, name) for name in camera.__struct_fields__} for camera in kept.cameras]
    return fields
