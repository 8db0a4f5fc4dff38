"""A batch's payloads as few bytes: by column instead of by record, ids as 16 bytes, each value that comes again told once.

    packed = msgpack [format, zstd(head), zstd(pile), zstd(pile), pile]        see `sync.planes` for the piles
    head = msgpack [what each record is, the shapes of records, values that come again, payloads that fit no shape, plan]

Unpacking gives back the payloads byte for byte. Nothing here knows the kinds of records: a payload that is a map of a few values is cut
into columns by its keys, and any other travels as it is, so that a kind or field of tomorrow needs no change here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from sync.columns import ColumnReader, ColumnWriter, with_ids
from sync.compressing import compressed, expanded
from sync.errors import Malformed, TooLarge
from sync.messages import BODY_BYTES_MAX, RECORDS_MAX
from sync.planes import Reader
from sync.records import RECORD_BYTES_MAX

FORMAT = 1
PLACEHOLDER, WHOLE, SHAPED = 0, 1, 2
"""What a record is: nothing (a later one replaces it), a payload as it is, or of the shape with this number less 2."""
SHAPES_MAX = 64
"""There are a dozen kinds, each with one set of keys a version."""
FIELDS_MAX = 64
PAYLOADS_BYTES_MAX = 3 << 19
"""All payloads together: a batch has one megabyte and at most one record more. A few bytes could else stand for gigabytes."""
HEAD_BYTES_MAX = 2 << 20
"""Payloads that all fit no shape, and what stands around them."""
PILE_BYTES_MAX = BODY_BYTES_MAX
REPLACED_BY = {"visit": ("id",), "person": ("id", "role"), "template": ("id",), "camera": ("id",), "opted_out_count": ("day",)}
"""By what a record is replaced by a later one of its kind. Not across roles: that somebody opted out is told even if it was taken back."""


class _Shape(msgspec.Struct, frozen=True, array_like=True):
    """Records with the same keys, in the same order."""

    names: Annotated[list[str], Meta(max_length=FIELDS_MAX)]
    rows: int


class _Head(msgspec.Struct, frozen=True, array_like=True):
    """Lists are bounded where they are read: a byte may stand for an object of sixty."""

    what: Annotated[bytes, Meta(max_length=RECORDS_MAX)]
    shapes: Annotated[list[_Shape], Meta(max_length=SHAPES_MAX)]
    ids: Annotated[int, Meta(ge=0)]
    values: Annotated[list[msgspec.Raw], Meta(max_length=RECORDS_MAX * FIELDS_MAX)]
    whole: Annotated[list[bytes], Meta(max_length=RECORDS_MAX)]
    plan: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()
_outer = msgspec.msgpack.Decoder(tuple[int, bytes, bytes, bytes, bytes])
_head = msgspec.msgpack.Decoder(_Head)


def without_replaced(payloads: Sequence[bytes]) -> list[bytes]:
    """The same batch with an empty placeholder for each record that a later one of the batch replaces: numbers keep no holes."""
    kept, seen = list(payloads), set()
    for index in reversed(range(len(kept))):
        record = _as_map(kept[index])
        kind = record.get("type") if record else None
        if record and isinstance(kind, str) and kind in REPLACED_BY:
            key = (kind, *(str(record.get(name)) for name in REPLACED_BY[kind]))
            if key in seen:
                kept[index] = b""
            seen.add(key)
    return kept


def packed(payloads: Sequence[bytes]) -> bytes:
    """Raises TooLarge for more records or bytes than a batch may have."""
    if len(payloads) > RECORDS_MAX or sum(map(len, payloads)) > PAYLOADS_BYTES_MAX:
        raise TooLarge(f"a batch of {len(payloads)} records and {sum(map(len, payloads))} bytes is more than a batch may have")
    what, whole = bytearray(), []
    shapes: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for payload in payloads:
        record = _as_map(payload) if payload else None
        names = tuple(record) if record else ()
        if not payload:
            what.append(PLACEHOLDER)
        elif record and (names in shapes or len(shapes) < SHAPES_MAX):
            shapes.setdefault(names, []).append(record)
            what.append(SHAPED + list(shapes).index(names))
        else:
            whole.append(payload)
            what.append(WHOLE)
    columns = ColumnWriter()
    for names, rows in shapes.items():
        for name in names:
            columns.put([row[name] for row in rows])
    head = _Head(
        bytes(what),
        [_Shape(list(names), len(rows)) for names, rows in shapes.items()],
        columns.put_ids(),
        [msgspec.Raw(value) for value in columns.values],
        whole,
        bytes(columns.writer.plan),
    )
    regular, few, chance = columns.writer.piles
    return _encoder.encode((FORMAT, compressed(_encoder.encode(head)), compressed(bytes(regular)), compressed(bytes(few)), bytes(chance)))


def unpacked(data: bytes) -> list[bytes]:
    """The payloads, none for no bytes. Raises Malformed, TooLarge."""
    if not data:
        return []
    try:
        format, head_bytes, *piles = _outer.decode(data)
        if format != FORMAT:
            raise Malformed(f"a batch is packed in format {format}; this end knows {FORMAT}")
        head = _head.decode(expanded(head_bytes, HEAD_BYTES_MAX))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Malformed("what came is no batch") from None
    regular, few, chance = piles
    reader = Reader(head.plan, [expanded(regular, PILE_BYTES_MAX), expanded(few, PILE_BYTES_MAX), chance])
    rows = [shape.rows for shape in head.shapes]
    counted = np.bincount(np.frombuffer(head.what, np.uint8), minlength=SHAPED + len(rows)).tolist()
    if counted[WHOLE:] != [len(head.whole), *rows]:
        raise Malformed("a batch does not hold as many records as it says")
    if any(len(raw) > RECORD_BYTES_MAX for raw in head.values):
        raise Malformed("a batch holds a value larger than a record may be")
    return _payloads(head, ColumnReader(reader, head.values))


def _payloads(head: _Head, columns: ColumnReader) -> list[bytes]:
    tables = [[columns.take(shape.rows) for _ in shape.names] for shape in head.shapes]
    ids = columns.take_ids(head.ids)
    whole = iter(head.whole)
    records = [zip(*(column if isinstance(column, list) else with_ids(column, ids) for column in table), strict=True) for table in tables]
    payloads, size = [], 0
    for what in head.what:
        if what == PLACEHOLDER:
            payload = b""
        elif what == WHOLE:
            payload = next(whole)
        else:
            shape = what - SHAPED
            payload = _encoder.encode(dict(zip(head.shapes[shape].names, next(records[shape]), strict=True)))
        size += len(payload)
        if len(payload) > RECORD_BYTES_MAX or size > PAYLOADS_BYTES_MAX:
            raise TooLarge("a batch unpacks to more than a batch may have")
        payloads.append(payload)
    if not columns.done():
        raise Malformed("a batch holds more than its records need")
    return payloads


def _as_map(payload: bytes) -> dict[str, object] | None:
    """A payload as a map of a few values, if it is one and nothing else: written again, it is the same bytes."""
    try:
        record = _decoder.decode(payload)
        if _encoder.encode(record) != payload:
            return None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(record, dict) or not 0 < len(record) <= FIELDS_MAX or not all(type(key) is str for key in record):
        return None
    return record
