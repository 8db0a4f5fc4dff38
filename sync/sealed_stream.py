"""A file of any size, sealed in chunks whose order and end are authenticated (the STREAM construction, as in age).

    file   = header · chunk · chunk · … · last chunk
    header = what it is, 5 bytes · 16 bytes random salt
    chunk  = AES-256-GCM of up to 1 MiB of plaintext, all but the last exactly 1 MiB (the last may be empty)
    nonce  = 11 bytes counter from 0, big-endian · 1 byte: 1 for the last chunk, else 0
    the header is authenticated with every chunk

The caller derives a key with the salt, so a counter is a safe nonce: no key ever seals two files.
A chunk moved, left out, repeated or taken from another file does not open; a file cut after a whole chunk lacks the last one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sync.at_rest import DoesNotOpen

MAGIC_BYTES = 5
SALT_BYTES = 16
CHUNK_BYTES = 1 << 20
TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Sort:
    """Of sealed files. `magic`: its first five bytes, the last of which is a version. `key`: (32,) from a file's salt."""

    magic: bytes
    key: Callable[[bytes], bytes]


def seal_stream(sort: Sort, source: BinaryIO, target: BinaryIO, between: Callable[[], None]) -> None:
    """`between` is called before each chunk; what it raises ends the work."""
    assert len(sort.magic) == MAGIC_BYTES
    header = sort.magic + os.urandom(SALT_BYTES)
    cipher = AESGCM(sort.key(header[MAGIC_BYTES:]))
    target.write(header)
    chunk, number = source.read(CHUNK_BYTES), 0
    while True:
        between()
        after = source.read(CHUNK_BYTES) if len(chunk) == CHUNK_BYTES else b""
        target.write(cipher.encrypt(_nonce(number, last=not after), chunk, header))
        if not after:
            return
        chunk, number = after, number + 1


def open_stream(sort: Sort, source: BinaryIO, target: BinaryIO, name: str) -> None:
    """Raises DoesNotOpen, naming `name`; what was written to `target` before that must not be used."""
    header = source.read(MAGIC_BYTES + SALT_BYTES)
    if len(header) < MAGIC_BYTES + SALT_BYTES or not header.startswith(sort.magic):
        raise DoesNotOpen(f"{name} is no sealed backup of Regulars.")
    cipher = AESGCM(sort.key(header[MAGIC_BYTES:]))
    sealed, number = source.read(CHUNK_BYTES + TAG_BYTES), 0
    while True:
        after = source.read(CHUNK_BYTES + TAG_BYTES)
        try:
            target.write(cipher.decrypt(_nonce(number, last=not after), sealed, header))
        except (InvalidTag, ValueError):
            raise DoesNotOpen(f"{name} does not open: it is cut short, was changed, or was sealed under another key.") from None
        if not after:
            return
        sealed, number = after, number + 1


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
