"""A small headquarters for tests of the store's side: the wire's own primitives, and what was told in a dictionary. It can be away, lose
answers, talk rubbish, revoke, rotate its keys, and be set back to an earlier day."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import httpx
import msgspec

from sync import envelope, facts, keys, packing, pairing, receiving
from sync.envelope import CONTENT_TYPE
from sync.errors import SyncError
from sync.facts import Fact
from sync.keys import OwnKeys
from sync.messages import Answer, Header, PairAnswer, PublicKeys, Push, Snapshot, Status, Taken
from sync.receiving import Progress, Standing
from sync.records import PersonGone, PersonRecord, Record, TemplateGone, TemplateRecord, VisitGone, VisitRecord, decoded
from sync.refusals import Code, refusal_message
from tests.appliance.line.chain import APPLIANCE, SITE, TENANT
from tests.appliance.stores import NOON


@dataclass
class Known:
    """What headquarters has committed; `set_back` puts an earlier one in its place."""

    progress: Progress = field(default_factory=Progress)
    records: list[Record] = field(default_factory=list)
    rows: dict[str, Record] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    told: list[tuple[int, bytes]] = field(default_factory=list)


@dataclass
class Headquarters:
    """`away`: nothing answers; `loses`: so many next answers get lost after they were carried out; `refuses`: with this code; `rubbish`:
    what is answered instead. `asked`: requests that reached it."""

    own: OwnKeys = field(default_factory=keys.make)
    old: list[OwnKeys] = field(default_factory=list)
    appliance: PublicKeys | None = None
    old_sign: bytes = bytes(32)
    known: Known = field(default_factory=Known)
    code: pairing.Code = field(default_factory=pairing.make_code)
    work: int = pairing.SCRYPT_N
    """Of the code: whoever pairs with less agrees on it with this one."""
    away: bool = False
    loses: int = 0
    refuses: Code | None = None
    rubbish: httpx.Response | None = None
    wants_pictures: bool = True
    clock_ahead_ms: int = 0
    life: str = ""
    meanwhile: Callable[[], None] | None = None
    """Done while the answer is on its way."""
    asked: list[str] = field(default_factory=list)
    keeps: list[httpx.Response] = field(default_factory=list)
    status: Status = field(default_factory=Status)
    _paired: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def tell(self, *told: Fact) -> None:
        newest = self.known.told[-1][0] if self.known.told else 0
        self.known.told += [(newest + i, facts.encoded(fact)) for i, fact in enumerate(told, 1)]

    def rotate(self) -> None:
        self.old.append(self.own)
        self.own = keys.make()

    def backup(self) -> Known:
        return copy.deepcopy(self.known)

    def persons(self) -> set[str]:
        return {i for i, row in self.known.rows.items() if isinstance(row, PersonRecord)}

    def visits(self) -> dict[str, VisitRecord]:
        return {i: row for i, row in self.known.rows.items() if isinstance(row, VisitRecord)}

    def templates(self) -> set[str]:
        return {i for i, row in self.known.rows.items() if isinstance(row, TemplateRecord)}

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("nothing answers", request=request)
        self.asked.append(request.url.path)
        if self.rubbish is not None:
            return self.rubbish
        message = request.read()
        answer = self._paired_with(message) if request.url.path.endswith("/pair") else self._exchanged(message)
        if self.meanwhile:
            self.meanwhile()
        if self.loses:
            self.loses -= 1
            raise httpx.ReadError("cut", request=request)
        made = httpx.Response(200, content=answer, headers={"content-type": CONTENT_TYPE})
        self.keeps.append(made)
        return made

    def _paired_with(self, message: bytes) -> bytes:
        read, key = pairing.read_request(message), pairing.proof_key(self.code, self.work)
        if read.digest in self._paired:
            return self._paired[read.digest]
        try:
            if self._paired or read.request.code_id != self.code.code_id:
                raise SyncError
            pairing.check_request(read, key)
        except SyncError:
            return pairing.not_paired_message(pairing.NotPaired.WRONG_CODE)
        self.appliance = read.request.keys
        made = PairAnswer(
            tenant_id=TENANT,
            tenant_name="Corner Shops",
            site_id=SITE,
            site_name="Harbour",
            appliance_id=APPLIANCE,
            keys=self.own.public,
            now_ms=NOON,
            nonce=read.request.nonce,
        )
        self._paired[read.digest] = pairing.answer_message(made, read.digest, key)
        return self._paired[read.digest]

    def _exchanged(self, message: bytes) -> bytes:
        read = envelope.read_header(message)
        pair = next((own for own in [self.own, *self.old] if keys.key_id(own.public.seal) == read.header.seal_key), self.own)
        if self.refuses is not None:
            return refusal_message(self.refuses, "", answers=read.digest, now_ms=NOON, retry_s=0, own=pair)
        assert self.appliance is not None
        kind: type[Push] | type[Snapshot] = Push if read.header.kind == "push" else Snapshot
        try:
            body = envelope.opened_message(
                read,
                kind,  # type: ignore[type-var]
                tenant=TENANT,
                appliance=APPLIANCE,
                answers=b"",
                own=[self.own, *self.old],
                senders=[self.appliance.sign, self.old_sign],
            )
        except SyncError:
            return refusal_message(Code.WRONG_KEY, "", answers=read.digest, now_ms=NOON, retry_s=0, own=pair)
        if isinstance(body, Snapshot):
            if self.wants_pictures:
                self.known.pictures[body.visit_id] = body.jpeg
            return self._sealed(Taken(visit_id=body.visit_id, wanted=self.wants_pictures, now_ms=NOON), read.header, read.digest, pair)
        return self._applied(body, read.header, read.digest, pair)

    def _applied(self, push: Push, header: Header, digest: bytes, pair: OwnKeys) -> bytes:
        payloads = packing.unpacked(push.records)
        verdict = receiving.judge(self.known.progress, header, push, payloads)
        if verdict.standing is Standing.OLD_LINE:
            return refusal_message(Code.OLD_LINE, "", answers=digest, now_ms=NOON, retry_s=0, own=pair)
        for payload in payloads[verdict.skip :]:
            if payload:
                self._take(decoded(payload))
        self.known.progress = verdict.progress
        self.status = push.status
        newest = self.known.told[-1][0] if self.known.told else 0
        after = receiving.facts_after(push.cursor, newest)
        page = [fact for fact in self.known.told if fact[0] > after][: push.facts_max]
        cursor = page[-1][0] if page else after
        if push.life not in ("", self.life):
            page, cursor = [], push.cursor
        answer = Answer(
            acknowledged=verdict.acknowledged,
            resend=verdict.resend,
            facts=page,
            cursor=cursor,
            more=cursor < newest,
            now_ms=push.sent_ms + self.clock_ahead_ms,
            hub_keys=self.own.public if pair is not self.own else None,
            life=self.life,
        )
        if push.next_keys is not None and self.appliance is not None:
            if push.next_keys != self.appliance:
                self.old_sign = self.appliance.sign
            self.appliance = push.next_keys
            answer = msgspec.structs.replace(answer, keys_taken=True)
        return self._sealed(answer, header, digest, pair)

    def _take(self, record: Record) -> None:
        self.known.records.append(record)
        match record:
            case PersonGone(id=gone):
                self.known.rows = {i: row for i, row in self.known.rows.items() if i != gone and getattr(row, "person_id", "") != gone} | {
                    i: row for i, row in self.known.rows.items() if isinstance(row, VisitRecord)
                }
            case TemplateGone(id=gone) | VisitGone(id=gone):
                self.known.rows.pop(gone, None)
            case PersonRecord(id=row_id) | VisitRecord(id=row_id) | TemplateRecord(id=row_id):
                self.known.rows[row_id] = record
            case _:
                pass

    def _sealed(self, body: Answer | Taken, header: Header, digest: bytes, pair: OwnKeys) -> bytes:
        assert self.appliance is not None
        return envelope.sealed_message(
            body,
            tenant=TENANT,
            appliance=APPLIANCE,
            line=header.line,
            first=header.first,
            last=header.last,
            made_ms=NOON,
            answers=digest,
            to=self.appliance,
            own=pair,
        )


def set_back(hub: Headquarters, to: Known) -> None:
    """From a backup: what came since is gone."""
    hub.known = replace(copy.deepcopy(to))
