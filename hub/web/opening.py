"""How the hub may be opened: on this machine alone, or to the network with TLS, a name and somebody who can sign in. Never in the clear."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from hub.config import Web
from hub.errors import ConfigError
from ui.guard import Place
from ui.server import Outside

CONNECTIONS_MAX = 2_000
"""Each store keeps one open; a reader's browser six."""
PORT_SETTING = "REGULARS_HUB_WEB__PORT"


@dataclass(frozen=True, slots=True)
class Opening:
    """`address`: where people and appliances reach the hub."""

    host: str
    port: int
    address: str
    place: Place
    outside: Outside


def opening(web: Web, somebody: bool) -> Opening:
    """`somebody`: whether there is an account already. Raises ConfigError: one sentence."""
    if (web.certificate_file is None) != (web.key_file is None):
        raise ConfigError("A certificate and its key belong together: set both web.certificate_file and web.key_file, or neither.")
    if web.public_url.startswith("http://") and not is_loopback(web.public_url.partition("://")[2].partition(":")[0]):
        raise ConfigError(
            f"web.public_url is {web.public_url}: passwords would cross the network in the clear. It must begin with https://."
        )
    if not is_loopback(web.host):
        refuse_in_the_clear(web, somebody)
    proxies = tuple(part.strip() for part in web.proxies.split(",") if part.strip())
    for proxy in proxies:
        if not is_network(proxy):
            raise ConfigError(f"web.proxies names {proxy}, which is no address.")
    scheme = "https" if web.certificate_file else "http"
    shown = f"[{web.host}]" if ":" in web.host else web.host
    address = web.public_url or f"{scheme}://{shown}:{web.port}"
    outside = Outside(web.certificate_file, web.key_file, proxies, PORT_SETTING, CONNECTIONS_MAX)
    return Opening(web.host, web.port, address, Place(address if web.public_url or web.certificate_file else ""), outside)


def refuse_in_the_clear(web: Web, somebody: bool) -> None:
    said = f"web.host is {web.host}, which others can reach"
    if web.certificate_file is None and not web.proxies:
        raise ConfigError(
            f"{said}, so the hub needs TLS: set web.certificate_file and web.key_file, or web.proxies to the address of the proxy that "
            "speaks TLS for it; or leave web.host at 127.0.0.1."
        )
    if not web.public_url:
        raise ConfigError(f"{said}: set web.public_url to the address under which they do, such as https://hub.example.com.")
    if not somebody:
        raise ConfigError(
            f"{said}, and nobody can sign in yet. Make the first account with `regulars-hub user add NAME --system`, then start again."
        )


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
