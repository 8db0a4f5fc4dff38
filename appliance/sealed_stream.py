"""A file of any size, sealed in chunks whose order and end are authenticated (the STREAM construction, as in age).

    file   = header · chunk · chunk · … · last chunk
    header = "RGLB" · 1 byte version (1) · 16 bytes random salt
    chunk  = AES-256-GCM of up to 1 MiB of plaintext, all but the last exactly 1 MiB (the last may be empty)
    nonce  = 11 bytes counter from 0, big-endian · 1 byte: 1 for the last chunk, else 0
    the header is authenticated with every chunk

The key is derived from the vault's backup key with the salt, so a counter is a safe nonce: no key ever seals two files.
A chunk moved, left out, repeated or taken from another file does not open; a file cut after a whole chunk lacks the last one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.errors import CannotOpen
from appliance.vault import Vault

MAGIC = b"RGLB\x01"
SALT_BYTES = 16
CHUNK_BYTES = 1 << 20
TAG_BYTES = 16


def seal_stream(vault: Vault, source: BinaryIO, target: BinaryIO, between: Callable[[], None]) -> None:
    """`between` is called before each chunk; what it raises ends the work."""
    header = MAGIC + os.urandom(SALT_BYTES)
    cipher = AESGCM(vault.backup_key(header[len(MAGIC) :]))
    target.write(header)
    chunk, number = source.read(CHUNK_BYTES), 0
    while True:
        between()
        after = source.read(CHUNK_BYTES) if len(chunk) == CHUNK_BYTES else b""
        target.write(cipher.encrypt(_nonce(number, last=not after), chunk, header))
        if not after:
            return
        chunk, number = after, number + 1


def open_stream(vault: Vault, source: BinaryIO, target: BinaryIO, name: str) -> None:
    """Raises CannotOpen, naming `name`; what was written to `target` before that must not be used."""
    header = source.read(len(MAGIC) + SALT_BYTES)
    if len(header) < len(MAGIC) + SALT_BYTES or not header.startswith(MAGIC):
        raise CannotOpen(f"{name} is no sealed backup of Regulars.")
    cipher = AESGCM(vault.backup_key(header[len(MAGIC) :]))
    sealed, number = source.read(CHUNK_BYTES + TAG_BYTES), 0
    while True:
        after = source.read(CHUNK_BYTES + TAG_BYTES)
        try:
            target.write(cipher.decrypt(_nonce(number, last=not after), sealed, header))
        except (InvalidTag, ValueError):
            raise CannotOpen(f"{name} does not open: it is cut short, was changed, or was sealed under another key.") from None
        if not after:
            return
        sealed, number = after, number + 1


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
