"""What is stored about people: how many, how many bytes, since when. Reads indexes and some file sizes, opens nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from appliance import backup, database_file, set_aside
from appliance.audit import DAY_MS
from appliance.privacy.retention_days import Days
from ui.words import gettext as _

SAMPLE = 500
"""Pictures whose size is asked for: 5 ms."""


@dataclass(frozen=True, slots=True)
class Holding:
    """`key`: which; `count` things; `bytes` on the disk, None where they lie within the database; `oldest_ms`: since when."""

    key: str
    words: str
    count: int
    bytes: int | None
    oldest_ms: int | None


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a shorter time would delete at once."""

    pictures: int
    looks: int
    persons: int
    templates: int
    entries: int

    @property
    def nothing(self) -> bool:
        return self == Leaving(0, 0, 0, 0, 0)


def held(connection: sqlite3.Connection, folder: Path, snapshots: Path, backups: Path) -> list[Holding]:
    def ask(query: str) -> tuple[int, int | None]:
        row = connection.execute(query).fetchone()
        return int(row[0]), row[1]

    visits, first = ask("SELECT count(*), (SELECT first_seen_ms FROM visits ORDER BY first_seen_ms LIMIT 1) FROM visits")
    people, since = ask("SELECT (SELECT count(*) FROM persons WHERE role <> 'opted_out'), (SELECT min(created_ms) FROM persons)")
    templates, learned = ask("SELECT count(*), min(created_ms) FROM templates")
    looks, looked = ask("SELECT count(*), min(began_ms) FROM sightings WHERE embedding_sealed IS NOT NULL")
    entered, written = ask("SELECT count(*), min(changed_ms) FROM details")
    opted_out, _never = ask("SELECT (SELECT count(*) FROM persons WHERE role = 'opted_out'), NULL")
    pictures, shown_ms = ask("SELECT count(*), min(last_seen_ms) FROM visits WHERE snapshot IS NOT NULL")
    entries, noted_ms = ask("SELECT (SELECT count(*) FROM audit), (SELECT at_ms FROM audit ORDER BY id LIMIT 1)")
    made = backup.list_backups(folder, backups)
    size = sum(p.stat().st_size for p in (Path(f"{database_file.path_in(folder)}{e}") for e in ("", "-wal")) if p.exists())
    aside = set_aside.listed(folder)
    beside = Holding("set_aside", _("Databases set aside"), len(aside), sum(a.bytes for a in aside), aside[0].made_ms if aside else None)
    return [
        Holding("visits", _("Visits"), visits, size, first),
        Holding("people", _("People told apart"), people, None, since),
        Holding("details", _("Names, phone numbers and notes"), entered, None, written),
        Holding("templates", _("Templates: measurements of faces"), templates, None, learned),
        Holding("looks", _("Measurements kept for review"), looks, None, looked),
        Holding("pictures", _("Pictures of faces"), pictures, _bytes(snapshots, pictures), shown_ms),
        Holding("opted_out", _("People who opted out"), opted_out, None, None),
        Holding("audit", _("Entries of the audit log"), entries, None, noted_ms),
        Holding("backups", _("Backups, sealed"), len(made), sum(b.bytes for b in made), made[-1].made_ms if made else None),
        *([beside] if aside else []),
    ]


def leaving(connection: sqlite3.Connection, days: Days, now_ms: int) -> Leaving:
    """What the hourly job would delete with these times."""
    before, away, noted = (now_ms - many * DAY_MS for many in (days.snapshot_days, days.person_days, days.audit_days))
    (pictures,) = connection.execute("SELECT count(*) FROM visits WHERE snapshot IS NOT NULL AND last_seen_ms < ?", [before]).fetchone()
    (looks,) = connection.execute("SELECT count(*) FROM sightings WHERE embedding_sealed IS NOT NULL AND ended_ms < ?", [before]).fetchone()
    persons, templates = connection.execute(
        """SELECT count(DISTINCT p.id), count(*) FROM persons p JOIN templates t ON t.person_id = p.id
            WHERE p.role = 'customer' AND coalesce(p.last_seen_ms, p.created_ms) < ?""",
        [away],
    ).fetchone()
    (entries,) = connection.execute("SELECT count(*) FROM audit WHERE at_ms < ?", [noted]).fetchone()
    return Leaving(pictures, looks, persons, templates, entries)


def _bytes(folder: Path, pictures: int) -> int:
    """As many as there are by the mean of some of them: to ask for the size of 100,000 files takes a second."""
    some = list(islice(folder.glob("*/*.sealed"), SAMPLE)) if folder.is_dir() else []
    return round(pictures * sum(path.stat().st_size for path in some) / len(some)) if some else 0
