"""A shop with people whose faces are unit vectors of exactly chosen likeness. Alice is staff, Bob a customer, Charlie has opted out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from appliance import persons
from appliance.database import Store
from appliance.enrolment import Photo, enrol
from appliance.errors import RegularsError
from appliance.gallery import Gallery
from appliance.identity import Policy
from appliance.outcomes import Outcome
from appliance.recognition import Recognition
from appliance.sightings import Phase, Shot, Sighting
from models.bars import Bars
from models.faces import Floats
from sync import outbox
from sync.records import Record, decoded
from tests.appliance.stores import JPEG, NOON, a_store

MODEL, SIZE = "test", 128
BARS = Bars({0.2: 0.1, 1e-2: 0.3, 1e-3: 0.5, 1e-4: 0.7, 1e-5: 0.8})
GAP_MS = 600_000
MINUTE_MS = 60_000
ALICE, BOB, CHARLIE, DORA, EMIL = range(5)
"""Faces: each an axis of its own, so that strangers have cosine 0."""
_SPARE = 32


def face(who: int) -> Floats:
    return np.asarray(np.eye(SIZE, dtype=np.float32)[who])


def like(who: int, cosine: float, view: int = 0) -> Floats:
    """A face that resembles `who` by exactly this cosine, and nobody else; each `view` differs in another direction."""
    return np.asarray(cosine * face(who) + math.sqrt(1 - cosine * cosine) * face(_SPARE + 8 * who + view), np.float32)


def sighting(
    sighting_id: str,
    looks: Floats | list[Floats],
    at_ms: int = NOON,
    *,
    phase: Phase = Phase.CLOSED,
    camera: str = "door",
    shots: int = 6,
    lasts_ms: int = 3000,
    seen_with: tuple[str, ...] = (),
    portrait: bytes = JPEG,
    width: float = 60.0,
    model: str = MODEL,
    quality: float = 0.5,
) -> Sighting:
    views = looks if isinstance(looks, list) else [looks]
    kept = [Shot(at_ms + 10 * i, v.astype("<f4").tobytes(), quality, (0, 0, width, width)) for i, v in enumerate(views)]
    return Sighting(
        id=sighting_id,
        camera_id=camera,
        phase=phase,
        model=model,
        began_ms=at_ms,
        ended_ms=at_ms + lasts_ms,
        shots=kept,
        shot_count=shots,
        first_shot_ms=at_ms,
        last_shot_ms=at_ms + (lasts_ms if shots > 1 else 0),
        sent_ms=at_ms + lasts_ms,
        travel=3.0,
        seen_with=list(seen_with),
        portrait=portrait,
        portrait_width_px=width,
    )


@dataclass
class Shop:
    store: Store
    recognition: Recognition
    told: int = 0
    failures: list[RegularsError | OSError] = field(default_factory=list)

    def see(self, looks: Floats | list[Floats], at_ms: int = NOON, sighting_id: str = "", **more: object) -> Outcome:
        """One sighting, closed unless said otherwise."""
        self.told += 1
        seen = sighting(sighting_id or f"sighting {self.told}", looks, at_ms, **more)  # type: ignore[arg-type]
        return self.recognition.receive(seen, seen.ended_ms)

    def again(self) -> Recognition:
        """What a restart of the appliance makes of the database."""
        self.recognition = recognition(self.store, self.failures)
        return self.recognition

    def enrol(self, role: str, name: str, who: int) -> str:
        return enrol(self.store, self.recognition.gallery, role, name, [Photo(face(who), 0.9, "")], NOON)

    def unsure(self, who: int, view: int = 0) -> Floats:
        """A face that resembles `who` too much to be new and too little to be sure."""
        bars = self.recognition.thresholds()
        return like(who, (bars.mint + bars.match) / 2, view)

    def visits(self) -> list[tuple[str | None, str, int, str]]:
        """person, verdict, number and state of every visit, in order of time."""
        return [
            tuple(row)
            for row in self.store.db.execute(
                "SELECT person_id, verdict, visit_number, state FROM visits ORDER BY first_seen_ms, id"
            ).fetchall()
        ]

    def verdicts(self) -> list[tuple[str, int]]:
        return [(verdict, number) for _, verdict, number, _ in self.visits()]

    def count(self, table: str) -> int:
        return int(self.store.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def opted_out_counts(self) -> int:
        return int(self.store.db.execute("SELECT coalesce(sum(visits), 0) FROM opted_out_counts").fetchone()[0])

    def pictures(self) -> list[bytes]:
        return [p.read_bytes() for p in self.store.snapshots.rglob("*.sealed")]

    def records(self, after: int = 0) -> list[Record]:
        entries = outbox.pending(self.store.db.conn, self.store.vault.unseal, after=after, records_max=10_000, bytes_max=1 << 30)
        return [decoded(e.payload) for e in entries]

    def dump(self) -> dict[str, list[tuple[object, ...]]]:
        """Everything that is stored, but the outbox."""
        tables = ("persons", "templates", "visits", "sightings", "opted_out_counts", "settings")
        return {t: [tuple(r) for r in self.store.db.execute(f"SELECT * FROM {t} ORDER BY 1").fetchall()] for t in tables}

    def person(self, person_id: str) -> persons.PersonRow:
        return next(p for p in persons.list_persons(self.store) if p.id == person_id)


def recognition(store: Store, failures: list[RegularsError | OSError] | None = None) -> Recognition:
    told = failures if failures is not None else []
    made = Recognition(store, Gallery(MODEL, SIZE), BARS, Policy(), GAP_MS, ZoneInfo("Asia/Ho_Chi_Minh"), told.append)
    made.load()
    return made


def a_shop(folder: Path) -> Shop:
    store = a_store(folder)
    failures: list[RegularsError | OSError] = []
    return Shop(store, recognition(store, failures), failures=failures)
