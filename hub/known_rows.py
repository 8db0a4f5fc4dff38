"""What the hub has of the ids that a batch names, read in one go before anything of it is stored."""

from __future__ import annotations

from collections.abc import Sequence

from hub import forgotten_rows
from hub.admission import OPTED_OUT, Known, KnownPerson
from hub.batch import Batch
from hub.database import Tx
from hub.forgotten_rows import Tombstone
from hub.vault import Vault


def look_up(tx: Tx, vault: Vault, batch: Batch) -> Known:
    templates = _templates(tx, sorted({*batch.templates, *batch.templates_gone}))
    ids = sorted({*batch.person_ids, *templates.values()})
    guests = sorted({one.record.guest_of for one in batch.persons.values()} - {""})
    opted_out = [i for i, one in batch.persons.items() if one.record.role == OPTED_OUT]
    return Known(
        persons=_persons(tx, vault, ids, opted_out) if ids else {},
        tombstones=forgotten_rows.tombstones(tx, ids) if ids else {},
        templates=templates,
        identities=_identities(tx, guests),
        forgotten_identities=_forgotten(tx, guests),
    )


def _persons(tx: Tx, vault: Vault, ids: Sequence[str], opted_out: Sequence[str]) -> dict[str, KnownPerson]:
    rows = tx.execute(
        """SELECT id, appliance_id, role, name_sealed, guest_of, identity_id,
                (role = %s OR id = ANY(%s::uuid[])) AND EXISTS (SELECT FROM templates AS t WHERE t.person_id = p.id)
            FROM persons AS p WHERE id = ANY(%s::uuid[])""",
        [OPTED_OUT, list(opted_out), list(ids)],
    ).fetchall()
    found = {}
    for person_id, appliance_id, role, sealed, guest_of, identity_id, has_templates in rows:
        name = vault.unseal(sealed, table="persons", column="name_sealed", row=person_id).decode() if sealed else ""
        found[person_id] = KnownPerson(appliance_id, role, name, guest_of, identity_id, has_templates)
    return found


def _templates(tx: Tx, ids: Sequence[str]) -> dict[str, str]:
    if not ids:
        return {}
    return dict(tx.execute("SELECT id, person_id FROM templates WHERE id = ANY(%s::uuid[])", [list(ids)]).fetchall())


def _identities(tx: Tx, ids: Sequence[str]) -> frozenset[str]:
    if not ids:
        return frozenset()
    return frozenset(row[0] for row in tx.execute("SELECT id FROM identities WHERE id = ANY(%s::uuid[])", [list(ids)]))


def _forgotten(tx: Tx, ids: Sequence[str]) -> dict[str, Tombstone]:
    """Erased, or opted out and still so. Of several requests the newest counts."""
    if not ids:
        return {}
    rows = tx.execute(
        """SELECT one, e.id, e.kind, e.identity_id FROM erasures AS e, unnest(e.identity_ids) AS one
            WHERE one = ANY(%s::uuid[]) AND e.ended_at IS NULL ORDER BY e.id""",
        [list(ids)],
    ).fetchall()
    return {one: Tombstone(erasure_id, kind, identity_id, True) for one, erasure_id, kind, identity_id in rows}
