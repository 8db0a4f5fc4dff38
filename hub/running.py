"""The hub, put together and brought to an end: database, index, the stores' line, resolver, jobs, page.

    stores → /sync/v1 → ingest (tables, queue) → resolver → identities, facts → the stores' next answer

`stop` ends everything within seconds, what waits in queues stays there. Several hubs may run on one database by URL; with a PostgreSQL of
our own there is one alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from hub import heartbeats, migrations, room, snapshot_store, users
from hub.config import Config
from hub.database import Database
from hub.errors import WrongVersion
from hub.headquarters import Headquarters, open_headquarters
from hub.hub_keys import HubKeys
from hub.index import Index, IndexAway
from hub.index_place import open_index
from hub.ingest import Deps
from hub.jobs import Jobs
from hub.metrics import Metrics
from hub.model_bars import bars_of
from hub.rates import Rates
from hub.readiness import Check, Readiness
from hub.resolver import Resolver
from hub.room import Room
from hub.snapshot_store import SnapshotStore
from hub.standing_jobs import FORGETTING, standing_jobs
from hub.standings import look_up
from hub.web.app import create_app
from hub.web.opening import Opening, opening
from hub.web.pages import WebDeps
from hub.web.sync_routes import sync_routes
from sync.keys import fingerprint
from ui.server import Server, serve
from ui.sign_in import new_code

log = logging.getLogger(__name__)
RESOLVER_STOP_S = 2.0
SNAPSHOTS_FOLDER = "snapshots"


class Hub:
    """Made by `open_hub`."""

    def __init__(
        self, found: Headquarters, index: Index, store: SnapshotStore, opened: Opening, first_code: str, now: Callable[[], datetime]
    ) -> None:
        self.database: Database = found.database
        self.first_code = first_code
        self.index, self._store, self._opening, self._now = index, store, opened, now
        self._folder = found.config.data.folder
        self.metrics = Metrics()
        self.metrics.look_up(look_up(self.database, now, heartbeats.OFFLINE_AFTER, found.config.metrics.tenants))
        self._resolver = Resolver(self.database, index, bars_of, self.metrics, now, self._room)
        self._jobs = Jobs(self.database, self.metrics, standing_jobs(self.database, index, bars_of, store, self.metrics, now))
        keys = HubKeys(self.database, now())
        line = Deps(self.database, keys, Rates(), noted=self._noted)
        deps = WebDeps(
            database=self.database,
            now=now,
            place=opened.place,
            address=lambda: self.address,
            fingerprint=lambda: fingerprint(keys.current(now()).public),
            first_code=first_code,
            metrics=self.metrics,
            readiness=Readiness(self._checks()),
            room=self._room,
            forget_soon=lambda: self._jobs.soon(FORGETTING),
            scrape_token=found.config.metrics.token,
        )
        self._app = create_app(deps, sync_routes(line, store))
        self._server: Server | None = None

    @property
    def address(self) -> str:
        return self._opening.address

    def start(self) -> None:
        """Raises CannotServe."""
        self._server = serve(self._app, self._opening.host, self._opening.port, outside=self._opening.outside)
        self._resolver.start()
        self._jobs.start()
        log.info("event=started address=%s", self.address)

    def stop(self) -> None:
        """The page first, so that nothing new comes. What is committed is kept; what was cut off is done again."""
        if self._server:
            self._server.stop()
            resolved = self._resolver.stop(RESOLVER_STOP_S)
            ended = self._jobs.stop()
            log.info("event=stopped resolver_ended=%s jobs_ended=%s", str(resolved).lower(), str(ended).lower())

    def _noted(self, outcome: str, records: int, aside: int) -> None:
        self.metrics.exchanged(outcome, records, aside)
        if records:
            self._resolver.wake()

    def _checks(self) -> dict[str, Check]:
        stands_on = {"postgres": self._ask_postgres, "migrations": self._ask_migrations, "index": self._ask_index}
        return {**stands_on, "snapshots": self._store.ping, "disk": lambda: room.ask(self._room())}

    def _room(self) -> Room:
        """Raises DataFolderError."""
        return room.left(self._folder)

    def _ask_postgres(self) -> None:
        """Raises DatabaseAway."""
        with self.database.anyone(statement_s=2) as tx:
            tx.execute("SELECT 1")

    def _ask_migrations(self) -> None:
        """Raises DatabaseAway; WrongVersion when a newer hub has changed the tables since we began."""
        with self.database.anyone(statement_s=2) as tx:
            row = tx.execute("SELECT max(version) FROM migrations").fetchone()
        if row is None or row[0] != len(migrations.known()):
            raise WrongVersion("The database's tables are not of this version.")

    def _ask_index(self) -> None:
        """Raises IndexAway, also while it has not been compared with the database since a crash."""
        self.index.models()
        if self.index.suspect:
            raise IndexAway("The index is being compared with the database.")


def open_store(config: Config) -> SnapshotStore:
    """Raises DataFolderError, ConfigError."""
    given = config.snapshots
    if not given.url:
        return snapshot_store.in_folder(config.data.folder / SNAPSHOTS_FOLDER)
    return snapshot_store.in_bucket(
        snapshot_store.parse_bucket(
            given.url,
            endpoint=given.endpoint,
            region=given.region,
            access_key_id=given.access_key_id,
            secret_access_key=given.secret_access_key,
        )
    )


@contextmanager
def open_hub(config: Config, now: Callable[[], datetime]) -> Iterator[Hub]:
    """Everything that can be wrong is found before the page opens. Raises HubError, CannotServe."""
    opening(config.web, somebody=True)
    with open_headquarters(config, now(), serve=True) as found:
        with found.database.anyone() as tx:
            nobody = users.nobody_yet(tx)
        opened = opening(config.web, not nobody)
        store = open_store(config)
        index = open_index(config, found.database)
        try:
            hub = Hub(found, index, store, opened, new_code() if nobody else "", now)
            try:
                hub.start()
                yield hub
            finally:
                hub.stop()
        finally:
            index.close()
