"""The master key: 32 bytes that seal the tenants' keys and the hub's own, and prove to the database for whom a session acts.

It is kept as 64 hexadecimal digits in `master.key` in the data folder (mode 0600), in another file, or in the settings (meant for the
environment, where a secret store puts it). It is made once, and only where there is no database yet: a second key would open nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from pathlib import Path

from hub.errors import DataFolderError, KeyUnavailable
from hub.files import read_own, write_once
from hub.vault import Vault, new_key
from sync.at_rest import KEY_BYTES

KEY_FILE = "master.key"
PROOF = "tenant-proof"
FINGERPRINT = "fingerprint"
BLOCK_BYTES = 64
"""Of SHA-256: what HMAC pads its key to (RFC 2104)."""
THE_HUB = str(uuid.UUID(int=0))
"""What the hub itself acts as when it acts for no tenant; no tenant has this id."""


class MasterKey(Vault):
    """Seals the hub's own rows as a vault does, and signs for whom a database session acts."""

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self._proof = self.subkey(PROOF)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits by which a database knows the key again."""
        return hmac.digest(self.subkey(FINGERPRINT), b"", hashlib.sha256)[:8].hex()

    def acting_for(self, tenant_id: str) -> str:
        """What app.tenant is set to: "<uuid>.<proof>", checked by current_tenant() in the database. Raises ValueError unless a UUID."""
        said = str(uuid.UUID(tenant_id))
        return f"{said}.{hmac.digest(self._proof, said.encode(), hashlib.sha256).hex()}"

    def proof_pads(self) -> tuple[bytes, bytes]:
        """HMAC's inner and outer pad of the proof key: Postgres has SHA-256 and no HMAC, and with these it needs no more."""
        padded = self._proof.ljust(BLOCK_BYTES, b"\0")
        return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)


def master_key(folder: Path, *, file: Path | None = None, given: str = "", may_make: bool) -> MasterKey:
    """`given`: the key itself, from the settings; else what is in `file`, or in the data folder. `may_make`: there is no database yet.

    Raises KeyUnavailable.
    """
    if given:
        return MasterKey(_from_hex(given, "the setting keys.master"))
    path = file or folder / KEY_FILE
    try:
        found = read_own(path, 4 * KEY_BYTES)
    except DataFolderError as error:
        raise KeyUnavailable(f"The master key cannot be used: {error}") from None
    if found is not None:
        return MasterKey(_from_hex(found.decode("ascii", "replace"), str(path)))
    if not may_make:
        raise KeyUnavailable(
            f"The master key {path} is missing, but there is a database that was sealed under it. Put the key back; without it nothing "
            "sealed in there can be read."
        )
    if file is not None:
        raise KeyUnavailable(
            f"There is no master key {path}. Put one there (64 hexadecimal digits, mode 0600), or leave keys.master_file away."
        )
    key = new_key()
    write_once(path, key.hex().encode())
    return MasterKey(key)


def _from_hex(text: str, place: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyUnavailable(f"What is in {place} is no master key: it must be {2 * KEY_BYTES} hexadecimal digits. Put the right key back.")
    return key
