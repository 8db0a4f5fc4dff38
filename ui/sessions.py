"""A session: a random token in a cookie, of which only the hash is stored, so that whoever reads the table cannot use it.

It ends when it has not been used for an hour, twelve hours after it began whatever happens, and when somebody signs out.
"""

from __future__ import annotations

import hashlib
import secrets
from http.cookies import CookieError, SimpleCookie

IDLE_MS_MAX = 60 * 60_000
WHOLE_MS_MAX = 12 * 60 * 60_000
"""A working day."""
TOUCH_MS = 60_000
"""Use is noted once a minute: a page with pictures would otherwise write at each."""
TOKEN_BYTES = 32
TOKEN_CHARACTERS = 43
COOKIE_HEADER_MAX = 8_192


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """(32,) A token is random and long, so that one plain hash is enough."""
    return hashlib.sha256(b"regulars/v1/session:" + token.encode("utf-8", "surrogatepass")).digest()


def is_over(made_ms: int, used_ms: int, now_ms: int) -> bool:
    """Also when the clock was set back past its beginning: nobody can say how old it is then."""
    return not (made_ms - TOUCH_MS <= now_ms < min(used_ms + IDLE_MS_MAX, made_ms + WHOLE_MS_MAX))


def cookie_name(program: str, secure: bool) -> str:
    """Cookies do not know ports, so each of our programs on one machine has a name of its own. With the prefix a browser takes the
    cookie from this very host alone, and over https alone."""
    return f"__Host-{program}" if secure else program


def cookie(name: str, token: str, secure: bool) -> str:
    """The value of Set-Cookie. Not to be read by scripts, not sent with anything that another page asked for."""
    parts = [f"{name}={token}", "Path=/", "HttpOnly", "SameSite=Strict", f"Max-Age={WHOLE_MS_MAX // 1000}"]
    return "; ".join([*parts, "Secure"] if secure else parts)


def no_cookie(name: str, secure: bool) -> str:
    """The value of Set-Cookie that takes it away."""
    parts = [f"{name}=", "Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=0"]
    return "; ".join([*parts, "Secure"] if secure else parts)


def token_in(header: str, name: str) -> str | None:
    """The token in a Cookie header; None when there is none or it cannot be one of ours."""
    if len(header) > COOKIE_HEADER_MAX:
        return None
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return found.value if found is not None and len(found.value) == TOKEN_CHARACTERS else None
