"""Headquarters' page for tests: the chain of tests.hub.chain behind the real app, with a user of each kind and a token of each scope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from litestar import Litestar

from hub import tokens, users
from hub.database import Database
from hub.hub_keys import HubKeys
from hub.ingest import Deps
from hub.metrics import Metrics
from hub.rates import Rates
from hub.readiness import Readiness
from hub.room import ROOM_BYTES_MIN, Room
from hub.snapshot_store import SnapshotStore, in_folder
from hub.web.app import create_app
from hub.web.pages import WebDeps
from hub.web.sync_routes import sync_routes
from tests.cheap import CHEAP
from tests.hub.chain import NOW, Chain
from ui.guard import Place

WORDS = "seven quiet lamps"
CODE = "K7Q2-MX4P-9TRB"
FINGERPRINT = "3f2a 91c4 7d0e 55b8"
OURS = "http://127.0.0.1:8080"


@dataclass
class Office:
    chain: Chain
    app: Litestar
    deps: WebDeps
    clock: list[datetime]
    tokens: dict[str, str]
    """By whose and what it may: "ours read", "ours admin", "danas admin"."""
    store: SnapshotStore
    free_bytes: list[int]
    """Of the disk, as the page is told it."""

    @property
    def database(self) -> Database:
        return self.chain.database


def web_deps(
    database: Database,
    now: Callable[[], datetime],
    first_code: str = "",
    place: Place | None = None,
    checks: Readiness | None = None,
    free_bytes: Sequence[int] = (ROOM_BYTES_MIN,),
) -> WebDeps:
    return WebDeps(
        database=database,
        now=now,
        place=place or Place(),
        address=lambda: OURS,
        fingerprint=lambda: FINGERPRINT,
        first_code=first_code,
        metrics=Metrics(),
        readiness=checks or Readiness({}),
        room=lambda: Room(free_bytes[0]),
        cost=CHEAP,
    )


def open_office(chain: Chain, folder: Path) -> Office:
    """`folder`: for pictures."""
    clock = [NOW]
    made: dict[str, str] = {}
    with chain.database.anyone() as tx:
        users.add(tx, "root", "system_admin", None, WORDS, NOW, cost=CHEAP)
        users.add(tx, "alice", "tenant_admin", chain.ours.tenant_id, WORDS, NOW, cost=CHEAP)
        users.add(tx, "dana", "tenant_admin", chain.danas.tenant_id, WORDS, NOW, cost=CHEAP)
    for whose, tenant_id in (("ours", chain.ours.tenant_id), ("danas", chain.danas.tenant_id)):
        with chain.database.tenant(tenant_id) as tx:
            for scope in tokens.SCOPES:
                made[f"{whose} {scope}"] = tokens.add(tx, tenant_id, f"till {scope}", scope, "alice", NOW)[1]
    free_bytes = [ROOM_BYTES_MIN]
    deps = web_deps(chain.database, lambda: clock[0], free_bytes=free_bytes)
    store = in_folder(folder / "snapshots")
    line = sync_routes(Deps(chain.database, HubKeys(chain.database, NOW), Rates()), store)
    return Office(chain, create_app(deps, line), deps, clock, made, store, free_bytes)
