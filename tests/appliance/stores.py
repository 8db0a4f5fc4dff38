"""Data folders for tests: real ones, with the key in a file on every system. Alice is staff, Bob a customer, Charlie has opted out."""

from __future__ import annotations

from pathlib import Path

from appliance.data_key import KeyFile
from appliance.database import Store, open_store

NOON = 1_790_000_000_000
"""2026-09-21 14:13:20 UTC."""
DAY_MS = 86_400_000
JPEG = b"\xff\xd8\xff\xe0 a face \xff\xd9"


def a_store(folder: Path, now_ms: int = NOON, *, checkpoint: bool = True, backups: Path | None = None) -> Store:
    folder.mkdir(parents=True, exist_ok=True)
    return open_store(folder, now_ms, checkpoint=checkpoint, backups=backups, keeper=KeyFile(folder))


def add_person(store: Store, name: str, role: str = "customer", last_seen_ms: int | None = NOON) -> str:
    with store.writing() as db:
        number = db.execute("SELECT coalesce(max(number), 0) + 1 FROM persons").fetchone()[0]
        row = [name, number, role, last_seen_ms, NOON]
        db.execute("INSERT INTO persons (id, number, role, last_seen_ms, created_ms) VALUES (?, ?, ?, ?, ?)", row)
        sealed = store.vault.seal(bytes(2048), table="templates", column="embedding_sealed", row=f"template of {name}")
        db.execute(
            """INSERT INTO templates (id, person_id, model, embedding_sealed, quality, origin, created_ms)
                VALUES (?, ?, 'm', ?, 1, 'visit', ?)""",
            [f"template of {name}", name, sealed, NOON],
        )
    return name


def add_visit(store: Store, visit_id: str, seen_ms: int = NOON, snapshot: str | None = None) -> str:
    with store.writing() as db:
        db.execute(
            "INSERT INTO visits (id, verdict, state, first_seen_ms, last_seen_ms, snapshot) VALUES (?, 'new', 'settled', ?, ?, ?)",
            [visit_id, seen_ms, seen_ms, snapshot],
        )
    return visit_id


def visits(store: Store) -> list[str]:
    return [row[0] for row in store.db.execute("SELECT id FROM visits ORDER BY id").fetchall()]
