"""The hub, put together and brought to an end: database, index, the stores' line, resolvers, jobs, page.

    stores → /sync/v1 → ingest (tables, queue) → resolver → identities, facts → the stores' next answer

`stop` ends everything within seconds. Several hubs may run on one database; with an embedded PostgreSQL there is one alone.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from hub import partitions, users
from hub.config import Config
from hub.database import Database
from hub.headquarters import Headquarters, open_headquarters
from hub.hub_keys import HubKeys
from hub.jobs import DAY_S, HOUR_S, Job, Jobs
from hub.metrics import Metrics
from hub.readiness import Check, Readiness
from hub.standings import look_up
from hub.web.app import create_app
from hub.web.opening import Opening, opening
from hub.web.pages import WebDeps
from hub.web.standing import OFFLINE
from sync.keys import fingerprint
from ui.server import Server, serve

log = logging.getLogger(__name__)
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: nothing that is mistaken for something else when it is typed off a screen."""
CODE_GROUPS, CODE_GROUP = 3, 4


class Hub:
    """Made by `open_hub`."""

    def __init__(self, found: Headquarters, opened: Opening, first_code: str, now: Callable[[], datetime]) -> None:
        self.database: Database = found.database
        self.first_code = first_code
        self._opening, self._now = opened, now
        self._keys = HubKeys(self.database, now())
        self.metrics = Metrics()
        self.metrics.look_up(look_up(self.database, now, OFFLINE.total_seconds(), found.config.metrics.tenants))
        self._jobs = Jobs(self.database, self.metrics, self._all_jobs())
        self._scrape_token = found.config.metrics.token
        self._server: Server | None = None

    @property
    def address(self) -> str:
        return self._opening.address

    def start(self) -> None:
        """Raises CannotServe."""
        deps = WebDeps(
            database=self.database,
            now=self._now,
            place=self._opening.place,
            address=lambda: self.address,
            fingerprint=lambda: fingerprint(self._keys.current(self._now()).public),
            first_code=self.first_code,
            metrics=self.metrics,
            readiness=Readiness(self._checks()),
            scrape_token=self._scrape_token,
        )
        self._server = serve(create_app(deps), self._opening.host, self._opening.port, outside=self._opening.outside)
        self._jobs.start()
        log.info("event=started address=%s", self.address)

    def stop(self) -> None:
        """Page first, so that nothing new comes; then the jobs. What is committed is kept."""
        if self._server:
            self._server.stop()
        ended = self._jobs.stop()
        log.info("event=stopped jobs_ended=%s", str(ended).lower())

    def _checks(self) -> dict[str, Check]:
        return {"postgres": self._ask_postgres}

    def _ask_postgres(self) -> None:
        """Raises DatabaseAway."""
        with self.database.anyone(statement_s=2) as tx:
            tx.execute("SELECT 1")

    def _all_jobs(self) -> list[Job]:
        def make_partitions(_stopping: Callable[[], bool]) -> None:
            with self.database.anyone() as tx:
                partitions.make_ahead(tx, self._now())

        def purge_sessions(_stopping: Callable[[], bool]) -> None:
            with self.database.anyone() as tx:
                users.purge_sessions(tx, self._now())

        return [
            Job("partitions", DAY_S, 5.0, make_partitions),
            Job("sessions", HOUR_S, 120.0, purge_sessions),
        ]


def new_code() -> str:
    """Sixty bits: nobody guesses it in the minutes in which it counts."""
    groups = ("".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_GROUP)) for _ in range(CODE_GROUPS))
    return "-".join(groups)


@contextmanager
def open_hub(config: Config, now: Callable[[], datetime]) -> Iterator[Hub]:
    """Everything that can be wrong is found before the page opens. Raises HubError, CannotServe."""
    with open_headquarters(config, now(), serve=True) as found:
        with found.database.anyone() as tx:
            nobody = users.nobody_yet(tx)
        hub = Hub(found, opening(config.web, not nobody), new_code() if nobody else "", now)
        try:
            hub.start()
            yield hub
        finally:
            hub.stop()
