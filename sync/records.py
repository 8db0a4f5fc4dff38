"""What an appliance tells the hub, one fact a record, and how a record is written as bytes. The newest record of an id replaces the older.

Fields are only ever added, with a default: a reader ignores what it does not know, and a record of a kind it does not know is set aside.
Ids are UUIDv7 in their usual text form, times UTC milliseconds.
"""

from __future__ import annotations

from typing import get_args

import msgspec
import numpy as np
import numpy.typing as npt

from sync.errors import SyncError

RECORD_BYTES_MAX = 64 << 10
"""The largest is a template: 2,048 numbers of two bytes and its ids are under 5 KB."""
EMBEDDING_MAX = 2_048

Floats = npt.NDArray[np.float32]


class RecordError(SyncError):
    """A record that cannot be written or read; says which kind and why, never its content."""


class VisitRecord(msgspec.Struct, frozen=True, kw_only=True, tag="visit"):
    """`person_id` empty while nobody is sure; `cameras`: ids, in the order they saw the visitor; `reason`, `similarity`, `bar`: why."""

    id: str
    person_id: str = ""
    verdict: str
    settled: bool
    first_seen_ms: int
    last_seen_ms: int
    visit_number: int = 0
    cameras: list[str] = []
    model: str = ""
    reason: str = ""
    similarity: float | None = None
    bar: float | None = None


class VisitGone(msgspec.Struct, frozen=True, kw_only=True, tag="visit_gone"):
    id: str


class PersonRecord(msgspec.Struct, frozen=True, kw_only=True, tag="person"):
    """`role`: customer, staff or opted_out. `guest_of`: the identity whose lent templates the person was first recognised by."""

    id: str
    number: int
    role: str
    name: str = ""
    first_seen_ms: int | None = None
    last_seen_ms: int | None = None
    visit_count: int = 0
    guest_of: str = ""


class PersonGone(msgspec.Struct, frozen=True, kw_only=True, tag="person_gone"):
    """The person and all its templates. `merged_into`: the person that took its place, if one did. `erased`: somebody asked to be
    forgotten, so the whole chain must."""

    id: str
    merged_into: str = ""
    erased: bool = False


class TemplateRecord(msgspec.Struct, frozen=True, kw_only=True, tag="template"):
    """`embedding`: float16, little-endian, see `halved`."""

    id: str
    person_id: str
    model: str
    embedding: bytes
    quality: float
    origin: str
    created_ms: int


class TemplateGone(msgspec.Struct, frozen=True, kw_only=True, tag="template_gone"):
    id: str
    person_id: str


class CameraRecord(msgspec.Struct, frozen=True, kw_only=True, tag="camera"):
    """Never the source: an address may carry a password."""

    id: str
    name: str
    kind: str
    enabled: bool


class CameraGone(msgspec.Struct, frozen=True, kw_only=True, tag="camera_gone"):
    id: str


class OptedOutCount(msgspec.Struct, frozen=True, kw_only=True, tag="opted_out_count"):
    """Visits on `day` (YYYY-MM-DD, the store's own) by people who opted out: all that is kept of them."""

    day: str
    visits: int


class ApartRecord(msgspec.Struct, frozen=True, kw_only=True, tag="apart"):
    """Two persons of this store that are not one: somebody said so, or they stood in one frame. `person_a` < `person_b`."""

    person_a: str
    person_b: str
    reason: str = ""


class ReceiptRecord(msgspec.Struct, frozen=True, kw_only=True, tag="receipt"):
    """What the hub asked to be forgotten (`erasure_id`) is gone here; how many persons, templates and snapshots went."""

    erasure_id: str
    done_ms: int
    persons: int = 0
    templates: int = 0
    snapshots: int = 0


class ToldBack(msgspec.Struct, frozen=True, kw_only=True, tag="told_back"):
    """A fact by which the hub had somebody forgotten (Erase or OptOut, see `sync.facts`), told back to it: it may have been put back to
    an earlier day since. What it knows of changes nothing."""

    payload: bytes


class ClockJumped(msgspec.Struct, frozen=True, kw_only=True, tag="clock_jumped"):
    """The computer's clock moved by `by_ms` beside the time that passed; `at_ms` is what it shows since."""

    at_ms: int
    by_ms: int


Record = (
    VisitRecord
    | VisitGone
    | PersonRecord
    | PersonGone
    | TemplateRecord
    | TemplateGone
    | CameraRecord
    | CameraGone
    | OptedOutCount
    | ApartRecord
    | ReceiptRecord
    | ToldBack
    | ClockJumped
)
KINDS: frozenset[str] = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Record))

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Record)


def kind_of(record: Record) -> str:
    return str(type(record).__struct_config__.tag)


def encoded(record: Record) -> bytes:
    """Raises RecordError when it is larger than a record may be."""
    payload = _encoder.encode(record)
    if len(payload) > RECORD_BYTES_MAX:
        raise RecordError(f"a record of kind {kind_of(record)} has {len(payload)} bytes; at most {RECORD_BYTES_MAX} are allowed")
    return payload


def decoded(payload: bytes) -> Record:
    """Raises RecordError for anything that is not a whole record of a known kind."""
    if len(payload) > RECORD_BYTES_MAX:
        raise RecordError(f"a record has {len(payload)} bytes; at most {RECORD_BYTES_MAX} are allowed")
    try:
        record: Record = _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        # The type of the error alone: its words may quote the content.
        raise RecordError(f"what came is no record of a known kind ({type(error).__name__})") from None
    if isinstance(record, TemplateRecord):
        whole(record.embedding)
    return record


def halved(embedding: Floats) -> bytes:
    """(D,) unit vector as float16 bytes: half the size, cosine off by less than 0.001. Raises RecordError unless it is one."""
    if embedding.ndim != 1 or not 0 < len(embedding) <= EMBEDDING_MAX:
        raise RecordError(f"an embedding has shape {embedding.shape}; it must be one row of 1 to {EMBEDDING_MAX} numbers")
    if not abs(float(np.linalg.norm(embedding.astype(np.float64))) - 1.0) < 1e-3:
        raise RecordError("an embedding is no unit vector")
    return embedding.astype("<f2").tobytes()


def whole(embedding: bytes) -> Floats:
    """(D,) float32 unit vector again. Raises RecordError for rubbish, infinities and zeros."""
    if not 0 < len(embedding) <= 2 * EMBEDDING_MAX or len(embedding) % 2:
        raise RecordError(f"an embedding has {len(embedding)} bytes; it must be 1 to {EMBEDDING_MAX} numbers of two bytes")
    vector = np.frombuffer(embedding, "<f2").astype(np.float32)
    norm = float(np.linalg.norm(vector.astype(np.float64)))
    if not abs(norm - 1.0) < 1e-2:
        raise RecordError("an embedding is no unit vector")
    return vector / np.float32(norm)
