"""What the hub takes as a record. Whoever holds an appliance's key may still send rubbish: nothing beyond these bounds reaches a table.

A record that is not taken is set aside with a reason that names the field and never quotes it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from sync import facts, records
from sync.ids import is_id
from sync.messages import CAMERAS_MAX, WORDS_MAX, CameraStatus, Snapshot, Status
from sync.records import (
    ApartRecord,
    CameraGone,
    CameraRecord,
    ClockJumped,
    OptedOutCount,
    PersonGone,
    PersonRecord,
    ReceiptRecord,
    Record,
    RecordError,
    TemplateGone,
    TemplateRecord,
    ToldBack,
    VisitGone,
    VisitRecord,
)

EARLIEST_MS = 1_577_836_800_000
"""2020: before there was any appliance. A clock that shows less was never set."""
AHEAD_MS_MAX = 366 * 24 * 3600 * 1000
"""A clock a day or a week ahead is shown as skew and its visits are taken; a year ahead is a wrong number, such as microseconds."""
COUNT_MAX = 1 << 31
"""Counts stand in Postgres as four bytes."""
NUMBER_MAX = 1 << 53
WORD_MAX = 64
"""Verdicts, kinds, origins, names of models."""
TEXT_MAX = 300
"""Names and reasons."""
ROLES = frozenset({"customer", "staff", "opted_out"})
KIND_MAX = 32
JPEG_MAGIC = b"\xff\xd8\xff"
SNAPSHOT_BYTES_MAX = 1 << 20
"""A portrait has 30 KB."""
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class SetAside:
    """`kind`: as the payload says it, or `unreadable`."""

    kind: str
    reason: str


class _Kind(msgspec.Struct):
    type: str


_kind = msgspec.msgpack.Decoder(_Kind)


def judged(payload: bytes, now_ms: int) -> Record | SetAside | None:
    """None: the placeholder of a record that a later one of the batch replaces."""
    if not payload:
        return None
    try:
        record = records.decoded(payload)
    except RecordError as error:
        return SetAside(_said_kind(payload), str(error))
    faults = list(_faults(record, now_ms))
    return SetAside(records.kind_of(record), "; ".join(faults)[:TEXT_MAX]) if faults else record


def _said_kind(payload: bytes) -> str:
    try:
        kind = _kind.decode(payload).type
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return UNREADABLE
    return kind if len(kind) <= KIND_MAX and kind.isascii() and kind.isidentifier() else UNREADABLE


def _faults(record: Record, now_ms: int) -> Iterable[str]:
    match record:
        case VisitRecord():
            yield from _ids(id=record.id)
            yield from _ids_or_none(person_id=record.person_id)
            yield from _times(now_ms, first_seen_ms=record.first_seen_ms, last_seen_ms=record.last_seen_ms)
            yield from _counts(visit_number=record.visit_number)
            yield from _texts(WORD_MAX, verdict=record.verdict, model=record.model)
            yield from _texts(TEXT_MAX, reason=record.reason)
            yield from _fractions(similarity=record.similarity, bar=record.bar)
            if record.last_seen_ms < record.first_seen_ms:
                yield "last_seen_ms is before first_seen_ms"
            if len(record.cameras) > CAMERAS_MAX or not all(map(is_id, record.cameras)):
                yield "cameras is no list of ids"
        case PersonRecord():
            yield from _ids(id=record.id)
            yield from _ids_or_none(guest_of=record.guest_of)
            yield from _counts(number=record.number, visit_count=record.visit_count)
            yield from _texts(TEXT_MAX, name=record.name)
            yield from _times(now_ms, first_seen_ms=record.first_seen_ms, last_seen_ms=record.last_seen_ms)
            if record.role not in ROLES:
                yield "role is none that is known"
        case PersonGone():
            yield from _ids(id=record.id)
            yield from _ids_or_none(merged_into=record.merged_into)
            if record.merged_into == record.id:
                yield "merged_into is the person itself"
        case TemplateRecord():
            yield from _ids(id=record.id, person_id=record.person_id)
            yield from _texts(WORD_MAX, model=record.model, origin=record.origin)
            yield from _fractions(quality=record.quality)
            yield from _times(now_ms, created_ms=record.created_ms)
        case TemplateGone():
            yield from _ids(id=record.id, person_id=record.person_id)
        case CameraRecord():
            yield from _ids(id=record.id)
            yield from _texts(TEXT_MAX, name=record.name)
            yield from _texts(WORD_MAX, kind=record.kind)
        case VisitGone() | CameraGone():
            yield from _ids(id=record.id)
        case OptedOutCount():
            yield from _counts(visits=record.visits)
            if not _is_day(record.day):
                yield "day is no date"
        case ApartRecord():
            yield from _ids(person_a=record.person_a, person_b=record.person_b)
            yield from _texts(TEXT_MAX, reason=record.reason)
            if record.person_a >= record.person_b:
                yield "person_a is not before person_b"
        case ReceiptRecord():
            yield from _ids(erasure_id=record.erasure_id)
            yield from _times(now_ms, done_ms=record.done_ms)
            yield from _counts(persons=record.persons, templates=record.templates, snapshots=record.snapshots)
        case ToldBack():
            yield from _told_back(record.payload)
        case ClockJumped():
            if not 0 <= record.at_ms <= NUMBER_MAX or not -NUMBER_MAX <= record.by_ms <= NUMBER_MAX:
                yield "at_ms or by_ms is out of bounds"


def _told_back(payload: bytes) -> Iterable[str]:
    try:
        fact = facts.decoded(payload)
    except RecordError as error:
        yield str(error)
        return
    if not isinstance(fact, facts.Erase | facts.OptOut):
        yield "payload is no fact by which somebody is forgotten"
        return
    yield from _ids(erasure_id=fact.erasure_id, identity_id=fact.identity_id)
    if len(fact.person_ids) > facts.PERSONS_MAX or not all(map(is_id, fact.person_ids)):
        yield "person_ids is no list of ids"
    for template in fact.templates if isinstance(fact, facts.OptOut) else ():
        yield from _ids(template_id=template.id)
        yield from _texts(WORD_MAX, model=template.model)


def _ids(**fields: str) -> Iterable[str]:
    return (f"{name} is no id" for name, value in fields.items() if not is_id(value))


def _ids_or_none(**fields: str) -> Iterable[str]:
    return (f"{name} is no id" for name, value in fields.items() if value and not is_id(value))


def _times(now_ms: int, **fields: int | None) -> Iterable[str]:
    return (
        f"{name} is before 2020 or more than a year ahead"
        for name, value in fields.items()
        if value is not None and not EARLIEST_MS <= value <= now_ms + AHEAD_MS_MAX
    )


def _counts(**fields: int) -> Iterable[str]:
    return (f"{name} is out of bounds" for name, value in fields.items() if not 0 <= value < COUNT_MAX)


def _fractions(**fields: float | None) -> Iterable[str]:
    """Similarities, bars and qualities: about -1 to 1; what is no number at all is refused with what is too large."""
    return (
        f"{name} is out of bounds" for name, value in fields.items() if value is not None and not (math.isfinite(value) and abs(value) <= 2)
    )


def _texts(length_max: int, **fields: str) -> Iterable[str]:
    """Postgres holds no NUL in a text."""
    return (f"{name} is too long or holds a NUL" for name, value in fields.items() if len(value) > length_max or "\x00" in value)


def _is_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def snapshot_fault(snapshot: Snapshot, now_ms: int) -> str:
    """Why a picture cannot be taken; empty if it can. It is not decoded here: the hub shows it and never computes with it."""
    faults = [*_ids(visit_id=snapshot.visit_id), *_times(now_ms, taken_ms=snapshot.taken_ms)]
    if not snapshot.jpeg.startswith(JPEG_MAGIC) or len(snapshot.jpeg) > SNAPSHOT_BYTES_MAX:
        faults.append("jpeg is no JPEG or too large")
    return "; ".join(faults)


def trimmed(status: Status) -> Status:
    """How an appliance does, with every text and number in bounds: this is shown, so it is cut to fit and never refused."""
    return Status(
        version=_cut(status.version),
        model=_cut(status.model),
        time_zone=_cut(status.time_zone),
        waiting=_clamped(status.waiting),
        oldest_ms=None if status.oldest_ms is None else _clamped(status.oldest_ms),
        outbox_share=_finite(status.outbox_share),
        disk_free_bytes=_clamped(status.disk_free_bytes),
        cameras=[
            CameraStatus(
                id=camera.id,
                state=_cut(camera.state),
                words=_cut(camera.words),
                analysed_fps=_finite(camera.analysed_fps),
                restarts=_clamped(camera.restarts),
                since_ms=_clamped(camera.since_ms),
            )
            for camera in status.cameras[:CAMERAS_MAX]
            if is_id(camera.id)
        ],
        trouble=_cut(status.trouble),
    )


def _cut(text: str) -> str:
    return text[:WORDS_MAX].replace("\x00", "")


def _clamped(number: int) -> int:
    return max(0, min(number, NUMBER_MAX))


def _finite(number: float) -> float:
    return max(0.0, min(number, float(COUNT_MAX))) if math.isfinite(number) else 0.0
