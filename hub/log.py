"""The hub's log: one event a line on the error output, key=value or JSON. Never a name, a vector, a picture or a credential.

Lines that belong to one request carry its id and, where there is one, its tenant's id, whatever module wrote them. An error's own words are
left out: a foreign library's may quote what it choked on; a database's quotes rows.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import traceback
from contextvars import ContextVar
from pathlib import Path
from typing import Literal, TextIO

NOISY = ("apscheduler", "uvicorn", "httpx", "httpcore", "litestar", "psycopg", "pymilvus", "milvus_lite", "faiss", "grpc")
"""Their lines about every step say nothing that ours do not, or quote addresses with passwords."""
PAIR = re.compile(r"(\w+)=(\S*)")
Form = Literal["text", "json"]

_request: ContextVar[str] = ContextVar("request", default="")
_tenant: ContextVar[str] = ContextVar("tenant", default="")


def about(*, request: str | None = None, tenant: str | None = None) -> None:
    """What this thread's or this request's lines are about from now on."""
    if request is not None:
        _request.set(request)
    if tenant is not None:
        _tenant.set(tenant)


def facts_of(record: logging.LogRecord) -> dict[str, str]:
    found = {"level": record.levelname.lower(), "from": record.name}
    if request := _request.get():
        found["request"] = request
    if tenant := _tenant.get():
        found["tenant"] = tenant
    return found


class Line(logging.Formatter):
    """2026-11-22T19:23:50.120Z level=info from=hub.jobs request=… tenant=… event=partitions_made months=3"""

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{name}={value}" for name, value in facts_of(record).items())
        line = f"{moment(record)} {facts} {words_of(record)}"
        return f"{line} {place_of(record.exc_info[1])}" if record.exc_info and record.exc_info[1] else line


class Json(logging.Formatter):
    """The same line as one JSON object: `at`, `level`, `from`, `request`, `tenant` and the event's own keys."""

    def format(self, record: logging.LogRecord) -> str:
        words = words_of(record)
        if record.exc_info and record.exc_info[1]:
            words = f"{words} {place_of(record.exc_info[1])}"
        found = {"at": moment(record), **facts_of(record)}
        own = {name: value for name, value in PAIR.findall(words) if name not in found}
        # Words without a key are kept whole; an event of ours has none.
        return json.dumps({**found, **own} if own else {**found, "words": words}, ensure_ascii=False)


def moment(record: logging.LogRecord) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"


def words_of(record: logging.LogRecord) -> str:
    return record.getMessage().replace("\n", " ").replace("\r", " ")


def place_of(error: BaseException) -> str:
    """As in: error=KeyError at=ingest.py:120"""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at={Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"error={type(error).__name__}{place}"


def write_to(stream: TextIO = sys.stderr, *, level: str, form: Form = "text") -> None:
    """From now on. `level`: debug, info, warning, error."""
    written = logging.StreamHandler(stream)
    written.setFormatter(Json() if form == "json" else Line())
    root = logging.getLogger()
    root.handlers[:] = [written]
    root.setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
