"""Records as bytes: what comes back, what is refused, and that a newer appliance's fields do not hurt."""

from __future__ import annotations

import contextlib

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.records import (
    EMBEDDING_MAX,
    KINDS,
    RECORD_BYTES_MAX,
    CameraRecord,
    PersonRecord,
    RecordError,
    TemplateRecord,
    VisitGone,
    VisitRecord,
    decoded,
    encoded,
    halved,
    kind_of,
    whole,
)

VISIT = VisitRecord(
    id="0193", person_id="0192", verdict="returning", settled=True, first_seen_ms=1, last_seen_ms=2, cameras=["c"], similarity=0.61
)


def unit(size: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    vector = np.random.default_rng(7).standard_normal(size).astype(np.float32)
    return vector / np.linalg.norm(vector)


def test_every_record_comes_back_as_it_was() -> None:
    template = TemplateRecord(id="1", person_id="2", model="m", embedding=halved(unit(512)), quality=0.8, origin="visit", created_ms=3)
    alice = PersonRecord(id="1", number=7, role="staff", name="Alice")
    for record in (VISIT, template, VisitGone(id="1"), alice, CameraRecord(id="1", name="E", kind="usb", enabled=True)):
        assert decoded(encoded(record)) == record
        assert kind_of(record) in KINDS


def test_the_bytes_of_a_record_do_not_change_between_versions() -> None:
    assert encoded(VisitGone(id="0193")).hex() == "82a474797065aa76697369745f676f6e65a26964a430313933"


def test_fields_of_a_newer_version_are_ignored() -> None:
    assert decoded(msgspec.msgpack.encode({"type": "visit_gone", "id": "1", "later": [1]})) == VisitGone(id="1")


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"\xc1",
        b"\x81" * 5_000,
        b"\x91" * 60_000,
        msgspec.msgpack.encode({"type": "unheard_of", "id": "1"}),
        msgspec.msgpack.encode({"type": "visit_gone"}),
        msgspec.msgpack.encode({"type": "visit_gone", "id": 3}),
        encoded(VISIT)[:-1],
        encoded(VISIT) + b"\x00",
        bytes(RECORD_BYTES_MAX + 1),
        msgspec.msgpack.encode(
            TemplateRecord(id="1", person_id="2", model="m", embedding=bytes(1024), quality=1, origin="visit", created_ms=3)
        ),
    ],
)
def test_rubbish_is_no_record(rubbish: bytes) -> None:
    with pytest.raises(RecordError):
        decoded(rubbish)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_do_more_than_be_refused(rubbish: bytes) -> None:
    with contextlib.suppress(RecordError):
        decoded(rubbish)


def test_an_error_does_not_quote_a_name() -> None:
    with pytest.raises(RecordError) as caught:
        decoded(msgspec.msgpack.encode({"type": "person", "id": "1", "number": "Bob Nguyen", "role": "customer"}))
    assert "Bob" not in str(caught.value)


def test_a_record_too_large_is_refused_where_it_is_made() -> None:
    with pytest.raises(RecordError, match="kind person has"):
        encoded(PersonRecord(id="1", number=1, role="customer", name="x" * RECORD_BYTES_MAX))


@pytest.mark.parametrize("size", [128, 512, EMBEDDING_MAX])
def test_an_embedding_crosses_at_half_size_almost_unchanged(size: int) -> None:
    vector = unit(size)
    back = whole(halved(vector))
    assert len(halved(vector)) == 2 * size
    assert float(back @ vector) > 0.9999 and abs(float(np.linalg.norm(back)) - 1) < 1e-6


@pytest.mark.parametrize(
    "bad", [np.zeros(512), np.full(512, np.nan), np.ones(512), np.zeros((2, 4)), np.zeros(0), np.ones(EMBEDDING_MAX + 1)]
)
def test_what_is_no_unit_vector_is_not_sent(bad: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    with pytest.raises(RecordError):
        halved(bad.astype(np.float32))


@pytest.mark.parametrize("bad", [b"", b"\x00", bytes(1024), b"\x00\x7c" * 512, b"\x00\x7e" * 512, bytes(2 * EMBEDDING_MAX + 2)])
def test_bytes_that_are_no_unit_vector_are_refused(bad: bytes) -> None:
    with pytest.raises(RecordError):
        whole(bad)
