"""The keys of one end of the line: one pair to be sealed to, one to sign with; how keys are named and compared by people.

Both secrets are 32 random bytes, made where they are used and never sent. Whoever stores them seals them; this package has no place for
them. A hub and an appliance each have one pair of pairs at a time, and rotate both together.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

from sync import sealing, signing
from sync.crockford import BITS, grouped
from sync.errors import WrongKey
from sync.messages import PublicKeys

FORMAT = b"\x01"
STORED_BYTES = len(FORMAT) + sealing.SECRET_BYTES + signing.SECRET_BYTES
ID = b"regulars/v1/key-id"
ID_HEX = 32
"""128 bits: two keys never have the same id by accident, and no signature or seal rests on it."""
FINGERPRINT = b"regulars/v1/fingerprint"
FINGERPRINT_SIGNS = 16
"""80 bits. Somebody in the middle needs keys of his own with the fingerprint of the hub's, which are given: 2^80 tries, each the making of
a key. More signs would not be compared at all."""


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """Private; only `public` leaves the machine."""

    public: PublicKeys
    seal: MLKEM768X25519PrivateKey = field(repr=False)
    sign: Ed25519PrivateKey = field(repr=False)
    stored: bytes = field(repr=False)
    """What `from_stored` makes the same keys of: to be sealed before it is written anywhere."""


def make() -> OwnKeys:
    """New keys, from the system's own randomness and no other."""
    return from_stored(FORMAT + os.urandom(sealing.SECRET_BYTES + signing.SECRET_BYTES))


def from_stored(stored: bytes) -> OwnKeys:
    """Raises WrongKey, without a word of what was stored."""
    if len(stored) != STORED_BYTES or not stored.startswith(FORMAT):
        raise WrongKey("stored keys are damaged, or were written by a newer version of Regulars")
    seal, seal_public = sealing.sealing_key(stored[len(FORMAT) : len(FORMAT) + sealing.SECRET_BYTES])
    sign = signing.signing_key(stored[-signing.SECRET_BYTES :])
    return OwnKeys(PublicKeys(seal=seal_public, sign=sign.public_key().public_bytes_raw()), seal, sign, stored)


def key_id(public: bytes) -> str:
    """By which a header names a key. Says nothing else of it."""
    return hashlib.sha256(ID + b"\x00" + public).hexdigest()[:ID_HEX]


def fingerprint(keys: PublicKeys) -> str:
    """For people to compare: the same on both ends, or somebody sits in the middle. For example `7K2M-QX4D-09WV-3HNB`."""
    digest = hashlib.sha256(FINGERPRINT + b"\x00" + checked(keys).seal + keys.sign).digest()
    bits = FINGERPRINT_SIGNS * BITS
    return grouped(int.from_bytes(digest, "big") >> (8 * len(digest) - bits), FINGERPRINT_SIGNS)


def checked(keys: PublicKeys) -> PublicKeys:
    """Keys that came from outside, before they are stored. Raises WrongKey unless both can be used."""
    sealing.sealed(b"", keys.seal, b"")
    if len(keys.sign) != signing.PUBLIC_BYTES:
        raise WrongKey(f"a signing key has {signing.PUBLIC_BYTES} bytes, not {len(keys.sign)}")
    return keys
