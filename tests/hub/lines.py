"""Stores at the other end of the line: they hold keys, count their records, seal what they say and open what they are answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.database import Database
from hub.hub_keys import HubKeys
from hub.ingest import Deps, exchange
from hub.moments import to_ms
from hub.rates import Rates
from sync import envelope, keys, packing
from sync.keys import OwnKeys
from sync.messages import Answer, PublicKeys, Push, Refusal, Status
from sync.records import Record, encoded
from sync.refusals import is_refusal, read_refusal
from tests.hub.chain import NOW, Chain
from tests.hub.telling import NOW_MS, new_id

Carrier = Callable[[bytes], bytes]


@dataclass
class Line:
    """One appliance and its way to the hub."""

    tenant_id: str
    appliance_id: str
    own: OwnKeys
    hub: PublicKeys
    carry: Carrier
    line: str = "line-1"
    sent: int = 0
    cursor: int = 0
    opens_with: list[OwnKeys] = field(default_factory=list)

    def message(self, told: Sequence[Record | bytes] = (), *, first: int | None = None, line: str = "", **push: object) -> bytes:
        payloads = [one if isinstance(one, bytes) else encoded(one) for one in told]
        start = self.sent + 1 if first is None else first
        body = Push(
            **{"records": packing.packed(payloads), "cursor": self.cursor, "sent_ms": NOW_MS, "status": Status(version="1"), **push}
        )  # type: ignore[arg-type]
        return envelope.sealed_message(
            body,
            tenant=self.tenant_id,
            appliance=self.appliance_id,
            line=line or self.line,
            first=start,
            last=start + len(payloads) - 1,
            made_ms=NOW_MS,
            answers=b"",
            to=self.hub,
            own=self.own,
        )

    def send(self, message: bytes) -> Answer | Refusal:
        """Opens what comes back as an appliance does: an answer to this very message, from the hub it knows."""
        return self.opened(message, self.carry(message))

    def opened(self, message: bytes, body: bytes) -> Answer | Refusal:
        digest = envelope.digest(message)
        if is_refusal(body):
            return read_refusal(body, answers=digest, senders=[self.hub.sign])
        return envelope.opened_message(
            envelope.read_header(body),
            Answer,
            tenant=self.tenant_id,
            appliance=self.appliance_id,
            answers=digest,
            own=[self.own, *self.opens_with],
            senders=[self.hub.sign],
        )

    def tells(self, *told: Record | bytes, **push: object) -> Answer:
        """A batch that is taken whole."""
        answer = self.send(self.message(told, **push))
        assert isinstance(answer, Answer), answer
        self.sent += len(told)
        assert answer.acknowledged == self.sent
        self.cursor = answer.cursor
        return answer


@dataclass
class World:
    """The chain with its stores on the line."""

    chain: Chain
    deps: Deps
    a: Line
    b: Line
    danas: Line
    now: datetime = NOW


def make_world(chain: Chain) -> World:
    database = chain.database
    hub_keys = HubKeys(database, NOW)
    deps = Deps(database, hub_keys, Rates())
    lines = [
        _line(database, deps, tenant, appliance)
        for tenant, appliance in (
            (chain.ours.tenant_id, chain.appliance_a),
            (chain.ours.tenant_id, chain.appliance_b),
            (chain.danas.tenant_id, chain.danas_appliance),
        )
    ]
    world = World(chain, deps, *lines)
    for line in lines:
        line.carry = lambda message: exchange(world.deps, message, world.now)
    return world


def _line(database: Database, deps: Deps, tenant_id: str, appliance_id: str) -> Line:
    own = keys.make()
    with database.tenant(tenant_id) as tx:
        tx.execute(
            "UPDATE appliances SET seal_public = %s, sign_public = %s WHERE id = %s", [own.public.seal, own.public.sign, appliance_id]
        )
    return Line(tenant_id, appliance_id, own, deps.keys.current(NOW).public, lambda _message: b"", line=new_id())


assert to_ms(NOW) == NOW_MS
