"""What can be wrong with something that came over the line.

SyncError
├── RecordError          a record or fact that cannot be written or read (sync.records)
├── Malformed            no whole message
├── TooLarge             over a limit; refused before it is read
├── NewerProtocol        made by a version that is newer than this one
├── NotForUs             a whole message, but of another kind or for another appliance
│   ├── WrongTenant      … of another tenant
│   └── AnotherAnswer    … an answer to another request: late, repeated or replayed
├── WrongKey             sealed to, or signed by, a key that is not known here
├── BadSignature         changed on the way, or not made by whom it says
├── CannotOpen           signed rightly, and yet does not open: sealed with another header or key
├── Refused              the hub does not pair, and says why
└── BadCode              a pairing code or address that cannot be right

Each names the thing and what to do about it, never the content.
"""

from __future__ import annotations


class SyncError(Exception):
    """The root; raised only by its kinds."""


class Malformed(SyncError):
    """No whole message."""


class TooLarge(SyncError):
    """Over a limit; refused before it is read."""


class NewerProtocol(SyncError):
    """Made by a version that is newer than this one."""


class NotForUs(SyncError):
    """A whole message, but of another kind or for another appliance."""


class WrongTenant(NotForUs):
    """Of another tenant."""


class AnotherAnswer(NotForUs):
    """An answer to another request: late, repeated or replayed."""


class WrongKey(SyncError):
    """Sealed to, or signed by, a key that is not known here."""


class BadSignature(SyncError):
    """Changed on the way, or not made by whom it says."""


class CannotOpen(SyncError):
    """Signed rightly, and yet does not open."""


class Refused(SyncError):
    """The hub does not pair, and says why."""


class BadCode(SyncError):
    """A pairing code or address that cannot be right."""
