"""What is said once when this database was put back to an earlier day, before anybody speaks with it: see `hub.lives`.

What was given out since is no longer known, and what was taken away since is there again: nobody stays signed in, and no one-time code
holds.
"""

from __future__ import annotations

from datetime import datetime

from hub import audit, erasure, facts, lives, taking_up, tenants
from hub.database import Database, Tx
from hub.erasure import Asked
from hub.vault import Vault
from sync.facts import Erase, OptOut


def begin_anew(database: Database, now: datetime) -> int:
    """How many tenants begin a new life. Twice is harmless: the stores tell everything once more."""
    with database.anyone() as tx:
        tx.execute("DELETE FROM sessions")
        found = tenants.every(tx)
    for one in found:
        with database.tenant(one.tenant_id) as tx:
            tx.execute("DELETE FROM pair_codes")
            lives.begin(tx)
            audit.note(tx, "headquarters", "database put back to an earlier day", "", now)
    return len(found)


def carry_over(before: Database, restored: Database, now: datetime) -> int:
    """What the database that is replaced can still tell, so that nobody comes back: who was forgotten since, what was revoked, and the
    hub's newer keys. How many tenants. Raises DatabaseError, CannotOpen."""
    with before.anyone() as tx:
        there = {one.tenant_id for one in tenants.every(tx)}
        keys = tx.execute("SELECT id, private_sealed, made_at, retired_at FROM hub_keys").fetchall()
    with restored.anyone() as tx:
        for row in keys:
            tx.execute("INSERT INTO hub_keys (id, private_sealed, made_at, retired_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING", row)
        both = [one.tenant_id for one in tenants.every(tx) if one.tenant_id in there]
    for tenant_id in both:
        with before.tenant(tenant_id) as tx:
            told = _forgotten(tx, before.vault(tx, tenant_id))
            revoked = {
                table: tx.execute(f"SELECT id, revoked_at FROM {table} WHERE revoked_at IS NOT NULL").fetchall() for table in REVOKED
            }
        with restored.tenant(tenant_id) as tx:
            vault = restored.vault(tx, tenant_id)
            for fact in told:
                taking_up.take_up(tx, vault, fact, CARRIED, now)
            for table, rows in revoked.items():
                for row_id, at in rows:
                    tx.execute(f"UPDATE {table} SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL", [at, row_id])
    return len(both)


REVOKED = ("appliances", "api_tokens")
CARRIED = Asked("headquarters", "carried over from the database that was replaced by its backup")


def _forgotten(tx: Tx, vault: Vault) -> list[Erase | OptOut]:
    """All that hold, as the stores are told."""
    ended = {row[0] for row in tx.execute("SELECT id FROM erasures WHERE ended_at IS NOT NULL").fetchall()}
    held = [one.fact for kind in (erasure.OPT_OUT, erasure.ERASE) for one in facts.held(tx, vault, kind)]
    return [one for one in held if isinstance(one, Erase | OptOut) and one.erasure_id not in ended]
