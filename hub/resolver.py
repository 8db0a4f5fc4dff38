"""The thread behind ingest: goes from tenant to tenant and finds out who the persons are that wait in the queue. Woken when a store has
sent something; otherwise it looks every two seconds.

It decides nothing itself (`hub.resolving`) and holds no lock while it waits. What fails at one tenant keeps no other waiting.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from hub import index_upkeep, resolving, tenants
from hub import log as hub_log
from hub.database import Database
from hub.errors import DatabaseAway, DatabaseBusy, DataFolderError
from hub.index import Index, IndexAway
from hub.metrics import Metrics
from hub.model_bars import BarsOf
from hub.room import Room

EVERY_S = 2.0
AWAY_S = 5.0
"""While the database or the index is away."""
BATCHES_MAX = 10
"""Of one tenant before the next has its turn: some seconds."""

log = logging.getLogger(__name__)


class Resolver:
    def __init__(
        self, database: Database, index: Index, bars_of: BarsOf, metrics: Metrics, now: Callable[[], datetime], room: Callable[[], Room]
    ) -> None:
        self._database, self._index, self._bars_of = database, index, bars_of
        self._metrics, self._now, self._room = metrics, now, room
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="resolver", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Somebody may wait: look at once."""
        self._wake.set()

    def stop(self, seconds: float) -> bool:
        """Whether it has ended. A batch that is being worked on is ended first; one that is cut off is done again later."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(EVERY_S)
            self._wake.clear()
            try:
                more = self.turn()
            except Exception as error:
                # Whatever it is, the next turn begins anew; a thread that ended would leave everybody unknown.
                log.error("event=resolver_failed %s", hub_log.place_of(error))
                self._stopping.wait(AWAY_S)
                continue
            if more:
                self._wake.set()

    def turn(self) -> bool:
        """Each tenant once; whether somebody is still due. Raises DatabaseAway."""
        if self._index.suspect:
            self._compare()
        with self._database.anyone() as tx:
            ids = [tenant.tenant_id for tenant in tenants.every(tx)]
        more = [self._of_tenant(tenant_id) for tenant_id in ids if not self._stopping.is_set()]
        return any(more)

    def _compare(self) -> None:
        """After a crash the index may lack what it had acknowledged; it is asked nothing before it has been compared."""
        try:
            found = index_upkeep.verify_all(self._database, self._index, self._bars_of, mend=True)
        except IndexAway as error:
            self._away(error)
            return
        compared = [one for one in found if one is not None]
        mended = sum(one.missing + one.moved + one.extra for one in compared)
        log.info("event=index_compared held=%d mended=%d", sum(one.held for one in compared), mended)

    def _of_tenant(self, tenant_id: str) -> bool:
        hub_log.about(tenant=tenant_id)
        began_s = time.perf_counter()
        try:
            if not self._due(tenant_id):
                return False
            done = resolving.resolve_due(self._database, self._index, self._bars_of, tenant_id, self._now(), batches_max=BATCHES_MAX)
        except (DatabaseAway, DatabaseBusy) as error:
            log.warning("event=resolver_waits %s%s", hub_log.place_of(error), self._little_room())
            return False
        finally:
            hub_log.about(tenant="")
        if done.away:
            self._metrics.index_failed()
            log.warning(
                "event=resolver_waits tenant=%s error=IndexAway reason=%s waiting=%s%s",
                *(tenant_id, done.away.replace(" ", "_"), self._waiting(tenant_id), self._little_room()),
            )
        if done.persons:
            took_s = time.perf_counter() - began_s
            others = max(0, done.persons - done.linked - done.new)
            self._metrics.resolved(done.linked, done.new, done.questions, others, took_s)
            log.info(
                "event=resolved tenant=%s persons=%d linked=%d new=%d questions=%d ms=%d",
                *(tenant_id, done.persons, done.linked, done.new, done.questions, round(took_s * 1000)),
            )
        return done.more and not done.away

    def _due(self, tenant_id: str) -> bool:
        """One look instead of a lock and a connection of its own."""
        with self._database.tenant(tenant_id) as tx:
            return resolving.is_due(tx, self._now())

    def _waiting(self, tenant_id: str) -> str:
        """How many persons; a full disk may have taken the database, too."""
        try:
            with self._database.tenant(tenant_id) as tx:
                return str(resolving.waiting(tx))
        except (DatabaseAway, DatabaseBusy):
            return "unknown"

    def _little_room(self) -> str:
        """For the log: a full disk is why most often."""
        try:
            room = self._room()
        except DataFolderError:
            return " disk=gone"
        return f" disk=only_{room.mb}_MB_left" if room.little else ""

    def _away(self, error: IndexAway) -> None:
        self._metrics.index_failed()
        log.warning("event=index_away %s reason=%s%s", hub_log.place_of(error), str(error).replace(" ", "_"), self._little_room())
        self._stopping.wait(AWAY_S)
