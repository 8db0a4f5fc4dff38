"""The records of a store's ordinary day, made from a seed: what travels when nobody thinks about it. For tests and figures; no face."""

from __future__ import annotations

import random

import numpy as np
import uuid_utils

from sync.records import PersonRecord, Record, TemplateRecord, VisitRecord, halved

START_MS = 1_795_000_000_000
MODEL = "arcface_mobilefacenet"
REASONS = ("near enough to be sure", "nobody is near", "between match and new")


def visits(count: int, dimensions: int, seed: int = 7) -> list[Record]:
    """Each visit as the appliance tells it: entered, better known, ended, each with its person as it is then; and one view learned."""
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    cameras = [_id(START_MS + n, chance) for n in range(2)]
    known: list[tuple[str, int, int, int]] = []
    now, told = START_MS, []
    for _ in range(count):
        now += chance.randint(5_000, 120_000)
        stays = chance.randint(900, 90_000)
        returning = bool(known) and chance.random() < 0.5
        if returning:
            place = chance.randrange(len(known))
            person_id, number, first_ms, times = known[place]
            known[place] = (person_id, number, first_ms, times + 1)
            times += 1
        else:
            person_id, number, first_ms, times = _id(now + 700, chance), len(known) + 1, now, 1
            known.append((person_id, number, first_ms, times))
        visit_id, seen_on = _id(now + 400, chance), chance.sample(cameras, chance.choice((1, 1, 1, 2)))
        similarity = float(np.float32(rng.uniform(0.4, 0.8))) if returning else None
        for share, settled in ((0.0, False), (0.4, True), (1.0, True)):
            last_ms = now + round(share * stays)
            told.append(
                VisitRecord(
                    id=visit_id,
                    person_id=person_id,
                    verdict="known" if returning else "new",
                    settled=settled,
                    first_seen_ms=now,
                    last_seen_ms=last_ms,
                    visit_number=times,
                    cameras=seen_on,
                    model=MODEL,
                    reason=REASONS[0 if returning else 1],
                    similarity=similarity,
                    bar=0.4 + 0.01 * float(np.log(len(known))) if returning else None,
                )
            )
            told.append(
                PersonRecord(id=person_id, number=number, role="customer", first_seen_ms=first_ms, last_seen_ms=last_ms, visit_count=times)
            )
        vector = rng.standard_normal(dimensions).astype(np.float32)
        told.append(
            TemplateRecord(
                id=_id(now + 800, chance),
                person_id=person_id,
                model=MODEL,
                embedding=halved(vector / np.float32(np.linalg.norm(vector))),
                quality=float(rng.uniform(0.3, 1.0)),
                origin="visit",
                created_ms=now + 800,
            )
        )
    return told


def _id(at_ms: int, chance: random.Random) -> str:
    """A UUIDv7 as `uuid_utils.uuid7` makes them, of this time and from this seed."""
    bits = at_ms << 80 | 0x7 << 76 | chance.getrandbits(12) << 64 | 0b10 << 62 | chance.getrandbits(62)
    return str(uuid_utils.UUID(int=bits))
