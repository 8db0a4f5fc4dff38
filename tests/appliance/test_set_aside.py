"""Databases set aside: found with their age and size, kept for a time, and then gone with all that belongs to them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from appliance import set_aside
from tests.appliance.stores import DAY_MS

MADE_MS = round(datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC).timestamp() * 1000)


def test_what_was_set_aside_goes_after_a_month_with_its_log_and_nothing_else_does(tmp_path: Path) -> None:
    old, second = tmp_path / "regulars.db.replaced-20260921T141320Z", tmp_path / "regulars.db.broken-20260921T141320Z-2"
    newer = tmp_path / "regulars.db.replaced-20261001T000000Z"
    others = [tmp_path / name for name in ("regulars.db", "regulars.db-wal", "regulars.db.replaced-20269921T141320Z", "data.key")]
    for path in [old, Path(f"{old}-wal"), Path(f"{old}-shm"), tmp_path / "regulars.db.broken-20260921T141319Z-wal", second, newer, *others]:
        path.write_bytes(b"0123456789")
    assert [(aside.path, aside.made_ms) for aside in set_aside.listed(tmp_path)][:2] == [(second, MADE_MS), (old, MADE_MS)]
    assert [aside.bytes for aside in set_aside.listed(tmp_path)] == [10, 30, 10]
    assert set_aside.drop_old(tmp_path, MADE_MS + 30 * DAY_MS) == 0
    assert set_aside.drop_old(tmp_path, MADE_MS + 30 * DAY_MS + 1) == 2
    assert sorted(tmp_path.iterdir()) == sorted([newer, *others])
