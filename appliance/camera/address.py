"""Where a camera is, and how to say so without its password. Nothing else may put a source into a log, an error or a page."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, unquote

MASK = "…"
_IN_QUERY = re.compile(r"(?i)\b(user(?:name)?|usr|pass(?:word|wd)?|pwd|token|key|auth)=[^&/?#\s]*")
_TOLD = re.compile(r"(?i)(?<![a-z0-9])(user(?:name)?|usr|pass(?:word|wd)?|pwd|token|key|auth)=[^&_/?#\s]*")
"""As `_IN_QUERY`, but up to an underscore: some cameras have user=admin_password=x_channel=1, and what follows says which picture."""
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]*)(?::(\d{1,5}))?")


class BadAddress(ValueError):
    """An address that cannot be one of a camera; the message is for the operator and holds no credential."""


@dataclass(frozen=True, slots=True)
class Address:
    """rtsp://user:password@host:port/path, taken apart. `user` and `password` are plain text, not percent-encoded."""

    scheme: str
    user: str
    password: str
    host: str
    port: int
    path: str

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"

    def without_credentials(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    def for_the_decoder(self) -> str:
        """With credentials percent-encoded, so that a password with @ or / in it is no part of the host."""
        if not self.user and not self.password:
            return self.without_credentials()
        start = f"{self.scheme}://"
        return f"{start}{quote(self.user, safe='')}:{quote(self.password, safe='')}@{self.without_credentials().removeprefix(start)}"


def parsed(source: str) -> Address:
    """Take an RTSP address apart. Raises BadAddress. People paste passwords as they are, with @, : and / in them: allow it."""
    scheme, mark, rest = source.strip().partition("://")
    scheme = scheme.lower()
    if not mark or scheme not in ("rtsp", "rtsps"):
        raise BadAddress("a camera's address begins with rtsp:// or rtsps://, for instance rtsp://user:password@192.168.1.20:554/stream1")
    credentials, rest = _without_credentials(rest)
    authority, slash, path = rest.partition("/")
    authority, query_mark, query = authority.partition("?")
    found = _HOST.fullmatch(authority)
    host = found.group(1).strip("[]") if found else ""
    port = int(found.group(2) or (322 if scheme == "rtsps" else 554)) if found else 0
    if not host or not 0 < port < 65536:
        raise BadAddress(
            "the address names no host and port that can be used; it should read like rtsp://user:password@192.168.1.20:554/stream1"
        )
    user, _, password = credentials.partition(":")
    return Address(scheme, unquote(user), unquote(password), host, port, slash + path if slash else f"{query_mark}{query}")


def _without_credentials(rest: str) -> tuple[str, str]:
    """`rest` (all after "://") into credentials and what follows the @ that ends them."""
    authority = rest.partition("/")[0]
    if "@" in authority:
        if "@" in rest[len(authority) :]:
            # Where the password ends cannot be told, and a wrong guess would show half of it as a host.
            raise BadAddress("the address holds an @ behind the first /: write %40 for each @ and %2F for each / of password and path")
        credentials, _, after = authority.rpartition("@")
        return credentials, after + rest[len(authority) :]
    # An @ behind the first slash: a path like /cam@1, or a password with a slash in it, in which case no host stands before that slash.
    if "@" in rest and not _HOST.fullmatch(authority):
        credentials, _, after = rest.rpartition("@")
        return credentials, after
    return "", rest


def device(kind: str, source: str) -> str:
    """The same for two sources that are one picture of one device, whatever user, password, port left out or case of the host they are
    written with. It is compared, never shown. Raises BadAddress."""
    if kind != "rtsp":
        return f"{kind}:{source}"
    address = parsed(source)
    host = address.host.rstrip(".").casefold()
    with suppress(ValueError):
        host = ip_address(host).compressed
    path = _TOLD.sub(r"\1=", address.path)
    return f"rtsp:{host}:{address.port}{'' if path == '/' else path}"


def shown(kind: str, source: str) -> str:
    """The source as people may see it: no user name, no password, and nothing behind a question mark, where some cameras want them."""
    if kind != "rtsp":
        return source
    try:
        address = parsed(source)
    except BadAddress:
        return f"{MASK} (not an RTSP address)"
    where, question, _ = address.without_credentials().partition("?")
    bare = _IN_QUERY.sub(lambda found: f"{found.group(1)}={MASK}", where) + (question + MASK if question else "")
    return bare.replace("://", f"://{MASK}@", 1) if address.user or address.password else bare


def masked(text: str, kind: str, source: str) -> str:
    """`text` from elsewhere (a library's error) with every trace of the source's credentials replaced."""
    if kind != "rtsp":
        return text
    secrets = {source, source.strip()}
    try:
        address = parsed(source)
    except BadAddress:
        secrets.add(source.partition("://")[2])
    else:
        secrets |= {address.for_the_decoder(), address.password, quote(address.password, safe=""), f"{address.user}:{address.password}"}
    secrets |= {found.group(0) for found in _IN_QUERY.finditer(source)}
    for secret in sorted((one for one in secrets if one and one != ":"), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
