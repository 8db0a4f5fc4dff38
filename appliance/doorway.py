"""How the store's page is opened at the start: on this computer alone, or to the shop's network over HTTPS; and what the first owner must
know. It is opened to the network only once there is an owner: until then whoever came first could become it.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from litestar import Litestar

from appliance import certificates, notices, users
from appliance.certificates import Certificate
from appliance.config import Web, is_loopback
from appliance.database import Store
from appliance.errors import ConfigError
from appliance.web.access import Asker
from appliance.web.door import Door
from ui.guard import Place
from ui.redirect import to_https
from ui.server import INSIDE, CannotServe, Outside, Server, listen, serve
from ui.sign_in import new_code

log = logging.getLogger(__name__)
NOWHERE_V4, NOWHERE_V6 = "192.0.2.1", "2001:db8::1"
"""Addresses for documentation: nothing is sent there, only asked by which of our own it would go."""
CERTIFICATE = "certificate"
"""The notice's kind."""
SECOND_PORT = "REGULARS_WEB__REDIRECT_PORT"


@dataclass(frozen=True, slots=True)
class OpenPage:
    """`address`: for people to type or click."""

    address: str
    servers: tuple[Server, ...]

    def stop(self) -> None:
        """Twice is harmless."""
        for server in self.servers:
            server.stop()


def made_door(store: Store, web: Web, now_ms: int, everybody: Asker | None = None) -> Door:
    """`everybody`: see Door. Raises ConfigError, CertificateError, StoreError."""
    nobody = everybody is None and users.no_owner_yet(store)
    if not is_loopback(web.host):
        if nobody:
            raise ConfigError(
                f"web.host is {web.host}, but nobody can sign in yet. Make the owner's account first: start once with web.host 127.0.0.1 "
                "and open the page, or type `regulars user add NAME --role owner`."
            )
        names = own_names(web)
        certificate = certificate_of(store, web, names, now_ms)
        hosts = tuple(in_address(name) for name in names)
        return Door(place=Place(names=hosts, tls=True), certificate=certificate, addresses=_outside(web, names))
    first_code = new_code() if nobody else ""
    if first_code:
        # For an appliance without a terminal: whoever reads this log may read the data folder too.
        log.info("event=no_owner_yet code=%s page=/first-start", first_code)
    return Door(first_code, everybody)


def _outside(web: Web, names: Sequence[str]) -> tuple[str, ...]:
    port = "" if web.port == 443 else f":{web.port}"
    return tuple(f"https://{in_address(name)}{port}" for name in names if name not in certificates.ALWAYS)


def could_open(store: Store, web: Web, now_ms: int) -> Door:
    """The door as it would be with these settings, tried before a start depends on them. Raises ConfigError, CertificateError, StoreError,
    CannotServe for the port that leads plain HTTP there; the page's own is taken by the page."""
    door = made_door(store, web, now_ms)
    if web.redirect_port:
        listen(web.host, web.redirect_port, SECOND_PORT).close()
    return door


def certificate_of(store: Store, web: Web, names: Sequence[str], now_ms: int) -> Certificate:
    if web.certificate_file and web.key_file:
        return certificates.of_the_shop(web.certificate_file, web.key_file)
    return certificates.of_our_own(store.folder, store.vault, names, datetime.fromtimestamp(now_ms / 1000, UTC))


def renew(store: Store, web: Web, door: Door, page: OpenPage, now_ms: int) -> None:
    """The daily look: one of our own that is half over is made anew, one of the shop's that was put in its place is taken, without a new
    start; one that nobody renews is said on the page in time. Raises CertificateError, StoreError, OSError."""
    if door.certificate is None:
        return
    found = certificate_of(store, web, [name.strip("[]") for name in door.place.names], now_ms)
    page.servers[0].take_certificate(found.chain, found.key)
    if found.ends != door.certificate.ends:
        log.info("event=certificate_renewed ends=%s fingerprint=%s", found.ends.date(), found.fingerprint)
    door.certificate = found
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    if now < found.ends - certificates.WARNED_BEFORE:
        notices.settle(store, CERTIFICATE, now_ms)
        return
    until, what = ("ends", "; browsers refuse the page then") if now < found.ends else ("ended", ", and browsers refuse the page")
    words = f"The page's certificate {until} on {found.ends.date()}{what}. Put a newer one in the place of {found.chain}."
    notices.notify(store, CERTIFICATE, words, now_ms)


def follow(store: Store, web: Web, door: Door, page: OpenPage, now_ms: int) -> None:
    """The look of every minute: the network may have given this computer another address, or was not there yet at the start. What the page
    answers to, and its certificate, go by it without a new start. Raises as `renew` does."""
    if door.certificate is None:
        return
    names = own_names(web)
    hosts = tuple(in_address(name) for name in names)
    if hosts == door.place.names:
        return
    door.place, door.addresses = replace(door.place, names=hosts), _outside(web, names)
    log.info("event=addresses_changed count=%d", len(door.addresses))
    renew(store, web, door, page, now_ms)


def open_page(app: Litestar, web: Web, ports: Sequence[int], end_streams: Callable[[], None], door: Door) -> OpenPage:
    """`ports`: the first that is free. Raises CannotServe."""
    outside = Outside(door.certificate.chain, door.certificate.key) if door.certificate else INSIDE
    server = _first_free(app, web.host, ports, end_streams, outside)
    if door.certificate is None:
        return OpenPage(server.address, (server,))
    shown = door.addresses[0] if door.addresses else server.address
    log.info("event=open_to_the_network port=%d fingerprint=%s", server.port, door.certificate.fingerprint)
    if not web.redirect_port:
        return OpenPage(shown, (server,))
    try:
        leading = to_https(lambda: door.place.names, server.port)
        second = serve(leading, web.host, web.redirect_port, outside=Outside(port_setting=SECOND_PORT))
    except CannotServe:
        server.stop()
        raise
    return OpenPage(shown, (server, second))


def _first_free(app: Litestar, host: str, ports: Sequence[int], end_streams: Callable[[], None], outside: Outside) -> Server:
    for port in ports[:-1]:
        try:
            return serve(app, host, port, end_streams, outside)
        except CannotServe:
            log.info("event=port_taken port=%d", port)
    return serve(app, host, ports[-1], end_streams, outside)


def own_names(web: Web) -> list[str]:
    """By which browsers reach this computer: the settings' first, then the network's, this computer's own, its addresses, and itself."""
    host = socket.gethostname().lower().rstrip(".")
    short = host.partition(".")[0]
    found = [*web.names.lower().split(), *([f"{short}.local", host] if _is_name(short) else []), *own_addresses(), *certificates.ALWAYS]
    if _is_address(web.host) and not ipaddress.ip_address(web.host).is_unspecified:
        found.insert(0, web.host)
    return list(dict.fromkeys(name for name in found if _is_name(name) or _is_address(name)))


def own_addresses() -> list[str]:
    """By which this computer would reach others; none when there is no network."""
    found = []
    for family, nowhere in ((socket.AF_INET, NOWHERE_V4), (socket.AF_INET6, NOWHERE_V6)):
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            try:
                asked.connect((nowhere, 9))
                found.append(asked.getsockname()[0].partition("%")[0])
            except OSError:
                continue
    return [address for address in found if not ipaddress.ip_address(address).is_unspecified]


def in_address(name: str) -> str:
    """As it stands in an address: IPv6 in brackets."""
    return f"[{name}]" if ":" in name else name


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_name(name: str) -> bool:
    parts = name.split(".")
    plain = all(part and len(part) < 64 and part.isascii() and part.replace("-", "").isalnum() for part in parts)
    return plain and len(name) < 254 and not _is_address(name)
