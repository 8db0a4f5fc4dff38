"""The hub's half of the protocol, as values: where a batch stands in its appliance's line, and which of its records can be taken.

What an appliance told is applied once and in order. A repeat changes nothing, a gap is asked for again, a life of the database that has
ended never comes back. One record that cannot be taken is set aside with its reason and holds up no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sync.errors import Malformed
from sync.keys import checked, key_id
from sync.messages import Header, PublicKeys, Push

PAST_LINES_MAX = 50
"""Ended lives of one appliance's database that are remembered: each is a backup restored."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What the hub has stored of an appliance: records 1..`applied` of `line` are committed, the last of which has `last_digest` (empty:
    unknown). `past_lines`: ended ones, newest last."""

    line: str = ""
    applied: int = 0
    last_digest: bytes = b""
    past_lines: tuple[str, ...] = ()


class Standing(StrEnum):
    NEXT = "next"
    """Follows on what is applied (or begins a line, or says that what is missing was told anew)."""
    NOTHING = "nothing"
    """No records came, and none are missing."""
    REPEAT = "repeat"
    """All of it is applied already."""
    GAP = "gap"
    """Records before it are missing: nothing is applied, and they are asked for."""
    OLD_LINE = "old_line"
    """Of a life of the database that has ended: delayed, played again, or from a disk that was put back to an earlier day and gives its
    numbers out a second time. Nothing is applied; the answer is `refusals.Code.OLD_LINE`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of the batch's payloads, those from index `skip` on are to be applied, in one transaction with `progress`; `first` is the sequence
    number of the first of them. `acknowledged`, `resend`: for the answer, once that is committed."""

    standing: Standing
    skip: int
    first: int
    progress: Progress
    acknowledged: int
    resend: bool


def judge(progress: Progress, header: Header, push: Push, payloads: Sequence[bytes]) -> Verdict:
    """Where a batch stands. `payloads`: of `push`, unpacked. Raises Malformed when the header counts otherwise."""
    first, last, count = header.first, header.last, len(payloads)
    if first < 1 or last != first + count - 1:
        raise Malformed(f"a batch says it holds records {first} to {last} and holds {count}")
    if header.line in progress.past_lines:
        return Verdict(Standing.OLD_LINE, count, last + 1, progress, 0, False)
    if header.line != progress.line:
        if not count:
            # Nothing is known of this life yet, and nothing told: whatever comes first will begin it.
            return Verdict(Standing.NOTHING, 0, first, progress, 0, False)
        past = (*progress.past_lines, progress.line)[-PAST_LINES_MAX:] if progress.line else progress.past_lines
        return Verdict(Standing.NEXT, 0, first, Progress(header.line, last, _digest(payloads[-1]), past), last, False)
    applied = progress.applied
    if first > applied + 1 and push.abandoned_through < first - 1:
        return Verdict(Standing.GAP, count, last + 1, progress, applied, True)
    if not count:
        return Verdict(Standing.NOTHING, 0, first, progress, applied, False)
    if first <= applied <= last and _is_another(payloads[applied - first], progress.last_digest):
        return Verdict(Standing.OLD_LINE, count, last + 1, progress, 0, False)
    if last <= applied:
        # No more than came: only a batch that reaches the last applied record shows that it speaks of the same ones.
        return Verdict(Standing.REPEAT, count, last + 1, progress, last, False)
    skip = max(0, applied + 1 - first)
    return Verdict(Standing.NEXT, skip, first + skip, Progress(header.line, last, _digest(payloads[-1]), progress.past_lines), last, False)


def _digest(payload: bytes) -> bytes:
    return hashlib.sha256(payload).digest()


def _is_another(payload: bytes, digest: bytes) -> bool:
    """Whether a record is surely not the one it was. One that travels as a placeholder, because a later one replaces it, tells nothing."""
    return bool(payload and digest) and _digest(payload) != digest


@dataclass(frozen=True, slots=True)
class Known:
    """An appliance's keys as the hub has stored them. `old_sign`: of the pair before, taken until something is signed with the newest."""

    newest: PublicKeys
    old_sign: bytes | None = None

    @property
    def senders(self) -> list[bytes]:
        return [self.newest.sign] if self.old_sign is None else [self.newest.sign, self.old_sign]


def keys_after(known: Known, header: Header, push: Push) -> tuple[Known, bool]:
    """The keys to store with a batch that was opened, and whether the next keys in it hold (`Answer.keys_taken`). The answer is sealed to
    the newest. Only the newest key names its successor: an old message played again changes nothing. Raises WrongKey."""
    by_newest = header.sign_key == key_id(known.newest.sign)
    if push.next_keys == known.newest and not by_newest:
        # Taken already; the answer that said so was lost.
        return known, True
    if not by_newest:
        return known, False
    if push.next_keys is None or push.next_keys == known.newest:
        return Known(known.newest), False
    return Known(checked(push.next_keys), known.newest.sign), True


def facts_after(cursor: int, newest: int) -> int:
    """Behind which fact to go on. An appliance that knows more than there is talks to a hub that was restored: it gets all anew."""
    return cursor if 0 <= cursor <= newest else 0


def clock_skew_ms(push: Push, now_ms: int) -> int:
    """By how much the appliance's clock is ahead of the hub's, less the message's time on the way (a second or so)."""
    return push.sent_ms - now_ms
