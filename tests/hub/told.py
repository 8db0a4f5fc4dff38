"""Persons as ingest stores them, with faces of numbers: for tests of what comes behind ingest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import uuid_utils

from hub import facts, known, review
from hub.database import Database, Tx
from hub.index import Floats
from hub.model_bars import bars_of
from hub.resolving import Resolved, resolve_due
from hub.sites import Site
from hub.vault import Vault
from models.bars import Bars
from sync.facts import PersonKnown
from sync.records import halved
from tests.hub.chain import NOW, Chain
from tests.hub.exact_index import ExactIndex

SURE = 0.85
"""A cosine that is above every bar."""
MODEL = "starter_embedder"
SIZE = 128


def face(seed: int) -> Floats:
    """The direction of somebody's face."""
    row = np.random.default_rng(seed).standard_normal(SIZE)
    return (row / np.linalg.norm(row)).astype(np.float32)


def like(somebody: Floats, cosine: float, seed: int = 0) -> Floats:
    """A vector at this cosine to another."""
    away = np.random.default_rng(1_000 + seed).standard_normal(SIZE)
    away -= (away @ somebody) * somebody
    away /= np.linalg.norm(away)
    return (cosine * somebody + np.sqrt(1 - cosine**2) * away).astype(np.float32)


@dataclass(slots=True)
class Stores:
    """`at`: when things are told."""

    database: Database
    tenant_id: str
    now: datetime
    numbers: dict[str, int] = field(default_factory=dict)

    def tell(
        self,
        site: Site,
        appliance_id: str,
        looks: Sequence[Floats],
        *,
        name: str = "",
        role: str = "customer",
        guest_of: str | None = None,
        visits: int = 1,
        model: str = MODEL,
    ) -> str:
        """A new person of a store, and their templates."""
        person_id = str(uuid_utils.uuid7())
        number = self.numbers[appliance_id] = self.numbers.get(appliance_id, 100) + 1
        with self.database.tenant(self.tenant_id) as tx:
            vault = self.database.vault(tx, self.tenant_id)
            sealed = vault.seal(name.encode(), table="persons", column="name_sealed", row=person_id) if name else None
            tx.execute(
                """INSERT INTO persons (tenant_id, id, appliance_id, site_id, number, role, name_sealed, guest_of, first_seen_at,
                    last_seen_at, visit_count) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
                [self.tenant_id, person_id, appliance_id, site.id, number, role, sealed, guest_of, self.now, self.now, visits],
            )
        for look in looks:
            self.learn(person_id, look, model)
        self.queue(person_id)
        return person_id

    def learn(self, person_id: str, look: Floats, model: str = MODEL) -> str:
        template_id = str(uuid_utils.uuid7())
        with self.database.tenant(self.tenant_id) as tx:
            vault = self.database.vault(tx, self.tenant_id)
            sealed = vault.seal(halved(look), table="templates", column="embedding_sealed", row=template_id)
            tx.execute(
                """INSERT INTO templates (tenant_id, id, person_id, model, embedding_sealed, quality, origin, made_at)
                    VALUES (%s, %s, %s, %s, %b, .5, 'visit', %s)""",
                [self.tenant_id, template_id, person_id, model, sealed, self.now],
            )
        self.queue(person_id)
        return template_id

    def queue(self, *person_ids: str) -> None:
        with self.database.tenant(self.tenant_id) as tx:
            for person_id in person_ids:
                tx.execute(
                    """INSERT INTO resolve_queue (tenant_id, person_id, queued_at, not_before) VALUES (%(t)s, %(p)s, %(n)s, %(n)s)
                        ON CONFLICT (tenant_id, person_id) DO UPDATE SET not_before = %(n)s""",
                    {"t": self.tenant_id, "p": person_id, "n": self.now},
                )

    def forget(self, person_id: str) -> None:
        """The store says that the person is gone."""
        with self.database.tenant(self.tenant_id) as tx:
            tx.execute("DELETE FROM templates WHERE person_id = %s", [person_id])
            tx.execute("DELETE FROM persons WHERE id = %s", [person_id])
        self.queue(person_id)

    def call_apart(self, one: str, other: str) -> None:
        with self.database.tenant(self.tenant_id) as tx:
            tx.execute(
                "INSERT INTO apart (tenant_id, person_a, person_b, reason, made_at) VALUES (%s, %s, %s, '', %s)",
                [self.tenant_id, min(one, other), max(one, other), self.now],
            )
        self.queue(one, other)

    def identity(self, person_id: str) -> str | None:
        with self.database.tenant(self.tenant_id) as tx:
            row = tx.execute("SELECT identity_id FROM persons WHERE id = %s", [person_id]).fetchone()
        assert row is not None
        found: str | None = row[0]
        return found

    def rows(self, table: str) -> int:
        with self.database.tenant(self.tenant_id) as tx:
            row = tx.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[call-overload]
        assert row is not None
        return int(row[0])


class Hub:
    """Our tenant's two stores, an exact index, and the resolver."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self.database, self.tenant_id = chain, chain.database, chain.ours.tenant_id
        self.index = ExactIndex()
        self.stores = Stores(chain.database, self.tenant_id, NOW)
        self.a, self.b = (chain.site_a, chain.appliance_a), (chain.site_b, chain.appliance_b)
        self.now = NOW

    def resolve(self) -> Resolved:
        self.stores.now = self.now
        return resolve_due(self.database, self.index, bars_of, self.tenant_id, self.now)

    def known(self, person_id: str) -> PersonKnown | None:
        with self.database.tenant(self.tenant_id) as tx:
            told = facts.held(tx, self.database.vault(tx, self.tenant_id), known.KNOWN, [person_id])
        assert all(isinstance(one.fact, PersonKnown) for one in told)
        return told[0].fact if told and isinstance(told[0].fact, PersonKnown) else None

    @contextmanager
    def tenant(self) -> Iterator[tuple[Tx, Vault]]:
        with self.database.tenant(self.tenant_id) as tx:
            yield tx, self.database.vault(tx, self.tenant_id)

    def open(self) -> list[review.Open]:
        with self.tenant() as (tx, _):
            return review.list_open(tx)

    def questions(self) -> list[review.Question]:
        return [one.question for one in self.open()]


def measured() -> Bars:
    found = bars_of(MODEL)
    assert found is not None and found.size == SIZE
    return found.bars
