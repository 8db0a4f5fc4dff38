"""Batches as few bytes: exact both ways, small enough for a shop's line, and rubbish refused within bounds."""

from __future__ import annotations

import contextlib
import struct

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sync.compressing import compressed, expanded
from sync.envelope import sealed_message
from sync.errors import Malformed, SyncError, TooLarge
from sync.keys import make
from sync.messages import RECORDS_MAX, Push
from sync.packing import PAYLOADS_BYTES_MAX, packed, unpacked, without_replaced
from sync.planes import Reader, Writer
from sync.records import PersonGone, PersonRecord, Record, RecordError, VisitGone, VisitRecord, decoded, encoded
from tests.sync.store_day import visits

encode = msgspec.msgpack.encode
ID = "01940000-0000-7000-8000-00000000000a"

plain = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=6)
    | st.uuids().map(str)
    | st.sampled_from([ID, ID.upper(), ID.replace("-", ""), ""])
)
column = st.sampled_from(
    [st.integers(-(1 << 63), (1 << 63) - 1), st.floats(), st.uuids().map(str), st.binary(min_size=4, max_size=4), plain]
)
rows = st.lists(st.dictionaries(st.sampled_from("abcd"), plain | st.lists(plain, max_size=3), max_size=4), max_size=30).map(
    lambda maps: [encode(row) for row in maps]
)
like_ones = column.flatmap(lambda sort: st.lists(st.none() | sort, max_size=40)).map(
    lambda values: [encode({"type": "x", "a": v}) for v in values]
)


@given(rows | like_ones | st.lists(st.binary(max_size=40), max_size=20))
@example([encode({"a": float("nan")}), encode({"a": -0.0})])
@example([b"\xca\x3f\x80\x00\x00", b"\x81\xa1a\xca\x3f\x80\x00\x00", b"\x82\xa1a\x01\xa1a\x02", b"\x80", b""])
@settings(max_examples=300, deadline=None)
def test_whatever_is_packed_comes_back_byte_for_byte(payloads: list[bytes]) -> None:
    assert unpacked(packed(payloads)) == payloads


@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=1, max_size=50), st.data())
def test_integers_of_any_size_come_back_beside_one_another(values: list[int], data: st.DataObject) -> None:
    beside = data.draw(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=len(values), max_size=len(values)))
    writer = Writer()
    for numbers in (values, beside, values):
        writer.ints(np.array(numbers, np.int64))
    reader = Reader(bytes(writer.plan), [bytes(pile) for pile in writer.piles])
    assert [reader.ints(len(values)).tolist() for _ in range(3)] == [values, beside, values]
    assert reader.done()


def test_a_store_day_comes_back_and_no_kind_has_to_be_known_for_it() -> None:
    payloads = [encoded(record) for record in visits(60, 128)]
    payloads += [encode({"type": "of_tomorrow", "id": ID, "level": n, "noted": [n, None]}) for n in range(9)]
    assert unpacked(packed(payloads)) == payloads


@pytest.mark.parametrize(("dimensions", "ratio_max"), [(128, 1.3), (512, 1.0)])
def test_a_batch_of_visits_crosses_the_line_in_little_more_than_its_embeddings(dimensions: int, ratio_max: float) -> None:
    count = 200
    payloads = without_replaced([encoded(record) for record in visits(count, dimensions)])
    where = {"tenant": ID, "appliance": ID, "line": ID}
    push = Push(records=packed(payloads), sent_ms=1)
    message = sealed_message(push, **where, first=1, last=len(payloads), made_ms=1, answers=b"", to=make().public, own=make())
    assert len(message) / count / (2 * dimensions) < ratio_max


def visit(visit_id: str, last_ms: int) -> VisitRecord:
    return VisitRecord(id=visit_id, verdict="new", settled=False, first_seen_ms=1, last_seen_ms=last_ms)


def test_a_record_that_a_later_one_replaces_travels_as_a_placeholder() -> None:
    told: list[Record] = [visit("a", 1), visit("b", 1), VisitGone(id="b"), visit("a", 2), visit("b", 3)]
    kept = without_replaced([encoded(record) for record in told])
    assert [decoded(payload) if payload else None for payload in kept] == [None, None, VisitGone(id="b"), visit("a", 2), visit("b", 3)]
    assert unpacked(packed(kept)) == kept


def test_nothing_is_replaced_that_says_more_than_the_newest_state() -> None:
    told: list[Record] = [
        PersonRecord(id="a", number=1, role="customer"),
        PersonRecord(id="a", number=1, role="opted_out"),
        PersonGone(id="a", erased=True),
        PersonGone(id="a"),
        PersonRecord(id="a", number=1, role="customer", name="Bob"),
    ]
    kept = without_replaced([encoded(record) for record in told])
    assert [bool(payload) for payload in kept] == [False, True, True, True, True]
    assert without_replaced([b"\xc1", b"\xc1", b"", encode({"type": 1}), encode({"type": 1})])[:2] == [b"\xc1", b"\xc1"]


def test_no_records_are_no_bytes() -> None:
    assert unpacked(b"") == [] and unpacked(packed([])) == []


@given(st.binary(max_size=200))
def test_no_bytes_at_all_do_more_than_be_refused(rubbish: bytes) -> None:
    with contextlib.suppress(Malformed, TooLarge):
        unpacked(rubbish)
    with contextlib.suppress(Malformed, TooLarge):
        unpacked(encode((1, compressed(rubbish), compressed(b""), compressed(b""), rubbish)))


BATCH = packed([encoded(record) for record in visits(6, 8)])
HEAD, *PILES = msgspec.msgpack.decode(BATCH)[1:]
HEAD_BYTES = expanded(HEAD, 1 << 20)


@given(st.integers(0, len(HEAD_BYTES) - 1), st.integers(0, 255))
@settings(max_examples=400, deadline=None)
def test_a_head_with_any_byte_changed_is_refused_or_gives_records_within_bounds(place: int, byte: int) -> None:
    changed = HEAD_BYTES[:place] + bytes([byte]) + HEAD_BYTES[place + 1 :]
    with contextlib.suppress(Malformed, TooLarge):
        assert sum(map(len, unpacked(encode((1, compressed(changed), *PILES))))) <= PAYLOADS_BYTES_MAX


@given(st.integers(0, 2), st.integers(-8, 8).filter(bool))
@settings(deadline=None)
def test_a_batch_with_too_little_or_too_much_in_it_is_refused(pile: int, bytes_more: int) -> None:
    piles = [bytearray(expanded(PILES[0], 1 << 20)), bytearray(expanded(PILES[1], 1 << 20)), bytearray(PILES[2])]
    if bytes_more > 0:
        piles[pile] += bytes(bytes_more)
    elif len(piles[pile]) < -bytes_more:
        return
    else:
        del piles[pile][bytes_more:]
    with pytest.raises(Malformed):
        unpacked(encode((1, HEAD, compressed(bytes(piles[0])), compressed(bytes(piles[1])), bytes(piles[2]))))


def head(what: bytes, shapes: list[object], ids: int, values: list[object], whole: list[bytes], plan: bytes) -> bytes:
    empty = compressed(b"")
    return encode((1, compressed(encode([what, shapes, ids, values, whole, plan])), empty, empty, b""))


@pytest.mark.parametrize(
    "bad",
    [
        encode((2, b"", b"", b"", b"")),
        head(b"\x01", [], 0, [], [], b""),
        head(b"", [], 0, [], [b"x"], b""),
        head(b"\x02", [], 0, [], [], b""),
        head(b"\x02", [(["a"], 2)], 0, [], [], b""),
        head(b"\x02", [(["a"], 1)], 0, [], [], b""),
        head(b"\x02", [(["a"], 1)], 0, [], [], b"\x09"),
        head(b"\x02", [(["a"], -1)], 0, [], [], b"\x01"),
        head(b"\x02", [(["a"], 1)], 0, [], [], b"\x05" * 5_000),
        head(b"\x02", [(["a"], 1)], 0, [], [], b"\x03\x00\x00"),
        head(b"\x02", [(["a"], 1)], 0, [], [], b"\x03\x00\x01"),
        head(b"\x02", [([], 1)], -1, [], [], b""),
        head(b"", [], 1 << 40, [], [], b""),
        head(bytes(RECORDS_MAX + 1), [], 0, [], [], b""),
        head(b"\x02", [(["a"] * 65, 1)], 0, [], [], b""),
        head(b"\x00", [([], 0)] * 65, 0, [], [], b""),
        head(b"\x00", [], 0, [bytes(1 << 17)], [], b""),
        head(b"\x00", [], 0, [None] * (1 + 64 * RECORDS_MAX), [], b""),
        head(b"\x00", [], 0, [msgspec.Raw(b"\x91" * 5_000 + b"\xc0")], [], b""),
    ],
)
def test_a_head_that_cannot_be_is_refused(bad: bytes) -> None:
    with pytest.raises(Malformed):
        unpacked(bad)


def test_a_few_bytes_do_not_become_many() -> None:
    """Two thousand records that all name one value of 60 KB would be 120 MB."""
    writer = Writer()
    writer.plan.append(4)
    writer.ints(np.zeros(RECORDS_MAX, np.int64))
    piles = [bytes(pile) for pile in writer.piles]
    said = [b"\x02" * RECORDS_MAX, [(["a"], RECORDS_MAX)], 0, ["x" * 60_000], [], bytes(writer.plan)]
    bomb = encode((1, compressed(encode(said)), compressed(piles[0]), compressed(piles[1]), piles[2]))
    assert len(bomb) < 1_000
    with pytest.raises(TooLarge):
        unpacked(bomb)


def test_a_value_that_claims_to_be_deep_is_passed_on_unread() -> None:
    deep = msgspec.msgpack.encode({"a": msgspec.Raw(b"\x91" * 60_000 + b"\xc0")})
    assert unpacked(packed([deep, deep])) == [deep, deep]
    with pytest.raises(RecordError):
        decoded(deep)


def test_more_than_a_batch_may_have_is_not_packed() -> None:
    for payloads in ([b"x"] * (RECORDS_MAX + 1), [bytes(PAYLOADS_BYTES_MAX + 1)]):
        with pytest.raises(TooLarge):
            packed(payloads)


def test_numbers_take_as_many_bytes_as_they_say_something() -> None:
    """A day of times, in order, a second apart: next to nothing. Pure chance: what it is."""
    regular = packed([encode({"at_ms": 1_795_000_000_000 + 1_000 * n}) for n in range(1_000)])
    chance = packed(
        [encode({"a": struct.unpack("<d", struct.pack("<Q", 0x3FE << 52 | hash(n) * 2654435761 % (1 << 52)))[0]}) for n in range(1_000)]
    )
    assert len(regular) < 200 and len(chance) < 9_000


def test_every_refusal_is_one_of_ours() -> None:
    with pytest.raises(SyncError):
        unpacked(BATCH[:-1])
