"""Carries one message to headquarters and its answer back, over HTTP. Knows no key: what it carries is sealed and signed already.

Everything that can go wrong on the way is a LineError in words. An answer of headquarters' own is bytes, whatever the status says.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from appliance.errors import LineError
from sync.envelope import CONTENT_TYPE
from sync.messages import MESSAGE_BYTES_MAX
from sync.pushing import FLIGHT_S_MAX

EXCHANGE, SNAPSHOT, PAIR = "/sync/v1/exchange", "/sync/v1/snapshot", "/sync/v1/pair"
CONNECT_S_MAX = 10.0
SILENT_S_MAX = 30.0
"""Without a byte in either direction. The whole way there and back may take `FLIGHT_S_MAX`."""
PIECE_BYTES = 64 << 10
PACKED = "content-encoding"
NO_TLS = ("wrong_version_number", "packet length too long", "record layer failure", "http_request")
"""What OpenSSL says of an answer that is not TLS."""
"""Not asked for: what is packed here has packed itself, and anybody else could make much of a little."""
STATUS_WORDS = {
    404: "there is no headquarters at this address",
    413: "it does not take a message of this size",
    429: "it asks to be asked less often",
}


class Carrier:
    """To the headquarters at one address. `ca_file`: certificates to trust besides the usual. `transport`: another way than the network.
    `flight_s`: how long there and back may take."""

    def __init__(
        self, url: str, *, ca_file: Path | None = None, transport: httpx.BaseTransport | None = None, flight_s: float = FLIGHT_S_MAX
    ) -> None:
        self.url, self._flight_s = url, flight_s
        self._client = httpx.Client(
            base_url=url,
            # Reading all that is trusted takes a while, and another way asks nobody for a certificate.
            verify=_trusted(ca_file) if transport is None else True,
            transport=transport,
            timeout=httpx.Timeout(min(SILENT_S_MAX, flight_s), connect=min(CONNECT_S_MAX, flight_s)),
            headers={"content-type": CONTENT_TYPE, "accept": CONTENT_TYPE, "accept-encoding": "identity", "user-agent": "regulars"},
            follow_redirects=False,
        )

    def carry(self, path: str, message: bytes) -> bytes:
        """The answer. Raises LineError."""
        until_s = time.monotonic() + self._flight_s
        length = {"content-length": str(len(message))}
        try:
            with self._client.stream("POST", path, content=_in_pieces(message, until_s), headers=length) as response:
                if response.headers.get("content-type", "").partition(";")[0].strip() != CONTENT_TYPE or PACKED in response.headers:
                    words = STATUS_WORDS.get(response.status_code, f"what answers is no headquarters (HTTP {response.status_code})")
                    raise LineError(f"{self._place()}: {words}.")
                answer = bytearray()
                # As it comes: whoever waits for whole pieces waits for ever for one that comes in drops.
                for piece in response.iter_bytes():
                    answer += piece
                    if len(answer) > MESSAGE_BYTES_MAX:
                        raise LineError(f"{self._place()} answers with more than {MESSAGE_BYTES_MAX >> 20} MB.")
                    _in_time(until_s)
                return bytes(answer)
        except httpx.HTTPError as error:
            raise LineError(f"{self._place()} {_words(error)}.") from None

    def close(self) -> None:
        self._client.close()

    def _place(self) -> str:
        return f"Headquarters at {urlsplit(self.url).hostname}"


def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    """Raises LineError when the file is none."""
    context = httpx.create_ssl_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise LineError(f"headquarters.ca_file: {ca_file} holds no certificates that can be read ({error}).") from None
    return context


def _in_pieces(message: bytes, until_s: float) -> Iterator[bytes]:
    for start in range(0, len(message), PIECE_BYTES):
        _in_time(until_s)
        yield message[start : start + PIECE_BYTES]


def _in_time(until_s: float) -> None:
    if time.monotonic() > until_s:
        raise httpx.ReadTimeout("the whole way took too long")


def _words(error: httpx.HTTPError) -> str:
    """Without the address, which may be long, and without what a library says in its own terms."""
    said = str(error).lower()
    if isinstance(error, httpx.TimeoutException):
        return "cannot be reached in time" if isinstance(error, httpx.ConnectTimeout) else "does not answer in time"
    if any(word in said for word in NO_TLS):
        return "speaks no TLS there, only plain http: write http:// before its name if it is this very computer, or give it a certificate"
    if "certificate" in said or "ssl" in said:
        return (
            "cannot be trusted: its certificate is not valid for this name, or comes from nobody this computer knows "
            "(see headquarters.ca_file)"
        )
    if isinstance(error, httpx.ConnectError):
        if "name or service" in said or "nodename" in said or "getaddrinfo" in said or "resolution" in said:
            return "cannot be found: there is no such name, or no network"
        return "cannot be reached: nothing answers there, or there is no network"
    return "broke off in the middle"
