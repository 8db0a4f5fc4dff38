"""How long the server takes for each page of a store with a million visits and 50,000 people: the whole request over the loopback, one
after the other, on a real appliance whose cameras are off."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import httpx
import msgspec

from appliance import cameras, history_writing
from appliance.benchmarks.cameras import quantile
from appliance.benchmarks.shop import now_ms
from appliance.cameras import NewCamera
from appliance.config import Config, Data, Models, Site
from appliance.data_key import KeyFile
from appliance.database import Store, open_store
from appliance.history import Wanted
from appliance.running import Appliance, open_appliance
from appliance.web.access import Asker

ZONE = "Asia/Ho_Chi_Minh"
DAYS = 730
VISITS, PEOPLE = 1_000_000, 50_000
CAMERAS = ("Entrance", "Till", "Back door")
ROUNDS = 30
WARM_UP = 2
"""The first look reads the database's pages from the disk; that is the disk's speed."""
PAGE_S_MAX = 30.0
NOT_THERE = 404


class PageTime(msgspec.Struct, frozen=True):
    address: str
    p50_ms: float
    p95_ms: float
    kilobytes: float


class PageTimes(msgspec.Struct, frozen=True):
    """`slowest_p50_ms`: of all pages. `written_s`: how long the past took to write."""

    slowest_p50_ms: float
    slowest_p95_ms: float
    slowest: str
    visits: int
    people: int
    database_mb: float
    written_s: float
    pages: list[PageTime]


def measure_pages(folder: Path, pack_name: str, model_folders: list[str], visits: int, people: int, days: int, rounds: int) -> PageTimes:
    began_s = time.monotonic()
    store = open_store(folder, now_ms(), keeper=KeyFile(folder))
    try:
        addresses = furnished(store, visits, people, days)
    finally:
        store.close()
    written_s = time.monotonic() - began_s
    appliance = an_appliance(folder, pack_name, model_folders)
    try:
        appliance.start([0])
        with httpx.Client(base_url=appliance.address, timeout=PAGE_S_MAX) as web:
            found = [_timed(web.get, path, rounds) for path in addresses if _is_page(web, path)]
        (counted,) = appliance.store.db.execute("SELECT count(*) FROM visits").fetchone()
        (known,) = appliance.store.db.execute("SELECT count(*) FROM persons").fetchone()
    finally:
        appliance.stop()
    slowest = max(found, key=lambda page: page.p50_ms)
    return PageTimes(
        slowest_p50_ms=slowest.p50_ms,
        slowest_p95_ms=max(page.p95_ms for page in found),
        slowest=slowest.address,
        visits=counted,
        people=known,
        database_mb=round(sum(path.stat().st_size for path in folder.glob("regulars.db*")) / 1e6, 1),
        written_s=round(written_s, 1),
        pages=found,
    )


def an_appliance(folder: Path, pack_name: str, model_folders: list[str]) -> Appliance:
    models = Path(model_folders[1]) if len(model_folders) > 1 else Path(model_folders[0], "models")
    chosen = Models(pack=pack_name, folder=models if models.is_dir() else None)
    config = Config(data=Data(folder=folder), site=Site(name="Bench", time_zone=ZONE), models=chosen)
    return open_appliance(config, now_ms, keeper=KeyFile(folder), everybody=Asker("", "bench", "owner"))


def furnished(store: Store, visits: int, people: int, days: int) -> list[str]:
    """Writes the past; the pages that are asked for, each with what makes it slow."""
    for number, name in enumerate(CAMERAS):
        cameras.add(store, NewCamera(name, "rtsp", f"rtsp://192.0.2.{number + 1}/bench"), now_ms())
        cameras.set_enabled(store, name, False, now_ms())
    ids = [camera.id for camera in cameras.list_cameras(store)]
    wanted = Wanted(days, people, visits, len(ids), now_ms(), ZoneInfo(ZONE))
    history_writing.write(store, wanted, ids)
    (often,) = store.db.execute("SELECT id FROM persons WHERE role = 'customer' ORDER BY visit_count DESC LIMIT 1").fetchone()
    (staff,) = store.db.execute("SELECT id FROM persons WHERE role = 'staff' LIMIT 1").fetchone()
    (visit,) = store.db.execute("SELECT id FROM visits ORDER BY first_seen_ms DESC LIMIT 1").fetchone()
    (day,) = store.db.execute("SELECT day FROM day_tallies WHERE camera_id = '' ORDER BY length(counts) DESC, day LIMIT 1").fetchone()
    lists = ("", "customer", "staff", "vip", "watchlist", "named", "unnamed")
    return [
        "/",
        "/today/parts",
        "/live",
        "/visits",
        f"/visits?day={day}&kind=unsure",
        f"/visits?day={day}&camera={ids[-1]}",
        f"/visits?person={often}",
        f"/visits?person={staff}&page=20",
        f"/visits/{visit}",
        *(f"/people?show={show}&sort={sort}" for show in lists for sort in ("last", "visits")),
        "/people?sort=number&page=900",
        *(f"/people?q={quote(words)}" for words in ("lê", "12345", "+84 24 3000 0001", "zzz")),
        f"/people/{often}",
        f"/people/{staff}",
        "/review",
        "/reports",
        "/reports?range=365d",
        f"/reports?range=365d&camera={ids[0]}",
        "/reports?range=90d&week=weekend",
        f"/reports?first={day}&last={day}",
        "/reports/table/visitors?range=365d",
        "/staff",
        "/cameras",
        "/alerts",
        "/privacy",
        "/settings",
        "/users",
        "/audit",
    ]


def _is_page(web: httpx.Client, path: str) -> bool:
    """A stream that never ends is none, nor is what this version does not have."""
    with web.stream("GET", path) as answer:
        return answer.status_code != NOT_THERE and not answer.headers.get("content-type", "").startswith("text/event-stream")


def _timed(get: Callable[[str], httpx.Response], path: str, rounds: int) -> PageTime:
    taken_ms = []
    for number in range(rounds + WARM_UP):
        began_s = time.perf_counter()
        answer = get(path).raise_for_status()
        if number >= WARM_UP:
            taken_ms.append((time.perf_counter() - began_s) * 1000)
    taken_ms.sort()
    return PageTime(path, round(quantile(taken_ms, 0.5), 1), round(quantile(taken_ms, 0.95), 1), round(len(answer.content) / 1000, 1))
