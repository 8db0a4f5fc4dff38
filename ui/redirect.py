"""A port that speaks plain HTTP and does nothing but lead to the page's HTTPS: for who types the address without "https"."""

from __future__ import annotations

from collections.abc import Callable, Collection

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from ui.guard import READING


def to_https(names: Callable[[], Collection[str]], port: int) -> ASGIApp:
    """Leads to the name that was asked for if it is one of `names` by then (an IPv6 address in brackets); nothing sent here is taken."""

    async def lead(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        host = name_in(Headers.from_scope(scope).get("host", ""))
        ours = host in names()
        if scope["method"] not in READING or not ours:
            await answer(send, 403 if ours else 421, [], b"This port only leads to the page's https address.")
            return
        path = scope["raw_path"].decode("latin-1") if scope.get("raw_path") else "/"
        query = scope["query_string"].decode("latin-1")
        shown = "" if port == 443 else f":{port}"
        address = f"https://{host}{shown}{path}" + (f"?{query}" if query else "")
        await answer(send, 308, [(b"location", address.encode("latin-1"))], b"")

    return lead


def name_in(host: str) -> str:
    """Of a Host header, without the port."""
    host = host.lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


async def answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    kind = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": [*kind, *headers]})
    await send({"type": "http.response.body", "body": body, "more_body": False})
