"""The log: one event a line on the error output, key=value. Never a name, a vector, a picture or a credential.

An error's own words are left out: a foreign library's may quote what it choked on. Its kind and its place are enough to find it.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import TextIO

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


def write_to(stream: TextIO = sys.stderr, *, level: str) -> None:
    """From now on. `level`: debug, info, warning, error."""
    written = logging.StreamHandler(stream)
    written.setFormatter(OneLine())
    root = logging.getLogger()
    root.handlers[:] = [written]
    root.setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
