"""How an appliance and a hub that know nothing of each other come to know each other's keys, through a code that a person carries across.

    code      IIII-SSSS-SSSS       the open half finds the code at the hub, the secret half never crosses the line
    request   msgpack [request, HMAC-SHA256(key, label · request)]                        key = scrypt(secret, salt = open half)
    answer    msgpack [answer, HMAC-SHA256(key, label · SHA-256(request message) · answer)]

Each side proves with the code that its keys are its own, so somebody in the middle cannot put his in their place: he would have to find the
secret, 2^40 tries of a tenth of a second each, within the ten minutes that the code holds. Afterwards it is worth nothing. The hub takes
five attempts a code, and the same request again gets the same answer, which may have been lost.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import ipaddress
import os
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

import msgspec

from sync.crockford import ALPHABET, typed
from sync.envelope import digest
from sync.errors import BadCode, BadSignature, Malformed, Refused, TooLarge
from sync.ids import is_id
from sync.keys import checked
from sync.messages import PairAnswer, PairRequest

OPEN_SIGNS, SECRET_SIGNS = 4, 8
CODE_S = 600
ATTEMPTS_MAX = 5
MESSAGE_BYTES_MAX = 8 << 10
"""Keys are 1,248 bytes, names as below."""
NAME_MAX = 100
NONCE_BYTES = 16
NO_ADDRESS = "what stands behind the @ is no address of a hub. Say for example https://hub.example.com"
"""Not repeated: somebody may have typed a password into it."""
KEY = b"regulars/v1/pair-key"
REQUEST = b"regulars/v1/pair-request"
ANSWER = b"regulars/v1/pair-answer"
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 15, 8, 1
"""32 MB and a tenth of a second a try (RFC 7914, 2): two tries a pairing for us, 2^39 on average for somebody who guesses."""


class NotPaired(StrEnum):
    """Why the hub does not pair, as its answer says. It cannot be signed: the appliance knows no key of the hub yet."""

    WRONG_CODE = "wrong_code"
    """Unknown, used, out of date or not proven; which of them, the hub does not tell somebody who is guessing."""
    TOO_OFTEN = "too_often"
    MALFORMED = "malformed"
    BUSY = "busy"


WORDS = {
    NotPaired.WRONG_CODE: "The hub does not take this code. It is mistyped, used, or older than ten minutes: have a new one made.",
    NotPaired.TOO_OFTEN: "Too many attempts at this hub. Wait a few minutes, then have a new code made.",
    NotPaired.MALFORMED: "The hub cannot read what this store sent. Bring both to the same version.",
    NotPaired.BUSY: "The hub is busy. Try again in a minute; the code still holds.",
}


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code. `shown`: both halves, for the person who carries it."""

    code_id: str
    secret: str = field(repr=False)

    @property
    def shown(self) -> str:
        return f"{self.code_id}-{self.secret}"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to pair, as typed. `plain`: not encrypted by TLS; what crosses is sealed all the same, and the page says so."""

    code: Code
    url: str
    plain: bool


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A request before it is proven: `code_id` finds the code whose key proves it."""

    request: PairRequest
    request_bytes: bytes
    proof: bytes
    digest: bytes


_encoder = msgspec.msgpack.Encoder()
_parts = msgspec.msgpack.Decoder(tuple[bytes, bytes])
_request = msgspec.msgpack.Decoder(PairRequest)
_answer = msgspec.msgpack.Decoder(PairAnswer)
_not_paired = msgspec.msgpack.Decoder(tuple[str])


def make_code() -> Code:
    """From the system's own randomness and no other."""
    signs = "".join(ALPHABET[byte & 31] for byte in os.urandom(OPEN_SIGNS + SECRET_SIGNS))
    return _code(signs)


def parse_code(text: str) -> Code:
    """A code as somebody typed it. Raises BadCode, without repeating it."""
    signs = typed(text, OPEN_SIGNS + SECRET_SIGNS)
    if signs is None:
        raise BadCode("A pairing code has twelve letters and digits, like 7K2M-QX4D-09WV; the letter U is in none")
    return _code(signs.replace("-", ""))


def parse_target(text: str) -> Target:
    """`CODE@URL`; https where none is said. http only to this machine or within a private network. Raises BadCode."""
    code, at, address = text.strip().partition("@")
    if not at:
        raise BadCode("Say CODE@URL, for example 7K2M-QX4D-09WV@hub.example.com")
    parsed = parse_code(code)
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadCode(NO_ADDRESS) from None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.query or parts.fragment:
        raise BadCode(NO_ADDRESS)
    plain = parts.scheme == "http"
    if plain and not _near(host):
        raise BadCode(f"{host} is neither this machine nor in a private network, so the address must begin with https://")
    place = f"[{host}]" if ":" in host else host
    return Target(parsed, f"{parts.scheme}://{place}{f':{port}' if port else ''}{parts.path.rstrip('/')}", plain)


def proof_key(code: Code, work: int = SCRYPT_N) -> bytes:
    """(32,) what both sides prove with. The hub keeps this, sealed, and not the code. Takes a tenth of a second on purpose; `work`: less,
    where nobody guesses, and on both sides alike."""
    return hashlib.scrypt(
        code.secret.replace("-", "").encode(),
        salt=KEY + b"\x00" + code.code_id.encode(),
        n=work,
        r=SCRYPT_R,
        p=SCRYPT_P,
        maxmem=2 * 128 * work * SCRYPT_R,
        dklen=32,
    )


def request_message(request: PairRequest, key: bytes) -> bytes:
    request_bytes = _encoder.encode(request)
    return _encoder.encode((request_bytes, _proof(key, REQUEST, request_bytes)))


def read_request(message: bytes) -> ReadRequest:
    """Raises TooLarge, Malformed, WrongKey. Nothing is proven yet."""
    try:
        request_bytes, proof = _parts.decode(_bounded(message))
        request = _request.decode(request_bytes)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Malformed("what came is no request to pair") from None
    if max(len(request.name), len(request.time_zone), len(request.version)) > NAME_MAX or len(request.nonce) != NONCE_BYTES:
        raise Malformed("a request to pair has values that cannot be")
    if (signs := typed(request.code_id, OPEN_SIGNS)) is None or signs != request.code_id:
        raise Malformed("a request to pair names no code")
    checked(request.keys)
    return ReadRequest(request, request_bytes, proof, digest(message))


def check_request(read: ReadRequest, key: bytes) -> None:
    """Raises BadSignature unless its sender knows the secret half: then the keys in it are the appliance's own."""
    if not hmac.compare_digest(read.proof, _proof(key, REQUEST, read.request_bytes)):
        raise BadSignature("the request to pair was not made with this code")


def answer_message(answer: PairAnswer, request_digest: bytes, key: bytes) -> bytes:
    answer_bytes = _encoder.encode(answer)
    return _encoder.encode((answer_bytes, _proof(key, ANSWER, request_digest + answer_bytes)))


def not_paired_message(why: NotPaired) -> bytes:
    return _encoder.encode((why,))


def is_not_paired(message: bytes) -> bool:
    """Whether what is answered is a reason (one word) or an answer (a pair)."""
    return message[:1] == b"\x91"


def read_answer(message: bytes, request_digest: bytes, key: bytes) -> PairAnswer:
    """The hub's answer to this very request.

    Raises Refused with the hub's reason (nothing proves that one: it is shown and changes nothing), BadSignature for whoever does not know
    the code, TooLarge, Malformed, WrongKey.
    """
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        (why,) = _not_paired.decode(_bounded(message))
        raise Refused(WORDS[NotPaired(why)])
    try:
        answer_bytes, proof = _parts.decode(_bounded(message))
        if not hmac.compare_digest(proof, _proof(key, ANSWER, request_digest + answer_bytes)):
            raise BadSignature("what answered does not know the code: it is not the hub that made it. Check the address")
        answer = _answer.decode(answer_bytes)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Malformed("what came is no answer to a request to pair; check the address") from None
    if not all(map(is_id, (answer.tenant_id, answer.site_id, answer.appliance_id))):
        raise Malformed("the answer to a request to pair has ids that are none")
    checked(answer.keys)
    return answer


def _code(signs: str) -> Code:
    return Code(signs[:OPEN_SIGNS], f"{signs[OPEN_SIGNS : OPEN_SIGNS + 4]}-{signs[OPEN_SIGNS + 4 :]}")


def _proof(key: bytes, label: bytes, said: bytes) -> bytes:
    return hmac.digest(key, label + b"\x00" + said, hashlib.sha256)


def _bounded(message: bytes) -> bytes:
    if len(message) > MESSAGE_BYTES_MAX:
        raise TooLarge(f"a message of pairing has {len(message)} bytes; at most {MESSAGE_BYTES_MAX} are allowed")
    return message


def _near(host: str) -> bool:
    """Whether a host is this machine or of a private network, by its address or by a name that no public server can have."""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal", ".home.arpa")):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_private
