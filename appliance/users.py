"""Who may use the store's page: people with a name, a role and a password, and their sessions. There is always an owner, once there was
one, and always a way back in from the terminal.

Passwords are kept as Argon2id hashes, sessions and recovery codes as hashes, the secret of one-time codes sealed under the data key. Each
change has its row in the audit, in the name of `who`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from uuid_utils import uuid7

from appliance import audit
from appliance.audit import THIS_COMPUTER
from appliance.database import Store
from appliance.errors import AccountError, StoreError
from appliance.meanwhile import as_asked
from ui import passwords, sessions
from ui.sign_in import NAME_CHARACTERS_MAX, Account, Session
from ui.words import gettext as _

Role = Literal["viewer", "manager", "owner"]
USERS_MAX = 100
SESSIONS_MAX = 20
"""Of one user: more browsers than anybody has; the one that was used longest ago ends."""
COLUMNS = """u.id, u.name, u.role, u.made_ms, u.code_sealed IS NOT NULL,
    (SELECT max(used_ms) FROM sessions WHERE user_id = u.id) FROM users u"""


@dataclass(frozen=True, slots=True)
class User:
    """`coded`: a one-time code is asked for besides the password. `used_ms`: when a session that is still there was last used."""

    id: str
    name: str
    role: Role
    made_ms: int
    coded: bool
    used_ms: int | None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """`id_hash`: by which it is known; whoever has it cannot use the session."""

    id_hash: bytes
    made_ms: int
    used_ms: int
    agent: str


def no_owner_yet(store: Store) -> bool:
    return not store.db.execute("SELECT EXISTS (SELECT 1 FROM users WHERE role = 'owner')").fetchone()[0]


def every(store: Store) -> list[User]:
    rows = store.db.execute(f"SELECT {COLUMNS} ORDER BY u.made_ms, u.name LIMIT ?", [USERS_MAX]).fetchall()
    return [_user(row) for row in rows]


def one(store: Store, user_id: str) -> User:
    """Raises LookupError."""
    row = store.db.execute(f"SELECT {COLUMNS} WHERE u.id = ?", [user_id]).fetchone()
    if row is None:
        raise LookupError("there is no such user")
    return _user(row)


def named(store: Store, name: str) -> User:
    """Raises AccountError."""
    row = store.db.execute(f"SELECT {COLUMNS} WHERE u.name_key = ?", [_key(name)]).fetchone()
    if row is None:
        said = _("There is no user “%(name)s”. “regulars user list” shows them.")
        raise AccountError(said % {"name": name.strip()[:NAME_CHARACTERS_MAX]})
    return _user(row)


def add(
    store: Store,
    name: str,
    role: Role,
    password: str,
    now_ms: int,
    *,
    first: bool = False,
    who: str = THIS_COMPUTER,
    cost: passwords.Cost = passwords.USUAL,
) -> User:
    """`first`: only while there is no owner. Raises AccountError: the name or the password does not do."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        raise AccountError(_("A name has 1 to %(most)s characters that can be printed.") % {"most": NAME_CHARACTERS_MAX})
    if _key(name) in audit.NOBODYS:
        raise AccountError(_("The audit log calls somebody else so already. Choose another name."))
    password_hash = _hashed(password, name, cost)
    made = User(str(uuid7()), name, role, now_ms, False, None)
    with store.transaction() as db:
        if first and not no_owner_yet(store):
            raise AccountError(_("Somebody has made the owner's account already. Sign in, or ask them for an account."))
        if db.execute("SELECT 1 FROM users WHERE name_key = ?", [_key(name)]).fetchone():
            raise AccountError(_("There is a user of that name already. Choose another."))
        if db.execute("SELECT count(*) FROM users").fetchone()[0] >= USERS_MAX:
            raise AccountError(_("There are %(most)s users already. Remove one first.") % {"most": USERS_MAX})
        db.execute(
            "INSERT INTO users (id, name, name_key, role, password_hash, made_ms) VALUES (?, ?, ?, ?, ?, ?)",
            [made.id, name, _key(name), role, password_hash, now_ms],
        )
        audit.note(store, "user_added", made.id, now_ms, who=who)
    return made


def set_password(
    store: Store,
    user: User,
    password: str,
    now_ms: int,
    *,
    but: bytes = b"",
    what: str = "password_reset",
    who: str = THIS_COMPUTER,
    cost: passwords.Cost = passwords.USUAL,
) -> int:
    """Whoever is signed in with the old one is signed out, but for the session `but`; how many that were. `what`: for the audit. Raises
    AccountError."""
    password_hash = _hashed(password, user.name, cost)
    with store.transaction() as db:
        db.execute("UPDATE users SET password_hash = ? WHERE id = ?", [password_hash, user.id])
        audit.note(store, what, user.id, now_ms, who=who)
        return int(db.execute("DELETE FROM sessions WHERE user_id = ? AND id_hash <> ?", [user.id, but]).rowcount)


def set_role(
    store: Store,
    user_id: str,
    asked: Role,
    now_ms: int,
    *,
    who: str = THIS_COMPUTER,
    settled: Callable[[Role, Role], Role] = as_asked,
) -> None:
    """`settled`: of the role that stands and the one that is wanted the one that is to stand. Raises LookupError, AccountError for the only
    owner."""
    with store.transaction() as db:
        user = one(store, user_id)
        role = settled(user.role, asked)
        if role != "owner":
            _another_owner(store, user)
        db.execute("UPDATE users SET role = ? WHERE id = ?", [role, user.id])
        audit.note(store, "user_changed", user.id, now_ms, who=who)


def remove(store: Store, user_id: str, now_ms: int, *, who: str = THIS_COMPUTER) -> User:
    """With their sessions and codes. Raises LookupError, AccountError for the only owner."""
    with store.transaction() as db:
        user = one(store, user_id)
        _another_owner(store, user)
        db.execute("DELETE FROM users WHERE id = ?", [user.id])
        audit.note(store, "user_removed", user.id, now_ms, who=who)
    return user


def sessions_of(store: Store, user_id: str, now_ms: int) -> list[OpenSession]:
    rows = store.db.execute(
        "SELECT id_hash, made_ms, used_ms, agent FROM sessions WHERE user_id = ? ORDER BY used_ms DESC", [user_id]
    ).fetchall()
    found = [OpenSession(*row) for row in rows]
    return [each for each in found if not sessions.is_over(each.made_ms, each.used_ms, now_ms)]


def end_sessions(store: Store, user_id: str, *, one_only: bytes | None = None, but: bytes = b"") -> int:
    """All of a user's but one, or `one_only`; how many ended."""
    with store.transaction() as db:
        if one_only is not None:
            return int(db.execute("DELETE FROM sessions WHERE user_id = ? AND id_hash = ?", [user_id, one_only]).rowcount)
        return int(db.execute("DELETE FROM sessions WHERE user_id = ? AND id_hash <> ?", [user_id, but]).rowcount)


class UserStorage:
    """What `ui.sign_in` asks for. Each call is a transaction of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def account(self, name: str) -> Account | None:
        row = self._store.db.execute("SELECT id, name, role, password_hash FROM users WHERE name_key = ?", [_key(name)]).fetchone()
        return Account(row[0], row[1], row[2], None, row[3]) if row else None

    def keep_password(self, account_id: str, password_hash: str) -> None:
        with self._store.transaction() as db:
            db.execute("UPDATE users SET password_hash = ? WHERE id = ?", [password_hash, account_id])

    def keep_session(self, id_hash: bytes, account_id: str, now_ms: int, ends_ms: int, agent: str) -> None:
        """Sessions that are over go with it: nothing else has to sweep the table."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM sessions WHERE ends_ms <= ? OR used_ms <= ?", [now_ms, now_ms - sessions.IDLE_MS_MAX])
            db.execute(
                "INSERT INTO sessions (id_hash, user_id, made_ms, used_ms, ends_ms, agent) VALUES (?, ?, ?, ?, ?, ?)",
                [id_hash, account_id, now_ms, now_ms, ends_ms, agent],
            )
            db.execute(
                """DELETE FROM sessions WHERE id_hash IN
                    (SELECT id_hash FROM sessions WHERE user_id = ? ORDER BY used_ms DESC, made_ms DESC LIMIT -1 OFFSET ?)""",
                [account_id, SESSIONS_MAX],
            )

    def session(self, id_hash: bytes) -> Session | None:
        row = self._store.db.execute(
            """SELECT u.id, u.name, u.role, u.password_hash, s.made_ms, s.used_ms
                FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id_hash = ?""",
            [id_hash],
        ).fetchone()
        return Session(Account(row[0], row[1], row[2], None, row[3]), row[4], row[5]) if row else None

    def touch(self, id_hash: bytes, now_ms: int) -> None:
        """A full disk takes no note of it, and that must not keep anybody from the pages that say so."""
        with suppress(StoreError), self._store.transaction() as db:
            db.execute("UPDATE sessions SET used_ms = ? WHERE id_hash = ?", [now_ms, id_hash])

    def end_session(self, id_hash: bytes) -> None:
        with self._store.transaction() as db:
            db.execute("DELETE FROM sessions WHERE id_hash = ?", [id_hash])


def _user(row: Any) -> User:
    id_, name, role, made_ms, coded, used_ms = row
    return User(id_, name, role, made_ms, bool(coded), used_ms)


def _key(name: str) -> str:
    """Alice and alice are one."""
    return name.strip().casefold().replace("\0", "")


def _hashed(password: str, name: str, cost: passwords.Cost) -> str:
    """Outside of any transaction: it takes a tenth of a second. Raises AccountError."""
    if refused := passwords.refusal(password, name):
        raise AccountError(refused)
    return passwords.hashed(password, cost)


def _another_owner(store: Store, user: User) -> None:
    owners = store.db.execute("SELECT count(*) FROM users WHERE role = 'owner' AND id <> ?", [user.id]).fetchone()[0]
    if user.role == "owner" and not owners:
        raise AccountError(_("%(name)s is the only owner. Make somebody else an owner first.") % {"name": user.name})
