"""API tokens: a key for a program of one tenant, with one scope. Shown once; only its hash is kept, so that the table opens nothing.

A token is found by its hash before anybody knows whose it is, so the lookup runs in the hub's own scope; all else in the tenant's.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from uuid_utils import uuid7

from hub.database import Tx
from hub.errors import NotAllowed, NotFound

Scope = Literal["read", "admin"]
SCOPES: tuple[str, ...] = get_args(Scope)
PREFIX = "rgl_"
"""So that a token that got into a file or a message is recognised as one."""
TOKEN_BYTES = 32
TOKEN_CHARACTERS = len(PREFIX) + 43
NAME_CHARACTERS_MAX = 80
TOKENS_MAX = 100
"""Of one tenant that are not revoked; more is a mistake in somebody's loop."""
TOUCH = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Token:
    id: str
    name: str
    scope: str
    made_by: str
    made_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token speaks for."""

    token_id: str
    tenant_id: str
    name: str
    scope: str


COLUMNS = "id, name, scope, made_by, made_at, used_at, revoked_at"


def hash_of(token: str) -> bytes:
    return hashlib.sha256(b"regulars/v1/api-token:" + token.encode("utf-8", "surrogatepass")).digest()


def add(tx: Tx, tenant_id: str, name: str, scope: str, made_by: str, now: datetime) -> tuple[Token, str]:
    """The token itself is in the answer and nowhere else. Raises NotAllowed."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_CHARACTERS_MAX or not name.isprintable():
        raise NotAllowed(f"A token's name has 1 to {NAME_CHARACTERS_MAX} characters that can be printed: say what it is for.")
    if scope not in SCOPES:
        raise NotAllowed(f"A token's scope is one of {', '.join(SCOPES)}.")
    tx.execute("SELECT pg_advisory_xact_lock(hashtext('api_tokens'), hashtext(%s))", (tenant_id,))
    (many,) = tx.execute("SELECT count(*) FROM api_tokens WHERE revoked_at IS NULL").fetchone() or (0,)
    if many >= TOKENS_MAX:
        raise NotAllowed(f"There are {many} tokens already; revoke one that is not used any more.")
    if tx.execute("SELECT 1 FROM api_tokens WHERE name = %s AND revoked_at IS NULL", (name,)).fetchone():
        raise NotAllowed("There is a token of that name already. Choose another, or revoke it first.")
    token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    made = Token(str(uuid7()), name, scope, made_by, now, None, None)
    tx.execute(
        "INSERT INTO api_tokens (tenant_id, id, name, scope, hash, made_by, made_at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (tenant_id, made.id, name, scope, hash_of(token), made_by, now),
    )
    return made, token


def every(tx: Tx) -> list[Token]:
    """Those that open something first."""
    rows = tx.execute(f"SELECT {COLUMNS} FROM api_tokens ORDER BY revoked_at IS NOT NULL, made_at DESC LIMIT 500").fetchall()
    return [Token(*row) for row in rows]


def revoke(tx: Tx, name_or_id: str, now: datetime) -> Token:
    """Raises NotFound. Revoking twice is harmless."""
    row = tx.execute(
        f"""UPDATE api_tokens SET revoked_at = coalesce(revoked_at, %s) WHERE id::text = %s OR (name = %s AND revoked_at IS NULL)
            RETURNING {COLUMNS}""",
        (now, name_or_id, name_or_id),
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no API token {name_or_id!r}. `regulars-hub token list` shows them.")
    return Token(*row)


def bearer(tx: Tx, token: str, now: datetime) -> Bearer | None:
    """`tx`: the hub's own scope. None: no such token, or it is revoked. Use is noted once a minute."""
    if len(token) != TOKEN_CHARACTERS or not token.startswith(PREFIX):
        return None
    row = tx.execute(
        "SELECT id, tenant_id, name, scope, used_at FROM api_tokens WHERE hash = %s AND revoked_at IS NULL", (hash_of(token),)
    ).fetchone()
    if row is None:
        return None
    *found, used_at = row
    if used_at is None or now - used_at >= TOUCH:
        tx.execute("UPDATE api_tokens SET used_at = %s WHERE id = %s", (now, found[0]))
    return Bearer(*found)
