"""What was forgotten, as marks: the table `forgotten`, and the same list as a file beside the database and beside its backups.

A backup that is brought back is older than the erasures since. What the file has and its table has not is forgotten anew (`honouring`), so
the list outlives every database. A mark is a keyed hash of an id: without the data key nobody can tell whose it is, and with it no two
marks can be told to belong together.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.files import make_folder, refused, write_whole
from appliance.vault import Vault

if TYPE_CHECKING:
    from appliance.database import Store

FILE = "forgotten.list"
HEAD = "Regulars: marks of what was forgotten and must not come back out of a backup. Keep this file with the backups."
MARK_BYTES = 16
"""Half of a SHA-256: no two of a billion ids share it."""
LINE = re.compile(r"[0-9a-f]{32}")
PERSON, BY_THE_CHAIN, OPTED_OUT, TEMPLATE, VISIT = "person", "by the chain", "opted out", "template", "visit"
"""BY_THE_CHAIN: a person whom headquarters had forgotten, be it for an opt-out: it is not asked for more than that."""


def mark(vault: Vault, kind: str, row_id: str) -> bytes:
    return vault.lookup(row_id, purpose=f"forgotten {kind}")[:MARK_BYTES]


def note(store: Store, kind: str, ids: Iterable[str]) -> None:
    """In the transaction in which they go."""
    rows = [(mark(store.vault, kind, row_id),) for row_id in ids]
    store.db.conn.executemany("INSERT OR IGNORE INTO forgotten VALUES (?)", rows)


def knows(store: Store, kind: str, row_id: str) -> bool:
    return store.db.execute("SELECT 1 FROM forgotten WHERE mark = ?", [mark(store.vault, kind, row_id)]).fetchone() is not None


def places(folder: Path, backups: Path) -> tuple[Path, Path]:
    """`backups`: the folder they are in, which may be another disk."""
    return folder / FILE, backups / FILE


def publish(connection: sqlite3.Connection, files: Iterable[Path]) -> None:
    """Each file gets what the table and any of the files have. Raises DataFolderError, DiskFull."""
    files = tuple(files)
    marks = {bytes(row[0]) for row in connection.execute("SELECT mark FROM forgotten").fetchall()} | read(files)
    if not marks:
        return
    content = "\n".join([HEAD, *sorted(found.hex() for found in marks), ""]).encode()
    for path in files:
        if _content(path) != content:
            make_folder(path.parent)
            write_whole(path, content)


def read(files: Iterable[Path]) -> set[bytes]:
    """What any of them has. A line that is none is passed over: the others still count. Raises DataFolderError."""
    lines = (line for path in files for line in _content(path).decode("ascii", "replace").splitlines())
    return {bytes.fromhex(line) for line in lines if LINE.fullmatch(line)}


def unknown(connection: sqlite3.Connection, files: Iterable[Path]) -> set[bytes]:
    """Marks that the files have and the database does not know: it was brought back out of a backup since."""
    listed = read(files)
    if not listed:
        return set()
    return listed - {bytes(row[0]) for row in connection.execute("SELECT mark FROM forgotten").fetchall()}


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise refused(error, path) from None
