"""How this store does, as headquarters is told with every message: what the page's Health says, without a name or an address."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.web.cameras import CameraLine, health
from sync.messages import CAMERAS_MAX, WORDS_MAX, CameraStatus, Status


def status(folder: Path, model: str, zone: ZoneInfo, cameras: Sequence[CameraLine], trouble: str) -> Status:
    """Without what waits in the outbox: the line adds that. `trouble`: why visits cannot be written, in words."""
    return Status(
        version=version(),
        model=model,
        time_zone=zone.key,
        disk_free_bytes=_free(folder),
        cameras=[_camera(line, zone) for line in cameras[:CAMERAS_MAX]],
        trouble=trouble[:WORDS_MAX],
    )


def version() -> str:
    """Of Regulars, as it is installed; empty for a checkout that is not."""
    try:
        return metadata.version("regulars")
    except metadata.PackageNotFoundError:
        return ""


def _camera(line: CameraLine, zone: ZoneInfo) -> CameraStatus:
    said = health(line, zone)
    words = f"{said.words} – {said.error}" if said.error else said.words
    return CameraStatus(
        id=line.id,
        state=line.state,
        words=words[:WORDS_MAX],
        analysed_fps=line.analysed_fps,
        restarts=line.restarts,
        since_ms=line.since_ms,
    )


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
