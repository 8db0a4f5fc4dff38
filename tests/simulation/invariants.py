"""What must hold once everybody has been in touch. Each check raises Broken with what it found; ids in it are shortened."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from hub import facts
from models.faces import Floats
from sync import outbox
from tests.simulation.both_ends import differences
from tests.simulation.headquarters import Tenant
from tests.simulation.people import MASKED, MODEL, axis, person
from tests.simulation.store import Shop
from tests.simulation.world import World

ERASURES_OWN = {"tombstones", "erasures", "erasure_receipts", "audit", "index_leftovers"}
"""What says that somebody was forgotten may say who, by id: else nothing could keep them from coming back."""
OWN_FACTS = {"erase", "opt_out", "opt_out_ended"}
STORES_OWN = {"gone_persons", "gone_rows", "had_forgotten", "receipts", "sqlite_sequence", "notices"}


class Broken(AssertionError):
    """Something that must hold does not."""


def check(world: World) -> None:
    opt_outs_are_in_force(world)
    for tenant in world.hub.tenants:
        dump = "\n".join(everything(world, tenant))
        for shop in world.shop_of(tenant):
            both_ends_agree(world, shop)
            the_forgotten_are_not_at(world, shop)
            the_gallery_is_the_database(shop)
        the_forgotten_are_not_in(world, tenant, dump)
        nobody_elses(world, tenant, dump)
        the_index_is_what_postgres_says(world, tenant)
        identities_are_people(world, tenant)
        who_opted_out_is_not_stored(world, tenant)


# ---- both ends -------------------------------------------------------------------------------------------------------------------------


def both_ends_agree(world: World, shop: Shop) -> None:
    for one in differences(shop.store.db.execute, world.witness.rows, shop.appliance_id):
        told = shop.ledger.history(one.first)
        raise Broken(f"{shop.name}: {one.words}" + (f". Told:\n    {told}" if told else ""))


# ---- who is forgotten ------------------------------------------------------------------------------------------------------------------


def erased(world: World, tenant: Tenant) -> set[str]:
    """Persons that were asked to be erased, as the world knows and as headquarters does."""
    noted = world.witness.rows(
        """SELECT t.person_id FROM tombstones t JOIN erasures e ON e.tenant_id = t.tenant_id AND e.id = t.erasure_id
            WHERE t.tenant_id = %s AND e.kind = 'erase'""",
        [tenant.tenant_id],
    )
    return world.forgotten | {row[0] for row in noted}


def the_forgotten_are_not_in(world: World, tenant: Tenant, dump: str) -> None:
    gone = erased(world, tenant)
    templates = {i for shop in world.shops for i, (of, _) in shop.ledger.templates.items() if of in gone}
    for what, ids in (("person", gone), ("template", templates)):
        for one in sorted(ids):
            if one in dump:
                place = next(line.split("|", 1)[0] for line in dump.splitlines() if one in line)
                raise Broken(f"headquarters still has a {what} who was erased, in {place}: {one[:13]}")
    if held := world.hub.index.count_of_persons(tenant.tenant_id, sorted(gone)):
        raise Broken(f"the index still has {held} templates of people who were erased")


def the_forgotten_are_not_at(world: World, shop: Shop) -> None:
    gone = set().union(*(erased(world, tenant) for tenant in world.hub.tenants))
    templates = {i for other in world.shops for i, (of, _) in other.ledger.templates.items() if of in gone}
    for line in _everything_at(shop):
        for one in _ids_in(line):
            if one in gone or one in templates:
                raise Broken(f"{shop.name} still has somebody who was erased, in {line.split('|', 1)[0]}: {one[:13]}")


def _ids_in(text: str) -> list[str]:
    return re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", text)


def everything(world: World, tenant: Tenant) -> Iterator[str]:
    """Each row that headquarters has of a tenant, as text, and what is sealed in it, opened."""
    vault = world.hub.database.vault
    tables = world.witness.rows(
        """SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
            WHERE c.table_schema = 'public' AND c.column_name = 'tenant_id' AND t.table_type = 'BASE TABLE'"""
    )
    for (table,) in sorted(tables):
        if table not in ERASURES_OWN | {"facts"}:
            for (row,) in world.witness.rows(f"SELECT t::text FROM {table} t WHERE tenant_id = %s", [tenant.tenant_id]):
                yield f"{table}|{row}"
    with world.hub.database.tenant(tenant.tenant_id) as tx:
        opened = vault(tx, tenant.tenant_id)
        for sequence, kind, sealed in tx.execute("SELECT sequence, kind, payload_sealed FROM facts").fetchall():
            payload = opened.unseal(sealed, table=facts.TABLE, column=facts.COLUMN, row=str(sequence))
            if kind not in OWN_FACTS:
                yield f"facts {kind}|{payload.decode('latin-1')}"
        aside = tx.execute("SELECT appliance_id, line, sequence, payload_sealed FROM set_aside").fetchall()
        for appliance, line, sequence, sealed in aside:
            payload = opened.unseal(sealed, table="set_aside", column="payload_sealed", row=f"{appliance}/{line}/{sequence}")
            yield f"set_aside|{payload.decode('latin-1')}"


def _everything_at(shop: Shop) -> Iterator[str]:
    db = shop.store.db
    for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        if table not in STORES_OWN and not table.startswith("_"):
            for row in db.execute(f'SELECT * FROM "{table}"').fetchall():
                yield f"{table}|{row}"
    for entry in outbox.pending(db.conn, shop.store.vault.unseal, records_max=100_000, bytes_max=1 << 30):
        yield f"outbox {entry.kind}|{entry.payload.decode('latin-1')}"
    for template in shop.recognition.gallery.with_role("customer", "staff", "opted_out", "guest", "unsure"):
        yield f"gallery|{template.id} {template.person_id}"


def the_gallery_is_the_database(shop: Shop) -> None:
    try:
        shop.recognition.check()
    except ValueError as error:
        raise Broken(f"{shop.name}: {error}") from None


# ---- whose is what ---------------------------------------------------------------------------------------------------------------------


def nobody_elses(world: World, tenant: Tenant, dump: str) -> None:
    """Nothing of another tenant's stores stands with this one."""
    ids = set(_ids_in(dump))
    for shop in world.shops:
        if shop.tenant_id != tenant.tenant_id:
            own = [shop.store.db.execute(f"SELECT id FROM {table}").fetchall() for table in ("persons", "templates", "visits")]
            theirs = {row[0] for rows in own for row in rows}
            if shared := ids & (theirs | {shop.appliance_id, shop.tenant_id}):
                raise Broken(f"{len(shared)} ids of {shop.name} stand with {tenant.name}")


def the_index_is_what_postgres_says(world: World, tenant: Tenant) -> None:
    there = set(
        world.witness.rows(
            """SELECT t.id, t.person_id FROM templates t JOIN persons p ON p.tenant_id = t.tenant_id AND p.id = t.person_id
                WHERE t.tenant_id = %s AND t.model = %s AND p.role <> 'opted_out'""",
            [tenant.tenant_id, MODEL],
        )
    )
    held = set(world.hub.index.held(tenant.tenant_id, MODEL))
    if held != there:
        raise Broken(f"{tenant.name}: the index lacks {len(there - held)} templates and has {len(held - there)} too many")


def faces_at_the_hub(world: World, tenant: Tenant) -> dict[str, set[int]]:
    """Person's id to the faces of their templates."""
    found: dict[str, set[int]] = defaultdict(set)
    with world.hub.database.tenant(tenant.tenant_id) as tx:
        opened = world.hub.database.vault(tx, tenant.tenant_id)
        for i, person_id, sealed in tx.execute("SELECT id, person_id, embedding_sealed FROM templates").fetchall():
            plain = opened.unseal(sealed, table="templates", column="embedding_sealed", row=i)
            found[person_id].add(axis(_whole(plain)))
    return found


def _whole(embedding: bytes) -> Floats:
    return np.frombuffer(embedding, "<f2").astype(np.float32)


def identities_are_people(world: World, tenant: Tenant) -> None:
    """Everybody is somebody, nobody is two people, and who goes to several stores is one, unless somebody said otherwise."""
    faces = faces_at_the_hub(world, tenant)
    rows = world.witness.rows("SELECT id, identity_id, appliance_id, role FROM persons WHERE tenant_id = %s", [tenant.tenant_id])
    people: dict[str, set[int]] = defaultdict(set)
    stores: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for person_id, identity_id, appliance_id, role in rows:
        if role == "opted_out" or person_id not in faces:
            continue
        if identity_id is None:
            raise Broken(f"{tenant.name}: a person with templates is nobody: {person_id[:13]}")
        people[identity_id] |= {person(face) for face in faces[person_id]}
        for face in faces[person_id]:
            if person(face) not in MASKED:
                stores[face][identity_id].add(appliance_id)
    if wrong := [found for found in people.values() if len(found) > 1]:
        raise Broken(f"{tenant.name}: an identity is several people: faces {sorted(wrong[0])}")
    for face, identities in stores.items():
        # Two that one store has twice are left to that store.
        if len(identities) > 1 and not world.parted and not _same_store(list(identities.values())):
            raise Broken(f"{tenant.name}: face {face} is {len(identities)} identities, of different stores")


def _same_store(places: list[set[str]]) -> bool:
    return any(a & b for i, a in enumerate(places) for b in places[i + 1 :])


def opt_outs_are_in_force(world: World) -> None:
    """As long as nobody asks for more or for less."""
    rows = world.witness.rows("SELECT id FROM erasures WHERE kind = 'opt_out' AND ended_at IS NULL")
    for lost in sorted(world.opted_out - {row[0] for row in rows}):
        persons = world.witness.rows(
            """SELECT t.person_id FROM tombstones t JOIN erasures e ON e.tenant_id = t.tenant_id AND e.id = t.erasure_id
                WHERE e.identity_ids && (SELECT identity_ids FROM erasures WHERE id = %s)""",
            [lost],
        )
        if world.forgotten.isdisjoint(row[0] for row in persons):
            raise Broken(f"an opt-out is no longer in force: {lost[:13]}")


def who_opted_out_is_not_stored(world: World, tenant: Tenant) -> None:
    """A face in an opt-out gallery is nobody's, at no store of the tenant and not at headquarters."""
    shops = world.shop_of(tenant)
    faces_out = {axis(t.embedding) for shop in shops for t in shop.recognition.gallery.with_role("opted_out")}
    out = {face for face in faces_out if person(face) not in MASKED}
    for shop in shops:
        for template in shop.recognition.gallery.with_role("customer", "staff", "guest"):
            if axis(template.embedding) in out:
                raise Broken(f"{shop.name} keeps a template of face {axis(template.embedding)}, who opted out")
    roles = dict(world.witness.rows("SELECT id, role FROM persons WHERE tenant_id = %s", [tenant.tenant_id]))
    for person_id, faces in faces_at_the_hub(world, tenant).items():
        if faces & out and roles.get(person_id) != "opted_out":
            raise Broken(f"headquarters keeps templates of face {sorted(faces & out)}, who opted out")
