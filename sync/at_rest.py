"""Sealing one value at rest: AES-256-GCM, bound to the table, column and row it stands in. Where the key comes from is the caller's matter.

    sealed value = 1 byte version (1) · 12 bytes nonce · ciphertext · 16 bytes tag

A random 96-bit nonce is safe for 2^32 values under one key (NIST SP 800-38D, 8.3: a repeat then has a chance below 2^-32); a store
that seals ten thousand values a day gets there in a thousand years, a chain of a hundred such stores in ten.
A key that seals does nothing else: each use has a key of its own, `derived` under a label.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
VERSION = b"\x01"
NONCE_BYTES = 12
TAG_BYTES = 16


class DoesNotOpen(Exception):
    """Names the place and never the content."""


class Sealer:
    """Seals and opens under one key of 32 bytes. May be used from any thread."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
        self._cipher = AESGCM(key)

    def seal(self, plaintext: bytes, *, table: str, column: str, row: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, plaintext, _place(table, column, row))

    def unseal(self, sealed: bytes, *, table: str, column: str, row: str) -> bytes:
        """Raises DoesNotOpen."""
        where = f"{table}.{column} of row {row}"
        if len(sealed) < len(VERSION) + NONCE_BYTES + TAG_BYTES:
            raise DoesNotOpen(f"{where} is cut short: {len(sealed)} bytes.")
        if sealed[:1] != VERSION:
            raise DoesNotOpen(f"{where} was sealed by another version of Regulars (format {sealed[0]}).")
        nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, ciphertext, _place(table, column, row))
        except InvalidTag:
            raise DoesNotOpen(f"{where} does not open: it was changed, moved from another row, or sealed under another key.") from None


def derived(key: bytes, label: bytes, salt: bytes = b"") -> bytes:
    """(32,) HKDF-SHA256 (RFC 5869) of a key for one use alone."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt or None, info=label).derive(key)


def lengths(*parts: bytes) -> bytes:
    """Each part behind its length, so that no two different lists give the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _place(table: str, column: str, row: str) -> bytes:
    return VERSION + lengths(table.encode(), column.encode(), row.encode())
