"""Has charts and papers made in a process of their own, one at a time: drawing takes seconds of a core and 200 MB, and neither may be
missing where faces are recognised. The process runs at the lowest priority and ends after its one order."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import msgspec

from appliance.errors import RegularsError
from appliance.files import make_folder, write_whole
from ui.formats import NARROW_SPACE
from ui.words import gettext as _

ORDER_S_MAX = 120.0
"""A report takes three seconds on a quiet machine; twenty cameras may leave little of it."""
TURN_S_MAX = 60.0
"""Who waits longer for the one before is told so."""
BYTES_MAX = 32 << 20
"""A report is 200 kB, the charts' script 900 kB."""
CHARTS = "charts"
"""Folder within the data folder where the script that draws charts in the browser is kept."""
DRAWER = "vl-convert-python"


class ReportError(RegularsError):
    """A report or a chart cannot be made now."""


class Order(msgspec.Struct, frozen=True):
    """What the process is to make. `specs`: Vega-Lite, with their look in them. `paper`: what the report says; a drawing has none.
    `marks`: between thousands and before decimals."""

    kind: Literal["script", "png", "report"]
    specs: list[dict[str, Any]] = []
    paper: dict[str, Any] = {}
    marks: tuple[str, str] = (NARROW_SPACE, ".")


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of so many steps are done; 0 of 0 when nothing is being made."""

    done: int = 0
    of: int = 0


@cache
def script_version() -> str:
    """Of the script that draws charts: it changes with the library and with nothing else."""
    return metadata.version(DRAWER)


class Making:
    """One for the whole appliance. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._progress = Progress()
        self._script: bytes | None = None

    @property
    def progress(self) -> Progress:
        return self._progress

    def make(self, order: Order) -> bytes:
        """Waits for its turn and for the answer. Raises ReportError."""
        if not self._turn.acquire(timeout=TURN_S_MAX):
            raise ReportError(_("Another report is being made. Try again in a minute."))
        try:
            return made_apart(order, self._told)
        finally:
            self._progress = Progress()
            self._turn.release()

    def script(self, folder: Path) -> bytes:
        """What draws charts in the browser, made once and kept in the data folder. Raises ReportError, StoreError."""
        if self._script is None:
            kept = folder / CHARTS / f"vega-{script_version()}.js"
            if not kept.is_file():
                make_folder(kept.parent)
                write_whole(kept, self.make(Order("script")))
            self._script = kept.read_bytes()
        return self._script

    def _told(self, done: int, of: int) -> None:
        self._progress = Progress(done, of)


def made_apart(order: Order, told: Callable[[int, int], None] = lambda _done, _of: None) -> bytes:
    """The answer of the process: lines `step DONE OF`, then `bytes N` and those. Raises ReportError."""
    command = [sys.executable, "-m", "appliance.reports"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin and process.stdout
        limit = threading.Timer(ORDER_S_MAX, process.kill)
        limit.start()
        try:
            process.stdin.write(msgspec.msgpack.encode(order))
            process.stdin.close()
            while words := process.stdout.readline().split():
                if words[0] == b"step":
                    told(int(words[1]), int(words[2]))
                elif words[0] == b"bytes" and 0 < int(words[1]) <= BYTES_MAX:
                    content = process.stdout.read(int(words[1]))
                    if len(content) == int(words[1]):
                        return content
        except BrokenPipeError:
            pass
        finally:
            limit.cancel()
            process.kill()
    raise ReportError(_("It could not be drawn: the process that does it ended without an answer. Close other programs and try again."))
