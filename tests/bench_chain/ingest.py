"""How fast the hub takes what stores tell: sealed batches through the real HTTP route into a real Postgres, beside Postgres's own COPY.

Each visit comes as a store tells it: the visit, its person with the new count, and a template with an embedding. The messages are made
before the clock runs, because that is the stores' work; the hub opens, unpacks, judges, seals, stores and answers.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx
import numpy as np
import psycopg
import uuid_utils
import uvicorn
from litestar import Litestar

from hub import moments, postgres, sites, stored_rows, tenants
from hub.config import Config, Data
from hub.database import Database
from hub.headquarters import open_headquarters
from hub.hub_keys import HubKeys
from hub.ingest import Deps
from hub.rates import Rates
from hub.snapshot_store import in_folder
from hub.web.sync_routes import sync_routes
from sync import envelope, keys, outbox, packing
from sync.keys import OwnKeys
from sync.messages import RECORDS_MAX, Answer, PublicKeys, Push
from sync.records import PersonRecord, Record, TemplateRecord, VisitRecord, encoded, halved

VISITS = 12_000
STORES = 2
SIZE = 512
RECORDS_A_VISIT = 3
MODEL = "benchmark"


@dataclass(frozen=True, slots=True)
class Store:
    """One appliance, and what it will send, in order."""

    tenant_id: str
    appliance_id: str
    own: OwnKeys
    messages: list[bytes]


def measure_ingest(folder: Path, *, visits: int = VISITS, stores: int = STORES, size: int = SIZE) -> dict[str, float]:
    """`folder`: an empty one that Postgres may enter. Gives visits a second, rows a second of COPY for the same rows, bytes a visit on the
    wire and the processor seconds of this process (HTTP, opening, storing) a thousand visits."""
    config = Config(data=Data(folder=folder))
    with open_headquarters(config, moments.now(), serve=True) as there:
        deps = Deps(there.database, HubKeys(there.database, moments.now()), Rates())
        told = _stores(there.database, deps.keys, visits // stores, stores, size)
        app = Litestar(route_handlers=sync_routes(deps, in_folder(folder / "snapshots")), openapi_config=None, logging_config=None)
        with _serving(app) as url:
            spent, began = time.process_time(), time.perf_counter()
            _send_all(url, told, deps.keys.current(moments.now()).public)
            seconds, spent = time.perf_counter() - began, time.process_time() - spent
        with there.database.tenant(told[0].tenant_id) as tx:
            (stored,) = tx.execute("SELECT count(*) FROM visits").fetchone() or (0,)
        assert stored == visits // stores * stores, f"{stored} visits were stored"
        copied = _copy(folder, visits, size)
    return {
        "ingest_visits_per_s": stored / seconds,
        "copy_rows_per_s": copied,
        "wire_bytes_per_visit": sum(len(message) for store in told for message in store.messages) / stored,
        "processor_s_per_1000_visits": 1000 * spent / stored,
    }


def _stores(database: Database, hub: HubKeys, visits: int, stores: int, size: int) -> list[Store]:
    now = moments.now()
    with database.anyone() as tx:
        tenant = tenants.add(tx, database.master, "Benchmark", now)
    made = []
    for number in range(stores):
        own = keys.make()
        appliance_id = str(uuid_utils.uuid7())
        with database.tenant(tenant.tenant_id) as tx:
            site = sites.add(tx, tenant.tenant_id, f"Store {number}", "UTC", now)
            tx.execute(
                """INSERT INTO appliances (tenant_id, id, site_id, name, seal_public, sign_public, keys_made_at, paired_at)
                    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
                [tenant.tenant_id, appliance_id, site.id, f"Mac {number}", own.public.seal, own.public.sign, now, now],
            )
        messages = _messages(tenant.tenant_id, appliance_id, own, hub.current(now).public, _records(number, visits, size, now), now)
        made.append(Store(tenant.tenant_id, appliance_id, own, messages))
    return made


def _records(seed: int, visits: int, size: int, now: datetime) -> Iterator[Record]:
    vectors = np.random.default_rng(seed).standard_normal((visits, size)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cameras = [str(uuid_utils.uuid7()) for _ in range(3)]
    people = [str(uuid_utils.uuid7()) for _ in range(max(1, visits // 4))]
    at_ms = moments.to_ms(now)
    for number in range(visits):
        person = people[number % len(people)]
        count = number // len(people) + 1
        yield PersonRecord(id=person, number=number, role="customer", first_seen_ms=at_ms, last_seen_ms=at_ms, visit_count=count)
        yield TemplateRecord(
            id=str(uuid_utils.uuid7()),
            person_id=person,
            model=MODEL,
            embedding=halved(vectors[number]),
            quality=0.8,
            origin="visit",
            created_ms=at_ms,
        )
        yield VisitRecord(
            id=str(uuid_utils.uuid7()),
            person_id=person,
            verdict="new" if count == 1 else "returning",
            settled=True,
            first_seen_ms=at_ms,
            last_seen_ms=at_ms + 30_000 + number,
            visit_number=count,
            cameras=[cameras[number % 3]],
            model=MODEL,
            reason="match",
            similarity=0.6,
            bar=0.4,
        )


def _messages(tenant_id: str, appliance_id: str, own: OwnKeys, hub: PublicKeys, records: Iterator[Record], now: datetime) -> list[bytes]:
    """Batches of the size that the outbox cuts."""
    line, first, made = str(uuid_utils.uuid7()), 1, []
    batch: list[bytes] = []
    size = 0

    def close() -> None:
        nonlocal first
        push = Push(records=packing.packed(packing.without_replaced(batch)), sent_ms=moments.to_ms(now))
        made.append(
            envelope.sealed_message(
                push,
                tenant=tenant_id,
                appliance=appliance_id,
                line=line,
                first=first,
                last=first + len(batch) - 1,
                made_ms=moments.to_ms(now),
                answers=b"",
                to=hub,
                own=own,
            )
        )
        first += len(batch)
        batch.clear()

    for record in records:
        payload = encoded(record)
        if batch and (len(batch) == RECORDS_MAX or size + len(payload) > outbox.BATCH_BYTES_MAX):
            close()
            size = 0
        batch.append(payload)
        size += len(payload)
    close()
    return made


@contextlib.contextmanager
def _serving(app: Litestar) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def _send_all(url: str, stores: Sequence[Store], hub: PublicKeys) -> None:
    """Each store one batch after the other, as it does; the stores at once. Every answer is opened at the end."""
    answers: list[tuple[Store, bytes, bytes]] = []

    def send(store: Store) -> None:
        with httpx.Client(timeout=60) as client:
            for message in store.messages:
                body = client.post(f"{url}/sync/v1/exchange", content=message, headers={"content-type": envelope.CONTENT_TYPE}).content
                answers.append((store, message, body))

    threads = [threading.Thread(target=send, args=[store]) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store, message, body in answers:
        answer = envelope.opened_message(
            envelope.read_header(body),
            Answer,
            tenant=store.tenant_id,
            appliance=store.appliance_id,
            answers=envelope.digest(message),
            own=[store.own],
            senders=[hub.sign],
        )
        assert answer.acknowledged == envelope.read_header(message).header.last, "a batch was not taken"
        assert not answer.set_aside, "records were set aside"


def _copy(folder: Path, visits: int, size: int) -> float:
    """Rows a second that Postgres takes by COPY into tables like ours, with their indexes and without row security: the most there is."""
    tenant, appliance, site = (str(uuid_utils.uuid7()) for _ in range(3))
    now = moments.now()
    month = stored_rows.month_of(str(uuid_utils.uuid7()))
    blob = os.urandom(2 * size + 29)
    with psycopg.connect(**postgres.line_to(folder, postgres.OWNER)) as owner:
        owner.execute("CREATE TABLE copied_visits (LIKE visits INCLUDING ALL)")
        owner.execute("CREATE TABLE copied_templates (LIKE templates INCLUDING ALL)")
        rows = [(str(uuid_utils.uuid7()), str(uuid_utils.uuid7()), str(uuid_utils.uuid7())) for _ in range(visits)]
        owner.commit()
        began = time.perf_counter()
        with owner.cursor() as cursor:
            with cursor.copy(
                """COPY copied_visits (tenant_id, id, month, appliance_id, site_id, person_id, verdict, settled, first_seen_at,
                    last_seen_at, visit_number, cameras, model, reason, similarity, bar) FROM STDIN"""
            ) as copy:
                for visit, person, _ in rows:
                    copy.write_row(
                        [tenant, visit, month, appliance, site, person, "new", True, now, now, 1, f"{{{site}}}", MODEL, "match", 0.6, 0.4]
                    )
            with cursor.copy(
                "COPY copied_templates (tenant_id, id, person_id, model, embedding_sealed, quality, origin, made_at) FROM STDIN"
            ) as copy:
                for _, person, template in rows:
                    copy.write_row([tenant, template, person, MODEL, blob, 0.8, "visit", now])
        owner.commit()
        seconds = time.perf_counter() - began
        owner.execute("DROP TABLE copied_visits, copied_templates")
    return 2 * visits / seconds
