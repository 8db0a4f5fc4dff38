"""The tests' headquarters behind a real port, for what happens on a real line: plain HTTP, TLS, an answer that comes in drops."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.appliance.line.headquarters import Headquarters


@contextmanager
def served(
    hub: Headquarters, *, tls: ssl.SSLContext | None = None, drops_s: float = 0.0, cut: bool = False, port: int = 0
) -> Iterator[str]:
    """Its address. `drops_s`: seconds between two bytes of an answer; `cut`: the line breaks in the middle of one."""
    one_at_a_time = threading.Lock()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with one_at_a_time:
                try:
                    answer = hub.answer(httpx.Request("POST", f"http://hub{self.path}", content=body))
                except httpx.HTTPError:
                    self.close_connection = True
                    return
            self.send_response(answer.status_code)
            self.send_header("content-type", answer.headers.get("content-type", "text/plain"))
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            if drops_s:
                for byte in answer.content:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(drops_s)
            else:
                self.wfile.write(answer.content[: len(answer.content) // 2] if cut else answer.content)
                self.close_connection = cut

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass

    server = Server(("127.0.0.1", port), Door)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
