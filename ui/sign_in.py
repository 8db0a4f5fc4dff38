"""Who is asking: signing in, staying signed in, signing out. Pages bring their own storage; what is decided is decided here.

A wrong name and a wrong password are answered with the same words after the same time.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Any, Protocol

from litestar.connection import ASGIConnection

from ui import passwords, sessions
from ui.attempts import Attempts
from ui.passwords import USUAL, Cost
from ui.words import gettext as _
from ui.words import ngettext

AGENT_CHARACTERS_MAX = 200
NAME_CHARACTERS_MAX = 80
ADDRESS_CHARACTERS_MAX = 500
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: nothing that is mistaken for something else when it is typed off a screen."""
CODE_GROUPS, CODE_GROUP = 3, 4


@dataclass(frozen=True, slots=True)
class Account:
    """`tenant_id`, `role`: the storage's own words; None: of no tenant."""

    id: str
    name: str
    role: str
    tenant_id: str | None
    password_hash: str


@dataclass(frozen=True, slots=True)
class Session:
    account: Account
    made_ms: int
    used_ms: int


class Storage(Protocol):
    """Times are UTC milliseconds; a session is known by its token's hash alone."""

    def account(self, name: str) -> Account | None: ...

    def keep_password(self, account_id: str, password_hash: str) -> None: ...

    def keep_session(self, id_hash: bytes, account_id: str, now_ms: int, ends_ms: int, agent: str) -> None: ...

    def session(self, id_hash: bytes) -> Session | None: ...

    def touch(self, id_hash: bytes, now_ms: int) -> None: ...

    def end_session(self, id_hash: bytes) -> None: ...


class Refused(Exception):
    """Its text is a sentence for whoever tried. `wait_s` 0: try again at once."""

    def __init__(self, words: str, wait_s: int = 0) -> None:
        super().__init__(words)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class SignedIn:
    account: Account
    token: str


def sign_in(
    storage: Storage, attempts: Attempts, name: str, password: str, address: str, agent: str, now_ms: int, cost: Cost = USUAL
) -> SignedIn:
    """A new session with a new token, whatever session the browser had before. Raises Refused."""
    return begin_session(storage, whose(storage, attempts, name, password, address, now_ms, cost), agent, now_ms)


def whose(storage: Storage, attempts: Attempts, name: str, password: str, address: str, now_ms: int, cost: Cost = USUAL) -> Account:
    """The account that name and password open. Nobody is signed in by it. `cost`: at which passwords are kept. Raises Refused."""
    name = name.strip()
    begin_try(attempts, name, address, now_ms)
    account = storage.account(name) if name and len(name) <= NAME_CHARACTERS_MAX else None
    if not passwords.agrees(account.password_hash if account else None, password, cost) or account is None:
        raise Refused(_("That name and that password do not belong together."))
    attempts.right(name, address)
    if passwords.outdated(account.password_hash, cost):
        storage.keep_password(account.id, passwords.hashed(password, cost))
    return account


def begin_try(attempts: Attempts, name: str, address: str, now_ms: int) -> None:
    """Counts as wrong until `attempts.right` is told. Raises Refused while the next is not to be looked at."""
    if wait_ms := attempts.begin(name, address, now_ms):
        wait_s = -(-wait_ms // 1000)
        raise Refused(
            ngettext(
                "Too many wrong tries. The next is looked at in %(n)d second.",
                "Too many wrong tries. The next is looked at in %(n)d seconds.",
                wait_s,
            )
            % {"n": wait_s},
            wait_s,
        )


def begin_session(storage: Storage, account: Account, agent: str, now_ms: int) -> SignedIn:
    token = sessions.new_token()
    ends_ms = now_ms + sessions.WHOLE_MS_MAX
    storage.keep_session(sessions.token_hash(token), account.id, now_ms, ends_ms, agent[:AGENT_CHARACTERS_MAX])
    return SignedIn(account, token)


def recognised(storage: Storage, token: str | None, now_ms: int) -> Account | None:
    """Whose session the token is, if it still holds."""
    return holder(storage, sessions.token_hash(token), now_ms) if token is not None else None


def holder(storage: Storage, id_hash: bytes, now_ms: int) -> Account | None:
    """The same by the token's hash."""
    found = storage.session(id_hash)
    if found is None:
        return None
    if sessions.is_over(found.made_ms, found.used_ms, now_ms):
        storage.end_session(id_hash)
        return None
    if now_ms - found.used_ms >= sessions.TOUCH_MS:
        storage.touch(id_hash, now_ms)
    return found.account


def came_from(request: ASGIConnection[Any, Any, Any, Any]) -> str:
    return request.client.host if request.client else ""


def inside(address: str) -> str:
    """Where to go after signing in: an address of this page's own, whatever was asked for."""
    ours = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable() and "\\" not in address
    return address if ours and len(address) <= ADDRESS_CHARACTERS_MAX else "/"


def new_code() -> str:
    """For the first account. Sixty bits: nobody guesses it in the minutes in which it counts."""
    groups = ("".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_GROUP)) for _ in range(CODE_GROUPS))
    return "-".join(groups)


def is_code(written: str, code: str) -> bool:
    """However it is spaced and in whatever case. An empty code is nobody's."""
    return bool(code) and hmac.compare_digest(plain(written).encode(), plain(code).encode())


def plain(code: str) -> str:
    return code.replace("-", "").replace(" ", "").upper()
