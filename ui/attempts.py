"""Guessing passwords is made slow: after a few wrong ones the next is looked at only after a while, twice as long each time.

What is slowed is a name at an address, and an address as a whole; never a name as such. So nobody can lock anybody else out, and the
longest wait is a minute, so that nobody is locked out for good.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from dataclasses import dataclass

FREE_BY_NAME = 5
FREE_BY_ADDRESS = 20
"""A shop's whole staff may sit behind one address."""
WAIT_MS_FIRST = 1_000
WAIT_MS_MAX = 60_000
FORGET_MS = 30 * 60_000
KEPT_MAX = 20_000
"""Beyond that the one that failed longest ago is forgotten; some 4 MB."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Failures:
    count: int
    last_ms: int


class Attempts:
    """In memory and of one process: a restart forgets, which costs a guesser more time than it saves."""

    def __init__(self) -> None:
        self._failures: OrderedDict[Key, Failures] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, name: str, address: str, now_ms: int) -> int:
        """0: go on, and this try counts as wrong until `right` is told (so that a hundred at once are not all free).
        Otherwise the milliseconds to wait, and the password is not to be looked at."""
        with self._lock:
            wait_ms = max(self._wait_ms(key, free, now_ms) for key, free in keys(name, address))
            if wait_ms == 0:
                for key, _free in keys(name, address):
                    self._failures[key] = Failures(self._count(key, now_ms) + 1, now_ms)
                    self._failures.move_to_end(key)
                while len(self._failures) > KEPT_MAX:
                    self._failures.popitem(last=False)
            return wait_ms

    def right(self, name: str, address: str) -> None:
        """The name's failures are forgotten; the address keeps all but this one, or one known account would buy guesses at others."""
        (own, _), (whole, _) = keys(name, address)
        with self._lock:
            self._failures.pop(own, None)
            if found := self._failures.get(whole):
                self._failures[whole] = Failures(max(0, found.count - 1), found.last_ms)

    def _count(self, key: Key, now_ms: int) -> int:
        found = self._failures.get(key)
        return found.count if found and 0 <= now_ms - found.last_ms < FORGET_MS else 0

    def _wait_ms(self, key: Key, free: int, now_ms: int) -> int:
        count = self._count(key, now_ms)
        return max(0, self._failures[key].last_ms + wait_after(count - free) - now_ms) if count >= free else 0


def wait_after(count: int) -> int:
    """Milliseconds after so many failures beyond the free ones."""
    return int(min(WAIT_MS_MAX, WAIT_MS_FIRST * 2 ** min(count, 16)))


def keys(name: str, address: str) -> tuple[tuple[Key, int], tuple[Key, int]]:
    at = network(address)
    return ((name.casefold()[:200], at), FREE_BY_NAME), (("", at), FREE_BY_ADDRESS)


def network(address: str) -> str:
    """A whole /64 is one household's or one guesser's."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if found.version == 6:
        return str(found.ipv4_mapped or ipaddress.ip_network((int(found), 64), strict=False).network_address)
    return str(found)
