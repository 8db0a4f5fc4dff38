"""What PostgreSQL said when it did not start, in our words: the newest line that ended it, wherever it was written. A full disk is named as
one, because whoever reads this can do something about it.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from hub import room
from hub.errors import DatabaseAway, DatabaseError, DataFolderError, DiskFull

NO_SPACE = ("No space left on device", "Disk quota exceeded")
ENDED = re.compile(r"^.*?\b(?:FATAL|PANIC):\s*")
SAID_BYTES_MAX = 64 * 1024
"""Of each log: what ended it stands at the end."""

Sizes = dict[Path, int]


def sizes(logs: Path) -> Sizes:
    """Of its logs before a start: what stands there already says nothing about it."""
    return {log: log.stat().st_size for log in logs.glob("*.log")}


def not_started(folder: Path, start_log: Path, logs: Path, before: Sizes) -> DatabaseError | DataFolderError:
    started = _said(start_log, 0)
    lines = started + [line for log in sorted(logs.glob("*.log")) for line in _said(log, before.get(log, 0))]
    ended = [line for line in lines if ENDED.match(line)]
    words = ENDED.sub("", (ended or started or [""])[-1]).rstrip(".")
    if any(sign in words for sign in NO_SPACE) or (not ended and room.left(folder).none_left):
        return disk_full(folder, words if ended else "")
    return DatabaseAway(f"PostgreSQL did not start: {words or f'it gave no reason ({sys.platform})'}. See {start_log} and {logs}.")


def not_made(folder: Path, said: str) -> DatabaseError | DataFolderError:
    """After initdb."""
    lines = [line for line in said.splitlines() if "error" in line.lower() or "FATAL" in line or "PANIC" in line]
    if any(sign in said for sign in NO_SPACE):
        return disk_full(folder, "")
    return DatabaseError(f"PostgreSQL's database could not be made in {folder}: {lines[-1] if lines else 'initdb gave no reason'}")


def disk_full(folder: Path, words: str) -> DiskFull:
    told = f" ({words})" if words else ""
    return DiskFull(f"The disk is full: PostgreSQL cannot start in {folder}{told}. Free some space; what was stored before is safe.")


def _said(log: Path, from_byte: int) -> list[str]:
    """Its lines from there on; all of them when the log was begun anew."""
    try:
        with log.open("rb") as opened:
            size = opened.seek(0, os.SEEK_END)
            opened.seek(max(from_byte if from_byte <= size else 0, size - SAID_BYTES_MAX))
            return [line for line in opened.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError:
        return []
