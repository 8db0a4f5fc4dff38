"""What a command asks of the appliance that runs, through the table `asked`: only that may touch the gallery and the line.

The command puts a row there and waits for the answer in it. Rows hold ids and answers in words, never a name.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from appliance.database import Store
from appliance.errors import RegularsError

SYNC_NOW = "sync_now"
"""Of the line; the other kinds are `requests.KINDS`."""
ANSWER_S_MAX = 30.0
POLL_S = 0.1
STALE_MS = 60_000
"""Nobody waits for the answer any more: it is not done behind their back."""
KEPT_MS = 86_400_000

Do = Callable[[str, list[str]], str]
"""Kind and subjects in, an answer in words out. Raises RegularsError."""


@dataclass(frozen=True, slots=True)
class Answer:
    words: str
    failed: bool


def ask(store: Store, kind: str, subjects: list[str], now_ms: int) -> int:
    """The question's number."""
    with store.transaction() as db:
        made = db.execute("INSERT INTO asked (made_ms, kind, subjects) VALUES (?, ?, ?)", [now_ms, kind, json.dumps(subjects)])
        assert made.lastrowid is not None
        return made.lastrowid


def answer_to(store: Store, number: int, wait_s: float = ANSWER_S_MAX) -> Answer | None:
    """None: there is none in time."""
    until_s = time.monotonic() + wait_s
    while True:
        row = store.db.execute("SELECT answer, failed, answered_ms FROM asked WHERE id = ?", [number]).fetchone()
        if row and row[2] is not None:
            return Answer(row[0], bool(row[1]))
        if time.monotonic() >= until_s:
            return None
        time.sleep(POLL_S)


def answer_all(store: Store, do: Do, now_ms: int) -> int:
    """Does what is asked, in order; how much that was."""
    rows = store.db.execute("SELECT id, made_ms, kind, subjects FROM asked WHERE answered_ms IS NULL ORDER BY id").fetchall()
    for number, made_ms, kind, subjects in rows:
        if abs(now_ms - made_ms) > STALE_MS:
            answer = Answer("Nobody came to it in time. Ask again.", failed=True)
        else:
            try:
                answer = Answer(do(kind, json.loads(subjects)), failed=False)
            except RegularsError as error:
                answer = Answer(str(error), failed=True)
            except (LookupError, TimeoutError) as error:
                answer = Answer(f"It could not be done: {error}.", failed=True)
        with store.transaction() as db:
            db.execute(
                "UPDATE asked SET answer = ?, failed = ?, answered_ms = ? WHERE id = ?", [answer.words, answer.failed, now_ms, number]
            )
            db.execute("DELETE FROM asked WHERE answered_ms < ?", [now_ms - KEPT_MS])
    return len(rows)
