"""Sealing at rest: AES-256-GCM under one data key per data folder, each value bound to the table, column and row it stands in.

    sealed value = 1 byte version (1) · 12 bytes nonce · ciphertext · 16 bytes tag

The data key never seals anything itself: each use has a key of its own, derived with HKDF-SHA256 under a label below.
A random 96-bit nonce is safe for 2^32 values under one key (NIST SP 800-38D, 8.3: a repeat then has a chance below 2^-32); a store
that seals ten thousand values a day gets there in a thousand years.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.data_key import KEY_BYTES, KeyKeeper, data_key
from appliance.errors import CannotOpen

VERSION = b"\x01"
NONCE_BYTES = 12
TAG_BYTES = 16
FIELDS = b"regulars/v1/fields"
LOOKUP = b"regulars/v1/lookup"
BACKUP = b"regulars/v1/backup"


class Vault:
    """Seals and opens with the data key of one data folder. May be used from any thread."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a data key has {KEY_BYTES} bytes, not {len(key)}")
        self._fields = AESGCM(_derived(key, FIELDS, b""))
        self._lookup = _derived(key, LOOKUP, b"")
        self._backup = _derived(key, BACKUP, b"")

    @classmethod
    def open(cls, folder: Path, keeper: KeyKeeper | None = None) -> Vault:
        """The vault of a data folder; its key is made at the first start. Raises KeyUnavailable."""
        return cls(data_key(folder, keeper))

    def seal(self, plaintext: bytes, *, table: str, column: str, row: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + self._fields.encrypt(nonce, plaintext, _place(table, column, row))

    def unseal(self, sealed: bytes, *, table: str, column: str, row: str) -> bytes:
        """Raises CannotOpen, which names the place and never the content."""
        where = f"{table}.{column} of row {row}"
        if len(sealed) < len(VERSION) + NONCE_BYTES + TAG_BYTES:
            raise CannotOpen(f"{where} is cut short: {len(sealed)} bytes.")
        if sealed[:1] != VERSION:
            raise CannotOpen(f"{where} was sealed by another version of Regulars (format {sealed[0]}).")
        nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._fields.decrypt(nonce, ciphertext, _place(table, column, row))
        except InvalidTag:
            raise CannotOpen(f"{where} does not open: it was changed, moved from another row, or sealed under another key.") from None

    def lookup(self, value: str, *, purpose: str) -> bytes:
        """(32,) keyed hash by which an equal value is found again, e.g. purpose "phone". Without the key nobody can try out numbers."""
        return hmac.digest(self._lookup, _lengths(purpose.encode(), value.encode()), hashlib.sha256)

    def backup_key(self, salt: bytes) -> bytes:
        """A key for one backup file alone, so that its chunks may count their nonces from zero."""
        return _derived(self._backup, BACKUP, salt)


def _derived(key: bytes, label: bytes, salt: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt or None, info=label).derive(key)


def _place(table: str, column: str, row: str) -> bytes:
    return VERSION + _lengths(table.encode(), column.encode(), row.encode())


def _lengths(*parts: bytes) -> bytes:
    """Each part behind its length, so that no two different lists give the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
