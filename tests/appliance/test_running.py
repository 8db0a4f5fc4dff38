"""`regulars run` as a process of its own: on real video, ended in every way there is."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.database import read_store
from appliance.demo_feed import group_photo, write_feed
from sync import outbox
from sync.records import VisitGone, VisitRecord, decoded
from tests.appliance.stages import environment, free_port, page_for_an_owner, processes_of, ran, started, until

END_S_MAX = 5.0
KILLS = 3


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("feed") / "entrance.mp4"
    write_feed(group_photo(), path)
    return path


@pytest.fixture
def programs() -> Iterator[list[subprocess.Popen[str]]]:
    """Whatever a test leaves behind is ended."""
    begun: list[subprocess.Popen[str]] = []
    yield begun
    for program in begun:
        for process in processes_of(program.pid):
            os.kill(process, signal.SIGKILL)
        program.communicate(timeout=10)


def ids(data: Path, table: str = "visits") -> set[str]:
    """Committed rows, as anybody beside the appliance sees them."""
    if not (data / "regulars.db").exists():
        return set()
    connection = sqlite3.connect(f"file:{data / 'regulars.db'}?mode=ro", uri=True, timeout=5)
    try:
        return {row[0] for row in connection.execute(f"SELECT id FROM {table}")}
    except sqlite3.OperationalError:
        return set()  # The first start has not made its tables yet.
    finally:
        connection.close()


def check_sound(data: Path, logged_before: set[str]) -> None:
    """Nothing lost, nothing double, and headquarters is told of everything."""
    store = read_store(data)
    try:
        assert store.db.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        assert store.db.execute("SELECT id FROM visits WHERE id NOT IN (SELECT visit_id FROM sightings)").fetchall() == []
        assert store.db.execute("SELECT id FROM sightings WHERE visit_id NOT IN (SELECT id FROM visits)").fetchall() == []
        assert store.db.execute("SELECT id FROM visits WHERE state = 'deciding'").fetchall() == []
        together = """SELECT a.id FROM visits a JOIN visits b ON a.person_id = b.person_id AND a.id < b.id
            AND a.first_seen_ms <= b.last_seen_ms AND b.first_seen_ms <= a.last_seen_ms"""
        assert store.db.execute(together).fetchall() == [], "one person on two visits at the same time"
        records, after = [], 0
        while entries := outbox.pending(store.db.conn, store.vault.unseal, after=after):
            assert [e.sequence for e in entries] == list(range(after + 1, after + 1 + len(entries)))
            after = entries[-1].sequence
            records += [decoded(e.payload) for e in entries]
        told = {record.id: record for record in records if isinstance(record, VisitRecord)}
        gone = {record.id for record in records if isinstance(record, VisitGone)}
        rows = store.db.execute("SELECT id, coalesce(person_id, ''), verdict, last_seen_ms FROM visits").fetchall()
        assert rows
        assert {row[0]: row for row in rows} == {
            i: (i, r.person_id, r.verdict, r.last_seen_ms) for i, r in told.items() if i not in gone
        }, "the last record of a visit is what the log says"
        assert logged_before <= {row[0] for row in rows} | gone
    finally:
        store.close()


def test_killed_at_any_moment_it_loses_no_logged_visit_and_makes_none_double(
    feed: Path, tmp_path: Path, programs: list[subprocess.Popen[str]]
) -> None:
    data, seed = tmp_path / "data", random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    environ = environment(data, free_port(), REGULARS_VISITS__GAP_S="5")
    assert ran(environ, "camera", "add", "Door", str(feed), "--full-pace", "--loop").returncode == 0
    logged: set[str] = set()
    for _ in range(KILLS):
        before = ids(data, "sightings")
        program = started(environ, "run")
        programs.append(program)
        until(lambda before=before: ids(data, "sightings") - before, "a new sighting in the log")  # type: ignore[misc]
        time.sleep(chance.uniform(0.0, 1.5))
        logged |= ids(data)
        program.send_signal(signal.SIGKILL)
        until(lambda p=program: not processes_of(p.pid), "its cameras' end", END_S_MAX)  # type: ignore[misc]
    last = started(environ, "run")
    programs.append(last)
    before = ids(data, "sightings")
    until(lambda: ids(data, "sightings") - before, "a sighting after the last start")
    last.send_signal(signal.SIGTERM)
    assert last.wait(END_S_MAX + 1) == 0
    check_sound(data, logged)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_end_it_ends_in_time_with_the_last_sightings_in_the_log_and_leaves_no_process(
    feed: Path, tmp_path: Path, programs: list[subprocess.Popen[str]], how: signal.Signals
) -> None:
    data, port = tmp_path / "data", free_port()
    environ = environment(data, port)
    ran(environ, "camera", "add", "Door", str(feed), "--loop")
    program = started(environ, "run")
    programs.append(program)
    until(lambda: ids(data), "a visit")
    page = page_for_an_owner(environ, f"http://127.0.0.1:{port}")
    assert "Door" in page and "weak, for trying out" in page
    began = time.monotonic()
    program.send_signal(how)
    said, log = program.communicate(timeout=END_S_MAX + 1)
    assert time.monotonic() - began <= END_S_MAX
    assert program.returncode == 0
    assert processes_of(program.pid) == []
    assert f"http://127.0.0.1:{port}" in said and "Everything that was seen is in the log." in said
    assert "event=stopped sightings_lost=0" in log
    assert all(" level=" in line for line in log.splitlines()), log
    check_sound(data, set())


def test_a_camera_that_is_added_is_watched_and_one_that_is_removed_is_not(
    feed: Path, tmp_path: Path, programs: list[subprocess.Popen[str]]
) -> None:
    data, port = tmp_path / "data", free_port()
    environ = environment(data, port)
    program = started(environ, "run")
    programs.append(program)
    assert program.stdout is not None
    assert f"http://127.0.0.1:{port}" in program.stdout.readline()
    assert ran(environ, "camera", "add", "Garden", str(feed), "--loop").returncode == 0
    until(lambda: ids(data), "a visit before the new camera", 20)
    assert len(processes_of(program.pid)) == 2
    assert ran(environ, "camera", "remove", "Garden").returncode == 0
    until(lambda: processes_of(program.pid) == [program.pid], "the end of the camera's process", 10)


def test_a_file_that_is_no_video_is_told_as_that_on_the_page_in_the_log_and_by_the_status(
    tmp_path: Path, programs: list[subprocess.Popen[str]]
) -> None:
    data, port = tmp_path / "data", free_port()
    environ = environment(data, port)
    (tmp_path / "entrance.mp4").write_text("this is no video")
    assert ran(environ, "camera", "add", "Door", str(tmp_path / "entrance.mp4")).returncode == 0
    program = started(environ, "run")
    programs.append(program)

    def camera() -> dict[str, str]:
        answer = ran(environ, "status", "--json")
        found = json.loads(answer.stdout)["cameras"] if answer.returncode == 0 else []
        return dict(found[0]) if found else {"state": ""}

    until(lambda: camera()["state"] == "failed", "the camera's failure in the status")
    assert "cannot be opened: " in camera()["words"]
    page = page_for_an_owner(environ, f"http://127.0.0.1:{port}")
    assert "cannot be opened: " in page and "played to its end" not in page
    program.send_signal(signal.SIGTERM)
    log = program.communicate(timeout=END_S_MAX + 1)[1]
    assert "event=camera_watching" not in log
    assert [" level=warning " in line.lower() for line in log.splitlines() if "event=camera_failed" in line] == [True]
    assert camera()["words"] == "not running; state unknown"


def test_what_cannot_work_is_one_sentence_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    unknown = ran(environment(tmp_path / "data", free_port(), REGULARS_MODELS__PACK="nonsense"), "run")
    assert unknown.returncode == 1 and "there is no pack 'nonsense'" in unknown.stderr and "Traceback" not in unknown.stderr
    unaccepted = ran(environment(tmp_path / "data", free_port(), REGULARS_MODELS__PACK="buffalo_l"), "run")
    assert unaccepted.returncode == 1 and "regulars models pull buffalo_l --accept buffalo_l" in unaccepted.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        busy = ran(environment(tmp_path / "data", port), "run")
    assert busy.returncode == 1 and f"Port {port} of 127.0.0.1 is taken" in busy.stderr and "Traceback" not in busy.stderr
