"""Who saw, changed or let in whom, and when: the table `audit`. A change's row is in the transaction of the change; ids alone, never the
name of a person who was seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.database import Store

THIS_COMPUTER = "this computer"
"""A command in its terminal, or whatever else is done without anybody being signed in."""
SOMEBODY = "somebody"
"""Who tried to sign in and did not: whoever types a name need not be its owner."""
NOBODYS = (THIS_COMPUTER, SOMEBODY)
SIGN_IN_FAILED = "sign_in_failed"
FAILED_KEPT_MAX = 5_000
"""Of tries that failed the newest, at most: a guesser must not fill the disk. Guessing is slowed to one try a minute besides."""
DAY_MS = 86_400_000
DROPPED_A_TURN = 2_000
"""Old entries deleted in one transaction: some 10 ms, in which a visit waits."""
SEE = "see"
SEEN_AGAIN_MS = 10 * 60_000
"""Who looks at a person, goes on and comes back has looked once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`subject_id`: the person, visit or user it was about; `other_id`: the other one, if two were involved; of a try to sign in that
    failed, the address in the network that it came from."""

    id: int
    at_ms: int
    who: str
    what: str
    subject_id: str
    other_id: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Empty: not asked for. `before`: only entries older than this one's number."""

    who: str = ""
    what: str = ""
    about: str = ""
    before: int = 0


def note(store: Store, what: str, subject_id: str, now_ms: int, other_id: str = "", who: str = THIS_COMPUTER) -> None:
    """`what`: edit, merge, undo_merge, split, opt_out, erase and the like; their words are in `audit_words`. `other_id`: the
    other person or the visit it was about."""
    row = [now_ms, who, what, subject_id, other_id]
    store.db.execute("INSERT INTO audit (at_ms, who, what, subject_id, other_id) VALUES (?, ?, ?, ?, ?)", row)


def saw(store: Store, who: str, subject_id: str, now_ms: int) -> None:
    """Somebody looked at a person's or a visit's details. A transaction of its own, and none when they just did."""
    row = store.db.execute(
        "SELECT max(at_ms) FROM audit WHERE subject_id = ? AND what = ? AND who = ?", [subject_id, SEE, who]
    ).fetchone()
    if row[0] is None or not 0 <= now_ms - row[0] < SEEN_AGAIN_MS:
        with store.transaction():
            note(store, SEE, subject_id, now_ms, who=who)


def failed(store: Store, user_id: str, came_from: str, now_ms: int) -> None:
    """Somebody tried to sign in as `user_id` (empty: as nobody there is) and did not. Never what was typed: people type passwords where
    the name goes. A transaction of its own."""
    with store.transaction() as db:
        note(store, SIGN_IN_FAILED, user_id, now_ms, came_from, SOMEBODY)
        db.execute(
            "DELETE FROM audit WHERE what = ? AND id <= (SELECT id FROM audit WHERE what = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
            [SIGN_IN_FAILED, SIGN_IN_FAILED, FAILED_KEPT_MAX],
        )


def entries(store: Store, asked: Asked, limit: int) -> list[Entry]:
    """Newest first."""
    given = {"who = ?": asked.who, "what = ?": asked.what, "subject_id = ?": asked.about, "id < ?": asked.before}
    where = " AND ".join(words for words, value in given.items() if value) or "1"
    rows = store.db.execute(
        f"SELECT id, at_ms, who, what, subject_id, other_id FROM audit WHERE {where} ORDER BY id DESC LIMIT ?",
        [*(value for value in given.values() if value), limit],
    ).fetchall()
    return [Entry(*row) for row in rows]


def newest(store: Store) -> int:
    """The number of the newest entry; 0 where there is none."""
    row = store.db.execute("SELECT max(id) FROM audit").fetchone()
    return row[0] or 0


def since(store: Store, whats: tuple[str, ...], subject_ids: tuple[str, ...], after: int, limit: int) -> list[Entry]:
    """What of `whats` was done about these after the entry of that number; newest first."""
    rows = store.db.execute(
        f"""SELECT id, at_ms, who, what, subject_id, other_id FROM audit WHERE subject_id IN ({",".join("?" * len(subject_ids))})
            AND id > ? AND what IN ({",".join("?" * len(whats))}) ORDER BY id DESC LIMIT ?""",
        [*subject_ids, after, *whats, limit],
    ).fetchall()
    return [Entry(*row) for row in rows]


def drop_old(store: Store, now_ms: int, days: int, stopping: Callable[[], bool] = lambda: False) -> int:
    """Deletes what is older than `days`, the oldest first; how many. The register of requests keeps who erased whom: it is the proof."""
    before_ms, dropped = now_ms - days * DAY_MS, 0
    while not stopping():
        # Looked for outside the transaction: where none is old, all are read.
        old = store.db.execute("SELECT id FROM audit WHERE at_ms < ? LIMIT ?", [before_ms, DROPPED_A_TURN]).fetchall()
        if not old:
            break
        with store.transaction() as db:
            for (number,) in old:
                db.execute("DELETE FROM audit WHERE id = ?", [number])
        dropped += len(old)
    return dropped


def everybody(store: Store, limit: int) -> list[str]:
    """Who did something, by name."""
    return _distinct(store, "who", limit)


def kinds(store: Store, limit: int) -> list[str]:
    """What was done, as it is stored."""
    return _distinct(store, "what", limit)


def _distinct(store: Store, column: str, limit: int) -> list[str]:
    """From one value to the next by the index: as quick with a million rows as with ten."""
    rows = store.db.execute(
        f"""WITH RECURSIVE found (value) AS (SELECT min({column}) FROM audit UNION ALL
            SELECT (SELECT min({column}) FROM audit WHERE {column} > found.value) FROM found WHERE found.value IS NOT NULL)
            SELECT value FROM found WHERE value IS NOT NULL LIMIT ?""",
        [limit],
    ).fetchall()
    return [value for (value,) in rows]
