"""How much room is left on the disk of the data folder, and from where on that is too little. Asked before it hurts: a full disk stops the
index and PostgreSQL, and with them recognition across stores, while nothing that was acknowledged is lost.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from hub.errors import DiskFull
from hub.files import refused

ROOM_BYTES_MIN = 200_000_000
"""A dozen files of PostgreSQL's journal (16 MiB each), or the index written anew once: below it the hub may stand still within minutes."""
JOURNAL_BYTES = 16 * 1024 * 1024
"""PostgreSQL makes its journal in files of this size; without room for one it does not start."""


class LittleRoom(DiskFull):
    """Its text is short and holds no place: monitors are shown it."""


@dataclass(frozen=True, slots=True)
class Room:
    free_bytes: int

    @property
    def little(self) -> bool:
        return self.free_bytes < ROOM_BYTES_MIN

    @property
    def none_left(self) -> bool:
        return self.free_bytes < JOURNAL_BYTES

    @property
    def mb(self) -> int:
        return self.free_bytes // 1_000_000


def left(folder: Path) -> Room:
    """Raises DataFolderError when the folder is gone."""
    try:
        return Room(shutil.disk_usage(folder).free)
    except OSError as error:
        raise refused(error, folder) from None


def ask(room: Room) -> None:
    """Raises LittleRoom."""
    if room.little:
        raise LittleRoom(f"only {room.mb} MB left")
