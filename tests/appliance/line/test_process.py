"""The real program on a real line: paired while it runs, killed, cut off, asked to forget somebody, and in the end both sides agree."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.demo_feed import group_photo, write_feed
from sync.records import PersonGone
from tests.appliance.line.headquarters import Headquarters
from tests.appliance.line.served import served
from tests.appliance.stages import environment, free_port, processes_of, ran, started, until

Programs = list[subprocess.Popen[str]]


@pytest.fixture
def programs() -> Iterator[Programs]:
    begun: Programs = []
    yield begun
    for program in begun:
        for process in processes_of(program.pid):
            os.kill(process, signal.SIGKILL)
        program.communicate(timeout=10)


def rows(data: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(f"file:{data / 'regulars.db'}?mode=ro", uri=True, timeout=5)
    try:
        return list(connection.execute(query))
    finally:
        connection.close()


def test_paired_killed_cut_off_and_asked_to_forget_both_sides_agree(tmp_path: Path, programs: Programs) -> None:
    data, feed, hub, port = tmp_path / "data", tmp_path / "entrance.mp4", Headquarters(), free_port()
    write_feed(group_photo(), feed)
    environ = environment(data, free_port(), REGULARS_VISITS__GAP_S="5")
    assert ran(environ, "camera", "add", "Door", str(feed), "--full-pace", "--loop").returncode == 0
    program = started(environ, "run")
    programs.append(program)
    with served(hub, port=port) as url:
        until(lambda: data.exists() and (data / "regulars.db").exists() and rows(data, "SELECT 1 FROM visits"), "a visit")
        paired = ran(environ, "pair", f"{hub.code.shown}@{url}")
        assert paired.returncode == 0 and "Corner Shops" in paired.stdout and "Fingerprint" in paired.stdout
        until(hub.visits, "a visit at headquarters", 20)
        number = rows(data, "SELECT number FROM persons ORDER BY number LIMIT 1")[0][0]
        erased = ran(environ, "people", "erase", str(number), "--yes")
        assert erased.returncode == 0 and "Erased" in erased.stdout, erased.stderr
        until(lambda: any(isinstance(r, PersonGone) and r.erased for r in hub.known.records), "the word of it at headquarters", 20)
        program.send_signal(signal.SIGKILL)
        until(lambda: not processes_of(program.pid), "its end", 5)
    # Nobody is there for a while, and it goes on.
    program = started(environ, "run")
    programs.append(program)
    before = len(rows(data, "SELECT id FROM sightings"))
    until(lambda: len(rows(data, "SELECT id FROM sightings")) > before + 5, "visits without a line")
    refused = ran(environ, "sync", "now")
    assert refused.returncode == 1 and "cannot be reached" in refused.stderr
    with served(hub, port=port):
        assert ran(environ, "camera", "remove", "Door").returncode == 0
        time.sleep(1)
        now = ran(environ, "sync", "now")
        assert now.returncode == 0 and "Headquarters has everything." in now.stdout, now.stderr
        status = json.loads(ran(environ, "sync", "status", "--json").stdout)
        assert (status["waiting"], status["error"], status["paired"]) == (0, "", True)
        program.send_signal(signal.SIGTERM)
        _, log = program.communicate(timeout=10)
        assert program.returncode == 0 and "Traceback" not in log
        # What was still said while it ended, told by the command itself.
        last = ran(environ, "sync", "now")
        assert last.returncode == 0, last.stderr
    told = {(visit.id, visit.person_id) for visit in hub.visits().values()}
    assert told == {(id_, person or "") for id_, person in rows(data, "SELECT id, person_id FROM visits")}
    assert hub.persons() == {id_ for (id_,) in rows(data, "SELECT id FROM persons")}
    assert hub.templates() == {id_ for (id_,) in rows(data, "SELECT id FROM templates")}
    assert not any(hub.code.secret.replace("-", "") in text for text in (log, paired.stdout))
