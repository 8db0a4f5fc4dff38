"""Who has given the right password and still owes a one-time code. In memory: a restart asks for the password again."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

KEPT_MS = 5 * 60_000
TRIES_MAX = 5
"""Then the password is asked for again, and that is slowed."""
KEPT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Owed:
    user_id: str
    made_ms: int
    tries: int = 0


class Halfway:
    def __init__(self) -> None:
        self._owed: OrderedDict[str, Owed] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, user_id: str, now_ms: int) -> str:
        """A token for the form that asks for the code."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._owed[token] = Owed(user_id, now_ms)
            while len(self._owed) > KEPT_MAX:
                self._owed.popitem(last=False)
        return token

    def user_of(self, token: str, now_ms: int) -> str | None:
        """Whose it is; each look is a try. None: it is over, or there were too many."""
        with self._lock:
            found = self._owed.pop(token, None)
            if found is None or not 0 <= now_ms - found.made_ms < KEPT_MS or found.tries >= TRIES_MAX:
                return None
            self._owed[token] = replace(found, tries=found.tries + 1)
            return found.user_id

    def done(self, token: str) -> None:
        with self._lock:
            self._owed.pop(token, None)
