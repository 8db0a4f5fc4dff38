"""What is admitted of a batch, written: one statement a table, whatever the number of rows.

Rows travel as one JSON value or as arrays and are unfolded by the server: no temporary table, which would be made and dropped in the
catalogue with every batch (see docs/decisions.md). Ids come in order, so that two transactions wait for each other and do not lock each
other out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from hub.admission import FOREIGN, Admitted, aside
from hub.batch import Batch, Told
from hub.database import Tx
from hub.set_aside import Aside
from hub.vault import Vault
from sync.records import ApartRecord, CameraRecord, PersonRecord, Record, TemplateRecord, VisitRecord

NO_MONTH = "1970-01-01"
"""For a visit whose id tells no time, or none that can be: all such stand in the partition for the rest."""
MONTH_MIN, MONTH_MAX = date(2020, 1, 1), date(2200, 1, 1)
WHEN = "timestamptz 'epoch' + {} * interval '1 millisecond'"
_json = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Sender:
    """The appliance whose batch it is. `owned`: whose ids it may tell of, its own first; see `hub.appliance_rows`."""

    tenant_id: str
    appliance_id: str
    site_id: str
    name: str
    owned: tuple[str, ...] = ()

    @property
    def owners(self) -> list[str]:
        return list(self.owned) or [self.appliance_id]


def month_of(visit_id: str) -> str:
    """The first of the month in which a UUIDv7 was made, in UTC."""
    if visit_id[14] != "7":
        return NO_MONTH
    day = _day(int(visit_id[:8] + visit_id[9:13], 16) // 86_400_000)
    return day.replace(day=1).isoformat() if day is not None and MONTH_MIN <= day < MONTH_MAX else NO_MONTH


def _day(days: int) -> date | None:
    try:
        return date.fromordinal(date(1970, 1, 1).toordinal() + days)
    except (ValueError, OverflowError):
        return None


def remove(tx: Tx, sender: Sender, batch: Batch, found: Admitted, now: datetime) -> None:
    """What went, before anything that came is written: it may have come back."""
    mine = sender.owners
    if found.heirs:
        gone = list(found.heirs)
        tx.execute("DELETE FROM templates WHERE person_id = ANY(%s::uuid[])", [gone])
        # Persons that came back in the same batch are written again below, and resolved anew.
        tx.execute("DELETE FROM persons WHERE id = ANY(%s::uuid[]) AND appliance_id = ANY(%s::uuid[])", [gone, mine])
        tx.execute("DELETE FROM review WHERE person_id = ANY(%s::uuid[])", [gone])
        tx.execute("DELETE FROM facts WHERE kind IN ('person_known', 'person_unknown') AND subject = ANY(%s)", [gone])
        tx.execute(
            """UPDATE visits AS v SET person_id = t.heir FROM unnest(%s::uuid[], %s::uuid[]) AS t (person_id, heir)
                WHERE v.person_id = t.person_id AND v.appliance_id = ANY(%s::uuid[])""",
            [gone, [heir or None for heir in found.heirs.values()], mine],
        )
    if found.templates_gone:
        tx.execute("DELETE FROM templates WHERE id = ANY(%s::uuid[])", [sorted(found.templates_gone)])
    if batch.visits_gone:
        ids = sorted(batch.visits_gone)
        which = "WHERE id = ANY(%s::uuid[]) AND appliance_id = ANY(%s::uuid[])"
        tx.execute(
            f"""INSERT INTO doomed_snapshots (tenant_id, key, doomed_at) SELECT tenant_id, snapshot, %s FROM visits {which}
                AND snapshot IS NOT NULL ON CONFLICT DO NOTHING""",
            [now, ids, mine],
        )
        tx.execute(f"DELETE FROM visits {which}", [ids, mine])
    if batch.cameras_gone:
        tx.execute("DELETE FROM cameras WHERE id = ANY(%s::uuid[]) AND appliance_id = ANY(%s::uuid[])", [sorted(batch.cameras_gone), mine])


def store(tx: Tx, vault: Vault, sender: Sender, batch: Batch, found: Admitted, now: datetime) -> list[Aside]:
    """Everything that came. What turned out to be another appliance's."""
    _persons(tx, vault, sender, sorted(found.persons, key=lambda one: one.id))
    _templates(tx, vault, sorted(found.templates, key=lambda one: one.id))
    asides = _visits(tx, sender, sorted(found.visits, key=lambda one: one.record.id))
    asides += _cameras(tx, sender, sorted(batch.cameras.values(), key=lambda one: one.record.id))
    _counts(tx, sender, {day: one.record.visits for day, one in sorted(batch.counts.items())})
    _apart(tx, found.apart, now)
    if found.queue:
        _queue(tx, sorted(found.queue), now)
    return asides


def _persons(tx: Tx, vault: Vault, sender: Sender, persons: Sequence[PersonRecord]) -> None:
    if not persons:
        return
    rows = [
        {
            "id": one.id,
            "number": one.number,
            "role": one.role,
            "name": "\\x" + vault.seal(one.name.encode(), table="persons", column="name_sealed", row=one.id).hex() if one.name else None,
            "guest_of": one.guest_of or None,
            "first_ms": one.first_seen_ms,
            "last_ms": one.last_seen_ms,
            "visits": one.visit_count,
        }
        for one in persons
    ]
    tx.execute(
        f"""INSERT INTO persons AS p (tenant_id, id, appliance_id, site_id, number, role, name_sealed, guest_of, first_seen_at,
                last_seen_at, visit_count)
            SELECT (SELECT current_tenant()), t.id, %s, %s, t.number, t.role, t.name, t.guest_of, {WHEN.format("t.first_ms")},
                {WHEN.format("t.last_ms")}, t.visits
            FROM json_to_recordset(%s) AS t (id uuid, number bigint, role text, name bytea, guest_of uuid, first_ms bigint, last_ms bigint,
                visits integer)
            ON CONFLICT (tenant_id, id) DO UPDATE SET appliance_id = excluded.appliance_id, number = excluded.number,
                role = excluded.role, name_sealed = excluded.name_sealed, guest_of = excluded.guest_of,
                first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at, visit_count = excluded.visit_count
            WHERE p.appliance_id = ANY(%s::uuid[])""",
        [sender.appliance_id, sender.site_id, _json.encode(rows).decode(), sender.owners],
    )


def _templates(tx: Tx, vault: Vault, templates: Sequence[TemplateRecord]) -> None:
    if not templates:
        return
    tx.execute(
        f"""INSERT INTO templates (tenant_id, id, person_id, model, embedding_sealed, quality, origin, made_at)
            SELECT (SELECT current_tenant()), t.id, t.person_id, t.model, t.embedding, t.quality, t.origin, {WHEN.format("t.made_ms")}
            FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %b::bytea[], %s::real[], %s::text[], %s::bigint[])
                AS t (id, person_id, model, embedding, quality, origin, made_ms)
            ON CONFLICT (tenant_id, id) DO UPDATE SET person_id = excluded.person_id, model = excluded.model,
                embedding_sealed = excluded.embedding_sealed, quality = excluded.quality, origin = excluded.origin,
                made_at = excluded.made_at, indexed = false""",
        [
            [one.id for one in templates],
            [one.person_id for one in templates],
            [one.model for one in templates],
            [vault.seal(one.embedding, table="templates", column="embedding_sealed", row=one.id) for one in templates],
            [one.quality for one in templates],
            [one.origin for one in templates],
            [one.created_ms for one in templates],
        ],
    )


def _visits(tx: Tx, sender: Sender, visits: Sequence[Told[VisitRecord]]) -> list[Aside]:
    if not visits:
        return []
    rows = [
        {
            "id": (one := told.record).id,
            "month": month_of(one.id),
            "person": one.person_id or None,
            "verdict": one.verdict,
            "settled": one.settled,
            "first_ms": one.first_seen_ms,
            "last_ms": one.last_seen_ms,
            "number": one.visit_number,
            "cameras": one.cameras,
            "model": one.model,
            "reason": one.reason,
            "similarity": one.similarity,
            "bar": one.bar,
        }
        for told in visits
    ]
    written = tx.execute(
        f"""INSERT INTO visits AS v (tenant_id, id, month, appliance_id, site_id, person_id, verdict, settled, first_seen_at, last_seen_at,
                visit_number, cameras, model, reason, similarity, bar)
            SELECT (SELECT current_tenant()), t.id, t.month, %s, %s, t.person, t.verdict, t.settled, {WHEN.format("t.first_ms")},
                {WHEN.format("t.last_ms")}, t.number, t.cameras, t.model, t.reason, t.similarity, t.bar
            FROM json_to_recordset(%s) AS t (id uuid, month date, person uuid, verdict text, settled boolean, first_ms bigint,
                last_ms bigint, number integer, cameras uuid[], model text, reason text, similarity real, bar real)
            ON CONFLICT (tenant_id, id, month) DO UPDATE SET appliance_id = excluded.appliance_id, person_id = excluded.person_id,
                verdict = excluded.verdict, settled = excluded.settled, first_seen_at = excluded.first_seen_at,
                last_seen_at = excluded.last_seen_at,
                visit_number = excluded.visit_number, cameras = excluded.cameras, model = excluded.model, reason = excluded.reason,
                similarity = excluded.similarity, bar = excluded.bar
            WHERE v.appliance_id = ANY(%s::uuid[])""",
        [sender.appliance_id, sender.site_id, _json.encode(rows).decode(), sender.owners],
    ).rowcount
    if written == len(visits):
        return []
    return _foreign(
        tx, sender, "SELECT id FROM visits WHERE id = ANY(%s::uuid[]) AND appliance_id <> ALL(%s::uuid[])", {v.record.id: v for v in visits}
    )


def _cameras(tx: Tx, sender: Sender, cameras: Sequence[Told[CameraRecord]]) -> list[Aside]:
    if not cameras:
        return []
    records = [one.record for one in cameras]
    written = tx.execute(
        """INSERT INTO cameras AS c (tenant_id, id, appliance_id, name, kind, enabled)
            SELECT (SELECT current_tenant()), t.id, %s, t.name, t.kind, t.enabled
            FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::boolean[]) AS t (id, name, kind, enabled)
            ON CONFLICT (tenant_id, id) DO UPDATE SET appliance_id = excluded.appliance_id, name = excluded.name,
                kind = excluded.kind, enabled = excluded.enabled
            WHERE c.appliance_id = ANY(%s::uuid[])""",
        [
            sender.appliance_id,
            [r.id for r in records],
            [r.name for r in records],
            [r.kind for r in records],
            [r.enabled for r in records],
            sender.owners,
        ],
    ).rowcount
    if written == len(cameras):
        return []
    query = "SELECT id FROM cameras WHERE id = ANY(%s::uuid[]) AND appliance_id <> ALL(%s::uuid[])"
    return _foreign(tx, sender, query, {one.record.id: one for one in cameras})


def _foreign(tx: Tx, sender: Sender, query: str, told: Mapping[str, Told[Record]]) -> list[Aside]:
    return [aside(told[row[0]], FOREIGN) for row in tx.execute(query, [list(told), sender.owners]).fetchall()]


def _counts(tx: Tx, sender: Sender, counts: Mapping[str, int]) -> None:
    if counts:
        tx.execute(
            """INSERT INTO opted_out_counts (tenant_id, appliance_id, day, visits)
                SELECT (SELECT current_tenant()), %s, t.* FROM unnest(%s::date[], %s::integer[]) AS t
                ON CONFLICT (tenant_id, appliance_id, day) DO UPDATE SET visits = excluded.visits""",
            [sender.appliance_id, list(counts), list(counts.values())],
        )


def _apart(tx: Tx, apart: Sequence[ApartRecord], now: datetime) -> None:
    if apart:
        tx.execute(
            """INSERT INTO apart (tenant_id, person_a, person_b, reason, made_at)
                SELECT (SELECT current_tenant()), t.*, %s FROM unnest(%s::uuid[], %s::uuid[], %s::text[]) AS t ON CONFLICT DO NOTHING""",
            [now, [one.person_a for one in apart], [one.person_b for one in apart], [one.reason for one in apart]],
        )


def _queue(tx: Tx, person_ids: Sequence[str], now: datetime) -> None:
    tx.execute(
        """INSERT INTO resolve_queue AS q (tenant_id, person_id, queued_at, not_before)
            SELECT (SELECT current_tenant()), t.id, %(now)s, %(now)s FROM unnest(%(ids)s::uuid[]) AS t (id)
            ON CONFLICT (tenant_id, person_id) DO UPDATE SET queued_at = excluded.queued_at, attempts = 0,
                not_before = least(q.not_before, excluded.not_before)""",
        {"now": now, "ids": list(person_ids)},
    )
