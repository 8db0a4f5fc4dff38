"""Everything that is stored about one person, for that person: `data.json`, a page that can be read anywhere, and their pictures, as a ZIP.

Opened here and sent as it is made: nothing of it is written to the disk. Visits that are only like theirs are somebody else's, or
nobody's, and not in it.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from appliance import details, merge_history, persons, snapshots, staffing
from appliance.database import Store
from appliance.errors import SnapshotError
from appliance.line import guests
from ui import formats

ROWS_A_TURN = 500
Page = Callable[[dict[str, Any]], str]
"""The readable page, made of what is in data.json."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`file`: its name in the ZIP; `name`: of the snapshot."""

    file: str
    name: str


def gathered(store: Store, person_id: str, site_name: str, zone: ZoneInfo, now_ms: int) -> tuple[dict[str, Any], list[Picture]]:
    """What data.json says, and the pictures it names. Raises LookupError."""
    row = persons.one(store, person_id)

    def moment(at_ms: int | None) -> str | None:
        return formats.machine_time(at_ms, zone) if at_ms is not None else None

    db = store.db
    entered = details.of(store, person_id)
    chain_name, also_at = guests.words_of(store, "chain", person_id)
    visits, pictures = _visits(store, person_id, moment)
    data = {
        "store": site_name,
        "made": moment(now_ms),
        "person": {
            "number": row.number,
            "role": row.role,
            "name": details.name_of(store, person_id),
            **msgspec.to_builtins(entered.words),
            "vip": entered.vip,
            "watchlist": entered.watchlist,
            "first_seen": moment(row.first_seen_ms),
            "last_seen": moment(row.last_seen_ms),
            "visits": row.visit_count,
            "job": staffing.title_now(store, person_id),
        },
        "headquarters": {"name": chain_name, "also_comes_to": also_at},
        "visits": visits,
        "templates": [
            {
                "learned": moment(created_ms),
                "from": origin,
                "model": model,
                "quality": quality,
                "set_aside": bool(aside),
                "numbers_float32_base64": _numbers(store, i, sealed),
            }
            for i, created_ms, origin, model, quality, aside, sealed in db.execute(
                """SELECT id, created_ms, origin, model, quality, set_aside, embedding_sealed FROM templates WHERE person_id = ?
                    ORDER BY created_ms""",
                [person_id],
            ).fetchall()
        ],
        "looks_said_not_to_be_them": [
            {"noted": moment(at), "model": model}
            for at, model in db.execute(
                "SELECT created_ms, model FROM rejected_looks WHERE person_id = ? ORDER BY id", [person_id]
            ).fetchall()
        ],
        "merged_with": [
            {"when": moment(m.made_ms), "visitor_number": m.number, "name": m.name, "visits": m.visits}
            for m in merge_history.of(store, person_id)
        ],
        "who_did_what": [
            {"when": moment(at), "what": what}
            for at, what in db.execute("SELECT at_ms, what FROM audit WHERE subject_id = ? ORDER BY id", [person_id]).fetchall()
        ],
        "alerts": [
            {"when": moment(at), "rule": rule, "answer": state}
            for at, rule, state in db.execute("SELECT at_ms, rule, state FROM alerts WHERE subject = ? ORDER BY id", [person_id]).fetchall()
        ],
        "requests": [
            {"kind": kind, "made": moment(made), "state": state, "done": moment(done)}
            for kind, made, state, done in db.execute(
                "SELECT kind, made_ms, state, done_ms FROM privacy_requests WHERE person_id = ? ORDER BY id", [person_id]
            ).fetchall()
        ],
    }
    return data, pictures


def _numbers(store: Store, template_id: str, sealed: bytes) -> str:
    return base64.b64encode(store.vault.unseal(sealed, table="templates", column="embedding", row=template_id)).decode()


def _visits(store: Store, person_id: str, moment: Callable[[int | None], str | None]) -> tuple[list[dict[str, Any]], list[Picture]]:
    rows = store.db.execute(
        """SELECT v.id, v.first_seen_ms, v.last_seen_ms, v.verdict, v.visit_number, v.snapshot,
            (SELECT group_concat(DISTINCT coalesce(c.name, '')) FROM sightings s LEFT JOIN cameras c ON c.id = s.camera_id
                WHERE s.visit_id = v.id),
            (SELECT max(similarity) FROM sightings WHERE visit_id = v.id), (SELECT max(bar) FROM sightings WHERE visit_id = v.id),
            v.age, v.gender
            FROM visits v WHERE v.person_id = ? ORDER BY v.first_seen_ms""",
        [person_id],
    ).fetchall()
    visits: list[dict[str, Any]] = []
    pictures: list[Picture] = []
    for _, first_ms, last_ms, verdict, number, snapshot, cameras, similarity, bar, age, gender in rows:
        shown = None
        if snapshot and snapshots.there(store, snapshot):
            shown = f"pictures/visit-{len(visits) + 1:05}.jpg"
            pictures.append(Picture(shown, snapshot))
        visits.append(
            {
                "from": moment(first_ms),
                "to": moment(last_ms),
                "taken_for": verdict,
                "number": number,
                "cameras": [name for name in (cameras or "").split(",") if name],
                "similarity": similarity,
                "bar": bar,
                "estimated_age": round(age) if age is not None else None,
                "estimated_gender": gender,
                "picture": shown,
            }
        )
    return visits, pictures


def zipped(store: Store, data: dict[str, Any], pictures: list[Picture], page: Page) -> Iterator[bytes]:
    """The ZIP in pieces, as it is made. A picture that went meanwhile is left out."""
    out = _Pieces()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("read me first.html", page(data))
        archive.writestr("data.json", json.dumps(data, ensure_ascii=False, indent=1))
        yield out.taken()
        for picture in pictures:
            try:
                jpeg = snapshots.load(store, picture.name)
            except SnapshotError:
                continue
            archive.writestr(zipfile.ZipInfo(picture.file), jpeg, zipfile.ZIP_STORED)
            yield out.taken()
    yield out.taken()


class _Pieces(io.RawIOBase):
    """What `zipfile` writes without going back, until it is taken."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        piece = bytes(self._held)
        self._held.clear()
        return piece
