"""How often one must press control-C, in a real process: a program that does not want to end, with a child and a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.appliance.stages import until
from tests.shared import CHECKOUT

STUBBORN = """
import pathlib, subprocess, sys, time
from ui import ending
with ending.asked_for() as asked:
    child = subprocess.Popen(["sleep", "60"])
    asked.kills(lambda: [child.pid])
    asked.removes(pathlib.Path(sys.argv[1]))
    print(child.pid, flush=True)
    asked.wait()
    print("asked", flush=True)
    time.sleep(60)
"""


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False, timeout=10).stdout
    return bool(state.strip()) and not state.startswith("Z")


@pytest.mark.parametrize("presses", [1, 2])
def test_the_second_control_c_or_five_seconds_end_what_does_not_want_to(tmp_path: Path, presses: int) -> None:
    folder = tmp_path / "left"
    folder.mkdir()
    program = subprocess.Popen(
        [sys.executable, "-c", STUBBORN, str(folder)], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}
    )
    assert program.stdout is not None
    child = int(program.stdout.readline())
    began = time.monotonic()
    program.send_signal(signal.SIGINT)
    program.send_signal(signal.SIGINT)  # The same press, passed on twice: still only asked.
    assert program.stdout.readline() == "asked\n"
    assert program.poll() is None
    if presses == 2:
        time.sleep(0.5)
        program.send_signal(signal.SIGINT)
    assert program.wait(10) == 130
    assert (time.monotonic() - began < 3) == (presses == 2)
    until(lambda: not lives(child), "the child's end", 5)
    assert not folder.exists()
    program.stdout.close()
