"""Sealing at rest: every value under the data key of its folder, bound to the table, column and row it stands in (`sync.at_rest`).

The data key never seals anything itself: each use has a key of its own, derived under a label below.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from appliance.data_key import KEY_BYTES, KeyKeeper, data_key
from appliance.errors import CannotOpen
from sync.at_rest import DoesNotOpen, Sealer, derived, lengths

FIELDS = b"regulars/v1/fields"
LOOKUP = b"regulars/v1/lookup"
BACKUP = b"regulars/v1/backup"


class Vault:
    """Seals and opens with the data key of one data folder. May be used from any thread."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a data key has {KEY_BYTES} bytes, not {len(key)}")
        self._fields = Sealer(derived(key, FIELDS))
        self._lookup = derived(key, LOOKUP)
        self._backup = derived(key, BACKUP)

    @classmethod
    def open(cls, folder: Path, keeper: KeyKeeper | None = None) -> Vault:
        """The vault of a data folder; its key is made at the first start. Raises KeyUnavailable."""
        return cls(data_key(folder, keeper))

    def seal(self, plaintext: bytes, *, table: str, column: str, row: str) -> bytes:
        return self._fields.seal(plaintext, table=table, column=column, row=row)

    def unseal(self, sealed: bytes, *, table: str, column: str, row: str) -> bytes:
        """Raises CannotOpen, which names the place and never the content."""
        try:
            return self._fields.unseal(sealed, table=table, column=column, row=row)
        except DoesNotOpen as error:
            raise CannotOpen(str(error)) from None

    def lookup(self, value: str, *, purpose: str) -> bytes:
        """(32,) keyed hash by which an equal value is found again, e.g. purpose "phone". Without the key nobody can try out numbers."""
        return hmac.digest(self._lookup, lengths(purpose.encode(), value.encode()), hashlib.sha256)

    def backup_key(self, salt: bytes) -> bytes:
        """A key for one backup file alone, so that its chunks may count their nonces from zero."""
        return derived(self._backup, BACKUP, salt)
