"""Signing: Ed25519 (RFC 8032) over a label and a digest. A signature made for one purpose never counts for another.

    signature = Ed25519(label · 0x00 · SHA-512(length · part · length · part …))

The digest and not the whole is signed, because Ed25519 reads its input twice, and a megabyte takes 2.5 ms so. SHA-512 is what Ed25519 is
made of: no further primitive to trust. Each part stands behind its length, so that no two different lists of parts give the same digest.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.errors import BadSignature

SECRET_BYTES = 32
PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64
MESSAGE = b"regulars/v1/message"
REFUSAL = b"regulars/v1/refusal"


def signing_key(secret: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(secret)


def signature(key: Ed25519PrivateKey, label: bytes, *parts: bytes) -> bytes:
    return key.sign(_signed(label, parts))


def verify(public: bytes, signature: bytes, label: bytes, *parts: bytes) -> None:
    """Raises BadSignature unless `signature` was made of just these parts, for this purpose, by the key of `public`."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _signed(label, parts))
    except (InvalidSignature, ValueError):
        raise BadSignature("the signature does not hold: the message was changed on the way, or somebody else made it") from None


def _signed(label: bytes, parts: tuple[bytes, ...]) -> bytes:
    digest = hashlib.sha512()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return label + b"\x00" + digest.digest()
