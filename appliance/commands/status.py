"""`regulars status`: whether the appliance runs and what its data folder holds. Only reads, so it can be asked at any time."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
import msgspec

from appliance.commands import premises
from appliance.commands.terminal import how_large, how_long, print_facts, print_json, when

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from appliance.config import Config
    from appliance.database import Store


@dataclass(frozen=True, slots=True)
class Status:
    running: bool
    page: str
    data_folder: str
    data_bytes: int
    disk_free_bytes: int
    pack: str
    cameras: list[str]
    people: int
    last_visit_ms: int | None
    waiting_for_hub: int
    newest_backup_ms: int | None
    notices: list[str]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts: times in UTC milliseconds, sizes in bytes.")
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """Whether the appliance runs, and what its data folder holds."""
    config = premises.settings(context)
    with premises.to_read(config) as store:
        found = look(config, store)
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        print_facts(in_words(found, config.site.zone, premises.now_ms()))


def look(config: Config, store: Store) -> Status:
    from appliance import backup, cameras, notices, persons, visits
    from sync import outbox

    last = visits.recent(store, limit=1, since_ms=0)
    backups = backup.list_backups(store.folder, config.backup.folder)
    return Status(
        running=is_running(store),
        page=f"http://{config.web.host}:{config.web.port}/",
        data_folder=str(store.folder),
        data_bytes=sum(path.stat().st_size for path in store.folder.rglob("*") if path.is_file()),
        disk_free_bytes=shutil.disk_usage(store.folder).free,
        pack=config.models.pack,
        cameras=[camera.name for camera in cameras.list_cameras(store)],
        people=len(persons.list_persons(store)),
        last_visit_ms=last[0].first_seen_ms if last else None,
        waiting_for_hub=outbox.pressure(store.db.conn).records,
        newest_backup_ms=backups[0].made_ms if backups else None,
        notices=[notice.words for notice in notices.open_notices(store)],
    )


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
        ("Cameras", ", ".join(found.cameras) or "none (add one with 'regulars camera add')"),
        ("People", str(found.people)),
        ("Last visit", ago(found.last_visit_ms)),
        ("Newest backup", ago(found.newest_backup_ms)),
        (
            "For the hub",
            f"{found.waiting_for_hub} record{'s'[: found.waiting_for_hub != 1]} waiting" if found.waiting_for_hub else "nothing waiting",
        ),
    ]
    return facts + [("Notice", words) for words in found.notices]
