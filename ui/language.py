"""Which language a request is answered in: the one chosen on the page, else the store's or headquarters' own where it was set, else the
browser's, else English."""

from __future__ import annotations

from collections.abc import Callable

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from ui import words

COOKIE = "regulars_language"
COOKIE_HEADER_MAX = 8_192


def spoken(app: ASGIApp, own: Callable[[], str | None]) -> ASGIApp:
    """Around the whole app. `own`: the language of the settings, None where nobody chose one."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        headers = Headers.from_scope(scope)
        asked = chosen(headers.get("cookie", "")) or own() or words.preferred(headers.get("accept-language", ""))
        with words.speaking(asked or words.ENGLISH):
            await app(scope, receive, send)

    return answer


def chosen(cookies: str) -> str | None:
    """The language that this browser was set to."""
    if len(cookies) > COOKIE_HEADER_MAX:
        return None
    for part in cookies.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE and value in words.LANGUAGES:
            return value
    return None


def cookie(code: str, secure: bool) -> str:
    """The value of Set-Cookie that keeps the choice for a year."""
    return f"{COOKIE}={code}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly" + ("; Secure" if secure else "")
