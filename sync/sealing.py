"""Sealing for one receiver: HPKE (RFC 9180), base mode, one message a key, suite MLKEM768-X25519 · HKDF-SHA256 · AES-256-GCM.

What is recorded on the line today must not be opened by a machine of tomorrow: faces do not change in thirty years. The KEM is a hybrid
(draft-connolly-cfrg-xwing-kem, HPKE's 0x647A): whoever wants in must break both ML-KEM-768 and X25519.

Each message gets a fresh key from the KEM, under which one nonce is used once: there is no nonce to repeat. What is not secret but must not
be changed goes in as `info`: with another `info`, another key comes out and nothing opens.
HPKE says nothing of who sealed it; that is `sync.signing`'s.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

from sync.errors import CannotOpen, WrongKey

SECRET_BYTES = 32
MLKEM_PUBLIC_BYTES = 1184
PUBLIC_BYTES = MLKEM_PUBLIC_BYTES + 32
OVERHEAD_BYTES = 1088 + 32 + 16
"""ML-KEM's ciphertext, X25519's public key, GCM's tag."""
LABEL = b"regulars/v1/sealed"

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def sealing_key(secret: bytes) -> tuple[MLKEM768X25519PrivateKey, bytes]:
    """The private key that a secret of 32 bytes stands for, and its public half as bytes. How 32 bytes become two keys is the KEM's own
    rule (draft-connolly-cfrg-xwing-kem, 5.2), so that a key can be taken to any other implementation."""
    expanded = hashlib.shake_256(secret).digest(96)
    mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
    public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
    return MLKEM768X25519PrivateKey(mlkem, x25519), public


def sealed(plaintext: bytes, public: bytes, header: bytes) -> bytes:
    """Only the owner of `public` opens it, and only beside the same `header`. Raises WrongKey if `public` is no key."""
    if len(public) != PUBLIC_BYTES:
        raise WrongKey(f"a sealing key has {PUBLIC_BYTES} bytes, not {len(public)}")
    try:
        mlkem = MLKEM768PublicKey.from_public_bytes(public[:MLKEM_PUBLIC_BYTES])
        x25519 = X25519PublicKey.from_public_bytes(public[MLKEM_PUBLIC_BYTES:])
        return _SUITE.encrypt(plaintext, MLKEM768X25519PublicKey(mlkem, x25519), info=LABEL + header)
    except ValueError:
        raise WrongKey("what stands for a sealing key is none") from None


def opened(ciphertext: bytes, key: MLKEM768X25519PrivateKey, header: bytes) -> bytes:
    """Raises CannotOpen."""
    try:
        return _SUITE.decrypt(ciphertext, key, info=LABEL + header)
    except (InvalidTag, ValueError):
        raise CannotOpen("the message does not open: it was sealed to another key, beside another header, or is damaged") from None
