"""Runs a page in a thread of the program and stops it within a second, open streams included."""

from __future__ import annotations

import errno
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from litestar.types import ASGIApp

START_S_MAX = 10.0
STOP_S_MAX = 0.8
"""For open requests to end by themselves; after that they are cut. Streams end at once, a page takes less than a tenth of this."""
CONNECTIONS_MAX = 200


class CannotServe(Exception):
    """The page cannot be opened; the message is a sentence for whoever started the program."""


@dataclass(frozen=True, slots=True)
class Outside:
    """How a page stands towards the network. `certificate`, `key`: PEM files, to speak TLS itself. `proxies`: addresses whose word on who
    is really asking is taken. `port_setting`: what to change when the port is taken."""

    certificate: Path | None = None
    key: Path | None = None
    proxies: tuple[str, ...] = ()
    port_setting: str = "REGULARS_WEB__PORT"
    connections_max: int = CONNECTIONS_MAX


INSIDE = Outside()


class Server:
    def __init__(self, server: uvicorn.Server, thread: threading.Thread, address: str, port: int, end_streams: Callable[[], None]) -> None:
        self.address = address
        self.port = port
        self._server = server
        self._thread = thread
        self._end_streams = end_streams

    def take_certificate(self, certificate: Path, key: Path) -> None:
        """From the next connection on; those that are open keep the one before. Raises OSError, and nothing is other then."""
        if (context := self._server.config.ssl) is not None:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
            context.load_cert_chain(certificate, key)

    def stop(self) -> None:
        """Stopping twice is harmless."""
        self._end_streams()
        self._server.should_exit = True
        self._thread.join(STOP_S_MAX)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(STOP_S_MAX)


def serve(app: ASGIApp, host: str, port: int, end_streams: Callable[[], None] = lambda: None, outside: Outside = INSIDE) -> Server:
    """`port` 0: any free one; the answer's `port` says which. `end_streams`: `Live.close`. Raises CannotServe."""
    listening = listen(host, port, outside.port_setting)
    bound = listening.getsockname()[1]
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(outside.proxies),
        forwarded_allow_ips=list(outside.proxies),
        ssl_certfile=outside.certificate,
        ssl_keyfile=outside.key,
        limit_concurrency=outside.connections_max,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=1,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        listening.close()
        raise CannotServe(f"The certificate {outside.certificate} cannot be used: {error.strerror or error}.") from None
    server = uvicorn.Server(config)
    # A daemon, so that a page that hangs can never keep the whole program from ending.
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="web", daemon=True)
    thread.start()
    waited = threading.Event()
    for _ in range(round(START_S_MAX / 0.01)):
        if server.started:
            shown = f"[{host}]" if ":" in host else host
            scheme = "https" if outside.certificate else "http"
            return Server(server, thread, f"{scheme}://{shown}:{bound}", bound, end_streams)
        if not thread.is_alive():
            break
        waited.wait(0.01)
    server.should_exit = True
    listening.close()
    raise CannotServe(f"The page did not start at {host}, port {bound}. The log says why.")


def listen(host: str, port: int, port_setting: str) -> socket.socket:
    # The protocol is named because asyncio switches Nagle's algorithm off only then; with it each answer on a connection that is kept
    # open comes 40 ms late: its body waits until the head is acknowledged.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise CannotServe(sentence(error, host, port, port_setting)) from None
    listening.setblocking(False)
    return listening


def sentence(error: OSError, host: str, port: int, port_setting: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is taken, perhaps by a Regulars that runs already. Stop that program or choose another port: "
            f"`port` in [web] of the settings, or {port_setting}."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} of {host} may not be opened by this user. Choose a port of 1024 or more."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine. Use 127.0.0.1."
    return f"The page cannot be opened at {host}, port {port}: {error.strerror or error}."
