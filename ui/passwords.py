"""Passwords: what one must be like, and how it is kept: only as an Argon2id hash, of which nobody gets the password back.

A check takes a tenth of a second and 64 MB on purpose; no more than two run at a time, so that nobody can fill the memory by guessing.
"""

from __future__ import annotations

import threading
import unicodedata
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from ui.words import gettext as _
from ui.words import ngettext

LENGTH_MIN = 12
LENGTH_MAX = 256
"""Long enough for any sentence; more would only be work for the hash."""
DIFFERENT_MIN = 5
AT_ONCE_MAX = 2


@dataclass(frozen=True, slots=True)
class Cost:
    """What each guess takes whoever guesses."""

    rounds: int
    memory_kib: int
    lanes: int


USUAL = Cost(rounds=3, memory_kib=65_536, lanes=4)
"""The second choice of RFC 9106, for computers with little memory to spare. Only tests that ask for something else hand in less."""
_room = threading.BoundedSemaphore(AT_ONCE_MAX)


def written_one_way(password: str) -> str:
    """The same password from any keyboard: ü is one sign or two, depending on the machine."""
    return unicodedata.normalize("NFKC", password)


def refusal(password: str, name: str) -> str | None:
    """What is wrong with a new password, in words for the one who chose it; None: nothing."""
    password = written_one_way(password)
    if len(password) < LENGTH_MIN:
        return ngettext(
            "A password needs at least %(least)d characters; this one has %(n)d. A short sentence is easy to remember.",
            "A password needs at least %(least)d characters; this one has %(n)d. A short sentence is easy to remember.",
            len(password),
        ) % {"least": LENGTH_MIN, "n": len(password)}
    if len(password) > LENGTH_MAX:
        return _("A password has at most %(most)d characters.") % {"most": LENGTH_MAX}
    if len(set(password)) < DIFFERENT_MIN:
        return _("This password repeats the same few characters. Use at least %(least)d different ones.") % {"least": DIFFERENT_MIN}
    if len(name) >= 3 and name.casefold() in password.casefold() and len(password) - len(name) < LENGTH_MIN:
        return _("Without the name in it this password is too short.")
    return None


def hashed(password: str, cost: Cost = USUAL) -> str:
    """Salt and cost stand in it, so that the cost can be raised later."""
    with _room:
        return _hasher(cost).hash(written_one_way(password))


def agrees(password_hash: str | None, password: str, cost: Cost = USUAL) -> bool:
    """None: nobody has that name. It takes as long as for somebody who is known, so that the time does not tell names."""
    if len(password) > LENGTH_MAX:
        return False
    known = password_hash if password_hash is not None else _nobody(cost)
    with _room:
        try:
            _hasher(cost).verify(known, written_one_way(password))
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def outdated(password_hash: str, cost: Cost = USUAL) -> bool:
    """Made at another cost than today's: to be hashed anew when the password is next heard."""
    return _hasher(cost).check_needs_rehash(password_hash)


@cache
def _hasher(cost: Cost) -> PasswordHasher:
    return PasswordHasher(time_cost=cost.rounds, memory_cost=cost.memory_kib, parallelism=cost.lanes)


@cache
def _nobody(cost: Cost) -> str:
    return _hasher(cost).hash("nobody has this password")
