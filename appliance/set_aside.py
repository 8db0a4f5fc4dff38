"""Databases that were set aside: replaced by a backup, or found damaged at a start. Opened by nobody, and kept for a time only: they hold
people whom the present one has let go of since.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance import database_file

KEPT = timedelta(days=30)
"""Long enough to notice that the wrong backup was put back, or to have a damaged one looked at."""
NAMED = re.compile(re.escape(database_file.NAME) + r"\.[a-z]+-(\d{8}T\d{6}Z)(?:-\d+)?")
FORM = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Aside:
    """`made_ms`: when it was set aside."""

    path: Path
    made_ms: int

    @property
    def bytes(self) -> int:
        return sum(path.stat().st_size for path in _files(self.path) if path.exists())


def listed(folder: Path) -> list[Aside]:
    """Oldest first."""
    files = [path for path in folder.glob(f"{database_file.NAME}.*") if path.is_file()]
    found = [Aside(path, made_ms) for path in files if (made_ms := _made_ms(path.name)) is not None]
    return sorted(found, key=lambda aside: (aside.made_ms, aside.path.name))


def drop_old(folder: Path, now_ms: int) -> int:
    """How many databases went. A log that was set aside without its database goes as well. Twice is harmless."""
    before_ms, old = now_ms - round(KEPT.total_seconds() * 1000), 0
    for path in folder.glob(f"{database_file.NAME}.*"):
        made_ms = _made_ms(path.name.removesuffix("-wal").removesuffix("-shm"))
        if made_ms is not None and made_ms < before_ms and path.is_file():
            old += _made_ms(path.name) is not None
            with suppress(OSError):
                path.unlink()
    return old


def remove(path: Path) -> None:
    """With its companions. One that cannot be removed now is tried again the next time."""
    for each in _files(path):
        with suppress(OSError):
            each.unlink()


def _made_ms(name: str) -> int | None:
    """None: it is the name of none."""
    if (named := NAMED.fullmatch(name)) is None:
        return None
    try:
        return round(datetime.strptime(named[1], FORM).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return None


def _files(path: Path) -> list[Path]:
    return [Path(f"{path}{ending}") for ending in ("", *database_file.COMPANIONS)]
