"""Messages kept as files: what opened when they were made opens for ever, and what was refused is. See tests/vectors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync import errors, pairing
from sync.envelope import digest, opened_message, read_header
from sync.errors import BadSignature, SyncError
from sync.keys import from_stored
from sync.messages import Answer, Push
from sync.packing import unpacked
from sync.receiving import Progress, Standing, judge
from sync.refusals import is_refusal, read_refusal
from tests.shared import CHECKOUT

FILES = {name: json.loads((CHECKOUT / "tests" / "vectors" / f"{name}.json").read_text()) for name in ("independent", "ours")}
TENANT, APPLIANCE = FILES["independent"]["tenant"], FILES["independent"]["appliance"]
KEYS = {name: from_stored(bytes.fromhex(stored)) for name, stored in FILES["independent"]["keys"].items()}
HUB, STORE, STRANGER = KEYS["hub"], KEYS["store"], KEYS["stranger"]
CASES = [pytest.param(case, id=f"{name}: {case['name']}") for name, file in FILES.items() for case in file["vectors"]]


def received(case: dict[str, Any]) -> dict[str, object]:
    """What the receiver makes of a message: the fields that a vector speaks of."""
    message, answers = bytes.fromhex(case["message"]), bytes.fromhex(case.get("answers", ""))
    if is_refusal(message):
        refusal = read_refusal(message, answers=answers, senders=[HUB.public.sign])
        return {"code": refusal.code, "retry_s": refusal.retry_s}
    read = read_header(message)
    if answers:
        answer = opened_message(read, Answer, tenant=TENANT, appliance=APPLIANCE, answers=answers, own=[STORE], senders=[HUB.public.sign])
        return {"acknowledged": answer.acknowledged, "cursor": answer.cursor}
    senders = [STORE.public.sign] + ([STRANGER.public.sign] if case.get("senders") == "stranger" else [])
    push = opened_message(read, Push, tenant=TENANT, appliance=APPLIANCE, answers=b"", own=[HUB], senders=senders)
    payloads = unpacked(push.records)
    judge(Progress(), read.header, push, payloads)
    return {"cursor": push.cursor, "records": [payload.hex() for payload in payloads]}


@pytest.mark.parametrize("case", CASES)
def test_a_kept_message_is_taken_or_refused_as_when_it_was_made(case: dict[str, Any]) -> None:
    if "opens" in case:
        made_of = received(case)
        assert {name: made_of[name] for name in case["opens"]} == case["opens"]
    else:
        with pytest.raises(SyncError) as refused:
            received(case)
        assert type(refused.value) is getattr(errors, case["refused"])


@pytest.mark.parametrize("file", FILES)
def test_both_files_hold_every_way_a_message_can_be_wrong(file: str) -> None:
    wrong = {case.get("refused") for case in FILES[file]["vectors"]}
    assert wrong >= {"WrongKey", "Malformed", "AnotherAnswer", "BadSignature", "CannotOpen", "WrongTenant", "NotForUs", "NewerProtocol"}


@pytest.mark.parametrize("file", FILES)
def test_kept_batches_out_of_order_and_again_are_each_applied_once(file: str) -> None:
    kept = {case["name"]: bytes.fromhex(case["message"]) for case in FILES[file]["vectors"]}
    three, fourth = kept["three records, one of them replaced"], kept["the next batch, before the one it follows"]
    progress, stood = Progress(read_header(three).header.line, 0), []
    for message in (fourth, three, three, fourth, three, fourth):
        read = read_header(message)
        push = opened_message(read, Push, tenant=TENANT, appliance=APPLIANCE, answers=b"", own=[HUB], senders=[STORE.public.sign])
        verdict = judge(progress, read.header, push, unpacked(push.records))
        progress = verdict.progress
        stood.append((verdict.standing, verdict.acknowledged))
    again = Standing.REPEAT
    assert stood == [(Standing.GAP, 0), (Standing.NEXT, 3), (again, 3), (Standing.NEXT, 4), (again, 3), (again, 4)]


def test_the_same_secrets_give_the_same_keys_in_other_hands() -> None:
    publics = {name: bytes.fromhex(public) for name, public in FILES["independent"]["publics"].items()}
    assert {name: KEYS[name].public.seal + KEYS[name].public.sign for name in publics} == publics


def test_a_pairing_made_by_other_hands_is_understood_on_both_ends() -> None:
    kept = FILES["independent"]["pairing"]
    request, answer = bytes.fromhex(kept["request"]), bytes.fromhex(kept["answer"])
    key = pairing.proof_key(pairing.parse_code(kept["code"]))
    read = pairing.read_request(request)
    pairing.check_request(read, key)
    assert (read.request.name, read.request.keys) == ("Store A", STORE.public)
    told = pairing.read_answer(answer, digest(request), key)
    assert (told.tenant_id, told.appliance_id, told.keys) == (TENANT, APPLIANCE, HUB.public)
    for wrong in (pairing.proof_key(pairing.parse_code("7K2M-QX4D-09WW")), bytes(32)):
        with pytest.raises(BadSignature):
            pairing.check_request(read, wrong)
        with pytest.raises(BadSignature):
            pairing.read_answer(answer, digest(request), wrong)
    with pytest.raises(BadSignature):
        pairing.read_answer(answer, digest(b"another request"), key)
