"""Files that are there whole or not at all: written beside, synced, renamed; and the sentence for each way a disk says no."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from appliance.errors import DataFolderError, DiskFull, StoreError

PART = ".part"
"""Ending of a file that is still being written; may be removed at any start."""


def make_folder(folder: Path) -> None:
    """Makes a folder that only its owner may open. Raises DataFolderError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        refuse_a_file(folder)
        raise refused(error, folder) from None


def refuse_a_file(folder: Path) -> None:
    """Raises DataFolderError where the folder, or one it should lie in, is a file."""
    for place in (folder, *folder.parents):
        if place.is_file():
            raise DataFolderError(f"{place} is a file, not a folder. Name another folder, or move the file away.")


def write_whole(path: Path, content: bytes, *, lasting: bool = True) -> None:
    """Readable by the owner alone. Raises DataFolderError or DiskFull and leaves nothing behind. A file that is not `lasting` may be gone
    or broken after a power cut, which costs half a millisecond less; one that is killed with -9 leaves it whole."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PART}")
    try:
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as opened:
            opened.write(content)
            opened.flush()
            if lasting:
                os.fsync(opened.fileno())
        part.replace(path)
        if lasting:
            sync_folder(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise refused(error, path) from None


def sync_folder(folder: Path) -> None:
    """A rename is only safe from a power cut once its folder is on the disk."""
    file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def refused(error: OSError, path: Path) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(f"The disk is full: {path} cannot be written. Free some space; what was stored before is safe.")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return DataFolderError(f"{path} cannot be written: {error.strerror}. Check who owns the folder and whether the disk is read-only.")
    return DataFolderError(f"{path} cannot be used: {error.strerror}.")
