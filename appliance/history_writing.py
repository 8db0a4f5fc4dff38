"""Writes a store's past into its database, quickly and directly: for the demo's full charts, and for the bench's million visits. Nothing
of it is told to headquarters, and nobody of it has a face: they are known by number, and the cameras will not meet them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import numpy as np

from appliance import details
from appliance.database import Store
from appliance.details import Details, Words
from appliance.history import STAFF, Past, Wanted, past
from appliance.reports import tallies
from ui import formats

VISITS_A_TRANSACTION = 50_000
NAMED = 40
"""One of so many who come back is known by name."""
VIPS, WATCHED = 24, 4
CASES_MAX = 60
"""Doubtful visits that wait at review."""
OPTED_OUT_A_DAY = 1.4
MODEL = "history"
LAST_NUMBER = "last_visitor_number"
FIRST_NAMES = ("An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Hùng", "Khanh", "Lan", "Linh", "Mai", "Minh", "Nam", "Ngọc", "Phúc", "Quân",
               "Sơn", "Thảo", "Trang", "Tuấn", "Anna", "Ben", "Clara", "David", "Emma", "Jonas", "Laura", "Paul")  # fmt: skip
LAST_NAMES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ", "Meyer", "Rossi", "Novak", "Silva")


def write(store: Store, wanted: Wanted, cameras: Sequence[str], told: Callable[[int, int], None] = lambda _done, _of: None) -> int:
    """How many visits. The database should hold none of its own yet. `cameras`: their ids, as many as `wanted` says. `told`: visits
    written, of how many."""
    shaped = past(wanted)
    chance = random.Random(wanted.seed)
    ids = [_uuid7(_created(wanted), chance) for _ in range(shaped.people + STAFF)]
    _write_people(store, wanted, shaped, ids, chance)
    _write_visits(store, shaped, ids, cameras, chance, told)
    _count_people(store, wanted, shaped, ids, chance)
    tallies.refresh(store, wanted.zone, formats.day_of(wanted.until_ms, wanted.zone), rests=False)
    with store.transaction() as db:
        db.execute("ANALYZE")
    return len(shaped.person)


def _write_people(store: Store, wanted: Wanted, shaped: Past, ids: list[str], chance: random.Random) -> None:
    created = _created(wanted)
    with store.transaction() as db:
        (last,) = db.execute("SELECT value FROM settings WHERE key = ?", [LAST_NUMBER]).fetchone() or ("0",)
        number = int(last)
        rows = []
        for at, id_ in enumerate(ids):
            staff = at >= shaped.people
            name = _name(chance) if staff or chance.randrange(NAMED) == 0 else ""
            sealed = store.vault.seal(name.encode(), table="persons", column="name", row=id_) if name else None
            rows.append((id_, number + at + 1, "staff" if staff else "customer", sealed, created))
        db.conn.executemany("INSERT INTO persons (id, number, role, name_sealed, created_ms) VALUES (?, ?, ?, ?, ?)", rows)
        db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", [LAST_NUMBER, str(number + len(ids))])


def _write_visits(
    store: Store, shaped: Past, ids: list[str], cameras: Sequence[str], chance: random.Random, told: Callable[[int, int], None]
) -> None:
    total = len(shaped.person)
    estimates = "age" in _columns(store, "visits")
    columns = "id, person_id, verdict, state, first_seen_ms, last_seen_ms, visit_number" + (
        ", age, gender, gender_share" if estimates else ""
    )
    places = ", ".join("?" * (10 if estimates else 7))
    lines = _visits(shaped, ids, cameras, chance, estimates)
    for begin in range(0, total, VISITS_A_TRANSACTION):
        visits, sightings = [], []
        for _ in range(min(VISITS_A_TRANSACTION, total - begin)):
            visit, seen = next(lines)
            visits.append(visit)
            sightings += seen
        with store.transaction() as db:
            db.conn.executemany(f"INSERT INTO visits ({columns}) VALUES ({places})", visits)
            db.conn.executemany(
                """INSERT INTO sightings (id, visit_id, camera_id, began_ms, ended_ms, shots, face_width_px, model, verdict, reason,
                    nearest_person_id, similarity, bar, logged_after_ms, settled)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, 0.46, 640, 1)""",
                sightings,
            )
        store.checkpoint()
        told(begin + len(visits), total)


Line = tuple[tuple[object, ...], list[tuple[object, ...]]]


def _visits(shaped: Past, ids: list[str], cameras: Sequence[str], chance: random.Random, estimates: bool) -> Iterator[Line]:
    """Each visit's row and its sightings', in the order of time."""
    came: Counter[int] = Counter()
    arrays = (shaped.person, shaped.first_ms, shaped.last_ms, shaped.unsure, shaped.looks, shaped.age, shaped.share)
    for who, first, last, unsure, looks, age, share in zip(*(array.tolist() for array in arrays), strict=True):
        if not unsure:
            came[who] += 1
        number = 0 if unsure else came[who]
        verdict = "unsure" if unsure else "staff" if who >= shaped.people else "returning" if number > 1 else "new"
        id_ = _uuid7(first, chance)
        row: tuple[object, ...] = (id_, None if unsure else ids[who], verdict, "settled", first, last, number)
        if estimates:
            known = age == age and share == share
            sex = "male" if shaped.male[who] else "female"
            row += (round(age, 1), sex if share > 0.7 else None, round(share, 2)) if known else (None, None, None)
        similarity = chance.uniform(0.12, 0.3) if verdict == "new" else chance.uniform(0.37, 0.45) if unsure else chance.uniform(0.48, 0.8)
        seen: list[tuple[object, ...]] = []
        for look in range(looks):
            began = first + (last - first) * look // looks if look else first
            ended = last if look == looks - 1 else min(last, began + 5_000)
            camera = cameras[look % len(cameras)] if cameras else ""
            nearest = None if verdict == "new" else ids[who]
            seen.append((_uuid7(began, chance), id_, camera, began, ended, 5, 92.0, MODEL, verdict, nearest, round(similarity, 3)))
        yield row, seen


def _count_people(store: Store, wanted: Wanted, shaped: Past, ids: list[str], chance: random.Random) -> None:
    """What follows from the visits: each person's first, last and number; who is marked; what waits at review; who opted out."""
    with store.transaction() as db:
        db.execute(
            """UPDATE persons SET first_seen_ms = c.first, last_seen_ms = c.last, visit_count = c.n FROM (
                SELECT person_id, min(first_seen_ms) AS first, max(last_seen_ms) AS last, count(*) AS n FROM visits
                WHERE person_id IS NOT NULL GROUP BY person_id) AS c WHERE c.person_id = persons.id"""
        )
        # Of whom every visit was doubtful nobody knows anything.
        db.execute("DELETE FROM persons WHERE first_seen_ms IS NULL AND created_ms = ?", [_created(wanted)])
        often = db.execute(
            "SELECT id FROM persons WHERE role = 'customer' ORDER BY visit_count DESC LIMIT ?", [VIPS + WATCHED * 9]
        ).fetchall()
        marked = [(id_, True) for (id_,) in often[:VIPS]] + [(id_, False) for (id_,) in often[VIPS::9]]
        for number, (id_, vip) in enumerate(marked):
            words = Words(phone=f"+84 24 3000 {number:04d}", notes="Likes to be greeted." if vip else "")
            details.put(store, id_, Details(words=words, vip=vip, watchlist=not vip), wanted.until_ms)
        db.execute(
            """INSERT OR IGNORE INTO review (kind, subject, person_id, similarity, low, bar, made_ms)
                SELECT 'visit', s.visit_id, s.nearest_person_id, s.similarity, 0.34, s.bar, s.ended_ms FROM sightings s
                JOIN visits v ON v.id = s.visit_id JOIN persons p ON p.id = s.nearest_person_id
                WHERE v.id IN (SELECT id FROM visits WHERE verdict = 'unsure' ORDER BY first_seen_ms DESC LIMIT ?)
                GROUP BY s.visit_id""",
            [CASES_MAX],
        )
        days = [shaped.first_day + timedelta(days=number) for number in range(wanted.days)]
        counts = np.random.default_rng(wanted.seed).poisson(OPTED_OUT_A_DAY, len(days))
        rows = [(str(day), int(n)) for day, n in zip(days, counts, strict=True) if n]
        db.conn.executemany("INSERT OR REPLACE INTO opted_out_counts VALUES (?, ?)", rows)


def _created(wanted: Wanted) -> int:
    return wanted.until_ms - wanted.days * 86_400_000


def _columns(store: Store, table: str) -> set[str]:
    return {name for (name,) in store.db.execute("SELECT name FROM pragma_table_info(?)", [table]).fetchall()}


def _uuid7(at_ms: int, chance: random.Random) -> str:
    """As the log makes its ids (RFC 9562), but out of the seed."""
    low = chance.getrandbits(74)
    digits = f"{at_ms:012x}7{low >> 62:03x}{0b1000 | low >> 60 & 0b11:x}{low & (1 << 60) - 1:015x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _name(chance: random.Random) -> str:
    return f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}"
