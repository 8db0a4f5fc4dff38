"""Stores that tell the hub: records with their numbers, put through the same door as a batch that was opened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import uuid_utils

from hub import applying, erasure
from hub.database import Database, Tx
from hub.erasure import Asked
from hub.moments import to_ms
from hub.set_aside import Aside
from hub.stored_rows import Sender
from sync.records import PersonRecord, Record, TemplateRecord, VisitRecord, encoded, halved
from tests.hub.chain import NOW, Chain

NOW_MS = to_ms(NOW)
MODEL = "model-a"
ADMIN = Asked("admin", "asked by letter")


def new_id() -> str:
    return str(uuid_utils.uuid7())


def unit(seed: int, size: int = 16) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    vector = np.random.default_rng(seed).standard_normal(size).astype(np.float32)
    return vector / np.linalg.norm(vector)


def person(person_id: str, number: int = 9, **fields: Any) -> PersonRecord:
    return PersonRecord(
        **{"id": person_id, "number": number, "role": "customer", "first_seen_ms": NOW_MS, "last_seen_ms": NOW_MS, **fields}
    )


def template(person_id: str, seed: int = 1, **fields: Any) -> TemplateRecord:
    told = {"id": new_id(), "model": MODEL, "embedding": halved(unit(seed)), "quality": 0.8, "origin": "visit", "created_ms": NOW_MS}
    return TemplateRecord(person_id=person_id, **{**told, **fields})


def visit(person_id: str = "", **fields: Any) -> VisitRecord:
    told = {"id": new_id(), "verdict": "new", "settled": True, "first_seen_ms": NOW_MS, "last_seen_ms": NOW_MS + 1000, "similarity": 0.5}
    return VisitRecord(person_id=person_id, **{**told, **fields})


class Store:
    """One appliance of a tenant, as far as the hub's tables are concerned."""

    def __init__(self, database: Database, tenant_id: str, site_id: str, appliance_id: str) -> None:
        self.database, self.tenant_id, self.appliance_id = database, tenant_id, appliance_id
        self.sender = Sender(tenant_id, appliance_id, site_id, f"store {appliance_id[-4:]}")
        self.sequence = 0

    def tells(self, *told: Record | bytes, now: datetime = NOW) -> list[Aside]:
        """Applies a batch as an exchange does; what was set aside."""
        payloads = [one if isinstance(one, bytes) else encoded(one) for one in told]
        read, asides = applying.read(payloads, self.sequence + 1, to_ms(now))
        self.sequence += len(payloads)
        with self.database.tenant(self.tenant_id) as tx:
            erasure.shut_out_ingest(tx)
            vault = self.database.vault(tx, self.tenant_id)
            return asides + applying.apply(tx, vault, self.sender, read, now, alone=True)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.database.tenant(self.tenant_id) as tx:
            return tx.execute(query, list(values)).fetchall()  # type: ignore[arg-type]


def stores(chain: Chain) -> tuple[Store, Store, Store]:
    """Two of ours, and Dana's."""
    return (
        Store(chain.database, chain.ours.tenant_id, chain.site_a.id, chain.appliance_a),
        Store(chain.database, chain.ours.tenant_id, chain.site_b.id, chain.appliance_b),
        Store(chain.database, chain.danas.tenant_id, chain.danas_site.id, chain.danas_appliance),
    )


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def every_fact(tx: Tx, store: Store, appliance_id: str) -> Sequence[Any]:
    from hub import facts
    from sync.facts import decoded

    page = facts.after(tx, store.database.vault(tx, store.tenant_id), appliance_id, 0)
    return [decoded(payload) for _, payload in page.facts]
