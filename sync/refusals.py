"""A refusal: the one thing the hub says in the clear, as it may not know whom to seal it to. Signed, and bound to the request it refuses.

    refusal = msgpack [refusal, signature]

It says why in a word of a fixed list and for how long; nothing of the request, nobody's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from sync import signing
from sync.errors import AnotherAnswer, Malformed, TooLarge, WrongKey
from sync.keys import OwnKeys, key_id
from sync.messages import WORDS_MAX, Refusal

REFUSAL_BYTES_MAX = 2_048
RETRY_S_MAX = 24 * 3600
"""Nobody is sent away for longer than a day, not even by a hub that is out of its mind."""


class Code(StrEnum):
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    TOO_FAST = "too_fast"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    WRONG_KEY = "wrong_key"
    NEWER_PROTOCOL = "newer_protocol"
    BUSY = "busy"
    OLD_LINE = "old_line"
    """Of a life of the appliance's database that has ended: its disk was put back to an earlier day."""


_encoder = msgspec.msgpack.Encoder()
_parts = msgspec.msgpack.Decoder(tuple[bytes, bytes])
_refusal = msgspec.msgpack.Decoder(Refusal)


def refusal_message(code: Code, words: str, *, answers: bytes, now_ms: int, retry_s: int, own: OwnKeys) -> bytes:
    """`answers`: digest of the message refused. `own`: the pair that message was sealed to, where it is one of ours."""
    refusal = Refusal(code=code, words=words[:WORDS_MAX], now_ms=now_ms, retry_s=retry_s, sign_key=key_id(own.public.sign), answers=answers)
    refusal_bytes = _encoder.encode(refusal)
    return _encoder.encode((refusal_bytes, signing.signature(own.sign, signing.REFUSAL, refusal_bytes)))


def is_refusal(message: bytes) -> bool:
    """Whether what came is to be read as a refusal (a pair) or as a message (of three)."""
    return message[:1] == b"\x92"


def read_refusal(message: bytes, *, answers: bytes, senders: Sequence[bytes]) -> Refusal:
    """Raises TooLarge, Malformed, AnotherAnswer, WrongKey, BadSignature. A code that is not known here comes back as it is."""
    if len(message) > REFUSAL_BYTES_MAX:
        raise TooLarge(f"a refusal has {len(message)} bytes; at most {REFUSAL_BYTES_MAX} are allowed")
    try:
        refusal_bytes, signature = _parts.decode(message)
        refusal = _refusal.decode(refusal_bytes)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Malformed("what came is no refusal") from None
    if refusal.answers != answers:
        raise AnotherAnswer("the refusal belongs to another request")
    signer = next((public for public in senders if key_id(public) == refusal.sign_key), None)
    if signer is None:
        raise WrongKey("the refusal is signed with a key that is not the hub's; if the hub was set up anew, pair again")
    signing.verify(signer, signature, signing.REFUSAL, refusal_bytes)
    return msgspec.structs.replace(refusal, words=refusal.words[:WORDS_MAX], retry_s=max(0, min(refusal.retry_s, RETRY_S_MAX)))
