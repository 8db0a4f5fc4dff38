"""Where a request to be forgotten has been carried out, and where it is still outstanding: the table `erasure_receipts`.

One row a place: `postgres`, `index`, `snapshots`, and each appliance by its id. A place that was asked stays outstanding until it says, or
has shown, that nothing is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.database import Tx

POSTGRES, INDEX, SNAPSHOTS = "postgres", "index", "snapshots"


@dataclass(frozen=True, slots=True)
class Counts:
    persons: int = 0
    templates: int = 0
    snapshots: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """`place_name`: an appliance's own; `revoked`: it will not answer any more."""

    erasure_id: str
    kind: str
    asked_at: datetime
    place: str
    place_name: str
    done_at: datetime | None
    counts: Counts
    revoked: bool


def open_receipts(tx: Tx, erasure_id: str, here: Counts, now: datetime) -> None:
    """One for each place, that of Postgres done with the transaction."""
    tx.execute(
        """INSERT INTO erasure_receipts (tenant_id, erasure_id, place, done_at, persons, templates, snapshots)
            VALUES ((SELECT current_tenant()), %(erasure)s, 'postgres', %(now)s, %(persons)s, %(templates)s, %(snapshots)s),
                ((SELECT current_tenant()), %(erasure)s, 'index', NULL, 0, 0, 0),
                ((SELECT current_tenant()), %(erasure)s, 'snapshots', NULL, 0, 0, 0)""",
        {"erasure": erasure_id, "now": now, "persons": here.persons, "templates": here.templates, "snapshots": here.snapshots},
    )
    tx.execute(
        """INSERT INTO erasure_receipts (tenant_id, erasure_id, place)
            SELECT tenant_id, %s, id::text FROM appliances WHERE revoked_at IS NULL""",
        [erasure_id],
    )


def reopen(tx: Tx, erasure_id: str, here: Counts) -> None:
    """More of it turned out to be here: it is gone from the tables, and has still to go from elsewhere."""
    tx.execute(
        """UPDATE erasure_receipts SET persons = persons + %s, templates = templates + %s, snapshots = snapshots + %s
            WHERE erasure_id = %s AND place = 'postgres'""",
        [here.persons, here.templates, here.snapshots, erasure_id],
    )
    tx.execute("UPDATE erasure_receipts SET done_at = NULL WHERE erasure_id = %s AND place IN ('index', 'snapshots')", [erasure_id])


def expect_from(tx: Tx, appliance_id: str) -> None:
    """An appliance that was paired later is told of the opt-outs in force, and is to answer as the others are."""
    tx.execute(
        """INSERT INTO erasure_receipts (tenant_id, erasure_id, place)
            SELECT tenant_id, id, %s FROM erasures WHERE kind = 'opt_out' AND ended_at IS NULL ON CONFLICT DO NOTHING""",
        [appliance_id],
    )


def done(tx: Tx, erasure_id: str, place: str, counts: Counts, now: datetime) -> bool:
    """Whether there is such an erasure. The first receipt of a place holds; a repeated one changes nothing."""
    if tx.execute("SELECT FROM erasures WHERE id = %s", [erasure_id]).fetchone() is None:
        return False
    tx.execute(
        """INSERT INTO erasure_receipts AS r (tenant_id, erasure_id, place, done_at, persons, templates, snapshots)
            VALUES ((SELECT current_tenant()), %s, %s, %s, %s, %s, %s)
            ON CONFLICT (tenant_id, erasure_id, place) DO UPDATE SET done_at = excluded.done_at, persons = excluded.persons,
                templates = excluded.templates, snapshots = excluded.snapshots WHERE r.done_at IS NULL""",
        [erasure_id, place, now, counts.persons, counts.templates, counts.snapshots],
    )
    return True


def outstanding_at(tx: Tx, place: str) -> list[str]:
    """Ids of the erasures that a place has still to carry out, oldest first."""
    rows = tx.execute(
        "SELECT erasure_id FROM erasure_receipts WHERE place = %s AND done_at IS NULL ORDER BY erasure_id", [place]
    ).fetchall()
    return [row[0] for row in rows]


def outstanding(tx: Tx) -> list[Receipt]:
    """Everything that is still to be carried out, oldest request first."""
    return _receipts(tx, "r.done_at IS NULL", [])


def of_erasure(tx: Tx, erasure_id: str) -> list[Receipt]:
    return _receipts(tx, "r.erasure_id = %s", [erasure_id])


def _receipts(tx: Tx, which: str, values: Sequence[str]) -> list[Receipt]:
    rows = tx.execute(
        f"""SELECT r.erasure_id, e.kind, e.asked_at, r.place, coalesce(a.name, r.place), r.done_at, r.persons, r.templates, r.snapshots,
                a.revoked_at IS NOT NULL
            FROM erasure_receipts AS r JOIN erasures AS e ON e.id = r.erasure_id LEFT JOIN appliances AS a ON a.id::text = r.place
            WHERE {which} ORDER BY r.erasure_id, a.name NULLS FIRST, r.place""",
        list(values),
    ).fetchall()
    return [
        Receipt(e, kind, asked, place, name, at, Counts(p, t, s), revoked) for e, kind, asked, place, name, at, p, t, s, revoked in rows
    ]
