"""Files of the hub's data folder: there whole or not at all, their owner's alone; and the sentence for each way a disk says no."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from hub.errors import DataFolderError, DiskFull

PART = ".part"
"""Ending of a file that is still being written; may be removed at any start."""


def make_folder(folder: Path) -> None:
    """Makes a folder that only its owner may open. Raises DataFolderError."""
    for place in (folder, *folder.parents):
        if place.is_file():
            raise DataFolderError(f"{place} is a file, not a folder. Name another folder, or move the file away.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise refused(error, folder) from None


def write_once(path: Path, content: bytes) -> None:
    """Written beside, synced and linked into place: the name appears once, with the whole content, and never replaces another file.
    Raises DataFolderError, DiskFull."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PART}")
    try:
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        os.link(part, path)
        sync_folder(path.parent)
    except OSError as error:
        raise refused(error, path) from None
    finally:
        part.unlink(missing_ok=True)


def read_own(path: Path, bytes_max: int) -> bytes | None:
    """A secret of ours; None when there is none. Raises DataFolderError when others can read it, too."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataFolderError(f"{path} cannot be read: {error.strerror}.") from None
    with os.fdopen(file, "rb") as opened:
        mode = os.fstat(opened.fileno()).st_mode & 0o777
        if mode & 0o077:
            raise DataFolderError(f"{path} can be read by others (mode {mode:04o}). Run: chmod 600 '{path}'")
        return opened.read(bytes_max)


def sync_folder(folder: Path) -> None:
    """A rename is only safe from a power cut once its folder is on the disk."""
    file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def refused(error: OSError, path: Path) -> DataFolderError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(f"The disk is full: {path} cannot be written. Free some space; what was stored before is safe.")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return DataFolderError(f"{path} cannot be written: {error.strerror}. Check who owns the folder and whether the disk is read-only.")
    return DataFolderError(f"{path} cannot be used: {error.strerror}.")
