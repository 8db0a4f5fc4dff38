"""A believable day at headquarters for the screenshots and the browser tests: four stores of a coffee chain, one of them offline, people
who come to several of them, a request to be forgotten that is not carried out everywhere yet, records set aside. Out of one seed."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import uuid_utils

from hub import sites, tenants, users
from hub.database import Database, Tx
from hub.moments import to_ms
from hub.sites import Site
from hub.tenants import Tenant
from tests.cheap import CHEAP
from tests.hub.chain import NOW, add_appliance, add_identity, add_person
from tests.hub.web.office import WORDS

STORES = (("Hàng Bài", 61), ("Tây Hồ", 43), ("Cầu Giấy", 38), ("Sân bay Nội Bài", 112))
NAMES = {3: "Mai Lê", 7: "Bob Tran", 11: "Dũng Phạm"}
PEOPLE = 96
SEVERAL = 23


@dataclass(frozen=True, slots=True)
class Day:
    database: Database
    tenant: Tenant
    sites: list[Site]
    appliances: list[str]


def full_day(database: Database) -> Day:
    """Whoever signs in: "root" (system admin) and "alice" (this tenant's), with the password of tests.hub.web.office."""
    with database.anyone() as tx:
        tenant = tenants.add(tx, database.master, "Phin Coffee", NOW)
        tenants.add(tx, database.master, "Dana's Books", NOW)
        users.add(tx, "root", "system_admin", None, WORDS, NOW, cost=CHEAP)
        users.add(tx, "alice", "tenant_admin", tenant.tenant_id, WORDS, NOW, cost=CHEAP)
    chance = random.Random(20261124)
    with database.tenant(tenant.tenant_id) as tx:
        stores = [sites.add(tx, tenant.tenant_id, name, "Asia/Ho_Chi_Minh", NOW) for name, _ in STORES]
        appliances = [add_appliance(tx, site) for site in stores]
        cameras(tx, tenant, appliances)
        states(tx, appliances)
        people(database, tx, tenant, stores, appliances, chance)
        visits(tx, tenant, stores, appliances, chance)
        requests(tx, tenant, appliances)
        aside(tx, tenant, appliances[1])
    return Day(database, tenant, stores, appliances)


def cameras(tx: Tx, tenant: Tenant, appliances: list[str]) -> None:
    for appliance in appliances:
        for name in ("Entrance", "Counter"):
            tx.execute(
                "INSERT INTO cameras VALUES (%s, %s, %s, %s, 'rtsp', true)", (tenant.tenant_id, str(uuid_utils.uuid7()), appliance, name)
            )


def states(tx: Tx, appliances: list[str]) -> None:
    """In touch; with a silent camera and a clock that is ahead; with a backlog; offline since last night."""
    for index, appliance in enumerate(appliances):
        found = tx.execute("SELECT id, name FROM cameras WHERE appliance_id = %s ORDER BY name", (appliance,)).fetchall()
        seen = [
            {"id": id_, "state": "silent", "words": "silent for 12 minutes, tried again every 30 seconds"}
            if (index, name) == (1, "Entrance")
            else {"id": id_, "state": "watching", "words": "5 pictures a second"}
            for id_, name in found
        ]
        waiting = (0, 3, 1_204, 318)[index]
        status = {"version": "0.1.0", "waiting": waiting, "cameras": seen, "outbox_share": 0.01, "trouble": ""}
        if waiting:
            status["oldest_ms"] = to_ms(NOW - (timedelta(seconds=20), timedelta(minutes=2), timedelta(hours=3), timedelta(hours=11))[index])
        heard = NOW - (timedelta(seconds=4), timedelta(seconds=21), timedelta(seconds=9), timedelta(hours=11))[index]
        tx.execute(
            "UPDATE appliances SET status = %s, last_contact_at = %s, clock_skew_ms = %s, name = %s, paired_at = %s WHERE id = %s",
            (json.dumps(status), heard, (120, 14_000, -300, 80)[index], f"Mac mini {index + 1}", NOW - timedelta(days=40), appliance),
        )


def people(database: Database, tx: Tx, tenant: Tenant, stores: list[Site], appliances: list[str], chance: random.Random) -> None:
    for number in range(1, PEOPLE + 1):
        identity = add_identity(database, tx, tenant, NAMES.get(number, "x"), "staff" if number == 20 else "customer", number)
        if number not in NAMES:
            tx.execute("UPDATE identities SET name_sealed = NULL WHERE id = %s", (identity,))
        tx.execute("UPDATE identities SET vip = %s, watchlist = %s WHERE id = %s", (number == 3, number == 12, identity))
        for at in chance.sample(range(len(stores)), chance.choice((2, 2, 3)) if number <= SEVERAL else 1):
            name = NAMES.get(number, "")
            person = add_person(database, tx, stores[at], appliances[at], identity, name, "customer", number)
            ago = timedelta(minutes=3 * number + chance.randint(0, 40))
            tx.execute("UPDATE persons SET visit_count = %s, last_seen_at = %s WHERE id = %s", (chance.randint(1, 14), NOW - ago, person))


def visits(tx: Tx, tenant: Tenant, stores: list[Site], appliances: list[str], chance: random.Random) -> None:
    """Since nine in the morning there: it is four in the afternoon in Hanoi."""
    for site, appliance, (_name, count) in zip(stores, appliances, STORES, strict=True):
        for _ in range(count):
            at = NOW - timedelta(minutes=chance.randint(0, 400))
            verdict = chance.choices(("new", "returning", "unsure", "staff"), (52, 38, 5, 5))[0]
            tx.execute(
                """INSERT INTO visits (tenant_id, id, month, appliance_id, site_id, verdict, settled, first_seen_at, last_seen_at,
                       visit_number, cameras, model, reason) VALUES (%s, %s, %s, %s, %s, %s, true, %s, %s, 1, '{}', 'm', '')""",
                (tenant.tenant_id, str(uuid_utils.uuid7()), at.date().replace(day=1), appliance, site.id, verdict, at, at),
            )


def requests(tx: Tx, tenant: Tenant, appliances: list[str]) -> None:
    request(tx, tenant, appliances, "erase", "alice", "asked at the counter", NOW - timedelta(hours=2), open_at=3)
    request(tx, tenant, appliances, "opt_out", "store Tây Hồ", "", NOW - timedelta(days=3), open_at=None)


def request(tx: Tx, tenant: Tenant, appliances: list[str], kind: str, who: str, reason: str, at: datetime, open_at: int | None) -> None:
    erasure = str(uuid_utils.uuid7())
    tx.execute(
        "INSERT INTO erasures (tenant_id, id, kind, identity_id, asked_at, asked_by, reason) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (tenant.tenant_id, erasure, kind, str(uuid_utils.uuid7()), at, who, reason),
    )
    for index, place in enumerate(("postgres", "index", "snapshots", *appliances)):
        done = None if open_at is not None and index - 3 == open_at else at + timedelta(seconds=2 + 9 * index)
        counts = (2, 9, 4) if place == "postgres" else (1, 4, 2) if index in (3, 4) else (0, 9, 0) if place == "index" else (0, 0, 0)
        counted = counts if done else (0, 0, 0)
        tx.execute("INSERT INTO erasure_receipts VALUES (%s, %s, %s, %s, %s, %s, %s)", (tenant.tenant_id, erasure, place, done, *counted))


def aside(tx: Tx, tenant: Tenant, appliance: str) -> None:
    two = ((4_211, "visit", "its id belongs to another appliance"), (4_390, "lane_count", "a record of a kind this hub does not know"))
    for sequence, kind, reason in two:
        tx.execute(
            "INSERT INTO set_aside VALUES (%s, %s, 'line', %s, %s, %s, '', %s)",
            (tenant.tenant_id, appliance, sequence, kind, reason, NOW - timedelta(hours=5)),
        )
    tx.execute("UPDATE appliances SET set_aside_count = 2 WHERE id = %s", (appliance,))
