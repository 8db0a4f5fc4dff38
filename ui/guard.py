"""What stands before every page: only our own address is answered (DNS rebinding), only our own page may change or embed anything
(cross-site requests), and every answer carries the headers that keep a browser from doing more than we ask of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
SAFE_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
"""A page is bound to the loopback address; any other name in the Host header was not typed by the person at this machine, unless it is
the page's own outside name (`Place.origin`)."""
READING = ("GET", "HEAD")
BEARER = "bearer "
STRICT_TRANSPORT = "max-age=31536000"
"""A year. Without the names below ours: they are not ours to speak for. Only for an outside name: a browser would hold it against every
other port of a machine that is reached by its own name, the one that leads to https included."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page stands. `origin`: its address as others know it, as https://hub.example.com; empty for one that only this machine
    sees. `machines`: beginnings of addresses that programs ask for, by whatever name; nothing there may go by a browser's cookie.
    `names`: further names and addresses of this machine that it answers to, at its own port; `tls`: it speaks TLS itself."""

    origin: str = ""
    machines: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    tls: bool = False

    @property
    def secure(self) -> bool:
        return self.tls or self.origin.startswith("https://")


def refusal(
    method: str, headers: Headers, port: int | None, scheme: str, origin: str = "", names: tuple[str, ...] = ()
) -> tuple[int, str] | None:
    """None when the request may pass, otherwise the status and the sentence to answer with. `port`: where the request arrived."""
    host = headers.get("host", "").lower()
    ours = (*OWN_NAMES, *names)
    own = {f"{name}:{port}": f"{scheme}://{name}:{port}" for name in ours}
    if port == (443 if scheme == "https" else 80):
        own |= {name: f"{scheme}://{name}" for name in ours}
    if origin:
        own[origin.partition("://")[2]] = origin
    if host not in own:
        return 421, f"This page answers only at its own address, for example {origin or f'{scheme}://127.0.0.1:{port}'}."
    site = headers.get("sec-fetch-site")
    if method in READING:
        # A link from elsewhere may lead here; a foreign page may not load our pictures or streams. Another port of this machine
        # counts as "same-site", so only "same-origin" and "none" (typed, bookmarked) are ours.
        from_here = site in (None, "same-origin", "none") or headers.get("sec-fetch-mode") == "navigate"
        return None if from_here else (403, "Another page asked for this. Open it at its own address.")
    # Browsers send Origin "null" with a form under our referrer policy, and then say same-origin in Sec-Fetch-Site.
    if site == "same-origin" or (site is None and headers.get("origin") == own[host]):
        return None
    # A program with a token of its own: a foreign page could not send this header without asking first, and we never say yes to that.
    if site is None and "origin" not in headers and headers.get("authorization", "").lower().startswith(BEARER):
        return None
    return 403, "Changes are taken only from this page itself. Open it at its own address and try again."


def guarded(app: ASGIApp, place: Place = Place(), names: Callable[[], tuple[str, ...]] | None = None) -> ASGIApp:
    """Middleware: refuse what is not ours, add the safe headers to the rest. `names`: instead of the place's, where they change."""
    always = {**SAFE_HEADERS, "strict-transport-security": STRICT_TRANSPORT} if place.origin.startswith("https://") else SAFE_HEADERS

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.WEBSOCKET or "method" not in scope:
            # We have none; without a word about it the connection is refused.
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                answered = MutableScopeHeaders.from_message(message)
                for name, value in always.items():
                    answered[name] = value
                # Faces and names must not stay behind in a browser's cache; assets say otherwise themselves.
                answered.setdefault("cache-control", "no-store")
            await send(message)

        server = scope["server"]
        port = server[1] if server else None
        for_machines = scope["path"].startswith(place.machines) if place.machines else False
        asked = (scope["method"], Headers.from_scope(scope), port, scope["scheme"])
        refused = None if for_machines else refusal(*asked, place.origin, names() if names else place.names)
        if refused is None:
            await app(scope, receive, send_safely)
            return
        status, words = refused
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(words.encode())).encode())]
        await send_safely({"type": "http.response.start", "status": status, "headers": headers})
        await send_safely({"type": "http.response.body", "body": words.encode(), "more_body": False})

    return guard
