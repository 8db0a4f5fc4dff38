"""Pairing by a code that a person carries: what is typed, what is proven, what somebody in the middle can do."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import keys, pairing
from sync.crockford import ALPHABET
from sync.envelope import digest
from sync.errors import BadCode, BadSignature, Malformed, Refused, SyncError, TooLarge, WrongKey
from sync.messages import PairAnswer, PairRequest, PublicKeys

CODE = pairing.parse_code("7K2M-QX4D-09WV")
KEY = pairing.proof_key(CODE)
ID = "01940000-0000-7000-8000-00000000000a"
HUB, STORE, MIDDLE = (keys.from_stored(b"\x01" + bytes([n]) * 64) for n in (2, 3, 4))


def request(own: PublicKeys = STORE.public, name: str = "Store A", code_id: str = CODE.code_id) -> PairRequest:
    return PairRequest(code_id=code_id, keys=own, name=name, time_zone="UTC", version="0.1.0", sent_ms=1, nonce=bytes(16))


def answer(own: PublicKeys = HUB.public, site_id: str = ID) -> PairAnswer:
    names = {"tenant_name": "Chain", "site_name": "Store A"}
    return PairAnswer(tenant_id=ID, site_id=site_id, appliance_id=ID, **names, keys=own, now_ms=1, nonce=bytes(16))


def test_both_ends_learn_each_others_keys() -> None:
    asked = pairing.request_message(request(), KEY)
    read = pairing.read_request(asked)
    pairing.check_request(read, KEY)
    assert read.request == request()
    assert pairing.read_answer(pairing.answer_message(answer(), read.digest, KEY), digest(asked), KEY) == answer()


def test_somebody_in_the_middle_cannot_put_his_keys_in_place_of_either() -> None:
    guessed = pairing.proof_key(pairing.parse_code("7K2M-0000-0000"))
    with pytest.raises(BadSignature, match="not made with this code"):
        pairing.check_request(pairing.read_request(pairing.request_message(request(MIDDLE.public), guessed)), KEY)
    asked = pairing.request_message(request(), KEY)
    with pytest.raises(BadSignature, match="does not know the code"):
        pairing.read_answer(pairing.answer_message(answer(MIDDLE.public), digest(asked), guessed), digest(asked), KEY)


def test_a_proof_of_a_request_is_none_of_an_answer() -> None:
    asked = pairing.request_message(request(), KEY)
    with pytest.raises(BadSignature):
        pairing.read_answer(asked, digest(asked), KEY)


def test_an_answer_to_another_request_is_refused() -> None:
    first, second = pairing.request_message(request(), KEY), pairing.request_message(request(name="Store B"), KEY)
    with pytest.raises(BadSignature):
        pairing.read_answer(pairing.answer_message(answer(), digest(first), KEY), digest(second), KEY)


@pytest.mark.parametrize("why", pairing.NotPaired)
def test_the_hubs_reason_is_told_in_words_of_our_own(why: pairing.NotPaired) -> None:
    with pytest.raises(Refused) as refused:
        pairing.read_answer(pairing.not_paired_message(why), digest(b""), KEY)
    assert str(refused.value) == pairing.WORDS[why]


def test_what_is_no_hub_at_all_is_told_as_that() -> None:
    for said in (b"<!doctype html>", b"", b"\x91\xa7invalid", b"{}"):
        with pytest.raises(Malformed, match="check the address"):
            pairing.read_answer(said, digest(b""), KEY)
    with pytest.raises(TooLarge):
        pairing.read_answer(bytes(9_000), digest(b""), KEY)


@pytest.mark.parametrize(
    "bad",
    [request(name="x" * 101), request(code_id="7K2"), request(code_id="7k2m"), request(code_id=""), request(code_id="7K2-M")],
)
def test_a_request_with_values_that_cannot_be_is_refused_before_it_is_looked_up(bad: PairRequest) -> None:
    with pytest.raises(Malformed):
        pairing.read_request(pairing.request_message(bad, KEY))


def test_keys_that_are_none_are_refused_on_both_ends() -> None:
    none = PublicKeys(seal=b"", sign=STORE.public.sign)
    with pytest.raises(WrongKey):
        pairing.read_request(pairing.request_message(request(none), KEY))
    with pytest.raises(WrongKey):
        pairing.read_answer(pairing.answer_message(answer(none), digest(b""), KEY), digest(b""), KEY)
    with pytest.raises(Malformed, match="ids that are none"):
        pairing.read_answer(pairing.answer_message(answer(site_id="site"), digest(b""), KEY), digest(b""), KEY)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_do_more_than_be_refused(rubbish: bytes) -> None:
    with contextlib.suppress(SyncError):
        pairing.read_request(rubbish)
    with pytest.raises(SyncError):
        pairing.read_answer(rubbish, digest(b""), KEY)


def test_codes_are_twelve_signs_and_never_the_same() -> None:
    codes = [pairing.make_code() for _ in range(50)]
    assert len({code.secret for code in codes}) == 50
    assert all(set(code.shown.replace("-", "")) <= set(ALPHABET) and len(code.shown) == 14 for code in codes)
    assert all(pairing.parse_code(code.shown) == code for code in codes)


@pytest.mark.parametrize("typed", ["7K2M-QX4D-09WV", "7k2mqx4d09wv", " 7K2M QX4D o9WV ", "7K2M-QX4D-O9WV"])
def test_a_code_may_be_typed_as_people_type(typed: str) -> None:
    assert pairing.parse_code(typed) == CODE
    assert pairing.proof_key(pairing.parse_code(typed)) == KEY


@pytest.mark.parametrize("typed", ["", "8K2M-QX4D-09W", "7K2M-QX4D-09WVV", "7K2M-QX4D-09WU", "7K2M-QX4D-09W!", "٧K2M-QX4D-09WV", "ß" * 6])
def test_a_code_that_cannot_be_is_refused_and_not_repeated(typed: str) -> None:
    with pytest.raises(BadCode) as refused:
        pairing.parse_code(typed)
    assert not typed or typed not in str(refused.value)


def test_the_secret_half_is_not_shown_where_it_could_be_logged() -> None:
    assert "QX4D" not in repr(CODE) and "QX4D" not in repr(pairing.parse_target(f"{CODE.shown}@hub.example.com"))


@pytest.mark.parametrize(
    ("typed", "url", "plain"),
    [
        ("hub.example.com", "https://hub.example.com", False),
        ("https://hub.example.com:8443/", "https://hub.example.com:8443", False),
        ("hub.example.com:8443/regulars/", "https://hub.example.com:8443/regulars", False),
        ("http://localhost:8000", "http://localhost:8000", True),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", True),
        ("http://192.168.1.20:8000", "http://192.168.1.20:8000", True),
        ("http://hub.local", "http://hub.local", True),
        ("http://[::1]:8000", "http://[::1]:8000", True),
        ("https://[2001:db8::1]", "https://[2001:db8::1]", False),
    ],
)
def test_an_address_is_https_unless_it_is_near(typed: str, url: str, plain: bool) -> None:
    target = pairing.parse_target(f"{CODE.shown}@{typed}")
    assert (target.url, target.plain, target.code) == (url, plain, CODE)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("7K2M-QX4D-09WV", "Say CODE@URL"),
        ("7K2M-QX4D-09WV@", "no address"),
        ("7K2M-QX4D-09WV@ftp://hub", "no address"),
        ("7K2M-QX4D-09WV@https://bob:secret@hub", "no address"),
        ("7K2M-QX4D-09WV@https://hub:port", "no address"),
        ("7K2M-QX4D-09WV@https://hub/?a=b", "no address"),
        ("7K2M-QX4D-09WV@https://[::1", "no address"),
        ("7K2M-QX4D-09WV@http://hub.example.com", "begin with https"),
        ("7K2M-QX4D-09WV@http://8.8.8.8", "begin with https"),
        ("7K2M@hub", "twelve letters"),
    ],
)
def test_an_address_that_cannot_be_a_hubs_is_refused(typed: str, words: str) -> None:
    with pytest.raises(BadCode, match=words):
        pairing.parse_target(typed)
