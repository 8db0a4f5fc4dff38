"""Passwords: what one must be like, and how it is kept: only as an Argon2id hash, of which nobody gets the password back.

A check takes a tenth of a second and 64 MB on purpose; no more than two run at a time, so that nobody can fill the memory by guessing.
"""

from __future__ import annotations

import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from ui.words import gettext as _
from ui.words import ngettext

LENGTH_MIN = 12
LENGTH_MAX = 256
"""Long enough for any sentence; more would only be work for the hash."""
DIFFERENT_MIN = 5
AT_ONCE_MAX = 2

_hasher = PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)
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


def hashed(password: str) -> str:
    """Salt and parameters stand in it, so that they can be raised later."""
    with _room:
        return _hasher.hash(written_one_way(password))


def agrees(password_hash: str | None, password: str) -> bool:
    """None: nobody has that name. It takes as long as for somebody who is known, so that the time does not tell names."""
    if len(password) > LENGTH_MAX:
        return False
    known = password_hash if password_hash is not None else _nobody()
    with _room:
        try:
            _hasher.verify(known, written_one_way(password))
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def outdated(password_hash: str) -> bool:
    """Made with weaker parameters than today's: to be hashed anew when the password is next heard."""
    return _hasher.check_needs_rehash(password_hash)


@cache
def _nobody() -> str:
    return _hasher.hash("nobody has this password")
