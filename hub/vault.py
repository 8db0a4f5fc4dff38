"""Sealing at rest at headquarters: a tenant's values under its own data key, which lies sealed under the master key in `tenants`.

A tenant's key is random and lives as long as the tenant; the master key never seals a tenant's values, so that it can be moved to another
place without touching them. Each use of a key has a key of its own, derived under a label.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from hub.errors import CannotOpen
from sync.at_rest import KEY_BYTES, DoesNotOpen, Sealer, derived, lengths

FIELDS = b"regulars/v1/hub/fields"
LOOKUP = b"regulars/v1/hub/lookup"
USES = b"regulars/v1/hub/use/"


class Vault:
    """Seals and opens under one key. May be used from any thread."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
        self._key = key
        self._fields = Sealer(derived(key, FIELDS))
        self._lookup = derived(key, LOOKUP)

    def seal(self, plaintext: bytes, *, table: str, column: str, row: str) -> bytes:
        return self._fields.seal(plaintext, table=table, column=column, row=row)

    def unseal(self, sealed: bytes, *, table: str, column: str, row: str) -> bytes:
        """Raises CannotOpen, which names the place and never the content."""
        try:
            return self._fields.unseal(sealed, table=table, column=column, row=row)
        except DoesNotOpen as error:
            raise CannotOpen(str(error)) from None

    def lookup(self, value: str, *, purpose: str) -> bytes:
        """(32,) keyed hash by which an equal value is found again. Without the key nobody can try out values."""
        return hmac.digest(self._lookup, lengths(purpose.encode(), value.encode()), hashlib.sha256)

    def subkey(self, use: str) -> bytes:
        """(32,) a key for one use alone, always the same."""
        return derived(self._key, USES + use.encode())


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)
