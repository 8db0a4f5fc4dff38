"""The real program in a process of its own, on a store whose entrance is the demo's feed: for tests that end it in every way there is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.shared import CHECKOUT

START_S_MAX = 40.0
PASSWORD = "a green bicycle"


def environment(data: Path, port: int, **more: str) -> dict[str, str]:
    """Models that lie in the checkout, nothing of this computer's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REGULARS_")}
    chosen = {"REGULARS_DATA__FOLDER": str(data), "REGULARS_MODELS__PACK": "starter", "REGULARS_WEB__PORT": str(port)}
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    return {**kept, **chosen, "REGULARS_SITE__TIME_ZONE": "UTC", "PYTHONPATH": path, **more}


def started(environ: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "appliance.main", *arguments]
    return subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def ran(environ: dict[str, str], *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """`typed`: what it finds on its standard input."""
    command = [sys.executable, "-m", "appliance.main", *arguments]
    return subprocess.run(command, env=environ, input=typed, capture_output=True, text=True, timeout=90, check=False)


def page_for_an_owner(environ: dict[str, str], address: str) -> str:
    """The page Today, for an owner who is added for it and signs in."""
    added = ran(environ, "user", "add", "Alice", "--role", "owner", typed=PASSWORD + "\n")
    assert added.returncode == 0, added.stderr
    with httpx.Client(base_url=address, timeout=5) as client:
        answer = client.post("/sign-in", data={"name": "alice", "password": PASSWORD}, headers={"sec-fetch-site": "same-origin"})
        assert answer.status_code == 303, answer.text
        return client.get("/").text


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def until(true: Callable[[], object], what: str, seconds: float = START_S_MAX) -> None:
    end_s = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end_s, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


def processes_of(session: int) -> list[int]:
    """What still lives of a session, i.e. of a program and its children. Zombies are dead."""
    found = []
    answer = subprocess.run(["ps", "-A", "-o", "pid=,sess=,stat="], capture_output=True, text=True, check=True, timeout=10)
    for line in answer.stdout.splitlines():
        process, of, state = line.split()
        if int(of) == session and not state.startswith("Z"):
            found.append(int(process))
    return found
