"""What the hub tells an appliance, one fact each: what the chain knows and decided. The newest fact of a subject replaces the older.

Facts travel in the order the hub committed them; an appliance that starts again from nothing gets all that still hold. Fields are only ever
added, with a default; a fact of a kind that an appliance does not know is passed over and counted.
"""

from __future__ import annotations

from typing import get_args

import msgspec

from sync.records import EMBEDDING_MAX, RecordError, whole

FACT_BYTES_MAX = 64 << 10
"""The largest lends eight templates of 2,048 numbers: 33 KB."""
TEMPLATES_MAX = 8
PERSONS_MAX = 500
"""Persons of one appliance that may be one identity; more is a fault, not a family."""


class LentTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """`embedding`: float16, little-endian, as in a record."""

    id: str
    model: str
    embedding: bytes


class PersonKnown(msgspec.Struct, frozen=True, kw_only=True, tag="person_known"):
    """What the chain knows of one of the appliance's own persons. `also_at`: names of other stores, empty where the tenant does not tell.
    Two persons of one identity are, to the chain, one."""

    person_id: str
    identity_id: str
    name: str = ""
    vip: bool = False
    watchlist: bool = False
    also_at: list[str] = []
    chain_visits: int = 0


class PersonUnknown(msgspec.Struct, frozen=True, kw_only=True, tag="person_unknown"):
    """The chain no longer knows anything of this person (a link was undone)."""

    person_id: str


class Guest(msgspec.Struct, frozen=True, kw_only=True, tag="guest"):
    """Somebody the store has not met: a frequent visitor of other stores (`role` customer) or staff of the chain (staff)."""

    identity_id: str
    role: str
    name: str = ""
    vip: bool = False
    watchlist: bool = False
    also_at: list[str] = []
    templates: list[LentTemplate] = []


class GuestGone(msgspec.Struct, frozen=True, kw_only=True, tag="guest_gone"):
    identity_id: str


class OptOut(msgspec.Struct, frozen=True, kw_only=True, tag="opt_out"):
    """Somebody of the chain opted out. Of `person_ids` (this appliance's) everything goes but the visits' count; `templates` are kept in
    the opt-out gallery alone. To be answered by a ReceiptRecord."""

    erasure_id: str
    identity_id: str
    person_ids: list[str] = []
    templates: list[LentTemplate] = []


class OptOutEnded(msgspec.Struct, frozen=True, kw_only=True, tag="opt_out_ended"):
    """They opted in again, or asked for full erasure: the templates kept for the opt-out go."""

    identity_id: str


class Erase(msgspec.Struct, frozen=True, kw_only=True, tag="erase"):
    """Everything about these persons goes, and what was lent or kept of the identity. To be answered by a ReceiptRecord."""

    erasure_id: str
    identity_id: str
    person_ids: list[str] = []


class Apart(msgspec.Struct, frozen=True, kw_only=True, tag="apart"):
    """Headquarters called two of the appliance's persons different."""

    person_a: str
    person_b: str


class GivenBack(msgspec.Struct, frozen=True, kw_only=True, tag="given_back"):
    """A record of the appliance's own, which it told before its database was restored from a backup; see `sync.records`."""

    payload: bytes


class TenantSettings(msgspec.Struct, frozen=True, kw_only=True, tag="settings"):
    """What the tenant switched on: whether snapshots are sent to the hub, whether stores are told where else somebody comes."""

    snapshots: bool = False
    also_at: bool = False


Fact = PersonKnown | PersonUnknown | Guest | GuestGone | OptOut | OptOutEnded | Erase | Apart | GivenBack | TenantSettings
KINDS: frozenset[str] = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Fact))

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Fact)


def kind_of(fact: Fact) -> str:
    return str(type(fact).__struct_config__.tag)


def encoded(fact: Fact) -> bytes:
    """Raises RecordError when it is larger than a fact may be."""
    payload = _encoder.encode(fact)
    if len(payload) > FACT_BYTES_MAX:
        raise RecordError(f"a fact of kind {kind_of(fact)} has {len(payload)} bytes; at most {FACT_BYTES_MAX} are allowed")
    return payload


def decoded(payload: bytes) -> Fact:
    """Raises RecordError for anything that is not a whole fact of a known kind."""
    if len(payload) > FACT_BYTES_MAX:
        raise RecordError(f"a fact has {len(payload)} bytes; at most {FACT_BYTES_MAX} are allowed")
    try:
        fact: Fact = _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        # The type of the error alone: its words may quote the content.
        raise RecordError(f"what came is no fact of a known kind ({type(error).__name__})") from None
    if isinstance(fact, (Guest, OptOut)):
        if len(fact.templates) > TEMPLATES_MAX:
            raise RecordError(f"a fact lends {len(fact.templates)} templates; at most {TEMPLATES_MAX} are allowed")
        for template in fact.templates:
            whole(template.embedding)
    return fact


assert 2 * EMBEDDING_MAX * TEMPLATES_MAX < FACT_BYTES_MAX
