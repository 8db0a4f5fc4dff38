"""Who may use the hub's page and API: people with a password, and their sessions. Both are the hub's own rows and no tenant's.

A system admin belongs to no tenant and sees all; a tenant's admin sees that tenant alone. There is always a way back in from the terminal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from uuid_utils import uuid7

from hub.database import Database, Tx
from hub.errors import NotAllowed, NotFound
from hub.moments import from_ms, to_ms
from ui import passwords
from ui.passwords import USUAL, Cost
from ui.sessions import IDLE_MS_MAX
from ui.sign_in import NAME_CHARACTERS_MAX, Account, Session

Role = Literal["system_admin", "tenant_admin"]
USERS_MAX = 1_000
FIRST_LOCK = 7_420_001
"""Two who create the first account at the same moment: one of them comes second."""


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str
    role: str
    tenant_id: str | None
    made_at: datetime


def nobody_yet(tx: Tx) -> bool:
    return tx.execute("SELECT NOT EXISTS (SELECT FROM users)").fetchone() == (True,)


def add(
    tx: Tx, name: str, role: Role, tenant_id: str | None, password: str, now: datetime, *, first: bool = False, cost: Cost = USUAL
) -> User:
    """`tx`: the hub's own scope. `first`: only if there is nobody yet. Raises NotAllowed: the name or the password does not do."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        raise NotAllowed(f"A name has 1 to {NAME_CHARACTERS_MAX} characters that can be printed.")
    if (role == "system_admin") != (tenant_id is None):
        raise NotAllowed("A system admin belongs to no tenant, a tenant admin to one: say which.")
    if refused := passwords.refusal(password, name):
        raise NotAllowed(refused)
    password_hash = passwords.hashed(password, cost)
    if first:
        tx.execute("SELECT pg_advisory_xact_lock(%s)", (FIRST_LOCK,))
        if not nobody_yet(tx):
            raise NotAllowed("Somebody has made the first account already. Sign in, or ask them for an account.")
    if tx.execute("SELECT 1 FROM users WHERE lower(name) = lower(%s)", (name,)).fetchone():
        raise NotAllowed("There is a user of that name already. Choose another.")
    made = User(str(uuid7()), name, role, tenant_id, now)
    tx.execute(
        "INSERT INTO users (id, tenant_id, name, password_hash, role, made_at) VALUES (%s, %s, %s, %s, %s, %s)",
        (made.id, tenant_id, name, password_hash, role, now),
    )
    return made


def every(tx: Tx) -> list[User]:
    rows = tx.execute("SELECT id, name, role, tenant_id, made_at FROM users ORDER BY made_at, name LIMIT %s", (USERS_MAX,)).fetchall()
    return [User(*row) for row in rows]


def named(tx: Tx, name: str) -> User:
    """Raises NotFound."""
    row = tx.execute("SELECT id, name, role, tenant_id, made_at FROM users WHERE lower(name) = lower(%s)", (name.strip(),)).fetchone()
    if row is None:
        raise NotFound(f"There is no user {name!r}. `regulars-hub user list` shows them.")
    return User(*row)


def set_password(tx: Tx, user: User, password: str, cost: Cost = USUAL) -> int:
    """Whoever is signed in with the old one is signed out. How many sessions ended. Raises NotAllowed."""
    if refused := passwords.refusal(password, user.name):
        raise NotAllowed(refused)
    kept = passwords.hashed(password, cost)
    tx.execute("UPDATE users SET password_hash = %s, failed = 0, locked_until = NULL WHERE id = %s", (kept, user.id))
    return tx.execute("DELETE FROM sessions WHERE user_id = %s", (user.id,)).rowcount


def purge_sessions(tx: Tx, now: datetime) -> int:
    """Those that are over go; how many. A session that is over is refused before that already."""
    idle_since = now - timedelta(milliseconds=IDLE_MS_MAX)
    return tx.execute("DELETE FROM sessions WHERE ends_at <= %s OR used_at <= %s", (now, idle_since)).rowcount


class UserStorage:
    """What `ui.sign_in` asks for, on the tables users and sessions. Each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def account(self, name: str) -> Account | None:
        with self._database.anyone() as tx:
            row = tx.execute(
                "SELECT id, name, role, tenant_id, password_hash FROM users WHERE lower(name) = lower(%s)", (name.replace("\0", ""),)
            ).fetchone()
        return Account(*row) if row else None

    def keep_password(self, account_id: str, password_hash: str) -> None:
        with self._database.anyone() as tx:
            tx.execute("UPDATE users SET password_hash = %s WHERE id = %s", (password_hash, account_id))

    def keep_session(self, id_hash: bytes, account_id: str, now_ms: int, ends_ms: int, agent: str) -> None:
        with self._database.anyone() as tx:
            tx.execute(
                "INSERT INTO sessions (id_hash, user_id, made_at, used_at, ends_at, agent) VALUES (%s, %s, %s, %s, %s, %s)",
                (id_hash, account_id, from_ms(now_ms), from_ms(now_ms), from_ms(ends_ms), agent.replace("\0", "")),
            )

    def session(self, id_hash: bytes) -> Session | None:
        with self._database.anyone() as tx:
            row = tx.execute(
                """SELECT u.id, u.name, u.role, u.tenant_id, u.password_hash, s.made_at, s.used_at
                   FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id_hash = %s""",
                (id_hash,),
            ).fetchone()
        return Session(Account(*row[:5]), to_ms(row[5]), to_ms(row[6])) if row else None

    def touch(self, id_hash: bytes, now_ms: int) -> None:
        with self._database.anyone() as tx:
            tx.execute("UPDATE sessions SET used_at = %s WHERE id_hash = %s", (from_ms(now_ms), id_hash))

    def end_session(self, id_hash: bytes) -> None:
        with self._database.anyone() as tx:
            tx.execute("DELETE FROM sessions WHERE id_hash = %s", (id_hash,))
