"""The log: one event a line on the error output, key=value. Never a name, a vector, a picture or a credential.

An error's own words are left out: a foreign library's may quote what it choked on. Its kind and its place are enough to find it.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import TextIO

LINES_KEPT, LINE_MAX = 2_000, 2_000
"""Some days of a quiet store; at most 4 MB."""
NOISY = ("apscheduler", "faiss", "uvicorn", "httpx", "httpcore", "litestar")
"""Their lines about every step say nothing that ours do not."""


class OneLine(logging.Formatter):
    """2026-11-22T19:23:50.120Z level=info from=appliance.jobs backup made name=…"""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        words = record.getMessage().replace("\n", " ")
        line = f"{at}.{int(record.msecs):03d}Z level={record.levelname.lower()} from={record.name} {words}"
        return line + place_of(record.exc_info) if record.exc_info else line


def place_of(
    error: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None] | BaseException,
) -> str:
    """As in: error=KeyError at=visits.py:120"""
    raised = error if isinstance(error, BaseException) else error[1]
    if raised is None:
        return ""
    frames = traceback.extract_tb(raised.__traceback__)
    place = f" at={Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f" error={type(raised).__name__}{place}"


class Kept(logging.Handler):
    """The last lines, for the page: a store's computer has no screen that somebody looks at."""

    def __init__(self, lines_max: int = LINES_KEPT) -> None:
        super().__init__()
        self.setFormatter(OneLine())
        self._lines: deque[str] = deque(maxlen=lines_max)

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record)[:LINE_MAX])

    def lines(self) -> list[str]:
        """Newest last."""
        return list(self._lines)


def write_to(stream: TextIO = sys.stderr, *, level: str) -> Kept:
    """From now on. `level`: debug, info, warning, error."""
    written, kept = logging.StreamHandler(stream), Kept()
    written.setFormatter(OneLine())
    root = logging.getLogger()
    root.handlers[:] = [written, kept]
    root.setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    return kept
