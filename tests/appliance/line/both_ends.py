"""A store and its headquarters on one line, on a clock of the test's own."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.line import link, pairing
from appliance.line.agent import Agent, Surroundings
from appliance.line.carrying import Carrier
from sync import outbox
from sync import pairing as wire
from sync.messages import Status
from tests.appliance.line.chain import table
from tests.appliance.line.headquarters import Headquarters
from tests.appliance.stores import NOON
from tests.appliance.visitors import BOB, DORA, EMIL, Shop, face


@dataclass
class Line:
    shop: Shop
    hub: Headquarters
    agent: Agent = field(init=False)
    now_ms: int = NOON
    steady_s: float = 0.0
    busy: bool = False
    people_changed: int = 0

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """The agent's process starts, or starts again."""
        self.agent = Agent(
            self.shop.store,
            Surroundings(
                now=lambda: self.now_ms,
                renew=lambda keys: self.shop.recognition.renew(keys),
                renew_guests=lambda: self.shop.recognition.renew_guests(),
                busy=lambda: self.busy,
                people_changed=self._changed,
                status=lambda: Status(model="test", time_zone="UTC"),
                transport=self.hub.transport,
                chance=lambda: 1.0,
                steady_s=lambda: self.steady_s,
            ),
        )

    def _changed(self) -> None:
        self.people_changed += 1

    def pair(self) -> None:
        target = wire.parse_target(f"{self.hub.code.shown}@https://hub.test")
        carrier = Carrier(target.url, transport=self.hub.transport)
        answer, own = pairing.pair(
            carrier,
            target,
            name="Harbour",
            time_zone="UTC",
            version="1",
            now_ms=self.now_ms,
            wait=lambda _seconds: None,
            work=self.hub.work,
        )
        link.begin(self.shop.store, target.url, answer, own, self.now_ms)

    def run(self, seconds: float = 200.0) -> None:
        """As the thread would, on a clock of the test's own."""
        until_s = self.steady_s + seconds
        while self.steady_s < until_s:
            wait_s = self.agent.step()
            self.steady_s += max(wait_s, 0.001)
            self.now_ms += 1

    def agreed(self) -> bool:
        """Whether headquarters has what the store has, and nothing waits."""
        store = self.shop.store
        return (
            outbox.span(store.db.conn).oldest is None
            and self.hub.persons() == {str(r[0]) for r in table(self.shop, "SELECT id FROM persons")}
            and self.hub.templates() == {str(r[0]) for r in table(self.shop, "SELECT id FROM templates")}
            and {(i, v.person_id) for i, v in self.hub.visits().items()}
            == {(str(r[0]), str(r[1] or "")) for r in table(self.shop, "SELECT id, person_id FROM visits")}
        )


def three_come(line: Line, at_ms: int = NOON) -> list[str]:
    return [str(line.shop.see(face(who), at_ms + i).person_id) for i, who in enumerate((BOB, DORA, EMIL))]
