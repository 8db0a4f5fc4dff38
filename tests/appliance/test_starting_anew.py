"""`regulars run`, asked by its page to start anew: with another setting, and with a backup put back in between."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from appliance.starting_anew import StartingAnew
from tests.appliance.stages import PASSWORD, environment, free_port, processes_of, ran, started, until


@pytest.fixture
def programs() -> Iterator[list[subprocess.Popen[str]]]:
    begun: list[subprocess.Popen[str]] = []
    yield begun
    for program in begun:
        for process in processes_of(program.pid):
            os.kill(process, signal.SIGKILL)
        program.communicate(timeout=10)


def test_a_setting_holds_after_the_new_start_and_a_backup_takes_it_back(tmp_path: Path, programs: list[subprocess.Popen[str]]) -> None:
    data, port = tmp_path / "data", free_port()
    environ = environment(data, port)
    program = started(environ, "run")
    programs.append(program)
    page = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"sec-fetch-site": "same-origin"}, timeout=10)

    def shows(words: str) -> bool:
        try:
            return words in page.get("/", follow_redirects=True).text
        except httpx.HTTPError:
            return False

    until(lambda: shows("Regulars"), "the first start")
    assert ran(environ, "user", "add", "Alice", "--role", "owner", typed=PASSWORD + "\n").returncode == 0
    assert page.post("/sign-in", data={"name": "alice", "password": PASSWORD}).status_code == 303
    assert shows("My store")
    assert ran(environ, "backup", "now").returncode == 0
    assert page.post("/settings", data={"name": "Bến Thành"}).status_code == 303
    assert "Regulars starts anew" in page.post("/settings/start-anew").text
    until(lambda: shows("Bến Thành"), "the new start")
    (made,) = (data / "backups").iterdir()
    assert "Regulars starts anew" in page.post(f"/settings/backups/{made.name}/restore").text
    until(lambda: shows("My store"), "the start after the backup was put back")
    assert list(data.glob("regulars.db.replaced-*"))
    page.close()
    program.send_signal(signal.SIGINT)
    said, log = program.communicate(timeout=10)
    assert program.returncode == 0 and "Everything that was seen is in the log." in said
    assert log.count("event=started") == 3 and log.count("event=stopped sightings_lost=0") == 3


def test_a_backup_that_is_gone_when_its_turn_comes_is_said_and_nothing_is_changed(tmp_path: Path) -> None:
    anew = StartingAnew()
    anew.ask("regulars-20200101T000000Z.db.sealed")
    anew.between(tmp_path, None, lambda: 0)
    assert "There is no backup" in anew.failure and not anew.asked
