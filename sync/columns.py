"""Columns of a batch: values of one field, all of one sort, as numbers. `sync.planes` makes bytes of them, `sync.packing` records.

An id is written once, as its 16 bytes, and named by its place in the table of ids everywhere else; so is any other value that is no number.
"""

from __future__ import annotations

import uuid

import msgspec
import numpy as np

from sync.errors import Malformed
from sync.ids import is_id
from sync.planes import Ints, Reader, Writer
from sync.records import RECORD_BYTES_MAX

IDS, INTS, FLOATS, BYTES, VALUES, OPTIONAL = range(6)
"""Sorts of columns. BYTES: all of one even length, halves of two bytes each. OPTIONAL: some are None, the others of one sort."""
NONE = ""
"""Stands in a column of ids where there is none."""
ID_BYTES = 16
INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1

_encoder = msgspec.msgpack.Encoder()


class ColumnWriter:
    """Takes columns, gives plan and piles (`writer`) and the table of values that are neither numbers nor ids."""

    def __init__(self) -> None:
        self.writer = Writer()
        self.values: dict[bytes, int] = {}
        self.ids: dict[str, int] = {NONE: 0}

    def put(self, column: list[object]) -> None:
        sort = _sort(column)
        self.writer.plan.append(sort)
        if sort == OPTIONAL:
            self.writer.planes(np.array([value is not None for value in column], np.uint8).reshape(-1, 1))
            self.put([value for value in column if value is not None])
        elif sort == IDS:
            self.writer.ints(_named(self.ids, column))
        elif sort == INTS:
            self.writer.ints(np.array(column, np.int64))
        elif sort == FLOATS:
            self.writer.planes(np.array(column, "<f8").view(np.uint8).reshape(len(column), 8))
        elif sort == BYTES:
            joined = b"".join(column)  # type: ignore[arg-type]
            self.writer.plan += (len(joined) // len(column)).to_bytes(2, "big")
            self.writer.planes(np.frombuffer(joined, np.uint8).reshape(-1, 2))
        else:
            self.writer.ints(_named(self.values, [_encoder.encode(value) for value in column]))

    def put_ids(self) -> int:
        """The table of ids, behind all columns and only if there are any; how many."""
        texts = list(self.ids)[1:]
        if not texts:
            return 0
        joined = b"".join(uuid.UUID(text).bytes for text in texts)
        self.writer.planes(np.frombuffer(joined, np.uint8).reshape(-1, ID_BYTES))
        return len(texts)


class ColumnReader:
    """Gives the columns back in the order in which they were put. Raises Malformed."""

    def __init__(self, reader: Reader, values: list[msgspec.Raw]) -> None:
        # Values go into a record as the bytes they are: nothing is built of them, however deep they claim to be.
        self._reader, self._values = reader, values

    def take(self, rows: int) -> list[object] | Ints:
        """A column; one of ids as their places in the table, which comes last (see `with_ids`)."""
        sort = self._reader.byte()
        if sort == OPTIONAL:
            return self._optional(rows)
        return self._plain(sort, rows)

    def _plain(self, sort: int, rows: int) -> list[object] | Ints:
        if sort == IDS:
            return self._reader.ints(rows)
        if sort == INTS:
            return list(self._reader.ints(rows).tolist())
        if sort == FLOATS:
            return list(self._reader.planes(rows, 8).view("<f8").reshape(rows).tolist())
        if sort == BYTES:
            size = self._reader.byte() << 8 | self._reader.byte()
            if size == 0 or size % 2:
                raise Malformed("a batch holds bytes of a length that cannot be")
            joined = self._reader.planes(rows * size // 2, 2).tobytes()
            return [joined[start : start + size] for start in range(0, rows * size, size)]
        if sort == VALUES:
            places = self._reader.ints(rows)
            if rows and not (places.min() >= 0 and places.max() < len(self._values)):
                raise Malformed("a batch names a value that is not there")
            return [self._values[place] for place in places.tolist()]
        raise Malformed("a batch holds a sort of column that is not known here")

    def _optional(self, rows: int) -> list[object]:
        there = self._reader.planes(rows, 1).reshape(rows) != 0
        inner = self._plain(self._reader.byte(), int(there.sum()))
        if not isinstance(inner, list):
            raise Malformed("a batch holds ids among nothing")
        column: list[object] = [None] * rows
        for row, value in zip(np.flatnonzero(there).tolist(), inner, strict=True):
            column[row] = value
        return column

    def take_ids(self, count: int) -> list[str]:
        """The table of ids."""
        if not count:
            return [NONE]
        joined = self._reader.planes(count, ID_BYTES).tobytes()
        return [NONE, *(str(uuid.UUID(bytes=joined[start : start + ID_BYTES])) for start in range(0, len(joined), ID_BYTES))]

    def done(self) -> bool:
        return self._reader.done()


def with_ids(places: Ints, ids: list[str]) -> list[object]:
    if len(places) and not (places.min() >= 0 and places.max() < len(ids)):
        raise Malformed("a batch names an id that is not there")
    return [ids[place] for place in places.tolist()]


def _sort(column: list[object]) -> int:
    """The sort of a column that is not empty."""
    sorts = set(map(type, column))
    if sorts == {str}:
        return IDS if all(value == NONE or is_id(value) for value in column) and any(column) else VALUES  # type: ignore[arg-type]
    if sorts == {int}:
        return INTS if all(INT_MIN <= value <= INT_MAX for value in column) else VALUES  # type: ignore[operator]
    if sorts == {float}:
        return FLOATS
    if sorts == {bytes}:
        sizes = set(map(len, column))  # type: ignore[arg-type]
        return BYTES if len(sizes) == 1 and 0 < (size := sizes.pop()) <= RECORD_BYTES_MAX - 2 and size % 2 == 0 else VALUES
    if len(sorts) == 2 and type(None) in sorts and sorts & {int, float}:
        return OPTIONAL
    return VALUES


def _named(table: dict, column: list) -> Ints:  # type: ignore[type-arg]
    """Each value's place in a table, which grows by those that are new."""
    return np.array([table.setdefault(value, len(table)) for value in column], np.int64)
