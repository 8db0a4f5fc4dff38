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
    found = []
    for path in folder.glob(f"{database_file.NAME}.*"):
        if (named := NAMED.fullmatch(path.name)) and path.is_file():
            with suppress(ValueError):
                found.append(Aside(path, round(datetime.strptime(named[1], FORM).replace(tzinfo=UTC).timestamp() * 1000)))
    return sorted(found, key=lambda aside: (aside.made_ms, aside.path.name))


def drop_old(folder: Path, now_ms: int) -> int:
    """How many went. Twice is harmless."""
    before_ms = now_ms - round(KEPT.total_seconds() * 1000)
    old = [aside for aside in listed(folder) if aside.made_ms < before_ms]
    for aside in old:
        remove(aside.path)
    return len(old)


def remove(path: Path) -> None:
    """With its companions. One that cannot be removed now is tried again the next time."""
    for each in _files(path):
        with suppress(OSError):
            each.unlink()


def _files(path: Path) -> list[Path]:
    return [Path(f"{path}{ending}") for ending in ("", *database_file.COMPANIONS)]
