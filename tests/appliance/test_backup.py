"""Backups: made beside a writer, sealed so that nothing can be changed, found and put back."""

from __future__ import annotations

import io
import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from appliance import backup
from appliance.commands.backup import backup as command
from appliance.config import Backup as BackupSettings
from appliance.config import Config, Data, Site
from appliance.database import read_store
from appliance.errors import BackupError, CannotOpen
from appliance.sealed_stream import MAGIC, open_stream, seal_stream
from appliance.vault import Vault
from sync.sealed_stream import CHUNK_BYTES, SALT_BYTES, TAG_BYTES
from tests.appliance.stores import DAY_MS, NOON, a_store, add_person, add_visit, visits

VAULT = Vault(bytes(range(32)))
HEADER_BYTES = len(MAGIC) + SALT_BYTES
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def sealed(plain: bytes) -> bytes:
    out = io.BytesIO()
    seal_stream(VAULT, io.BytesIO(plain), out, lambda: None)
    return out.getvalue()


def unsealed(file: bytes, vault: Vault = VAULT) -> bytes:
    out = io.BytesIO()
    open_stream(vault, io.BytesIO(file), out, "it")
    return out.getvalue()


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])
def test_a_file_of_any_size_comes_back_as_it_was(size: int) -> None:
    plain = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert unsealed(sealed(plain)) == plain
    assert sealed(plain)[:HEADER_BYTES] != sealed(plain)[:HEADER_BYTES]


def test_chunks_that_are_cut_moved_repeated_changed_or_foreign_do_not_open() -> None:
    step = CHUNK_BYTES + TAG_BYTES
    file = sealed(b"a" * (2 * CHUNK_BYTES + 5))
    head, body = file[:HEADER_BYTES], file[HEADER_BYTES:]
    one, two, three = body[:step], body[step : 2 * step], body[2 * step :]
    foreign = sealed(b"a" * (2 * CHUNK_BYTES + 5))
    bad = {
        "cut after a chunk": head + one + two,
        "cut in a chunk": file[:-1],
        "header alone": head,
        "moved": head + two + one + three,
        "repeated": head + one + one + two + three,
        "left out": head + one + three,
        "longer": file + b"x",
        "changed": head + one[:-1] + bytes([one[-1] ^ 1]) + two + three,
        "chunk of another file": head + foreign[HEADER_BYTES:][:step] + two + three,
        "header of another file": foreign[:HEADER_BYTES] + one + two + three,
        "rubbish": b"rubbish",
        "nothing": b"",
    }
    for what, content in bad.items():
        with pytest.raises(CannotOpen):
            unsealed(content)
            pytest.fail(f"opened: {what}")
    with pytest.raises(CannotOpen):
        unsealed(file, Vault(bytes(32)))


def test_a_backup_is_sealed_and_of_one_moment_while_others_write(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    add_person(store, "bob")
    for number in range(300):
        add_visit(store, f"a {number:04}")
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            with store.transaction():
                add_visit(store, f"pair {number} left")
                add_visit(store, f"pair {number} right")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = backup.make_backup(tmp_path, store.vault, NOON)
    finally:
        ended.set()
        writer.join(10)
    content = made.path.read_bytes()
    assert b"SQLite format" not in content and b"bob" not in content
    other = tmp_path / "other"
    other.mkdir()
    copy = backup.opened(tmp_path, store.vault, made)
    backup.put_in_place(other, copy)
    for name in ("vault.json", "data.key"):
        (other / name).write_bytes((tmp_path / name).read_bytes())
    (other / "data.key").chmod(0o600)
    there = visits(read_store(other))
    assert sum("left" in v for v in there) == sum("right" in v for v in there)
    assert len([v for v in there if v.startswith("a ")]) == 300


def test_a_writer_that_never_rests_does_not_make_a_backup_begin_again(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with store.transaction() as db:
        db.execute("INSERT INTO settings VALUES ('big', ?)", ["x" * (4 << 20)])
    looks = 0

    def writes_at_every_look() -> bool:
        nonlocal looks
        looks += 1
        add_visit(store, f"meanwhile {looks}")
        return looks > 40

    made = backup.make_backup(tmp_path, store.vault, NOON, stopping=writes_at_every_look)
    assert looks >= 4
    store.close()
    backup.restore(tmp_path, store.vault, made, NOON)
    assert visits(a_store(tmp_path)) == []


def test_only_the_newest_are_kept_and_half_written_ones_are_no_backups(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    for day in range(5):
        backup.make_backup(tmp_path, store.vault, NOON + day * DAY_MS, keep=3)
    (tmp_path / "backups" / "regulars-20300101T000000Z.db.sealed.abcd.part").write_bytes(b"half")
    (tmp_path / "backups" / "notes.txt").write_text("mine")
    assert [b.made_ms for b in backup.list_backups(tmp_path)] == [NOON + day * DAY_MS for day in (4, 3, 2)]
    store.close()
    a_store(tmp_path).close()
    assert sorted(p.name for p in (tmp_path / "backups").iterdir() if "sealed" not in p.name or "part" in p.name) == ["notes.txt"]


def test_a_backup_that_is_told_to_stop_leaves_nothing(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    with pytest.raises(backup.Stopped):
        backup.make_backup(tmp_path, store.vault, NOON, stopping=lambda: True)
    assert backup.list_backups(tmp_path) == [] and not list(tmp_path.glob("**/*.part*"))


def test_the_newest_good_backup_is_found_behind_bad_ones(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    made = [backup.make_backup(tmp_path, store.vault, NOON + day * DAY_MS) for day in range(3)]
    made[2].path.write_bytes(b"rubbish")
    made[1].path.write_bytes(made[1].path.read_bytes()[:-1])
    found = backup.newest_good(tmp_path, store.vault)
    assert found is not None and found[0] == made[0]
    found[1].unlink()
    made[0].path.unlink()
    assert backup.newest_good(tmp_path, store.vault) is None
    assert not list(tmp_path.glob("*.part*"))


@pytest.mark.parametrize(
    ("newest", "now", "expected"),
    [
        (None, "2026-11-20 12:00", True),
        ("2026-11-20 03:10", "2026-11-20 12:00", False),
        ("2026-11-20 03:10", "2026-11-21 02:59", False),
        ("2026-11-20 03:10", "2026-11-21 03:00", True),
        ("2026-11-20 02:50", "2026-11-20 03:05", True),
        ("2026-11-10 03:10", "2026-11-20 02:00", True),
        ("2035-01-01 00:00", "2026-11-20 12:00", True),
    ],
)
def test_a_backup_is_due_once_a_night_and_made_up_for(newest: str | None, now: str, expected: bool) -> None:
    def ms(words: str) -> int:
        return int(datetime.strptime(words, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE).timestamp() * 1000)

    assert backup.due(ms(newest) if newest else None, ms(now), 3, ZONE) is expected


def test_a_night_with_a_missing_hour_still_has_one_backup() -> None:
    paris = ZoneInfo("Europe/Paris")
    made = int(datetime(2026, 3, 29, 1, 5, tzinfo=UTC).timestamp() * 1000)
    assert backup.due(made - 86_400_000, made, 2, paris)
    assert not backup.due(made, made + 3_600_000, 2, paris)


def config_for(folder: Path) -> Config:
    return Config(data=Data(folder=folder), site=Site(time_zone="Asia/Ho_Chi_Minh"), backup=BackupSettings(keep=2))


def test_the_commands_make_list_and_restore(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    add_visit(store, "monday")
    run = CliRunner()
    config = config_for(tmp_path)
    made = run.invoke(command, ["now"], obj=config)
    assert made.exit_code == 0, made.output
    add_visit(store, "tuesday")
    listed = json.loads(run.invoke(command, ["list", "--json"], obj=config).output)
    assert [b["name"] for b in listed] == [made.output.split()[0]]
    assert listed[0]["name"] in run.invoke(command, ["list"], obj=config).output

    busy = run.invoke(command, ["restore", "newest", "--yes"], obj=config)
    assert busy.exit_code == 1 and "already runs" in busy.output
    store.close()
    declined = run.invoke(command, ["restore", listed[0]["name"]], obj=config, input="n\n")
    assert declined.exit_code == 1 and visits(read_store(tmp_path)) == ["monday", "tuesday"]
    done = run.invoke(command, ["restore", listed[0]["name"]], obj=config, input="y\n")
    assert done.exit_code == 0 and "kept as regulars.db.replaced-" in done.output
    assert visits(a_store(tmp_path)) == ["monday"]


def test_a_bad_backup_is_refused_before_the_database_is_touched(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    add_visit(store, "monday")
    backup.make_backup(tmp_path, store.vault, NOON).path.write_bytes(b"rubbish")
    store.close()
    run = CliRunner().invoke(command, ["restore", "newest", "--yes"], obj=config_for(tmp_path))
    assert run.exit_code == 1 and "no sealed backup of Regulars" in run.output
    assert visits(read_store(tmp_path)) == ["monday"]


def test_an_unknown_backup_and_an_empty_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="There is none yet"):
        backup.find(tmp_path, "newest")
    run = CliRunner().invoke(command, ["now"], obj=config_for(tmp_path / "nothing"))
    assert run.exit_code == 1 and "no data in" in run.output
    assert "no backup yet" in CliRunner().invoke(command, ["list"], obj=config_for(tmp_path)).output
