"""The real program is killed while a message is on its way: the next start sends it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.alerts import register, rules, targets
from appliance.alerts.register import Found
from appliance.alerts.rules import BURST, Rule
from appliance.alerts.targets import Entry, Webhook
from appliance.data_key import KeyFile
from appliance.database import open_store
from tests.appliance.alerts.receivers import web_hook
from tests.appliance.stages import environment, free_port, processes_of, started, until


@pytest.fixture
def programs() -> Iterator[list[subprocess.Popen[str]]]:
    begun: list[subprocess.Popen[str]] = []
    yield begun
    for program in begun:
        for process in processes_of(program.pid):
            os.kill(process, signal.SIGKILL)
        program.communicate(timeout=10)


def an_alert(data: Path, port: int) -> None:
    """Entered as the looking thread enters one, beside the program that runs."""
    now_ms = round(time.time() * 1000)
    store = open_store(data, now_ms, checkpoint=False, keeper=KeyFile(data))
    with store.transaction():
        place = targets.add(store, Entry("webhook", "Office", False, Webhook(url=f"http://127.0.0.1:{port}/x"), {}), now_ms)
        rule = Rule(BURST, True, rules.USUAL[BURST].number, 60, targets=(place,))
        assert register.enter(store, Found(BURST, "nobody", number=21), rule, targets.list_targets(store.db.conn), now_ms, None)
    store.close()


def test_a_message_that_was_on_its_way_when_the_program_was_killed_is_sent_by_the_next(
    tmp_path: Path, programs: list[subprocess.Popen[str]]
) -> None:
    data = tmp_path / "data"
    environ = environment(data, free_port())
    with web_hook() as hook:
        hook.hangs = threading.Event()
        programs.append(started(environ, "run"))
        until((data / "cameras.json").exists, "the first start")
        an_alert(data, hook.port)
        until(lambda: hook.came, "the message on its way")
        programs[0].kill()
        programs[0].wait(10)
        hook.hangs.set()
        hook.hangs = None
        programs.append(started(environ, "run"))
        until(lambda: len(hook.came) == 2, "the same message once more")
        assert hook.came[0]["message"] == hook.came[1]["message"]
    store = open_store(data, 0, checkpoint=False, keeper=KeyFile(data))
    until(lambda: register.messages(store.db.conn, 1)[0].state == "sent", "the note that it arrived", 10)
    store.close()
