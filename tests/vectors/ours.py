"""Makes `ours.json`: messages by this very code, kept so that a later version opens what this one sealed. `python -m tests.vectors.ours`.

To be run again only when the protocol's version changes, and then under another name: a kept message that no longer opens is the fault that
this file is for.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from sync import signing
from sync.envelope import digest, sealed_message
from sync.facts import GuestGone, encoded
from sync.keys import OwnKeys, from_stored
from sync.messages import Answer, CameraStatus, Push, Snapshot, Status
from sync.packing import packed, without_replaced
from sync.records import encoded as record
from sync.refusals import Code, refusal_message
from tests.sync.store_day import visits
from tests.vectors.independent import ANOTHER, APPLIANCE, DANAS, HERE, LINE, NOW_MS, TENANT, gone
from tests.vectors.independent import HUB as HUB_MADE
from tests.vectors.independent import STORE as STORE_MADE
from tests.vectors.independent import STRANGER as STRANGER_MADE

HUB, STORE, STRANGER = (from_stored(end.stored) for end in (HUB_MADE, STORE_MADE, STRANGER_MADE))


def push(
    payloads: list[bytes], first: int = 1, *, tenant: str = TENANT, appliance: str = APPLIANCE, to: OwnKeys = HUB, by: OwnKeys = STORE
) -> bytes:
    status = Status(version="0.1.0", time_zone="Asia/Ho_Chi_Minh", cameras=[CameraStatus(id=ANOTHER, state="watching")])
    body = Push(records=packed(payloads) if payloads else b"", cursor=7, sent_ms=NOW_MS, status=status)
    return sealed_message(
        body,
        tenant=tenant,
        appliance=appliance,
        line=LINE,
        first=first,
        last=first + len(payloads) - 1,
        made_ms=NOW_MS,
        answers=b"",
        to=to.public,
        own=by,
    )


def vectors() -> list[dict[str, object]]:
    made: list[dict[str, object]] = []

    def add(name: str, said: bytes, **expected: object) -> None:
        made.append({"name": name, "message": said.hex(), **expected})

    three = [gone(1), b"", gone(3)]
    day = without_replaced([record(told) for told in visits(3, 128)])
    add("a question without records", push([]), opens={"cursor": 7, "records": []})
    add("three records, one of them replaced", push(three), opens={"records": [payload.hex() for payload in three]})
    add("the next batch, before the one it follows", push([gone(4)], 4), opens={"records": [gone(4).hex()]})
    add("a morning of visits", push(day), opens={"records": [payload.hex() for payload in day]})
    good = push(three)
    answer = sealed_message(
        Answer(acknowledged=3, facts=[(8, encoded(GuestGone(identity_id=ANOTHER)))], cursor=8, now_ms=NOW_MS),
        tenant=TENANT,
        appliance=APPLIANCE,
        line=LINE,
        first=1,
        last=3,
        made_ms=NOW_MS,
        answers=digest(good),
        to=STORE.public,
        own=HUB,
    )
    stale = {"answers": digest(b"another request").hex(), "refused": "AnotherAnswer"}
    add("an answer with a fact", answer, answers=digest(good).hex(), opens={"acknowledged": 3, "cursor": 8})
    add("an answer played again", answer, **stale)
    add("cut short", good[:-1], refused="Malformed")
    header, ciphertext, signature = msgspec.msgpack.decode(good)
    altered = header.replace(msgspec.msgpack.encode(LINE) + b"\x01\x03", msgspec.msgpack.encode(LINE) + b"\x02\x04")
    add("a header altered on the way", msgspec.msgpack.encode((altered, ciphertext, signature)), refused="BadSignature")
    anew = signing.signature(STORE.sign, signing.MESSAGE, altered, ciphertext)
    add("a sealed body beside another header, signed anew", msgspec.msgpack.encode((altered, ciphertext, anew)), refused="CannotOpen")
    add("sealed to another key", push(three, to=STRANGER), refused="WrongKey")
    add("signed with another key", push(three, by=STRANGER), refused="WrongKey")
    add("of another tenant", push(three, tenant=DANAS), refused="WrongTenant")
    add("of another appliance", push(three, appliance=ANOTHER), refused="NotForUs")
    picture = sealed_message(
        Snapshot(visit_id=ANOTHER, taken_ms=NOW_MS, jpeg=b"\xff\xd8\xff", sent_ms=NOW_MS),
        tenant=TENANT,
        appliance=APPLIANCE,
        line=LINE,
        first=1,
        last=0,
        made_ms=NOW_MS,
        answers=b"",
        to=HUB.public,
        own=STORE,
    )
    add("of another kind", picture, refused="NotForUs")
    future = b"\x9b\x02" + header[2:]
    signed = signing.signature(STORE.sign, signing.MESSAGE, future, ciphertext)
    add("of a future version", msgspec.msgpack.encode((future, ciphertext, signed)), refused="NewerProtocol")
    refusal = refusal_message(Code.TOO_FAST, "Slower.", answers=digest(good), now_ms=NOW_MS, retry_s=9, own=HUB)
    add("a refusal", refusal, answers=digest(good).hex(), opens={"code": "too_fast", "retry_s": 9})
    return made


def main() -> None:
    Path(HERE / "ours.json").write_text(json.dumps({"vectors": vectors()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
