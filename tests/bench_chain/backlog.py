"""A store that comes back after thirty days: its real outbox through its real line to a real hub, each a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from appliance.data_key import KeyFile
from appliance.database import open_store
from sync import outbox
from tests.chaos.chain import Hub, Shop, environment, until
from tests.sync import store_day

VISITS = 30_000
DIMENSIONS = 128
IN_ONE = 2_000
SECONDS_MAX = 900


def measure(folder: Path, visits: int = VISITS) -> dict[str, float]:
    """`folder`: one that PostgreSQL may pass."""
    from hub.evaluation import free_port

    hub, shop = Hub(folder / "hub", free_port()), Shop("Store 1", folder / "store", 1)
    hub.folder.mkdir()
    records = _fill(shop, visits)
    try:
        hub.command("tenant", "add", "Bench")
        hub.command("site", "add", "Bench", shop.name)
        hub.start()
        until(hub.answers, "the hub answers")
        shop.pair(hub.code_for("Bench", shop.name), hub.port)
        waiting = shop.waiting()
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "appliance.main", "sync", "now", "--seconds", str(SECONDS_MAX)],
            env=environment(REGULARS_DATA__FOLDER=str(shop.folder)),
            check=True,
            capture_output=True,
        )
        seconds = time.perf_counter() - began
        with hub.rows() as rows:
            stored = rows("SELECT count(*) FROM visits")[0][0]
        assert stored == visits, f"{stored} of {visits} visits came"
    finally:
        hub.stop()
    return {"backlog_30d_s": seconds, "records": records, "records_waiting": waiting, "visits": visits}


def _fill(shop: Shop, visits: int) -> int:
    shop.folder.mkdir()
    store = open_store(shop.folder, store_day.START_MS, keeper=KeyFile(shop.folder))
    told = store_day.visits(visits, DIMENSIONS)
    try:
        for start in range(0, len(told), IN_ONE):
            with store.transaction() as db:
                outbox.append_all(db.conn, [(record, store_day.START_MS) for record in told[start : start + IN_ONE]], store.vault.seal)
        return int(store.db.execute("SELECT count(*) FROM outbox").fetchone()[0])
    finally:
        store.close()
