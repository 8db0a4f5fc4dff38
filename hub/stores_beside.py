"""Stores on this computer beside a hub, as programs of their own: for `regulars-hub evaluate` and `demo`. Nothing of theirs is imported.

A store is `regulars` on a data folder of its own, whatever this user's own settings say.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hub.errors import HubError

PROGRAM = [sys.executable, "-m", "appliance.main"]
OWN = "REGULARS_"
KEPT = ("REGULARS_CONFIG", "REGULARS_DATA__FOLDER", "REGULARS_SHARED", "REGULARS_MODELS", "REGULARS_MODELS__FOLDER")
"""Of this user's settings: where data and models lie."""
WORDS_MAX = 2_000
STOP_S_MAX = 15.0


class StoreFailed(HubError):
    """A store's program ended with an error; says with which."""


@dataclass(frozen=True, slots=True)
class StoreBeside:
    """`folder`: its data folder; None: this user's own, for a command that only reads the models there."""

    name: str
    folder: Path | None
    pack: str | None = None

    def ran(self, *arguments: str, progress: Callable[[], None] = lambda: None) -> str:
        """What it said on its standard output. Raises StoreFailed."""
        process = self.started(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    out, err = process.communicate(timeout=1.0)
                    break
                progress()
        except BaseException:
            end([process])
            raise
        if process.returncode != 0:
            last = str(err).strip().splitlines()[-1:] or ["no reason given"]
            raise StoreFailed(f"{self.name}: `regulars {arguments[0]}` failed: {last[0][:WORDS_MAX]}")
        return str(out)

    def started(self, *arguments: str, stdout: int, stderr: int) -> subprocess.Popen[str]:
        """In a session of its own: control-C at the terminal is for whoever started it, who then ends it."""
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            env=self.environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    def environment(self, usual: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in usual.items() if not name.startswith(OWN) or name in KEPT}
        chosen = {"REGULARS_SITE__NAME": self.name, "REGULARS_SITE__TIME_ZONE": "UTC"}
        if self.folder:
            chosen["REGULARS_DATA__FOLDER"] = str(self.folder)
        if self.pack:
            chosen["REGULARS_MODELS__PACK"] = self.pack
        return {**kept, **chosen}


def ask_to_end(processes: Sequence[subprocess.Popen[str]]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)


def end(processes: Sequence[subprocess.Popen[str]], patience_s: float = STOP_S_MAX) -> None:
    """Asks all of them to end, then makes them, with what they started."""
    ask_to_end(processes)
    until_s = time.monotonic() + patience_s
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, until_s - time.monotonic()))
        for number in of_session(process.pid):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
        process.wait()


def of_session(session: int) -> list[int]:
    """What still lives of a program and of what it started. Zombies are dead."""
    answer = subprocess.run(["ps", "-A", "-o", "pid=,sess=,stat="], capture_output=True, text=True, check=False, timeout=10)
    rows = [line.split() for line in answer.stdout.splitlines()]
    return [int(row[0]) for row in rows if len(row) == 3 and row[1] == str(session) and not row[2].startswith("Z")]
