"""What an appliance keeps of its line to the hub: what is stored (`Link`), what is not (`Contact`), and what an answer asks it to do.

A program that starts again from the stored part at any moment repeats at most what the hub takes as a repeat. So an action may be carried
out twice or, if the power goes, not at all: it comes again.
"""

from __future__ import annotations

from dataclasses import dataclass

from sync.keys import OwnKeys
from sync.messages import RECORDS_MAX, PublicKeys

SPEED_NEWEST = 0.3
"""Share of the newest batch in the speed that is shown: steady to the eye, and right again after five batches."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Up the line, over the last batches; zeros before the first."""

    records_per_s: float = 0.0
    bytes_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Now:
    """Read once at the edge. `ms`: UTC, may jump. `steady_s`: seconds of a clock that does not; all waiting goes by it."""

    ms: int
    steady_s: float


@dataclass(frozen=True, slots=True)
class Link:
    """What an appliance has stored. `line`: the life of its database. `cursor`: the newest fact committed here. `abandoned_through`: see
    `Push`. `next_keys`: made and stored, and not known to be taken by the hub yet. `life`, `acknowledged`, `mark`: see
    `Push`."""

    tenant: str
    appliance: str
    line: str
    hub: PublicKeys
    keys: OwnKeys
    next_keys: OwnKeys | None = None
    cursor: int = 0
    abandoned_through: int = 0
    life: str = ""
    acknowledged: int = 0
    mark: str = ""

    @property
    def own(self) -> list[OwnKeys]:
        return [self.keys] if self.next_keys is None else [self.keys, self.next_keys]


@dataclass(frozen=True, slots=True)
class Flight:
    """The one request that is under way. `visit_id`: of a snapshot; empty for a batch."""

    digest: bytes
    first: int
    last: int
    bytes: int
    sent: Now
    full: bool
    visit_id: str = ""

    @property
    def records(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Contact:
    """How the line does, in memory alone. `stopped`: the hub wants nothing of this appliance any more; only a person starts it again.
    `trouble`: for the store's page, empty while all is well. `skew_ms`: how far the clock here is ahead of the hub's."""

    flight: Flight | None = None
    failures: int = 0
    not_before_s: float = 0.0
    idle_until_s: float = 0.0
    records_max: int = RECORDS_MAX
    stopped: bool = False
    trouble: str = ""
    last_contact_ms: int | None = None
    skew_ms: int | None = None
    set_aside: int = 0
    speed: Speed = Speed()


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The hub has committed the records up to this one: `outbox.acknowledge`."""

    through: int


@dataclass(frozen=True, slots=True)
class ApplyFacts:
    """To be applied in order, and `cursor` and `mark` stored in the same transaction. None blocks the rest: one of an unknown kind is
    passed over."""

    facts: tuple[tuple[int, bytes], ...]
    cursor: int
    mark: str = ""


@dataclass(frozen=True, slots=True)
class TellAnew:
    """The hub misses records that are gone here. Append all that holds to the outbox, and what is gone for ever, and store
    `abandoned_through` with the first of it."""

    abandoned_through: int


@dataclass(frozen=True, slots=True)
class BeginLine:
    """The hub knows other records by these numbers, or a later line: this disk was put back to an earlier day. Store a new line,
    then tell all anew."""


@dataclass(frozen=True, slots=True)
class LearnLife:
    """Store the life of the hub's database, heard for the first time."""

    life: str


@dataclass(frozen=True, slots=True)
class HubPutBack:
    """The hub's database was put back to an earlier day. In one transaction: store its new life, let go of what it told before (who opted
    out stays), go back to cursor 0 and to nothing acknowledged, and tell everything anew, what it had forgotten first;
    `abandoned_through` as in TellAnew."""

    life: str
    abandoned_through: int


@dataclass(frozen=True, slots=True)
class LearnHub:
    """Store the hub's new keys in the place of the old."""

    keys: PublicKeys


@dataclass(frozen=True, slots=True)
class UseNextKeys:
    """The hub has taken the next keys: store them in the place of the old, if that is still to be done."""


@dataclass(frozen=True, slots=True)
class SnapshotDone:
    """The hub has the picture of this visit. `wanted` False: it takes none at all; stop sending them."""

    visit_id: str
    wanted: bool


Action = Acknowledge | ApplyFacts | TellAnew | BeginLine | LearnLife | HubPutBack | LearnHub | UseNextKeys | SnapshotDone


def counted(speed: Speed, records: int, size: int, seconds: float) -> Speed:
    """The speed with one more batch in it."""
    seconds = max(seconds, 0.001)
    now = Speed(records / seconds, size / seconds)
    if speed == Speed():
        return now
    return Speed(
        speed.records_per_s + SPEED_NEWEST * (now.records_per_s - speed.records_per_s),
        speed.bytes_per_s + SPEED_NEWEST * (now.bytes_per_s - speed.bytes_per_s),
    )
