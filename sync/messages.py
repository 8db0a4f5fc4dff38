"""What crosses the line in one round trip, both ways. Plain values: how they are sealed and signed is `sync.envelope`'s.

    appliance → hub   Header, Push      records first..last of the appliance's outbox, how it does, up to which fact it has applied
    hub → appliance   Header, Answer    up to which record the hub has committed, and the next facts

Fields are only ever added at the end, with a default.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

PROTOCOL = 1
RECORDS_MAX = 2_000
"""Records in one batch: some 280 visits, each told three times with its person, and one view of each."""
FACTS_MAX = 200
"""Facts in one answer: a store that comes back after a month fetches its thousands in a few round trips."""
FACTS_BYTES_MAX = 1 << 20
BODY_BYTES_MAX = 4 << 20
"""A body before it is compressed; more is refused before it is allocated."""
MESSAGE_BYTES_MAX = 3 << 20
"""A message as it crosses the line."""
CAMERAS_MAX = 64
WORDS_MAX = 300


class Kind(StrEnum):
    PUSH = "push"
    ANSWER = "answer"
    SNAPSHOT = "snapshot"
    TAKEN = "taken"
    """The hub's answer to a snapshot."""


class Header(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """In the clear, and authenticated with what it stands before. `line`: which life of the appliance's database its sequence numbers
    belong to. `first` > `last`: no records. `seal_key`, `sign_key`: ids of the receiver's and the sender's key. `answers`: SHA-256 of
    the message that this one answers, empty for one that answers nothing."""

    version: int = PROTOCOL
    kind: str
    tenant: str
    appliance: str
    line: str
    first: int
    last: int
    seal_key: str
    sign_key: str
    made_ms: int
    answers: bytes = b""


class CameraStatus(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`state` and `words` as the store's own page shows them; never an address."""

    id: str
    state: str
    words: str = ""
    analysed_fps: float = 0.0
    restarts: int = 0
    since_ms: int = 0


class Status(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """How the appliance does, as of now."""

    version: str = ""
    model: str = ""
    time_zone: str = ""
    waiting: int = 0
    oldest_ms: int | None = None
    outbox_share: float = 0.0
    disk_free_bytes: int = 0
    cameras: list[CameraStatus] = []
    trouble: str = ""


class PublicKeys(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`seal`: HPKE, ML-KEM-768 with X25519. `sign`: Ed25519. Raw bytes."""

    seal: bytes
    sign: bytes


class Push(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`records`: see `sync.packing`. `abandoned_through`: records up to this one are gone from the outbox and were told anew behind it.
    `cursor`: the newest fact that is committed here. `facts_max`: how many facts are wanted. `next_keys`: the appliance's, when it
    rotates them: signed by the old, valid from the answer on. `life`: of the hub's database, as last heard; `cursor` counts in it.
    `acknowledged`: the last record of this line that the hub has said to have committed: one that has less was put back. `mark`: the
    hub's of `cursor`: one that has another by that number was put back."""

    records: bytes = b""
    abandoned_through: int = 0
    cursor: int = 0
    facts_max: int = FACTS_MAX
    sent_ms: int
    status: Status = Status()
    next_keys: PublicKeys | None = None
    life: str = ""
    acknowledged: int = 0
    mark: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`acknowledged`: the last record of the line that is committed at the hub. `resend`: the batch did not follow on it; send what
    comes behind `acknowledged`. `facts`: (sequence, payload) in order; `cursor`: where to go on, `more`: there are more.
    `set_aside`: records of this batch that the hub could not take. `hub_keys`: the hub's, when the message was sealed to older ones.
    `life`: of the hub's database; another than before says that it was put back to an earlier day, and there are no facts then. `mark`:
    random, of what it told at `cursor`, to be given back with it; empty where it has none."""

    acknowledged: int
    resend: bool = False
    facts: list[tuple[int, bytes]] = []
    cursor: int = 0
    more: bool = False
    now_ms: int
    set_aside: int = 0
    hub_keys: PublicKeys | None = None
    keys_taken: bool = False
    life: str = ""
    mark: str = ""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The picture of a visit, behind everything else and only where the tenant wants it."""

    visit_id: str
    taken_ms: int
    jpeg: bytes
    sent_ms: int


class Taken(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`wanted`: whether the hub keeps such snapshots at all; if not, the appliance stops sending them."""

    visit_id: str
    wanted: bool = True
    now_ms: int


class Refusal(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Why the hub takes nothing from this sender, in the clear and signed. `code`: revoked, unknown, too_fast, too_large, malformed,
    wrong_key, newer_protocol, busy, old_line. `retry_s`: not before. `answers`: as in a header."""

    code: str
    words: str
    now_ms: int
    retry_s: int = 0
    sign_key: str = ""
    answers: bytes = b""


class PairRequest(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`code_id`: the open half of the one-time code. `keys`: the appliance's, made by itself. The proof beside it (`sync.pairing`) shows
    that the sender knows the secret half."""

    code_id: str
    keys: PublicKeys
    name: str
    time_zone: str
    version: str
    sent_ms: int
    nonce: bytes


class PairAnswer(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    tenant_id: str
    tenant_name: str
    site_id: str
    site_name: str
    appliance_id: str
    keys: PublicKeys
    now_ms: int
    nonce: bytes
