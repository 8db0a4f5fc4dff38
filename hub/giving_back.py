"""Records that an appliance told before its database was restored from a backup, given back to it as facts (`GivenBack`).

It needs only what it told since that backup, but which that is only it knows: it gets what the hub has, and takes what it lacks.
Persons come before what names them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from hub import facts
from hub.database import Tx
from hub.moments import to_ms
from hub.vault import Vault
from sync.facts import GivenBack
from sync.records import ApartRecord, OptedOutCount, PersonRecord, Record, TemplateRecord, VisitRecord, encoded, kind_of

VISITS_DAYS, VISITS_MAX = 60, 30_000
"""A backup is made every night; one of two months ago is the oldest that anybody still has. A busy store has 20,000 visits a month."""
ROWS_MAX = 200_000
"""Of persons and of templates: more is no store."""


def give_back(tx: Tx, vault: Vault, appliance_id: str, now: datetime) -> int:
    """How many records."""
    told = [
        facts.Telling(GivenBack(payload=encoded(record)), appliance_id, f"{kind_of(record)}/{name}")
        for name, record in (
            *_persons(tx, vault, appliance_id),
            *_templates(tx, vault, appliance_id),
            *_visits(tx, appliance_id, now),
            *_counts(tx, appliance_id),
            *_apart(tx, appliance_id),
        )
    ]
    if told:
        facts.tell_many(tx, vault, told, now)
    return len(told)


def _persons(tx: Tx, vault: Vault, appliance_id: str) -> Iterable[tuple[str, Record]]:
    rows = tx.execute(
        """SELECT id, number, role, name_sealed, guest_of, first_seen_at, last_seen_at, visit_count FROM persons
            WHERE appliance_id = %s ORDER BY id LIMIT %s""",
        [appliance_id, ROWS_MAX],
    )
    for person_id, number, role, sealed, guest_of, first, last, visits in rows.fetchall():
        yield (
            person_id,
            PersonRecord(
                id=person_id,
                number=number,
                role=role,
                name=vault.unseal(sealed, table="persons", column="name_sealed", row=person_id).decode() if sealed else "",
                first_seen_ms=to_ms(first) if first else None,
                last_seen_ms=to_ms(last) if last else None,
                visit_count=visits,
                guest_of=guest_of or "",
            ),
        )


def _templates(tx: Tx, vault: Vault, appliance_id: str) -> Iterable[tuple[str, Record]]:
    rows = tx.execute(
        """SELECT t.id, t.person_id, t.model, t.embedding_sealed, t.quality, t.origin, t.made_at FROM templates AS t
            JOIN persons AS p ON p.id = t.person_id WHERE p.appliance_id = %s ORDER BY t.id LIMIT %s""",
        [appliance_id, ROWS_MAX],
    )
    for template_id, person_id, model, sealed, quality, origin, made_at in rows.fetchall():
        yield (
            template_id,
            TemplateRecord(
                id=template_id,
                person_id=person_id,
                model=model,
                embedding=vault.unseal(sealed, table="templates", column="embedding_sealed", row=template_id),
                quality=quality,
                origin=origin,
                created_ms=to_ms(made_at),
            ),
        )


def _visits(tx: Tx, appliance_id: str, now: datetime) -> Iterable[tuple[str, Record]]:
    rows = tx.execute(
        """SELECT id, person_id, verdict, settled, first_seen_at, last_seen_at, visit_number, cameras, model, reason, similarity, bar
            FROM visits WHERE appliance_id = %s AND first_seen_at >= %s ORDER BY first_seen_at DESC LIMIT %s""",
        [appliance_id, now - timedelta(days=VISITS_DAYS), VISITS_MAX],
    )
    for visit_id, person_id, verdict, settled, first, last, number, cameras, model, reason, similarity, bar in reversed(rows.fetchall()):
        yield (
            visit_id,
            VisitRecord(
                id=visit_id,
                person_id=person_id or "",
                verdict=verdict,
                settled=settled,
                first_seen_ms=to_ms(first),
                last_seen_ms=to_ms(last),
                visit_number=number,
                cameras=cameras,
                model=model,
                reason=reason,
                similarity=similarity,
                bar=bar,
            ),
        )


def _counts(tx: Tx, appliance_id: str) -> Iterable[tuple[str, Record]]:
    rows = tx.execute("SELECT day::text, visits FROM opted_out_counts WHERE appliance_id = %s ORDER BY day", [appliance_id])
    return [(day, OptedOutCount(day=day, visits=visits)) for day, visits in rows.fetchall()]


def _apart(tx: Tx, appliance_id: str) -> Iterable[tuple[str, Record]]:
    rows = tx.execute(
        """SELECT a.person_a, a.person_b, a.reason FROM apart AS a JOIN persons AS p ON p.id = a.person_a
            WHERE p.appliance_id = %s ORDER BY 1, 2 LIMIT %s""",
        [appliance_id, ROWS_MAX],
    )
    return [(f"{a}/{b}", ApartRecord(person_a=a, person_b=b, reason=reason)) for a, b, reason in rows.fetchall()]
