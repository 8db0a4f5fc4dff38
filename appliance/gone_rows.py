"""What went, kept as ids in the table `gone_rows`: the word of it may be lost with an outbox that had no room, or with a headquarters that
was set back, and a table no longer shows what is not in it. Erased and merged people are in `gone_persons`."""

from __future__ import annotations

import sqlite3

from sync.records import CameraGone, PersonGone, TemplateGone, VisitGone

GONE = (VisitGone, TemplateGone, CameraGone, PersonGone)
KEPT_MAX = 100_000
"""Most are templates that a better view replaced, some hundred a day: enough for a year."""

Gone = VisitGone | TemplateGone | CameraGone | PersonGone


def remember(connection: sqlite3.Connection, record: Gone) -> None:
    """In the transaction that tells of it."""
    kind = str(type(record).__struct_config__.tag).removesuffix("_gone")
    person_id = record.person_id if isinstance(record, TemplateGone) else ""
    connection.execute("INSERT INTO gone_rows (kind, id, person_id) VALUES (?, ?, ?)", [kind, record.id, person_id])


def record_of(kind: str, row_id: str, person_id: str) -> Gone:
    match kind:
        case "visit":
            return VisitGone(id=row_id)
        case "template":
            return TemplateGone(id=row_id, person_id=person_id)
        case "camera":
            return CameraGone(id=row_id)
        case _:
            return PersonGone(id=row_id)


def forget_oldest(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM gone_rows WHERE number <= (SELECT max(number) FROM gone_rows) - ?", [KEPT_MAX])
