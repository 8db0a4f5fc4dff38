"""The tenants of the hub's tests. Ours has two stores, an appliance in each, Alice who is staff, Bob who is a customer of both stores, and
Charlie who has opted out. Dana works for another tenant, with a store, an appliance and a customer of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import uuid_utils

from hub import sites, tenants
from hub.database import Database, Tx
from hub.sites import Site
from hub.tenants import Tenant

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Chain:
    """`people`: identities' ids by name, each with the persons of `persons`: (name, site's name) -> person's id."""

    database: Database
    ours: Tenant
    danas: Tenant
    site_a: Site
    site_b: Site
    danas_site: Site
    appliance_a: str
    appliance_b: str
    danas_appliance: str
    people: dict[str, str]
    persons: dict[tuple[str, str], str]


def make_chain(database: Database) -> Chain:
    with database.anyone() as tx:
        ours = tenants.add(tx, database.master, "Phin Coffee", NOW)
        danas = tenants.add(tx, database.master, "Dana's Books", NOW)
    people: dict[str, str] = {}
    persons: dict[tuple[str, str], str] = {}
    with database.tenant(ours.tenant_id) as tx:
        site_a = sites.add(tx, ours.tenant_id, "Hang Bai", "Asia/Ho_Chi_Minh", NOW)
        site_b = sites.add(tx, ours.tenant_id, "Tay Ho", "Asia/Ho_Chi_Minh", NOW)
        appliance_a, appliance_b = add_appliance(tx, site_a), add_appliance(tx, site_b)
        for number, (name, role) in enumerate((("Alice", "staff"), ("Bob", "customer"), ("Charlie", "opted_out")), 1):
            people[name] = add_identity(database, tx, ours, name, role, number)
        persons["Alice", site_a.name] = add_person(database, tx, site_a, appliance_a, people["Alice"], "Alice", "staff", 1)
        persons["Bob", site_a.name] = add_person(database, tx, site_a, appliance_a, people["Bob"], "Bob", "customer", 2)
        persons["Bob", site_b.name] = add_person(database, tx, site_b, appliance_b, people["Bob"], "Bob", "customer", 1)
        persons["Charlie", site_a.name] = add_person(database, tx, site_a, appliance_a, people["Charlie"], "", "opted_out", 3)
    with database.tenant(danas.tenant_id) as tx:
        danas_site = sites.add(tx, danas.tenant_id, "Hang Bai", "Asia/Ho_Chi_Minh", NOW)
        danas_appliance = add_appliance(tx, danas_site)
        people["Dana's customer"] = add_identity(database, tx, danas, "Dana's customer", "customer", 1)
        persons["Dana's customer", "Dana's"] = add_person(
            database, tx, danas_site, danas_appliance, people["Dana's customer"], "Dana's customer", "customer", 1
        )
    return Chain(database, ours, danas, site_a, site_b, danas_site, appliance_a, appliance_b, danas_appliance, people, persons)


def add_appliance(tx: Tx, site: Site, *, seal_public: bytes = b"seal", sign_public: bytes = b"sign") -> str:
    appliance_id = str(uuid_utils.uuid7())
    tx.execute(
        """
        INSERT INTO appliances (tenant_id, id, site_id, name, seal_public, sign_public, keys_made_at, paired_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [site.tenant_id, appliance_id, site.id, f"Mac at {site.name}", seal_public, sign_public, NOW, NOW],
    )
    return appliance_id


def add_identity(database: Database, tx: Tx, tenant: Tenant, name: str, role: str, number: int) -> str:
    identity_id = str(uuid_utils.uuid7())
    sealed = database.vault(tx, tenant.tenant_id).seal(name.encode(), table="identities", column="name_sealed", row=identity_id)
    tx.execute(
        "INSERT INTO identities (tenant_id, id, number, name_sealed, role, made_at) VALUES (%s, %s, %s, %s, %s, %s)",
        [tenant.tenant_id, identity_id, number, sealed, role, NOW],
    )
    return identity_id


def add_person(database: Database, tx: Tx, site: Site, appliance_id: str, identity_id: str, name: str, role: str, number: int) -> str:
    person_id = str(uuid_utils.uuid7())
    sealed = database.vault(tx, site.tenant_id).seal(name.encode(), table="persons", column="name_sealed", row=person_id) if name else None
    tx.execute(
        """
        INSERT INTO persons (tenant_id, id, appliance_id, site_id, number, role, name_sealed, first_seen_at, last_seen_at, visit_count,
            identity_id, linked_by, linked_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 1, %s, 'machine', %s)
        """,
        [site.tenant_id, person_id, appliance_id, site.id, number, role, sealed, NOW, NOW, identity_id, NOW],
    )
    return person_id
