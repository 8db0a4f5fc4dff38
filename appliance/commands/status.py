"""`regulars status`: whether the appliance runs and what its data folder holds. Only reads, so it can be asked at any time."""

from __future__ import annotations

import contextlib
import shutil
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
import msgspec

from appliance.commands import premises
from ui.terminal import how_large, how_long, print_facts, print_json, when

if TYPE_CHECKING:
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from appliance.camera_states import CameraStates
    from appliance.cameras import Camera
    from appliance.config import Config, Web
    from appliance.database import Store


OLD_MS = 30_000
"""The appliance says how the cameras do every ten seconds."""


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """`state` as in CameraLine, or unknown; `words` says it to people. `restarts`: today. `error`: the last one."""

    id: str
    name: str
    state: str
    words: str
    since_ms: int | None
    analysed_fps: float
    restarts: int
    error: str


@dataclass(frozen=True, slots=True)
class Status:
    running: bool
    page: str
    data_folder: str
    data_bytes: int
    disk_free_bytes: int
    pack: str
    cameras: list[CameraStatus]
    trouble: str
    """Why visits cannot be written just now; empty while all is well."""
    people: int
    last_visit_ms: int | None
    waiting_for_hub: int
    headquarters: str
    """How the line to headquarters stands, in words."""
    headquarters_mood: str
    newest_backup_ms: int | None
    notices: list[str]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts: times in UTC milliseconds, sizes in bytes.")
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """Whether the appliance runs, and what its data folder holds."""
    config = premises.settings(context)
    with premises.to_read(config) as store:
        found = look(config, store, premises.now_ms())
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        print_facts(in_words(found, config.site.zone, premises.now_ms()))


def look(config: Config, store: Store, now_ms: int) -> Status:
    from appliance import backup, camera_states, cameras, notices, persons, visits
    from appliance.line import standing
    from appliance.web.headquarters import line_health
    from sync import outbox

    line = line_health(standing.read(store.db.conn), config.site.zone, now_ms)
    last = visits.recent(store, limit=1, since_ms=0)
    backups = backup.list_backups(store.folder, config.backup.folder)
    running = is_running(store)
    left = camera_states.found(store.folder) if running else None
    fresh = left is not None and abs(now_ms - left.at_ms) <= OLD_MS
    return Status(
        running=running,
        page=address_of(config.web),
        data_folder=str(store.folder),
        data_bytes=size_of(store.folder),
        disk_free_bytes=shutil.disk_usage(store.folder).free,
        pack=config.models.pack,
        cameras=[camera_status(camera, running, left, config.site.zone, now_ms) for camera in cameras.list_cameras(store)],
        trouble=left.trouble if left and fresh else "",
        people=persons.count(store),
        last_visit_ms=last[0].first_seen_ms if last else None,
        waiting_for_hub=standing.waiting_in(outbox.span(store.db.conn)),
        headquarters=f"{line.words}; {line.error}" if line.error else line.words,
        headquarters_mood=line.mood,
        newest_backup_ms=backups[0].made_ms if backups else None,
        notices=[notice.words for notice in notices.open_notices(store)],
    )


def address_of(web: Web) -> str:
    """By which this computer's own browser reaches the page."""
    from appliance.config import is_loopback

    if is_loopback(web.host):
        return f"http://{web.host}:{web.port}/"
    unspecified = web.host in ("0.0.0.0", "::")
    return f"https://{'127.0.0.1' if unspecified else web.host}:{web.port}/"


def camera_status(camera: Camera, running: bool, left: CameraStates | None, zone: ZoneInfo, now_ms: int) -> CameraStatus:
    """`left`: what the appliance that runs said last."""
    from appliance.web.cameras import health

    line = next((line for line in left.cameras if line.id == camera.id), None) if left else None
    if left and line and abs(now_ms - left.at_ms) <= OLD_MS:
        words = health(line, zone).words
        return CameraStatus(camera.id, camera.name, line.state, words, line.since_ms, line.analysed_fps, line.restarts, line.error)
    if not running:
        words = "not running; state unknown"
    elif left and line:
        words = f"nothing said of it for {how_long(abs(now_ms - left.at_ms))}; state unknown"
    else:
        words = "nothing said of it yet; state unknown"
    return CameraStatus(camera.id, camera.name, "unknown", words, None, 0.0, 0, "")


def size_of(folder: Path) -> int:
    """Bytes. A file that the appliance takes away meanwhile counts nothing."""
    size = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            found = path.stat()
            size += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return size


def is_running(store: Store) -> bool:
    """The appliance holds its lock for as long as it lives. To try the lock takes it for a moment, which a start waits out."""
    from appliance import lock

    held = lock.take_if_free(store.folder)
    if held is None:
        return True
    held.release()
    return False


def in_words(found: Status, zone: ZoneInfo, now_ms: int) -> list[tuple[str, str]]:
    def ago(at_ms: int | None) -> str:
        return "none yet" if at_ms is None else f"{when(at_ms, zone, now_ms)} ({how_long(now_ms - at_ms)} ago)"

    facts: list[tuple[str, str]] = [
        ("Appliance", f"running, page at {found.page}" if found.running else "not running (start it with 'regulars run')"),
        ("Data folder", f"{found.data_folder} ({how_large(found.data_bytes)}, {how_large(found.disk_free_bytes)} free on the disk)"),
        ("Models", found.pack),
        *([("Camera", of_camera(camera)) for camera in found.cameras] or [("Cameras", "none (add one with 'regulars camera add')")]),
        ("People", str(found.people)),
        ("Last visit", ago(found.last_visit_ms)),
        ("Newest backup", ago(found.newest_backup_ms)),
        ("Headquarters", found.headquarters if found.headquarters_mood != "idle" else kept_for_headquarters(found.waiting_for_hub)),
    ]
    if found.trouble:
        facts.append(("Visit log", found.trouble))
    return facts + [("Notice", words) for words in found.notices]


def kept_for_headquarters(waiting: int) -> str:
    return f"not connected; {waiting or 'no'} record{'s'[: waiting != 1]} kept for it"


def of_camera(camera: CameraStatus) -> str:
    """Door: watching, 5 pictures a second, nothing dropped, 1 restart today; last error: …"""
    words = [camera.words]
    if camera.state == "watching":
        words.insert(0, "watching")
    elif camera.restarts:
        words.append(f"{camera.restarts} restart{'s'[: camera.restarts != 1]} today")
    last = f"; last error: {camera.error}" if camera.error and camera.error not in camera.words else ""
    return f"{camera.name}: {', '.join(words)}{last}"
