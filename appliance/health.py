"""How the store's computer does: disk, database, cameras, clock, line, backups. Facts alone; the page has the words."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance import backup, database_file
from appliance.backup import Backup
from appliance.config import Config
from appliance.errors import StoreError
from appliance.line import standing
from appliance.web import retold
from appliance.web.cameras import CameraLine, Mood, health
from appliance.web.headquarters import line_health
from ui import formats
from ui.words import gettext as _

FREE_BYTES_WARN, FREE_BYTES_BAD = 5 << 30, 1 << 30
"""A store writes some 100 MB a week, most of it pictures; a backup needs twice the database."""
BACKUP_MS_LATE = 36 * 3_600_000
"""A night and half a day: last night's was not made."""


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    mood: Mood
    words: str


@dataclass(frozen=True, slots=True)
class Disk:
    free: int
    total: int
    database: int
    pictures_folder: Path


def disk_of(folder: Path) -> Disk:
    usage = shutil.disk_usage(folder)
    path = database_file.path_in(folder)
    size = sum(place.stat().st_size for place in (path, Path(f"{path}-wal")) if place.exists())
    return Disk(usage.free, usage.total, size, folder / "snapshots")


def backups_of(config: Config, folder: Path) -> list[Backup]:
    """Newest first; none where the folder cannot be read, which `lines` says."""
    try:
        return backup.list_backups(folder, config.backup.folder)
    except StoreError:
        return []


def lines(
    connection: sqlite3.Connection, folder: Path, config: Config, cameras: Sequence[CameraLine], trouble: str,
    checked: tuple[int, str] | None, zone: ZoneInfo, now_ms: int,
) -> list[Line]:  # fmt: skip
    """`checked`: when the database was last checked by hand, and what was found."""
    disk, today = disk_of(folder), formats.day_of(now_ms, zone)
    mood: Mood = "bad" if disk.free < FREE_BYTES_BAD else "warn" if disk.free < FREE_BYTES_WARN else "good"
    space = _("%(free)s free of %(total)s; the database has %(size)s") % {
        "free": formats.size(disk.free),
        "total": formats.size(disk.total),
        "size": formats.size(disk.database),
    }
    line = standing.read(connection)
    head = line_health(line, zone, now_ms)
    found = [Line(_("Disk"), mood, space), Line(_("Visit log"), "bad" if trouble else "good", retold.said(trouble) or _("can be written"))]
    found.append(_database(checked, zone, now_ms))
    for camera in cameras:
        said = health(camera, zone)
        found.append(Line(camera.name, said.mood, f"{said.words} – {said.error}" if said.error else said.words))
    if not cameras:
        found.append(Line(_("Cameras"), "idle", _("none yet")))
    found.append(Line(_("Headquarters"), head.mood, f"{head.words} {head.error}".strip()))
    clock = retold.said(line.clock) or (_("as headquarters' clock") if line.skew_ms is not None else _("nothing to compare it with"))
    found.append(Line(_("Clock"), "warn" if line.clock else "good" if line.skew_ms is not None else "idle", clock))
    made = backups_of(config, folder)
    if not made:
        return [*found, Line(_("Backups"), "warn", _("there is none yet; one is made every night"))]
    when = f"{formats.short_day(formats.day_of(made[0].made_ms, zone), today)} {formats.clock(made[0].made_ms, zone)}"
    late = now_ms - made[0].made_ms > BACKUP_MS_LATE
    return [*found, Line(_("Backups"), "warn" if late else "good", _("the newest is from %(when)s") % {"when": when})]


def _database(checked: tuple[int, str] | None, zone: ZoneInfo, now_ms: int) -> Line:
    name = _("Database")
    if checked is None:
        return Line(name, "good", _("was sound at the last start"))
    at_ms, found = checked
    when = f"{formats.short_day(formats.day_of(at_ms, zone), formats.day_of(now_ms, zone))} {formats.clock(at_ms, zone)}"
    if found:
        return Line(name, "bad", _("found damaged %(when)s: start Regulars anew, it restores the newest good backup") % {"when": when})
    return Line(name, "good", _("found sound %(when)s") % {"when": when})
