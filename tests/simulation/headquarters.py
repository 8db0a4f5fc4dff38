"""The hub of the simulated chain: its real ingest, resolving and forgetting on a real PostgreSQL, an index that may be away, and its power.

The process's memory is thrown away with each power cut; what PostgreSQL committed is what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random

from hub import (
    appliances,
    duplicates,
    erasure,
    forgetting,
    guests,
    index_upkeep,
    ingest,
    pairing,
    resolving,
    sites,
    snapshot_store,
    tenants,
)
from hub.database import Tx
from hub.erasure import Asked
from hub.errors import NotAllowed, NotFound
from hub.hub_keys import HubKeys
from hub.index import IndexAway
from hub.model_bars import bars_of
from hub.moments import from_ms
from hub.rates import Rates
from hub.vault import Vault
from tests.cheap import CHEAP_WORK
from tests.hub.conftest import MASTER
from tests.hub.exact_index import ExactIndex
from tests.simulation.parts import Parts
from tests.simulation.postgres import Server
from tests.simulation.power import Power, PowerCut

START_MS_MAX = 60_000
ADMIN = Asked("somebody at headquarters", "asked for")


@dataclass(frozen=True, slots=True)
class Tenant:
    name: str
    tenant_id: str


Has = Callable[..., bool]
"""Whether one of these tables has a row of the tenant: an idle hub has nothing to do, and a run is not to be spent on finding that out."""


class Hub:
    """Everything that it does goes through `doing`: then its power may go at any step."""

    def __init__(
        self, server: Server, name: str, folder: Path, parts: Parts, chance: Random, true_now: Callable[[], int], has: Has
    ) -> None:
        self.name, self.has = "the hub", has
        self.server, self.parts, self.chance, self._true_now = server, parts, chance, true_now
        self.database_name = name
        self.clock_off_ms = 0
        self.power = Power()
        self.index = ExactIndex()
        self.snapshots = snapshot_store.in_folder(folder)
        self.dark_until_ms: int | None = None
        self.tenants: list[Tenant] = []
        self.backup: str | None = None
        self._start()

    def now(self) -> datetime:
        return from_ms(self._true_now() + self.clock_off_ms)

    @property
    def runs(self) -> bool:
        return self.dark_until_ms is None

    def _start(self) -> None:
        self.power.keep()
        self.dark_until_ms = None
        self.database = self.parts.database(self.server.line(self.database_name), MASTER, self.power)
        self.database.open()
        self.keys = HubKeys(self.database, self.now())
        self.deps = ingest.Deps(self.database, self.keys, Rates())

    def fall_dark(self) -> None:
        if not self.runs:
            return
        self.database.close()
        # What it held in memory about the index is gone; after a crash nobody knows what the index got.
        self.index.suspect = True
        self.dark_until_ms = self._true_now() + self.chance.randint(1_000, START_MS_MAX)

    def light_up(self, *, at_once: bool = False) -> None:
        if self.dark_until_ms is not None and (at_once or self._true_now() >= self.dark_until_ms):
            self._start()

    def close(self) -> None:
        if self.runs:
            self.database.close()
        if self.backup:
            self.server.drop(self.backup)

    def doing(self, what: Callable[[], object]) -> bool:
        if not self.runs:
            return False
        try:
            what()
            self.power.step("after")
        except PowerCut:
            self.fall_dark()
            return False
        return True

    # ---- what reaches it -----------------------------------------------------------------------------------------------------------

    def hear(self, path: str, body: bytes) -> bytes | None:
        """The answer, if it got so far."""
        answers: list[bytes] = []
        if path.endswith("/pair"):
            self.doing(lambda: answers.append(pairing.pair(self.database, self.keys, self.deps.rates, body, "192.0.2.1", self.now())))
        elif path.endswith("/exchange"):
            self.doing(lambda: answers.append(self.parts.exchange(self.deps, body, self.now())))
        return answers[0] if answers else None

    # ---- what is done at it --------------------------------------------------------------------------------------------------------

    def add_tenant(self, name: str, *, guests: bool) -> Tenant:
        with self.database.anyone() as tx:
            made = tenants.add(tx, MASTER, name, self.now())
        with self.database.tenant(made.tenant_id) as tx:
            tenants.set_switches(tx, made.tenant_id, guests=guests, also_at=guests)
        tenant = Tenant(name, made.tenant_id)
        self.tenants.append(tenant)
        return tenant

    def code_for(self, tenant: Tenant, site: str) -> str:
        with self.database.tenant(tenant.tenant_id) as tx:
            made = sites.add(tx, tenant.tenant_id, site, "Asia/Ho_Chi_Minh", self.now())
        return pairing.make_code(self.database, tenant.tenant_id, made.id, "the world", self.now(), CHEAP_WORK).shown

    def code_again(self, tenant_id: str, site: str) -> str:
        """For a site's new appliance; those it had are revoked."""
        with self.database.tenant(tenant_id) as tx:
            found, vault = sites.named(tx, site), self.database.vault(tx, tenant_id)
            for one in appliances.every(tx):
                if one.site_id == found.id:
                    pairing.revoke(tx, vault, one.id, "the world", self.now())
        return pairing.make_code(self.database, tenant_id, found.id, "the world", self.now(), CHEAP_WORK).shown

    # ---- its backup ----------------------------------------------------------------------------------------------------------------

    def back_up(self) -> None:
        name = f"{self.database_name}_backup"
        self._replace(self.database_name, name)
        self.backup = name

    def put_back(self) -> None:
        """The index is left as it was, so that nobody knows any more whether it is as it should be."""
        assert self.backup is not None
        self._replace(self.backup, self.database_name)
        self.index.suspect = True

    def _replace(self, source: str, name: str) -> None:
        self.database.close()
        self.server.drop(name)
        self.server.copy(source, name)
        self._start()

    def erase(self, tenant: Tenant, identity_id: str) -> bool:
        def do() -> None:
            with self.database.tenant(tenant.tenant_id) as tx:
                vault = self.database.vault(tx, tenant.tenant_id)
                erasure.erase(tx, vault, identity_id, ADMIN, self.now())
            self.parts.after_erasure(self.database, tenant.tenant_id)

        return self.doing(do)

    def opt_out(self, tenant: Tenant, identity_id: str) -> str | None:
        """The erasure's id."""
        return self.change(tenant, lambda tx, vault: erasure.opt_out(tx, vault, identity_id, ADMIN, self.now()))

    def change(self, tenant: Tenant, what: Callable[[Tx, Vault], str | None]) -> str | None:
        """Somebody there changes something; what came of it, None where the power went or it may not be."""
        said: list[str | None] = []

        def do() -> None:
            with suppress(NotAllowed, NotFound):
                with self.database.tenant(tenant.tenant_id) as tx:
                    made = what(tx, self.database.vault(tx, tenant.tenant_id))
                # Only of what is committed.
                said.append(made)

        return said[0] if self.doing(do) and said else None

    def work(self) -> None:
        """What it does by itself, behind the stores' backs: whom is it, and is everything forgotten that should be."""
        for tenant in self.tenants:
            self.doing(lambda tenant=tenant: self._work(tenant.tenant_id))

    def pass_over(self) -> None:
        """What it does now and then: doubles found, guests lent."""

        def do(tenant_id: str) -> None:
            with suppress(IndexAway):
                duplicates.find(self.database, self.index, bars_of, tenant_id, self.now())
            guests.lend(self.database, tenant_id, self.now())

        for tenant in self.tenants:
            self.doing(lambda tenant=tenant: do(tenant.tenant_id))

    def _work(self, tenant_id: str) -> None:
        if self.index.suspect:
            with suppress(IndexAway):
                index_upkeep.verify_all(self.database, self.index, bars_of, mend=True)
        if self.has(tenant_id, "resolve_queue", "index_leftovers"):
            resolving.resolve_due(self.database, self.index, bars_of, tenant_id, self.now())
        if self.has(tenant_id, "erasure_receipts", "doomed_snapshots"):
            forgetting.work_off(self.database, self.index, self.snapshots, tenant_id, self.now())
