"""The hub's half: where a batch stands, and which records are taken."""

from __future__ import annotations

import hashlib
import random

import msgspec
import pytest

from sync.errors import Malformed
from sync.judging import EARLIEST_MS, SetAside, judged, snapshot_fault, trimmed
from sync.keys import key_id, make
from sync.messages import CameraStatus, Header, PublicKeys, Push, Snapshot, Status
from sync.receiving import PAST_LINES_MAX, Known, Progress, Standing, clock_skew_ms, facts_after, judge, keys_after
from sync.records import (
    ApartRecord,
    CameraRecord,
    ClockJumped,
    OptedOutCount,
    PersonGone,
    PersonRecord,
    ReceiptRecord,
    Record,
    TemplateRecord,
    VisitGone,
    VisitRecord,
    encoded,
)

NOW_MS = 1_795_000_000_000
A, B = "01940000-0000-7000-8000-00000000000a", "01940000-0000-7000-8000-00000000000b"


def payload(number: int) -> bytes:
    return f"record {number}".encode()


def digest(number: int) -> bytes:
    return hashlib.sha256(payload(number)).digest()


def push(first: int, last: int, line: str = "one", abandoned: int = 0) -> tuple[Header, Push, list[bytes]]:
    header = Header(kind="push", tenant=A, appliance=B, line=line, first=first, last=last, seal_key="", sign_key="", made_ms=1)
    return header, Push(sent_ms=NOW_MS, abandoned_through=abandoned), [payload(n) for n in range(first, last + 1)]


AT_TEN = Progress("one", 10, digest(10))


@pytest.mark.parametrize(
    ("progress", "batch", "standing", "skip", "acknowledged", "resend", "applied"),
    [
        (AT_TEN, push(11, 20), Standing.NEXT, 0, 20, False, 20),
        (AT_TEN, push(6, 15), Standing.NEXT, 5, 15, False, 15),
        (AT_TEN, push(1, 10), Standing.REPEAT, 10, 10, False, 10),
        (AT_TEN, push(1, 4), Standing.REPEAT, 4, 4, False, 10),
        (AT_TEN, push(12, 20), Standing.GAP, 9, 10, True, 10),
        (AT_TEN, push(12, 20, abandoned=11), Standing.NEXT, 0, 20, False, 20),
        (AT_TEN, push(12, 20, abandoned=10), Standing.GAP, 9, 10, True, 10),
        (AT_TEN, push(11, 10), Standing.NOTHING, 0, 10, False, 10),
        (AT_TEN, push(13, 12), Standing.GAP, 0, 10, True, 10),
        (AT_TEN, push(8, 7), Standing.NOTHING, 0, 10, False, 10),
        (AT_TEN, push(500, 510, "two"), Standing.NEXT, 0, 510, False, 510),
        (AT_TEN, push(500, 499, "two"), Standing.NOTHING, 0, 0, False, 10),
        (Progress(), push(1, 3), Standing.NEXT, 0, 3, False, 3),
        (Progress(), push(1, 0), Standing.NOTHING, 0, 0, False, 0),
        (Progress("two", 3, past_lines=("one",)), push(1, 3), Standing.OLD_LINE, 3, 0, False, 3),
        (Progress("two", 3, past_lines=("one",)), push(9, 8), Standing.OLD_LINE, 0, 0, False, 3),
    ],
)
def test_where_a_batch_stands(
    progress: Progress,
    batch: tuple[Header, Push, list[bytes]],
    standing: Standing,
    skip: int,
    acknowledged: int,
    resend: bool,
    applied: int,
) -> None:
    verdict = judge(progress, *batch)
    assert (verdict.standing, verdict.skip, verdict.acknowledged, verdict.resend) == (standing, skip, acknowledged, resend)
    assert verdict.progress.applied == applied
    if standing is Standing.NEXT:
        assert verdict.first == batch[0].first + skip and verdict.progress.last_digest == digest(batch[0].last)
    else:
        assert verdict.progress == progress and len(batch[2]) == skip


def test_a_line_that_has_ended_never_comes_back() -> None:
    progress = AT_TEN
    for line in ("two", "three"):
        progress = judge(progress, *push(1, 2, line)).progress
    assert progress.past_lines == ("one", "two")
    assert judge(progress, *push(11, 12, "one")).standing is Standing.OLD_LINE
    for number in range(2 * PAST_LINES_MAX):
        progress = judge(progress, *push(1, 1, f"line-{number}")).progress
    assert len(progress.past_lines) == PAST_LINES_MAX and progress.past_lines[-1] == f"line-{2 * PAST_LINES_MAX - 2}"


def test_a_number_given_out_twice_is_found_by_the_last_record_that_was_applied() -> None:
    """The disk of the appliance was put back: its record 10 is another one."""
    header, said, payloads = push(8, 12)
    payloads[2] = b"another record 10"
    assert judge(AT_TEN, header, said, payloads).standing is Standing.OLD_LINE
    payloads[2] = b""
    assert judge(AT_TEN, header, said, payloads).standing is Standing.NEXT
    assert judge(Progress("one", 10), *push(8, 12)).standing is Standing.NEXT


@pytest.mark.parametrize(("first", "last", "count"), [(1, 3, 2), (1, 2, 3), (0, 0, 1), (5, 1, 0), (0, -1, 0)])
def test_a_header_that_counts_otherwise_is_refused(first: int, last: int, count: int) -> None:
    header, said, _ = push(first, last)
    with pytest.raises(Malformed, match=f"holds {count}"):
        judge(AT_TEN, header, said, [b"x"] * count)


def test_batches_in_any_order_and_any_number_of_times_are_applied_once_and_in_order() -> None:
    for seed in range(200):
        rng = random.Random(seed)
        progress, applied = Progress(), [payload(0)][:0]
        batches = [push(first, first + rng.randrange(1, 6)) for first in range(1, 40)]
        progress = judge(progress, *push(1, 1)).progress
        applied.append(payload(1))
        for _ in range(400):
            batch = rng.choice(batches)
            verdict = judge(progress, *batch)
            applied += batch[2][verdict.skip :]
            progress = verdict.progress
            assert applied == [payload(n) for n in range(1, progress.applied + 1)], f"seed {seed}"
            assert verdict.acknowledged <= progress.applied


OLD, NEW, OTHER = (PublicKeys(seal=own.public.seal, sign=own.public.sign) for own in (make(), make(), make()))


@pytest.mark.parametrize(
    ("known", "signed_by", "offered", "then", "taken"),
    [
        (Known(OLD), OLD, None, Known(OLD), False),
        (Known(OLD), OLD, NEW, Known(NEW, OLD.sign), True),
        (Known(NEW, OLD.sign), OLD, NEW, Known(NEW, OLD.sign), True),
        (Known(NEW, OLD.sign), OLD, None, Known(NEW, OLD.sign), False),
        (Known(NEW, OLD.sign), NEW, None, Known(NEW), False),
        (Known(NEW, OLD.sign), OLD, OTHER, Known(NEW, OLD.sign), False),
        (Known(NEW, OLD.sign), NEW, OTHER, Known(OTHER, NEW.sign), True),
    ],
)
def test_only_the_newest_key_names_its_successor(
    known: Known, signed_by: PublicKeys, offered: PublicKeys | None, then: Known, taken: bool
) -> None:
    header = msgspec.structs.replace(push(1, 0)[0], sign_key=key_id(signed_by.sign))
    assert keys_after(known, header, Push(sent_ms=1, next_keys=offered)) == (then, taken)
    assert then.newest.sign in then.senders


def test_an_appliance_that_knows_more_facts_than_there_are_gets_all_anew() -> None:
    assert [facts_after(cursor, 10) for cursor in (0, 9, 10, 11, -1)] == [0, 9, 10, 0, 0]


def test_the_skew_of_a_clock_is_how_far_it_is_ahead() -> None:
    assert clock_skew_ms(Push(sent_ms=NOW_MS + 5_000), NOW_MS) == 5_000


VISIT = VisitRecord(
    id=A, person_id=B, verdict="new", settled=True, first_seen_ms=NOW_MS - 9, last_seen_ms=NOW_MS, cameras=[A], similarity=0.5, bar=0.4
)
PERSON = PersonRecord(id=A, number=1, role="customer", name="Bob", first_seen_ms=NOW_MS, guest_of=B)
TEMPLATE = TemplateRecord(id=A, person_id=B, model="m", embedding=b"\x00\x3c" + bytes(254), quality=0.9, origin="visit", created_ms=NOW_MS)
GOOD: list[Record] = [
    VISIT,
    msgspec.structs.replace(VISIT, person_id="", similarity=None, bar=None, cameras=[]),
    VisitGone(id=A),
    PERSON,
    PersonGone(id=A, merged_into=B, erased=True),
    TEMPLATE,
    CameraRecord(id=A, name="Entrance", kind="rtsp", enabled=True),
    OptedOutCount(day="2026-11-24", visits=3),
    ApartRecord(person_a=A, person_b=B),
    ReceiptRecord(erasure_id=A, done_ms=NOW_MS),
    ClockJumped(at_ms=0, by_ms=-(1 << 40)),
]


@pytest.mark.parametrize("record", GOOD)
def test_a_record_in_bounds_is_taken(record: Record) -> None:
    assert judged(encoded(record), NOW_MS) == record


BAD: list[tuple[Record, dict[str, object], str]] = [
    (VISIT, {"id": A.upper()}, "id is no id"),
    (VISIT, {"id": "0194"}, "id is no id"),
    (VISIT, {"person_id": "{" + B + "}"}, "person_id is no id"),
    (VISIT, {"first_seen_ms": EARLIEST_MS - 1}, "first_seen_ms is before 2020"),
    (VISIT, {"last_seen_ms": NOW_MS * 1000}, "last_seen_ms is before 2020 or more than a year ahead"),
    (VISIT, {"first_seen_ms": NOW_MS + 1}, "last_seen_ms is before first_seen_ms"),
    (VISIT, {"visit_number": 1 << 31}, "visit_number is out of bounds"),
    (VISIT, {"visit_number": -1}, "visit_number is out of bounds"),
    (VISIT, {"cameras": [A, "door"]}, "cameras is no list of ids"),
    (VISIT, {"cameras": [A] * 65}, "cameras is no list of ids"),
    (VISIT, {"reason": "near\x00enough"}, "reason is too long or holds a NUL"),
    (VISIT, {"verdict": "x" * 65}, "verdict is too long"),
    (VISIT, {"similarity": float("nan")}, "similarity is out of bounds"),
    (VISIT, {"bar": float("inf")}, "bar is out of bounds"),
    (PERSON, {"role": "king"}, "role is none that is known"),
    (PERSON, {"name": "Bob" * 200}, "name is too long"),
    (PERSON, {"number": -3}, "number is out of bounds"),
    (PersonGone(id=A), {"merged_into": A}, "merged_into is the person itself"),
    (TEMPLATE, {"person_id": ""}, "person_id is no id"),
    (TEMPLATE, {"quality": 3.5}, "quality is out of bounds"),
    (OptedOutCount(day="2026-11-24", visits=3), {"day": "2026-11-31"}, "day is no date"),
    (OptedOutCount(day="2026-11-24", visits=3), {"day": "20261124"}, "day is no date"),
    (ApartRecord(person_a=A, person_b=B), {"person_a": B, "person_b": A}, "person_a is not before person_b"),
    (ClockJumped(at_ms=0, by_ms=0), {"by_ms": 1 << 60}, "out of bounds"),
]


@pytest.mark.parametrize(("record", "change", "reason"), BAD)
def test_a_record_out_of_bounds_is_set_aside_with_the_field_and_without_its_content(
    record: Record, change: dict[str, object], reason: str
) -> None:
    aside = judged(encoded(msgspec.structs.replace(record, **change)), NOW_MS)
    assert isinstance(aside, SetAside)
    assert reason in aside.reason and aside.kind == record.__struct_config__.tag
    assert "Bob" not in aside.reason and A not in aside.reason.lower()


@pytest.mark.parametrize(
    ("rubbish", "kind"),
    [
        (b"\xc1", "unreadable"),
        (msgspec.msgpack.encode({"type": "of_tomorrow", "id": A}), "of_tomorrow"),
        (msgspec.msgpack.encode({"type": "visit"}), "visit"),
        (msgspec.msgpack.encode({"type": "x" * 33}), "unreadable"),
        (msgspec.msgpack.encode({"type": "a\x00b"}), "unreadable"),
        (msgspec.msgpack.encode({"type": 3}), "unreadable"),
        (bytes(70_000), "unreadable"),
    ],
)
def test_rubbish_is_set_aside_under_the_kind_it_claims(rubbish: bytes, kind: str) -> None:
    aside = judged(rubbish, NOW_MS)
    assert isinstance(aside, SetAside) and aside.kind == kind and aside.reason


def test_a_placeholder_is_no_record() -> None:
    assert judged(b"", NOW_MS) is None


def test_a_picture_is_taken_in_bounds_alone() -> None:
    picture = Snapshot(visit_id=A, taken_ms=NOW_MS, jpeg=b"\xff\xd8\xff\xe0", sent_ms=NOW_MS)
    assert snapshot_fault(picture, NOW_MS) == ""
    for change in ({"visit_id": "x"}, {"taken_ms": 0}, {"jpeg": b"GIF89a"}, {"jpeg": b"\xff\xd8\xff" + bytes(1 << 20)}):
        assert snapshot_fault(msgspec.structs.replace(picture, **change), NOW_MS)


def test_how_an_appliance_does_is_cut_to_fit_and_never_refused() -> None:
    camera = CameraStatus(id=A, state="s\x00", words="w" * 999, analysed_fps=float("nan"), restarts=-1)
    status = trimmed(Status(version="v" * 999, waiting=-5, outbox_share=float("inf"), cameras=[camera] * 99, trouble="\x00"))
    assert (len(status.version), status.waiting, status.outbox_share, len(status.cameras), status.trouble) == (300, 0, 0.0, 64, "")
    shown = status.cameras[0]
    assert (shown.state, len(shown.words), shown.analysed_fps, shown.restarts) == ("s", 300, 0.0, 0)
    assert trimmed(Status(cameras=[CameraStatus(id="door", state="ok")])).cameras == []
