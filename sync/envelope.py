"""A message as it crosses the line: compressed, sealed to its receiver, signed by its sender, beside a header that both vouch for.

    message = msgpack [header, ciphertext, signature]
    ciphertext = sealed(zstd(body), to the receiver, beside the header)      sync.compressing, sync.sealing
    signature = Ed25519 of (header, ciphertext)                              sync.signing

The header names the sender's key and stands in the seal, so nobody can take a sealed body, sign it with a key of his own and pass it off as
his. It is read first, before anything is believed: it says whose keys to try. Nothing of the body is looked at before the signature holds.
An answer names the digest of the message it answers, so an old answer played again is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from sync import compressing, sealing, signing
from sync.errors import AnotherAnswer, Malformed, NewerProtocol, NotForUs, TooLarge, WrongKey, WrongTenant
from sync.ids import is_id, is_line
from sync.keys import ID_HEX, OwnKeys, key_id
from sync.messages import BODY_BYTES_MAX, MESSAGE_BYTES_MAX, PROTOCOL, Answer, Header, Kind, PublicKeys, Push, Snapshot, Taken

HEADER_BYTES_MAX = 1_024
"""A header of today has 200."""
NUMBER_MAX = 1 << 53
"""Sequence numbers and times above are a fault; every language holds these exactly."""
DIGEST_BYTES = 32
CONTENT_TYPE = "application/msgpack"

Body = Push | Answer | Snapshot | Taken
B = TypeVar("B", Push, Answer, Snapshot, Taken)
KIND: dict[type[Body], Kind] = {Push: Kind.PUSH, Answer: Kind.ANSWER, Snapshot: Kind.SNAPSHOT, Taken: Kind.TAKEN}


class _Version(msgspec.Struct, array_like=True):
    """The one field of a header that no version may move."""

    version: int


_encoder = msgspec.msgpack.Encoder()
_parts = msgspec.msgpack.Decoder(tuple[bytes, bytes, bytes])
_version = msgspec.msgpack.Decoder(_Version)
_header = msgspec.msgpack.Decoder(Header)


@dataclass(frozen=True, slots=True)
class Read:
    """A message whose header has been read, and nothing verified yet. `digest`: of the whole, for an answer to name."""

    header: Header
    header_bytes: bytes
    ciphertext: bytes
    signature: bytes
    digest: bytes


def digest(message: bytes) -> bytes:
    """(32,) by which an answer names the message it answers."""
    return hashlib.sha256(message).digest()


def sealed_message(
    body: Body, *, tenant: str, appliance: str, line: str, first: int, last: int, made_ms: int, answers: bytes, to: PublicKeys, own: OwnKeys
) -> bytes:
    """Raises TooLarge, WrongKey if `to` cannot be sealed to. `answers`: digest of the message answered, or empty."""
    header_bytes = _encoder.encode(
        Header(
            kind=KIND[type(body)],
            tenant=tenant,
            appliance=appliance,
            line=line,
            first=first,
            last=last,
            seal_key=key_id(to.seal),
            sign_key=key_id(own.public.sign),
            made_ms=made_ms,
            answers=answers,
        )
    )
    body_bytes = _encoder.encode(body)
    if len(body_bytes) > BODY_BYTES_MAX:
        raise TooLarge(f"a body of kind {KIND[type(body)]} has {len(body_bytes)} bytes; at most {BODY_BYTES_MAX} are allowed")
    ciphertext = sealing.sealed(compressing.compressed(body_bytes), to.seal, header_bytes)
    signature = signing.signature(own.sign, signing.MESSAGE, header_bytes, ciphertext)
    message = _encoder.encode((header_bytes, ciphertext, signature))
    if len(message) > MESSAGE_BYTES_MAX:
        raise TooLarge(f"a message has {len(message)} bytes; at most {MESSAGE_BYTES_MAX} are allowed")
    return message


def read_header(message: bytes) -> Read:
    """Raises TooLarge, Malformed, NewerProtocol."""
    if len(message) > MESSAGE_BYTES_MAX:
        raise TooLarge(f"a message has {len(message)} bytes; at most {MESSAGE_BYTES_MAX} are allowed")
    try:
        header_bytes, ciphertext, signature = _parts.decode(message)
        version = _version.decode(header_bytes[:HEADER_BYTES_MAX]).version
        if version > PROTOCOL:
            raise NewerProtocol(f"the message is of protocol {version}, this end knows {PROTOCOL}: bring this end up to date")
        header = _header.decode(header_bytes[:HEADER_BYTES_MAX])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Malformed("what came is no message: not written by Regulars, or cut short") from None
    if not _plausible(header) or len(signature) != signing.SIGNATURE_BYTES or len(ciphertext) < sealing.OVERHEAD_BYTES:
        raise Malformed("what came has a header that cannot be")
    return Read(header, header_bytes, ciphertext, signature, digest(message))


def opened_message(
    read: Read, kind: type[B], *, tenant: str, appliance: str, answers: bytes, own: Sequence[OwnKeys], senders: Sequence[bytes]
) -> B:
    """The body, if it is of this kind, for this appliance, an answer to `answers` (empty: to nothing), signed by one of `senders` (Ed25519
    keys) and sealed to one of `own`.

    Raises WrongTenant, AnotherAnswer, NotForUs, WrongKey, BadSignature, CannotOpen, TooLarge, Malformed.
    """
    header = read.header
    if header.kind != KIND[kind]:
        raise NotForUs(f"a message of kind {KIND[kind]} was expected, not {header.kind}")
    if header.tenant != tenant:
        raise WrongTenant("the message is of another tenant")
    if header.appliance != appliance:
        raise NotForUs("the message is of another appliance")
    if header.answers != answers:
        raise AnotherAnswer("the answer belongs to another request: it came late, twice, or was played again")
    signer = next((public for public in senders if key_id(public) == header.sign_key), None)
    if signer is None:
        raise WrongKey("the message is signed with a key that is not known here; if its sender was set up anew, pair again")
    keys = next((keys for keys in own if key_id(keys.public.seal) == header.seal_key), None)
    if keys is None:
        raise WrongKey("the message is sealed to a key that is not ours; if this end was set up anew, pair again")
    signing.verify(signer, read.signature, signing.MESSAGE, read.header_bytes, read.ciphertext)
    body = compressing.expanded(sealing.opened(read.ciphertext, keys.seal, read.header_bytes), BODY_BYTES_MAX)
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        # The type of the error alone: its words may quote the content.
        raise Malformed(f"a body of kind {header.kind} cannot be read ({type(error).__name__})") from None


def _plausible(header: Header) -> bool:
    return (
        header.version >= 1
        and len(header.kind) <= 16
        and is_id(header.tenant)
        and is_id(header.appliance)
        and is_line(header.line)
        and all(0 <= number <= NUMBER_MAX for number in (header.first, header.last, header.made_ms))
        and len(header.seal_key) == len(header.sign_key) == ID_HEX
        and len(header.answers) in (0, DIGEST_BYTES)
    )
