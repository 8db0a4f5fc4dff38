"""Sealed pictures of visits, one file each: `<data>/snapshots/YYYY-MM/<visit id>.<random>.jpg.sealed`. The visit's row holds the name.

A file is written before the row that names it and removed after the row that named it: a crash in between leaves a file that nobody
names, never a name without a file, and `sweep` removes such files. Only the power may take pictures of the last seconds: they are not
waited for, as the log is, and a visit whose picture is gone or broken shows none.
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.database import Store
from appliance.errors import CannotOpen, SnapshotError
from appliance.files import make_folder, write_whole

NAME = re.compile(r"\d{4}-\d{2}/[0-9a-f-]{1,64}\.[0-9a-f]{8}\.jpg\.sealed")
JPEG_BYTES_MAX = 2 << 20
"""A face crop has 10 to 60 KB; more is no portrait of ours."""
UNNAMED_MS_MAX = 3_600_000
"""A file may wait this long for the row that names it; its visit is written within seconds."""
ROWS_A_TURN = 500
"""Visits emptied in one transaction, so that a visitor's own transaction waits milliseconds."""
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Swept:
    files: int
    """Files that no visit named."""
    names: int
    """Names in visits whose file was gone, as after a restored backup."""


def save(store: Store, visit_id: str, jpeg: bytes, now_ms: int) -> str:
    """Seals the picture and gives the name for `visits.snapshot`. Remove the one it replaces after that row is committed.

    Raises SnapshotError, DiskFull, DataFolderError.
    """
    if not jpeg.startswith(b"\xff\xd8") or len(jpeg) > JPEG_BYTES_MAX:
        raise SnapshotError(f"A snapshot of {len(jpeg)} bytes is no JPEG of up to {JPEG_BYTES_MAX} bytes.")
    name = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m}/{visit_id}.{secrets.token_hex(4)}.jpg.sealed"
    path = _path(store, name)
    make_folder(path.parent)
    write_whole(path, store.vault.seal(jpeg, table="snapshots", column="jpeg", row=name), lasting=False)
    return name


def load(store: Store, name: str) -> bytes:
    """The JPEG. Raises SnapshotError when it is gone or does not open."""
    try:
        with _path(store, name).open("rb") as file:
            sealed = file.read(JPEG_BYTES_MAX + 1024)
    except FileNotFoundError:
        raise SnapshotError(f"The snapshot {name} is gone: its time was over, or it was deleted.") from None
    except OSError as error:
        raise SnapshotError(f"The snapshot {name} cannot be read: {error.strerror}.") from None
    try:
        return store.vault.unseal(sealed, table="snapshots", column="jpeg", row=name)
    except CannotOpen as error:
        raise SnapshotError(str(error)) from None


def remove(store: Store, name: str) -> None:
    """To be called after the row that named it is committed. Harmless when it is gone."""
    with suppress(FileNotFoundError):
        _path(store, name).unlink()


def expire(store: Store, now_ms: int, days: int) -> int:
    """Removes the snapshots of visits that ended more than `days` ago and empties their names; how many."""
    before_ms, removed = now_ms - days * DAY_MS, 0
    while True:
        with store.transaction() as db:
            rows = db.execute(
                "SELECT id, snapshot FROM visits WHERE snapshot IS NOT NULL AND last_seen_ms < ? LIMIT ?", [before_ms, ROWS_A_TURN]
            ).fetchall()
            db.conn.executemany("UPDATE visits SET snapshot = NULL, snapshot_width_px = 0 WHERE id = ?", [(row[0],) for row in rows])
        for _, name in rows:
            with suppress(SnapshotError):
                remove(store, name)
        removed += len(rows)
        if len(rows) < ROWS_A_TURN:
            return removed


def sweep(store: Store, now_ms: int) -> Swept:
    """Removes files that no visit names and names that have no file. For the appliance alone, at its start and nightly."""
    found = {str(path.relative_to(store.snapshots)): path for path in store.snapshots.glob("*/*") if path.is_file()}
    # Read after the listing: a file listed before its row was committed is young and kept.
    named = {row[0]: row[1] for row in store.db.execute("SELECT snapshot, id FROM visits WHERE snapshot IS NOT NULL").fetchall()}
    files = 0
    for name, path in found.items():
        if name not in named and _older(path, now_ms):
            with suppress(OSError):
                path.unlink()
                files += 1
    gone = [(visit, name) for name, visit in named.items() if name not in found and not there(store, name)]
    if gone:
        with store.transaction() as db:
            db.conn.executemany("UPDATE visits SET snapshot = NULL, snapshot_width_px = 0 WHERE id = ? AND snapshot = ?", gone)
    for month in store.snapshots.iterdir():
        # An empty month goes; one that is not empty refuses.
        with suppress(OSError):
            month.rmdir()
    return Swept(files, len(gone))


def _path(store: Store, name: str) -> Path:
    """Names come from the database and from page addresses: nothing but our own pattern may become a path."""
    if not NAME.fullmatch(name):
        raise SnapshotError("That is no name of a snapshot.")
    return store.snapshots / name


def there(store: Store, name: str) -> bool:
    """Whether there is a file of this name."""
    return bool(NAME.fullmatch(name)) and (store.snapshots / name).exists()


def _older(path: Path, now_ms: int) -> bool:
    try:
        return path.stat().st_mtime * 1000 < now_ms - UNNAMED_MS_MAX
    except OSError:
        return False
