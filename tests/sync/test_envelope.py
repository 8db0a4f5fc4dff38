"""Messages, refusals and keys: what comes back, and that nothing that was touched does. Fixed messages are in test_vectors.py."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sync import compressing, keys, sealing, signing
from sync.envelope import digest, opened_message, read_header, sealed_message
from sync.errors import BadSignature, CannotOpen, Malformed, NewerProtocol, SyncError, TooLarge, WrongKey
from sync.messages import BODY_BYTES_MAX, MESSAGE_BYTES_MAX, PublicKeys, Push
from sync.refusals import RETRY_S_MAX, Code, is_refusal, read_refusal, refusal_message

TENANT, APPLIANCE, LINE = (f"01940000-0000-7000-8000-00000000000{n}" for n in "abc")
HUB, STORE, STRANGER = (keys.from_stored(b"\x01" + bytes([n]) * 64) for n in (2, 3, 4))


def sealed(push: Push, to: PublicKeys = HUB.public) -> bytes:
    where = {"tenant": TENANT, "appliance": APPLIANCE, "line": LINE}
    return sealed_message(push, **where, first=1, last=0, made_ms=1, answers=b"", to=to, own=STORE)


def opened(message: bytes, own: list[keys.OwnKeys] | None = None) -> Push:
    read = read_header(message)
    senders = [STRANGER.public.sign, STORE.public.sign]
    return opened_message(read, Push, tenant=TENANT, appliance=APPLIANCE, answers=b"", own=own or [HUB], senders=senders)


MESSAGE = sealed(Push(sent_ms=1, records=bytes(300)))


def test_a_message_comes_back_as_it_was_and_is_never_the_same_twice() -> None:
    push = Push(sent_ms=5, records=b"\x00\xff" * 1_000, next_keys=STRANGER.public)
    assert opened(sealed(push)) == push
    assert sealed(push) != sealed(push)


def test_a_message_is_opened_with_whichever_of_ones_keys_it_was_sealed_to() -> None:
    assert opened(MESSAGE, [STRANGER, HUB]).sent_ms == 1
    with pytest.raises(WrongKey, match="pair again"):
        opened(MESSAGE, [STRANGER])


@given(st.integers(0, len(MESSAGE) - 1), st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_a_message_with_one_byte_changed_is_refused_wherever_it_is(place: int, change: int) -> None:
    with pytest.raises(SyncError):
        opened(MESSAGE[:place] + bytes([MESSAGE[place] ^ change]) + MESSAGE[place + 1 :])


@given(st.integers(0, len(MESSAGE) - 1))
@settings(deadline=None)
def test_a_message_cut_short_is_no_message(length: int) -> None:
    with pytest.raises(Malformed):
        read_header(MESSAGE[:length])


@given(st.binary(max_size=300))
@example(b"\x93" * 300)
@example(b"\x91" * 300)
@example(b"\x93\xc4\x02\x91\x01\xc0\xc0")
def test_no_bytes_at_all_do_more_than_be_refused(rubbish: bytes) -> None:
    with pytest.raises((Malformed, NewerProtocol)):
        read_header(rubbish)
    with contextlib.suppress(SyncError):
        read_refusal(rubbish, answers=b"", senders=[HUB.public.sign])


def test_a_message_too_large_is_refused_before_it_is_read_and_where_it_is_made() -> None:
    with pytest.raises(TooLarge, match=f"at most {MESSAGE_BYTES_MAX}"):
        read_header(bytes(MESSAGE_BYTES_MAX + 1))
    with pytest.raises(TooLarge, match=f"at most {BODY_BYTES_MAX}"):
        sealed(Push(sent_ms=1, records=bytes(BODY_BYTES_MAX)))


@pytest.mark.parametrize("seal", [b"", b"\xff" * sealing.PUBLIC_BYTES, HUB.public.seal[:-32] + bytes(32), HUB.public.seal + b"\x00"])
def test_what_is_no_key_is_not_sealed_to_and_not_stored(seal: bytes) -> None:
    bad = PublicKeys(seal=seal, sign=HUB.public.sign)
    with pytest.raises(WrongKey):
        sealed(Push(sent_ms=1), to=bad)
    with pytest.raises(WrongKey):
        keys.checked(bad)


def test_an_error_says_nothing_of_the_content() -> None:
    body = msgspec.msgpack.encode([b"", "Bob Nguyen"])
    read = read_header(MESSAGE)
    ciphertext = sealing.sealed(compressing.compressed(body), HUB.public.seal, read.header_bytes)
    signature = signing.signature(STORE.sign, signing.MESSAGE, read.header_bytes, ciphertext)
    with pytest.raises(Malformed) as caught:
        opened(msgspec.msgpack.encode((read.header_bytes, ciphertext, signature)))
    assert "Bob" not in str(caught.value)


def test_a_refusal_holds_for_its_request_alone_and_for_a_day_at_most() -> None:
    refusal = refusal_message(Code.BUSY, "x" * 999, answers=digest(MESSAGE), now_ms=1, retry_s=10**9, own=HUB)
    read = read_refusal(refusal, answers=digest(MESSAGE), senders=[HUB.public.sign])
    assert (read.code, len(read.words), read.retry_s) == ("busy", 300, RETRY_S_MAX)
    assert is_refusal(refusal) and not is_refusal(MESSAGE)
    for place in range(len(refusal)):
        with pytest.raises(SyncError):
            read_refusal(
                refusal[:place] + bytes([refusal[place] ^ 1]) + refusal[place + 1 :], answers=digest(MESSAGE), senders=[HUB.public.sign]
            )


def test_a_signature_for_one_purpose_or_list_of_parts_does_not_count_for_another() -> None:
    signature = signing.signature(STORE.sign, signing.MESSAGE, b"ab", b"c")
    signing.verify(STORE.public.sign, signature, signing.MESSAGE, b"ab", b"c")
    for label, parts in ((signing.REFUSAL, (b"ab", b"c")), (signing.MESSAGE, (b"a", b"bc")), (signing.MESSAGE, (b"abc",))):
        with pytest.raises(BadSignature):
            signing.verify(STORE.public.sign, signature, label, *parts)
    with pytest.raises(BadSignature):
        signing.verify(b"no key", signature, signing.MESSAGE, b"ab", b"c")


def test_a_sealed_text_opens_beside_its_own_header_alone() -> None:
    ciphertext = sealing.sealed(b"text", HUB.public.seal, b"header")
    assert len(ciphertext) == len(b"text") + sealing.OVERHEAD_BYTES
    assert sealing.opened(ciphertext, HUB.seal, b"header") == b"text"
    for other, key, header in ((ciphertext, HUB.seal, b"other"), (ciphertext, STRANGER.seal, b"header"), (b"", HUB.seal, b"header")):
        with pytest.raises(CannotOpen):
            sealing.opened(other, key, header)


def test_the_sealing_key_of_a_secret_is_the_one_its_inventors_publish() -> None:
    # draft-connolly-cfrg-xwing-kem, appendix C: the first test vector's seed and the ends of its public key.
    _, public = sealing.sealing_key(bytes.fromhex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"))
    assert public.hex().startswith("e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5")
    assert public.hex().endswith("859edb06eff389b27dce59844570216223593d4ba32d9abac8cd049040ef6534")


def test_stored_keys_come_back_and_damaged_ones_do_not() -> None:
    made = keys.make()
    assert keys.from_stored(made.stored).public == made.public
    assert keys.make().public != made.public
    for damaged in (b"", made.stored[:-1], b"\x02" + made.stored[1:]):
        with pytest.raises(WrongKey):
            keys.from_stored(damaged)
    assert made.stored.hex() not in repr(made) and made.stored[1:33].hex() not in repr(made)


def test_a_fingerprint_is_of_both_keys_and_short_enough_to_read_out() -> None:
    shown = keys.fingerprint(HUB.public)
    assert [len(group) for group in shown.split("-")] == [4, 4, 4, 4]
    mixed = PublicKeys(seal=HUB.public.seal, sign=STORE.public.sign), PublicKeys(seal=STORE.public.seal, sign=HUB.public.sign)
    assert len({shown, *map(keys.fingerprint, mixed)}) == 3
    assert len({keys.key_id(public) for public in (HUB.public.seal, HUB.public.sign, STORE.public.seal)}) == 3


@given(st.binary(max_size=5_000))
def test_what_is_compressed_comes_back(data: bytes) -> None:
    assert compressing.expanded(compressing.compressed(data), 5_000) == data


def test_a_body_is_not_believed_about_its_size() -> None:
    whole = compressing.compressed(bytes(1 << 22))
    assert len(whole) < 1_000
    with pytest.raises(TooLarge, match="becomes 4194304 bytes"):
        compressing.expanded(whole, 1 << 20)
    for damaged in (whole[:-1], whole + b"\x00", whole + whole, whole[:4] + whole[5:]):
        with pytest.raises((Malformed, TooLarge)):
            compressing.expanded(damaged, 1 << 22)


@given(st.binary(max_size=100))
def test_rubbish_does_not_expand(rubbish: bytes) -> None:
    with contextlib.suppress(Malformed, TooLarge):
        assert len(compressing.expanded(b"\x28\xb5\x2f\xfd" + rubbish, 10_000)) <= 10_000
