"""Snapshots and retention: sealed, found, gone in time, never named without a file for long."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance import retention, snapshots
from appliance.database import Store
from appliance.errors import SnapshotError
from sync import outbox
from sync.records import decoded
from tests.appliance.stores import DAY_MS, JPEG, NOON, a_store, add_person, add_visit


def with_snapshot(store: Store, visit: str, seen_ms: int) -> str:
    name = snapshots.save(store, visit, JPEG, seen_ms)
    add_visit(store, visit, seen_ms, name)
    return name


def files(store: Store) -> list[str]:
    return sorted(str(path.relative_to(store.snapshots)) for path in store.snapshots.glob("**/*") if path.is_file())


def names(store: Store) -> list[str | None]:
    return [row[0] for row in store.db.execute("SELECT snapshot FROM visits ORDER BY id").fetchall()]


def aged(store: Store, ms: int) -> None:
    for name in files(store):
        os.utime(store.snapshots / name, (ms / 1000, ms / 1000))


def test_a_snapshot_is_sealed_in_its_months_folder_and_opens_again(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    name = snapshots.save(store, "0193-a", JPEG, NOON)
    assert name.startswith("2026-09/0193-a.")
    assert b"a face" not in (store.snapshots / name).read_bytes()
    assert snapshots.load(store, name) == JPEG
    snapshots.remove(store, name)
    snapshots.remove(store, name)
    with pytest.raises(SnapshotError, match="is gone"):
        snapshots.load(store, name)


def test_a_snapshot_exchanged_for_another_visits_does_not_open(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    bob, dana = snapshots.save(store, "b0b", JPEG, NOON), snapshots.save(store, "dada", JPEG, NOON)
    (store.snapshots / bob).replace(store.snapshots / dana)
    with pytest.raises(SnapshotError, match="does not open"):
        snapshots.load(store, dana)


@pytest.mark.parametrize("name", ["../data.key", "/etc/passwd", "2026-09/../../data.key", "", "2026-09/a.00000000.jpg.sealed\n", "2026-09"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(SnapshotError, match="no name of a snapshot"):
        snapshots.load(a_store(tmp_path), name)


@pytest.mark.parametrize("rubbish", [b"", b"GIF89a", JPEG + bytes(3 << 20)])
def test_what_is_no_small_jpeg_is_not_saved(tmp_path: Path, rubbish: bytes) -> None:
    store = a_store(tmp_path)
    with pytest.raises(SnapshotError, match="no JPEG"):
        snapshots.save(store, "a", rubbish, NOON)
    assert files(store) == []


def test_old_snapshots_go_with_their_names_and_young_ones_stay(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    for number in range(snapshots.ROWS_A_TURN + 3):
        add_visit(store, f"a{number:04}", NOON - 40 * DAY_MS, f"2026-08/a{number:04}.00000000.jpg.sealed")
    with_snapshot(store, "b", NOON - 31 * DAY_MS)
    young = with_snapshot(store, "c", NOON - 29 * DAY_MS)
    assert snapshots.expire(store, NOON, 30) == snapshots.ROWS_A_TURN + 4
    assert files(store) == [young]
    assert [name for name in names(store) if name] == [young]
    assert snapshots.expire(store, NOON, 30) == 0


def test_the_sweep_removes_old_files_without_a_name_and_names_without_a_file(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    kept, lost = with_snapshot(store, "a", NOON), with_snapshot(store, "b", NOON)
    orphan = snapshots.save(store, "c", JPEG, NOON - 40 * DAY_MS)
    (store.snapshots / f"{orphan}.abcd.part").write_bytes(b"half")
    (store.snapshots / lost).unlink()
    aged(store, NOON - 2 * 3_600_000)
    fresh = snapshots.save(store, "d", JPEG, NOON)
    os.utime(store.snapshots / fresh, (NOON / 1000, NOON / 1000))
    assert snapshots.sweep(store, NOON) == snapshots.Swept(files=2, names=1)
    assert files(store) == sorted([kept, fresh])
    assert names(store) == [kept, None]
    assert [p.name for p in store.snapshots.iterdir()] == ["2026-09"]


def test_templates_of_customers_who_stay_away_are_dropped_with_a_record(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    add_person(store, "alice", "staff", NOON - 900 * DAY_MS)
    add_person(store, "charlie", "opted_out", None)
    add_person(store, "bob", "customer", NOON - 731 * DAY_MS)
    add_person(store, "regular", "customer", NOON - 729 * DAY_MS)
    told: list[str] = []
    assert retention.drop_templates(store, NOON, 730, told.extend) == 1
    assert told == ["bob"]
    left = {row[0] for row in store.db.execute("SELECT person_id FROM templates").fetchall()}
    assert left == {"alice", "charlie", "regular"}
    (entry,) = outbox.pending(store.db.conn, store.vault.unseal)
    assert decoded(entry.payload).__class__.__name__ == "TemplateGone"
    assert retention.drop_templates(store, NOON, 730, told.extend) == 0


def test_embeddings_kept_for_review_go_in_time(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    add_visit(store, "v")
    with store.transaction() as db:
        for name, ended in (("old", NOON - 31 * DAY_MS), ("young", NOON)):
            db.execute(
                """INSERT INTO sightings (id, visit_id, camera_id, began_ms, ended_ms, shots, face_width_px, model, verdict, reason,
                    embedding_sealed) VALUES (?, 'v', 'c', ?, ?, 2, 60, 'm', 'unsure', '', x'01')""",
                [name, ended, ended],
            )
    assert retention.drop_unsure_embeddings(store, NOON, 30) == 1
    assert store.db.execute("SELECT id FROM sightings WHERE embedding_sealed IS NOT NULL").fetchall() == [("young",)]
