"""A backup's file, sealed under the vault's backup key; what it is made of is `sync.sealed_stream`'s."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from appliance.errors import CannotOpen
from appliance.vault import Vault
from sync import sealed_stream
from sync.at_rest import DoesNotOpen
from sync.sealed_stream import Sort

MAGIC = b"RGLB\x01"


def seal_stream(vault: Vault, source: BinaryIO, target: BinaryIO, between: Callable[[], None]) -> None:
    """`between` is called before each chunk; what it raises ends the work."""
    sealed_stream.seal_stream(Sort(MAGIC, vault.backup_key), source, target, between)


def open_stream(vault: Vault, source: BinaryIO, target: BinaryIO, name: str) -> None:
    """Raises CannotOpen, naming `name`; what was written to `target` before that must not be used."""
    try:
        sealed_stream.open_stream(Sort(MAGIC, vault.backup_key), source, target, name)
    except DoesNotOpen as error:
        raise CannotOpen(str(error)) from None
