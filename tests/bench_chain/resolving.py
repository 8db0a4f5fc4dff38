"""How many persons a second find their identity among so many of a tenant: the whole resolver through Postgres and Milvus Lite, beside a
bare exact search of the same looks with FAISS.

Everybody whom the chain knows came to one store and has two templates; then persons of another store come, half of whom are known.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import uuid_utils

from hub import index_upkeep, moments, sites, tenants
from hub.config import Config, Data
from hub.database import Database
from hub.headquarters import open_headquarters
from hub.index import Floats
from hub.index_place import open_index
from hub.model_bars import bars_of
from hub.resolving import BATCH, NEAR, resolve_due
from hub.vault import Vault
from sync.records import halved

MODEL = "arcface_w600k_mbf"
TEMPLATES = 2
COMERS = 1_024
ALIKE = 0.8
"""A template's cosine to its person's own direction: two of one person agree by .64, as in a store."""
CHUNK = 5_000


def measure_resolving(folder: Path, *, identities: int, comers: int = COMERS) -> dict[str, float]:
    """`folder`: an empty one that Postgres may enter. Gives persons a second, bare searches a second with FAISS, templates a second filled
    into the index, and the share of the known that were linked."""
    measured = bars_of(MODEL)
    assert measured is not None
    with open_headquarters(Config(data=Data(folder=folder)), moments.now(), serve=True) as there:
        index = open_index(there.config, there.database)
        try:
            now = moments.now()
            tenant_id, (first, second) = _tenant(there.database, now)
            people = _directions(identities, measured.size, 1)
            for start in range(0, identities, CHUNK):
                _persons(there.database, tenant_id, first, people[start : start + CHUNK], start, now, known=True)
            began = time.perf_counter()
            index_upkeep.rebuild(there.database, index, bars_of, tenant_id)
            filling_s = time.perf_counter() - began
            chosen = np.random.default_rng(2).choice(identities, comers // 2, replace=False)
            coming = np.concatenate([people[chosen], _directions(comers - len(chosen), measured.size, 3)])
            _persons(there.database, tenant_id, second, coming, identities, now, known=False)
            began = time.perf_counter()
            done = resolve_due(there.database, index, bars_of, tenant_id, now)
            resolving_s = time.perf_counter() - began
            assert done.persons == comers and not done.away and not done.more, done
        finally:
            index.close()
    return {
        "resolve_per_s": comers / resolving_s,
        "faiss_per_s": _bare(people, coming),
        "filled_per_s": identities * TEMPLATES / filling_s,
        "linked_of_known": done.linked / len(chosen),
    }


def _directions(count: int, size: int, seed: int) -> Floats:
    rows = np.random.default_rng(seed).standard_normal((count, size), dtype=np.float32)
    unit: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _views(people: Floats, seed: int) -> Floats:
    """(N, D) one view of each."""
    away = _directions(len(people), people.shape[1], seed)
    away -= np.einsum("nd,nd->n", away, people)[:, None] * people
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    views: Floats = ALIKE * people + np.float32(np.sqrt(1 - ALIKE**2)) * away
    return views


def _bare(people: Floats, coming: Floats) -> float:
    import faiss

    faiss.omp_set_num_threads(1)
    exact = faiss.IndexFlatIP(people.shape[1])
    for seed in range(TEMPLATES):
        exact.add(_views(people, 10 + seed))
    began = time.perf_counter()
    for start in range(0, len(coming), BATCH):
        exact.search(coming[start : start + BATCH], NEAR)
    return len(coming) / (time.perf_counter() - began)


def _tenant(database: Database, now: datetime) -> tuple[str, list[tuple[str, str]]]:
    """The tenant, and (site, appliance) of its two stores."""
    with database.anyone() as tx:
        tenant_id = tenants.add(tx, database.master, "Benchmark", now).tenant_id
    stores = []
    for name in ("First", "Second"):
        with database.tenant(tenant_id) as tx:
            site = sites.add(tx, tenant_id, name, "UTC", now)
            appliance_id = str(uuid_utils.uuid7())
            tx.execute(
                """INSERT INTO appliances (tenant_id, id, site_id, name, seal_public, sign_public, keys_made_at, paired_at)
                    VALUES (%s, %s, %s, %s, '', '', %s, %s)""",
                [tenant_id, appliance_id, site.id, name, now, now],
            )
            stores.append((site.id, appliance_id))
    return tenant_id, stores


def _persons(
    database: Database, tenant_id: str, store: tuple[str, str], people: Floats, number: int, now: datetime, *, known: bool
) -> None:
    """`known`: each with an identity of its own already; else in the queue."""
    ids = [str(uuid_utils.uuid7()) for _ in people]
    with database.tenant(tenant_id, statement_s=300) as tx:
        vault = database.vault(tx, tenant_id)
        if known:
            tx.execute(
                """INSERT INTO identities (tenant_id, id, number, made_at)
                    SELECT %s, t.id, %s + t.place, %s FROM unnest(%s::uuid[]) WITH ORDINALITY AS t (id, place)""",
                [tenant_id, number, now, ids],
            )
        tx.execute(
            """INSERT INTO persons (tenant_id, id, appliance_id, site_id, number, role, visit_count, identity_id, linked_by)
                SELECT %s, t.id, %s, %s, t.place, 'customer', 1, CASE WHEN %s THEN t.id END, CASE WHEN %s THEN 'machine' ELSE '' END
                FROM unnest(%s::uuid[]) WITH ORDINALITY AS t (id, place)""",
            [tenant_id, store[1], store[0], known, known, ids],
        )
        rows = [row for seed in range(TEMPLATES) for row in _sealed(vault, ids, _views(people, (10 if known else 90) + seed))]
        tx.execute(
            """INSERT INTO templates (tenant_id, id, person_id, model, embedding_sealed, quality, origin, made_at)
                SELECT %s, t.id, t.person_id, %s, t.sealed, .5, 'visit', %s FROM unnest(%s::uuid[], %s::uuid[], %b::bytea[])
                    AS t (id, person_id, sealed)""",
            [tenant_id, MODEL, now, [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]],
        )
        if not known:
            tx.execute(
                """INSERT INTO resolve_queue (tenant_id, person_id, queued_at, not_before)
                    SELECT %s, t.id, %s, %s FROM unnest(%s::uuid[]) AS t (id)""",
                [tenant_id, now, now, ids],
            )


def _sealed(vault: Vault, person_ids: Sequence[str], views: Floats) -> list[tuple[str, str, bytes]]:
    made = []
    for person_id, view in zip(person_ids, views, strict=True):
        template_id = str(uuid_utils.uuid7())
        made.append((template_id, person_id, vault.seal(halved(view), table="templates", column="embedding_sealed", row=template_id)))
    return made
