"""Ask an RTSP server for a stream's description over a plain socket, to say in words what is wrong before a decoder is let at it.

A decoder only says "could not open". Every wait here has a limit, and one attempt at signing in is made, not two: cameras lock an
account after a few wrong passwords. RFC 2326 (RTSP 1.0), RFC 7616 (Digest), RFC 7617 (Basic).
"""

from __future__ import annotations

import base64
import enum
import hashlib
import re
import secrets
import socket
import ssl
import time
from dataclasses import dataclass

from appliance.camera.address import Address

CONNECT_S_MAX = 2.0
"""A camera on the store's own network answers in milliseconds."""
ANSWER_S_MAX = 3.0
ANSWER_BYTES_MAX = 64 << 10
_MUTE_HINT = "restart the camera, or check that this is its RTSP port"
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')
_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class Cause(enum.Enum):
    """Why there is no stream. The order is that of getting nearer to one."""

    UNKNOWN_HOST = "unknown host"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    MUTE = "mute"
    NOT_RTSP = "not rtsp"
    SIGN_IN = "sign in"
    NOT_FOUND = "not found"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Finding:
    """`cause` None: the server described a stream."""

    cause: Cause | None
    words: str = ""


def described(address: Address) -> Finding:
    """Connect and DESCRIBE, signing in when asked to. Takes at most CONNECT_S_MAX + ANSWER_S_MAX beyond the name look-up; never raises."""
    try:
        wire = socket.create_connection((address.host, address.port), CONNECT_S_MAX)
    except socket.gaierror:
        return Finding(Cause.UNKNOWN_HOST, f"no computer of the name {address.host} is known on this network: check the address")
    except ConnectionRefusedError:
        what = "check the port, and that RTSP is switched on in the camera"
        return Finding(Cause.REFUSED, f"{address.host} is there but refuses port {address.port}: {what}")
    except OSError:
        return Finding(Cause.UNREACHABLE, f"{address.host} cannot be reached: is the camera switched on and on this network?")
    until = time.monotonic() + ANSWER_S_MAX
    try:
        with wire:
            wire.settimeout(ANSWER_S_MAX)
            if address.scheme == "rtsps":
                wire = _over_tls(wire, address.host)
            return _asked(wire, address, until)
    except ssl.SSLError:
        return Finding(Cause.NOT_RTSP, f"{address.place} does not speak TLS: try rtsp:// in place of rtsps://")
    except TimeoutError:
        return Finding(Cause.MUTE, f"{address.place} accepts a connection but says nothing: {_MUTE_HINT}")
    except OSError:
        return Finding(Cause.MUTE, f"{address.place} closed the connection without an answer: {_MUTE_HINT}")


def _over_tls(wire: socket.socket, host: str) -> ssl.SSLSocket:
    # Cameras carry certificates of their own making: TLS keeps the password from the wire here, it does not prove who answers.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(wire, server_hostname=host)


def _asked(wire: socket.socket, address: Address, until: float) -> Finding:
    status, headers = _request(wire, address, 1, "", until)
    if status == 401 and (address.user or address.password):
        proof = sign_in_proof(headers, address)
        if not proof:
            return Finding(Cause.OTHER, f"{address.place} wants a way of signing in that is not known here (Basic and Digest are)")
        status, headers = _request(wire, address, 2, proof, until)
        if status in (401, 403):
            return Finding(Cause.SIGN_IN, f"{address.place} says that the user name or the password is wrong")
    match status:
        case 200:
            return Finding(None)
        case 0:
            return Finding(Cause.NOT_RTSP, f"{address.place} answers, but not as an RTSP camera does: check the port (usually 554)")
        case 401 | 403:
            how = f"put them into the address, rtsp://user:password@{address.place}/…"
            return Finding(Cause.SIGN_IN, f"{address.place} wants a user name and a password: {how}")
        case 404 | 454:
            return Finding(Cause.NOT_FOUND, f"{address.place} has no stream under this path: look the path up in the camera's manual")
        case _:
            return Finding(Cause.OTHER, f"{address.place} answers with RTSP status {status}")


def _request(wire: socket.socket, address: Address, number: int, proof: str, until: float) -> tuple[int, list[tuple[str, str]]]:
    """One DESCRIBE. Status (0: not RTSP) and headers in order, names in lower case. Raises TimeoutError, OSError."""
    lines = [f"DESCRIBE {address.without_credentials()} RTSP/1.0", f"CSeq: {number}", "Accept: application/sdp", "User-Agent: Regulars"]
    wire.sendall("\r\n".join([*lines, *([f"Authorization: {proof}"] if proof else []), "", ""]).encode())
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < ANSWER_BYTES_MAX:
        wire.settimeout(max(0.01, until - time.monotonic()))
        piece = wire.recv(4096)
        if not piece:
            break
        answer += piece
        if not answer.startswith(b"RTSP/"[: len(answer)]):
            return 0, []
    if not answer:
        raise ConnectionResetError
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    first = head[0].split()
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in head[1:])]
    length = next((int(value) for name, value in headers if name == "content-length" and value.isdigit()), 0)
    _skip_body(wire, min(length, ANSWER_BYTES_MAX) - len(answer.partition(b"\r\n\r\n")[2]), until)
    return (int(first[1]) if len(first) > 1 and first[1].isdigit() else 0), headers


def _skip_body(wire: socket.socket, missing: int, until: float) -> None:
    while missing > 0:
        wire.settimeout(max(0.01, until - time.monotonic()))
        piece = wire.recv(min(missing, 4096))
        if not piece:
            return
        missing -= len(piece)


def sign_in_proof(headers: list[tuple[str, str]], address: Address, cnonce: str = "") -> str:
    """The Authorization header's value that answers a 401's challenges, Digest before Basic; empty when neither is offered."""
    challenges = [value for name, value in headers if name == "www-authenticate"]
    for challenge in challenges:
        if challenge.lower().startswith("digest"):
            fields = {name.lower(): quoted or bare for name, quoted, bare in _FIELD.findall(challenge)}
            proof = _digest(fields, address, cnonce or secrets.token_hex(8))
            if proof:
                return proof
    if any(challenge.lower().startswith("basic") for challenge in challenges):
        return "Basic " + base64.b64encode(f"{address.user}:{address.password}".encode()).decode()
    return ""


def _digest(fields: dict[str, str], address: Address, cnonce: str) -> str:
    algorithm = fields.get("algorithm", "MD5").upper()
    if algorithm not in _HASHES or "nonce" not in fields:
        return ""

    def digest(*parts: str) -> str:
        return _HASHES[algorithm](":".join(parts).encode()).hexdigest()

    realm, nonce, uri = fields.get("realm", ""), fields["nonce"], address.without_credentials()
    secret, wanted = digest(address.user, realm, address.password), digest("DESCRIBE", uri)
    said = [f'username="{address.user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"', f"algorithm={algorithm}"]
    if "auth" in [one.strip() for one in fields.get("qop", "").split(",")]:
        response = digest(secret, nonce, "00000001", cnonce, "auth", wanted)
        said += ["qop=auth", "nc=00000001", f'cnonce="{cnonce}"']
    else:
        response = digest(secret, nonce, wanted)
    if "opaque" in fields:
        said.append(f'opaque="{fields["opaque"]}"')
    return "Digest " + ", ".join([*said, f'response="{response}"'])
