"""SQLite's errors that are about the disk, the file or somebody else's lock, in words for the person who runs the store."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from appliance.errors import DatabaseError, DataFolderError, DiskFull, StoreError

FREE_BYTES_MIN = 1 << 20
"""With less than this free, a failed write is taken for a full disk: SQLite's own files grow by 32 KB to 1 MB at a time."""


def in_words(error: sqlite3.Error, folder: Path) -> StoreError | None:
    """None for an error of the statement itself (a constraint, wrong SQL): that is a defect of ours and stays what it is."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _is_full(folder)):
        return DiskFull(f"The disk with {folder} is full: nothing new can be stored. Free some space; what was stored before is safe.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return DataFolderError(
            f"The database in {folder} cannot be opened or written. Check who owns the folder and whether the disk is read-only."
        )
    if code == sqlite3.SQLITE_IOERR:
        return DataFolderError(f"The disk with {folder} fails to read or write ({error}). Check the disk.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DatabaseError(f"The database in {folder} is kept busy by another program. Try again.")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return DatabaseError(f"The database in {folder} is broken ({error}). Start Regulars again: it restores the newest good backup.")
    return None


def _is_full(folder: Path) -> bool:
    try:
        room = os.statvfs(folder)
    except OSError:
        return False
    return room.f_bavail * room.f_frsize < FREE_BYTES_MIN
