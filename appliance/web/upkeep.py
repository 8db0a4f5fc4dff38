"""The pages Health, Backups and Log: how the computer does, what can be put back, what the log says, and a file for whoever helps."""

from __future__ import annotations

from datetime import UTC, datetime

from litestar import Response, get, post
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import File

from appliance import backup, diagnostics, health, set_aside
from appliance.backup import Backup
from appliance.errors import StoreError
from appliance.line.status import version
from appliance.upkeep import CHECK_FOUND, CHECKED
from appliance.web.pages import GivenPages, Pages
from appliance.web.person_changes import Answer, seen, wrong
from appliance.web.settings import OWNER, upkeep_of, work_of
from appliance.web.today import read_notices
from ui.words import gettext as _

LINES_SHOWN = 400
LEVELS = ("", "warning", "error")
CHANGES = "SELECT count(*) FROM audit WHERE at_ms > ? AND what NOT IN ('see', 'sign_in', 'sign_in_failed')"
"""What putting a backup back takes away: who only looked, or got in, changed nothing."""
NO_PAGE = {"access": "owner", "page": False}


def health_values(pages: Pages, problem: str = "") -> dict[str, object]:
    deps, upkeep = pages.deps, upkeep_of(pages)
    connection = deps.query()
    found = connection.execute("SELECT key, value FROM settings WHERE key IN (?, ?)", (CHECKED, CHECK_FOUND))
    rows: dict[str, str] = dict(found.fetchall())
    checked = (int(rows[CHECKED]), rows.get(CHECK_FOUND, "")) if CHECKED in rows else None
    lines = health.lines(
        connection, upkeep.store.folder, upkeep.config, deps.cameras(), deps.trouble(), checked, deps.time_zone, deps.now()
    )
    values = {"lines": lines, "notices": read_notices(connection), "version": version(), "work": work_of(upkeep)}
    return {"tab": "health", **values, "problem": problem}


@get("/settings/health", opt=OWNER, sync_to_thread=True)
def health_page(pages: GivenPages) -> Response[str]:
    return pages.page("health.html", "settings", health_values(pages))


@post("/settings/health/check", opt=OWNER, sync_to_thread=True)
def check_database(pages: GivenPages) -> Answer:
    if problem := wrong(upkeep_of(pages).check):
        return pages.page("health.html", "settings", health_values(pages, problem[0]), problem[1])
    return seen("/settings/health")


@get("/settings/work", opt=NO_PAGE, sync_to_thread=True)
def work_now(pages: GivenPages) -> Response[str]:
    """How far the work is: what an open page asks for every second."""
    return Response(pages.text("work.html", {"work": work_of(upkeep_of(pages))}), media_type=MediaType.HTML)


@post("/settings/work/stop", opt=OWNER, sync_to_thread=True)
def stop_work(pages: GivenPages) -> Answer:
    work = upkeep_of(pages).work
    kind = work.progress.kind if work.progress else ""
    work.stop()
    return seen({"backup": "/settings/backups", "pack": "/settings/models"}.get(kind, "/settings/health"))


@get("/settings/diagnostics", opt=NO_PAGE, sync_to_thread=True)
def diagnostics_file(pages: GivenPages) -> Response[bytes]:
    deps, upkeep = pages.deps, upkeep_of(pages)
    content = diagnostics.bundle(
        deps.query(), upkeep.store.folder, upkeep.config, deps.cameras(), deps.trouble(), upkeep.outside.log_lines(), deps.now()
    )
    made = datetime.fromtimestamp(deps.now() / 1000, UTC)
    headers = {"content-disposition": f'attachment; filename="regulars-diagnostics-{made:%Y%m%dT%H%M%SZ}.zip"'}
    return Response(content, media_type="application/zip", headers=headers)


def backups_values(pages: Pages, problem: str = "") -> dict[str, object]:
    upkeep = upkeep_of(pages)
    config = upkeep.config.backup
    return {
        "tab": "backups",
        "backups": health.backups_of(upkeep.config, upkeep.store.folder),
        "hour": config.hour,
        "keep": config.keep,
        "folder": str(config.folder) if config.folder else "",
        "work": work_of(upkeep),
        "problem": problem,
    }


@get("/settings/backups", opt=OWNER, sync_to_thread=True)
def backups_page(pages: GivenPages) -> Response[str]:
    return pages.page("backups.html", "settings", backups_values(pages))


@post("/settings/backups", opt=OWNER, sync_to_thread=True)
def back_up_now(pages: GivenPages) -> Answer:
    if problem := wrong(upkeep_of(pages).back_up):
        return pages.page("backups.html", "settings", backups_values(pages, problem[0]), problem[1])
    return seen("/settings/backups")


def _found(pages: Pages, name: str) -> Backup:
    upkeep = upkeep_of(pages)
    try:
        return backup.find(upkeep.store.folder, name, upkeep.config.backup.folder)
    except StoreError:
        raise NotFoundException(_("That backup is not there any more.")) from None


@get("/settings/backups/{name_of_backup:str}/file", opt=NO_PAGE, sync_to_thread=True)
def backup_file(pages: GivenPages, name_of_backup: FromPath[str]) -> File:
    """Sealed as it is: without this store's data key nobody can open it."""
    found = _found(pages, name_of_backup)
    return File(found.path, filename=found.name, media_type="application/octet-stream")


@get("/settings/backups/{name_of_backup:str}/restore", opt=NO_PAGE, sync_to_thread=True)
def restore_page(pages: GivenPages, name_of_backup: FromPath[str]) -> Response[str]:
    return _restore_form(pages, _found(pages, name_of_backup))


def _restore_form(pages: Pages, found: Backup, problem: str = "", status: int = 200) -> Response[str]:
    connection, since = pages.deps.query(), (found.made_ms,)
    (visits,) = connection.execute("SELECT count(*) FROM visits WHERE first_seen_ms > ?", since).fetchone()
    (people,) = connection.execute("SELECT count(*) FROM persons WHERE created_ms > ?", since).fetchone()
    (changes,) = connection.execute(CHANGES, since).fetchone()
    counts = {"visits": visits, "people": people, "changes": changes}
    values = {"tab": "backups", "backup": found, **counts, "aside_days": set_aside.KEPT.days, "problem": problem}
    return pages.page("restore.html", "settings", values, status)


@post("/settings/backups/{name_of_backup:str}/restore", opt=OWNER, sync_to_thread=True)
def restore(pages: GivenPages, name_of_backup: FromPath[str]) -> Answer:
    found = _found(pages, name_of_backup)
    if problem := wrong(lambda: upkeep_of(pages).restore(found.name)):
        return _restore_form(pages, found, *problem)
    return pages.page("starts_anew.html", "settings", {"back": "/"})


@get("/settings/log", opt=OWNER, sync_to_thread=True)
def log_page(pages: GivenPages, level: FromQuery[str] = "", find: FromQuery[str] = "") -> Response[str]:
    level, find = level if level in LEVELS else "", find.strip()[:100]
    wanted = {"": "", "warning": ("level=warning", "level=error"), "error": ("level=error",)}[level]
    lines = [line for line in upkeep_of(pages).outside.log_lines() if find.casefold() in line.casefold()]
    if wanted:
        lines = [line for line in lines if any(f" {word} " in line for word in wanted)]
    values = {"tab": "log", "lines": lines[-LINES_SHOWN:][::-1], "level": level, "find": find}
    return pages.page("log.html", "settings", values)


ROUTES = (
    health_page, check_database, work_now, stop_work, diagnostics_file, backups_page, back_up_now, backup_file, restore_page, restore,
    log_page,
)  # fmt: skip
