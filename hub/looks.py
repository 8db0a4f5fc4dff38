"""Templates at headquarters as vectors: reading the table `templates`, and what of it the index is known to hold.

They are written by ingest alone; `indexed` and `index_leftovers` (templates that went and may still be in the index) are kept here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.database import Tx
from hub.index import Floats
from hub.vault import Vault
from sync.records import whole

LEFTOVERS_MAX = 2_000
"""Taken out of the index at a time."""
READ_MAX = 2_000
"""Templates read at a time where all of a tenant's are."""
SELECT = "SELECT t.id, t.person_id, t.model, t.embedding_sealed, t.indexed FROM templates AS t"


@dataclass(frozen=True, slots=True)
class Stored:
    """`embedding` (D,) float32 unit vector. `sealed`: as it stands, by which a row that was written anew is told from this."""

    id: str
    person_id: str
    model: str
    embedding: Floats
    indexed: bool
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Leftover:
    """`back`: the template is there again since, and belongs in the index."""

    id: str
    template_id: str
    model: str
    back: bool = False


def of_persons(tx: Tx, vault: Vault, person_ids: Sequence[str]) -> list[Stored]:
    rows = tx.execute(f"{SELECT} WHERE t.person_id = ANY(%s::uuid[]) ORDER BY t.id", [list(person_ids)])
    return [_stored(vault, row) for row in rows]


def persons_and_identities(tx: Tx, template_ids: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """(person, identity) of each of these templates that is still there."""
    rows = tx.execute(
        """SELECT t.id, p.id, p.identity_id FROM templates AS t JOIN persons AS p ON p.id = t.person_id
            WHERE t.id = ANY(%s::uuid[]) AND p.role <> 'opted_out'""",
        [list(template_ids)],
    )
    return {template_id: (person_id, identity_id) for template_id, person_id, identity_id in rows}


def unchanged(tx: Tx, templates: Sequence[Stored]) -> set[str]:
    """Ids of those that stand as they were read."""
    rows = tx.execute(
        """SELECT t.id FROM templates AS t JOIN unnest(%s::uuid[], %s::uuid[], %b::bytea[]) AS r (id, person_id, sealed)
            ON t.id = r.id AND t.person_id = r.person_id AND t.embedding_sealed = r.sealed""",
        [[t.id for t in templates], [t.person_id for t in templates], [t.sealed for t in templates]],
    )
    return {row[0] for row in rows}


def note_indexed(tx: Tx, template_ids: Sequence[str]) -> None:
    tx.execute("UPDATE templates SET indexed = true WHERE id = ANY(%s::uuid[]) AND NOT indexed", [sorted(template_ids)])


def forget_indexed(tx: Tx) -> None:
    """The index is to be filled anew."""
    tx.execute("UPDATE templates SET indexed = false WHERE indexed")


def leftovers(tx: Tx) -> list[Leftover]:
    rows = tx.execute(
        """SELECT id, template_id, model, EXISTS (SELECT FROM templates AS t WHERE t.id = l.template_id AND t.model = l.model)
            FROM index_leftovers AS l ORDER BY id LIMIT %s""",
        [LEFTOVERS_MAX],
    )
    return [Leftover(*row) for row in rows]


def drop_leftovers(tx: Tx, ids: Sequence[str]) -> None:
    tx.execute("DELETE FROM index_leftovers WHERE id = ANY(%s::uuid[])", [list(ids)])


def page(tx: Tx, vault: Vault, model: str, after: str) -> list[Stored]:
    """The next templates of a model behind one, in order: what the index should hold."""
    rows = tx.execute(
        f"""{SELECT} JOIN persons AS p ON p.id = t.person_id
            WHERE t.model = %s AND t.id > %s::uuid AND p.role <> 'opted_out' ORDER BY t.id LIMIT %s""",
        [model, after, READ_MAX],
    )
    return [_stored(vault, row) for row in rows]


def models(tx: Tx) -> list[str]:
    return [row[0] for row in tx.execute("SELECT DISTINCT model FROM templates ORDER BY 1")]


def _stored(vault: Vault, row: tuple[str, str, str, bytes, bool]) -> Stored:
    template_id, person_id, model, sealed, indexed = row
    embedding = whole(vault.unseal(sealed, table="templates", column="embedding_sealed", row=template_id))
    return Stored(template_id, person_id, model, embedding, indexed, bytes(sealed))
