"""A file for whoever helps with a fault: how the program does, and nothing of anybody. No name of a person, a camera or the store, no
address, no path of this computer, no picture, no embedding: facts are picked one by one, and log lines are cleaned once more.
"""

from __future__ import annotations

import io
import json
import platform
import re
import sqlite3
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from appliance.config import Config
from appliance.health import backups_of, disk_of
from appliance.line import standing
from appliance.line.status import version
from appliance.web.cameras import CameraLine

LOG_LINES_MAX = 2_000
TABLES = re.compile(r"[a-z_]+")
CLEANED = (
    (re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://\S+"), "<address>"),
    (re.compile(r"[^\s@=]+@[^\s@]+"), "<e-mail>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "<ip>"),
    (re.compile(r"(?:[0-9a-fA-F]{1,4}:){3,}[0-9a-fA-F:]*"), "<ip>"),
    (re.compile(r"\"[^\"]*\"|'[^']*'|“[^”]*”"), "<words>"),
    (re.compile(r"(?<![\w.])/(?:[^\s/]+/)+\S*"), "<path>"),
    (re.compile(r"[A-Za-z0-9+/_-]{60,}={0,2}"), "<long>"),
)
SHOWN_SETTINGS = (
    "site.time_zone", "site.language", "models.pack", "visits.gap_s", "recognition.analysed_fps", "recognition.shots_min",
    "recognition.false_match_per_search", "recognition.min_face_px", "web.port", "retention.snapshot_days", "retention.person_days",
    "retention.audit_days", "backup.hour", "backup.keep", "log.level",
)  # fmt: skip


def bundle(
    connection: sqlite3.Connection, folder: Path, config: Config, cameras: Sequence[CameraLine], trouble: str, log_lines: Sequence[str],
    now_ms: int,
) -> bytes:  # fmt: skip
    """A ZIP of three text files."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        facts = {**_program(), **_store(connection, folder, config, now_ms), "trouble": bool(trouble), "cameras": _cameras(cameras)}
        file.writestr("facts.json", json.dumps(facts, indent=2) + "\n")
        file.writestr("log.txt", "".join(f"{cleaned(line)}\n" for line in list(log_lines)[-LOG_LINES_MAX:]))
        file.writestr("read-me.txt", READ_ME)
    return written.getvalue()


READ_ME = (
    "How a Regulars store does, for whoever helps with a fault. Open the two other files with a text editor: there is no name, address,\n"
    "password, picture or face data in them. Nothing was sent; it is yours to pass on.\n"
)


def cleaned(line: str) -> str:
    """A log line has nothing personal in it by rule; this is for the day on which somebody breaks the rule."""
    for pattern, instead in CLEANED:
        line = pattern.sub(instead, line)
    return line


def _program() -> dict[str, object]:
    return {
        "version": version(),
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
    }


def _store(connection: sqlite3.Connection, folder: Path, config: Config, now_ms: int) -> dict[str, object]:
    disk, line = disk_of(folder), standing.read(connection)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()]
    rows = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names if TABLES.fullmatch(name)}
    kinds = connection.execute("SELECT kind, created_ms, details FROM notices WHERE dismissed_ms IS NULL").fetchall()
    return {
        "now_ms": now_ms,
        "settings": {key: getattr(getattr(config, key.split(".")[0]), key.split(".")[1]) for key in SHOWN_SETTINGS},
        "disk": {"free": disk.free, "total": disk.total, "database": disk.database},
        "rows": rows,
        "notices": [{"kind": cleaned(kind), "created_ms": at_ms, "details": cleaned(details)} for kind, at_ms, details in kinds],
        "backups": [{"made_ms": made.made_ms, "bytes": made.bytes} for made in backups_of(config, folder)],
        "line": {
            "paired": line.paired,
            "revoked": line.revoked,
            "waiting": line.waiting,
            "contact_ms": line.contact_ms,
            "failing": bool(line.error),
            "skew_ms": line.skew_ms,
            "set_aside": line.set_aside,
        },
    }


def _cameras(cameras: Sequence[CameraLine]) -> list[dict[str, object]]:
    """By number: a name may be somebody's ("Mai's till"), and an error has the address in it."""
    return [
        {
            "camera": number,
            "state": line.state,
            "since_ms": line.since_ms,
            "fps": line.analysed_fps,
            "analysis_ms": line.analysis_ms,
            "dropped": line.frames_dropped,
            "restarts": line.restarts,
            "error": cleaned(line.error.replace(line.name, "<name>")),
        }
        for number, line in enumerate(cameras, 1)
    ]
