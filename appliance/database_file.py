"""The database as a file: its name, whether it is sound, and how a broken one is set aside. Opens nothing for good."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from appliance.files import refused, sync_folder

NAME = "regulars.db"
COMPANIONS = ("-wal", "-shm", "-journal")
APPLICATION_ID = 0x52454755
"""'REGU' in the file's header: a database of ours, whatever it is called."""


def path_in(folder: Path) -> Path:
    return folder / NAME


def made_private(path: Path) -> None:
    """The owner's alone, also in a folder that somebody made beforehand and others may enter; SQLite gives its companions the same rights.
    Where that cannot be, SQLite says why it cannot be opened."""
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)


def fault(path: Path) -> str | None:
    """What is wrong with the file, in words; None if it is sound. A file that cannot be reached (locked, no permission) raises
    sqlite3.OperationalError: that is no reason to set it aside."""
    connection = sqlite3.connect(path.absolute().as_uri() + "?mode=rw", uri=True, isolation_level=None, timeout=10.0)
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        connection.close()
    return None if found == ["ok"] else "; ".join(found).replace("\n", " ")[:200]


def set_aside(folder: Path, now_ms: int, why: str = "broken") -> Path | None:
    """Renames the database and its companions to `regulars.db.<why>-<UTC time>`; None if there was no database file.

    The database goes first: after a crash in between, companions without a database are set aside at the next start and can never be
    played into another file.
    """
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = _free(folder / f"{NAME}.{why}-{stamp}")
    moved = None
    try:
        for ending in ("", *COMPANIONS):
            path = folder / (NAME + ending)
            if path.exists():
                path.replace(Path(f"{aside}{ending}"))
                moved = aside if not ending else moved
        sync_folder(folder)
    except OSError as error:
        raise refused(error, folder / NAME) from None
    return moved


def _free(path: Path) -> Path:
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
