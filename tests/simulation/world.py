"""A chain in one process from one seed: its stores, its hub, the line between them, and what happens to all of them.

The world knows the time, and nothing else tells any part of it. Every choice comes from the seed, and none hangs on an id (those come from
the system's randomness): the same seed takes the same steps. It is over when everybody has been in touch, and then it must all agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from random import Random

from appliance.line import link
from sync import outbox
from tests.simulation import putting_back, witness
from tests.simulation.happenings import ACTIONS, AT_THE_HUB, WEIGHTS
from tests.simulation.headquarters import Hub, Tenant
from tests.simulation.network import FINE, Network
from tests.simulation.parts import Parts
from tests.simulation.people import MASKED
from tests.simulation.postgres import Server
from tests.simulation.power import PowerCut
from tests.simulation.store import Shop

BEGIN_MS = 1_790_000_000_000
SETTLES_AFTER_MS = 2 * 86_400_000
"""By then the latest message has arrived."""
STEPS, STEPS_PLANTED = 84, 130
"""Some planted bugs show late: with 130 steps each is found within the first thirty seeds."""
ROUNDS_MAX = 30
"""In which everybody is in touch and nothing new happens; a few are enough."""
TALKS_MAX = 150
Say = Callable[[str], None]


class Unsettled(AssertionError):
    """Everybody was in touch again and again, and something still waits."""


class World:
    """`forgotten`: persons that somebody asked to erase, as their stores call them. `opted_out`: opt-outs asked at headquarters, by the
    erasure's id. `events`: merges there, to be undone. `parted`: somebody at headquarters called persons
    different, and then one face may be two identities. `put_back`: the hub's database was, to an earlier day. `way`: a digest of all steps,
    the same for two runs of one seed."""

    def __init__(self, seed: int, parts: Parts, server: Server, folder: Path, database: str, say: Say = lambda _words: None) -> None:
        self.seed, self.parts, self.server, self.folder, self._say = seed, parts, server, folder, say
        self.now_ms, self.step = BEGIN_MS, 0
        self._taken = hashlib.sha256()
        self.forgotten: set[str] = set()
        self.opted_out: set[str] = set()
        self.events: list[tuple[Tenant, str]] = []
        self.parted = self.put_back = False
        self.shops: list[Shop] = []
        self.chance = Random(f"{seed}/world")
        self.witness = witness.Witness(server.folder, database)
        self.hub = Hub(server, database, folder / "pictures", parts, Random(f"{seed}/hub"), self._time, self.witness.has)
        self.network = Network(Random(f"{seed}/network"), self.hub.hear, self._time, self._pass, self._meanwhile, self.note)
        self._busy = True
        chance = self.chance
        ours = self.hub.add_tenant("Phin Coffee", guests=chance.random() < 0.5)
        danas = self.hub.add_tenant("Dana's Books", guests=chance.random() < 0.5)
        for tenant, count in ((ours, 3 if chance.random() < 0.3 else 2), (danas, 1)):
            for number in range(count):
                name = f"{tenant.name.split()[0]} {number + 1}"
                shop = Shop(name, folder / f"store {len(self.shops)}", parts, self.network, Random(f"{seed}/{name}"), self._time)
                shop.pair(self.hub.code_for(tenant, name))
                self.shops.append(shop)
        self.people = {
            ours.tenant_id: list(range(chance.randint(6, 12))),
            # Two people go to both chains, which must not learn it of one another.
            danas.tenant_id: [0, 1, *range(20, 20 + chance.randint(3, 6))],
        }
        self.alice, self.charlie = 30, 31
        self.shops[0].enrol("staff", "Alice", self.alice)
        self.shops[-2].enrol("opted_out", "", self.charlie)
        self.people[ours.tenant_id] += [self.alice, self.charlie]
        self._busy = False

    def _time(self) -> int:
        return self.now_ms

    def note(self, words: str) -> None:
        """For the log of a run, and for knowing that two runs took the same way."""
        self._taken.update(f"{self.step} {self.now_ms} {words}\n".encode())
        self._say(f"{self.step:4} {(self.now_ms - BEGIN_MS) / 1000:12.1f} s  {words}")

    @property
    def way(self) -> str:
        return self._taken.hexdigest()[:16]

    def close(self) -> None:
        for shop in self.shops:
            shop.close()
        self.hub.close()
        self.witness.close()

    # ---- time ----------------------------------------------------------------------------------------------------------------------

    def _pass(self, ms: int) -> None:
        self.now_ms += ms

    def _meanwhile(self, waiting: str) -> None:
        """While an answer is on its way something else happens: in the stores, at the hub, or the power goes where it came from."""
        if self._busy:
            return
        self._busy = True
        try:
            draw = self.chance.random()
            if draw < 0.4:
                self._somebody_comes(self.chance.choice(self.shops))
            elif draw < 0.6:
                self.hub.work()
            elif draw < 0.8:
                ACTIONS[self.chance.choice(AT_THE_HUB)](self)
            self.network.arrive_late()
        finally:
            self._busy = False
        if any(shop.name == waiting and not shop.runs for shop in self.shops):
            raise PowerCut("while it waited for an answer")

    def quietly(self, what: Callable[[], object]) -> None:
        """Nothing else happens meanwhile."""
        before, self._busy = self._busy, True
        try:
            what()
        finally:
            self._busy = before

    def run(self) -> None:
        steps = STEPS if self.parts == Parts() else STEPS_PLANTED
        for self.step in range(1, steps + 1):
            draw = self.chance.random()
            self._pass(self.chance.randint(100, 30_000) if draw < 0.8 else self.chance.randint(30_000, 40 * 60_000))
            self._lights()
            self.network.arrive_late()
            for shop in self.shops:
                if shop.runs and self.chance.random() < 0.6:
                    self._somebody_comes(shop)
                if shop.runs and self.chance.random() < 0.35:
                    self._talk(shop)
            if self.chance.random() < 0.3:
                self.hub.work()
            for name, weight in WEIGHTS.items():
                if self.chance.random() < weight:
                    ACTIONS[name](self)
        self._settle()

    def _lights(self) -> None:
        for machine in (*self.shops, self.hub):
            if not machine.runs:
                machine.light_up()
                if machine.runs:
                    self.note(f"{machine.name} starts again")

    def _talk(self, shop: Shop) -> None:
        before = shop.power.cuts, self.hub.power.cuts
        waited = shop.talk()
        if (shop.power.cuts, self.hub.power.cuts) != before:
            self.note(f"the power went: {shop.name} {shop.power.cuts}, hub {self.hub.power.cuts}")
        if waited == 0:
            self.note(f"{shop.name} talks: {shop.agent.stands.trouble or 'well'}")
        self.witness.look(shop)
        putting_back.pair_anew_if_locked_out(self, shop)

    def _somebody_comes(self, shop: Shop) -> None:
        if not shop.runs:
            return
        if shop.open and self.chance.random() < 0.6:
            shop.go_on()
        else:
            face = self.chance.choice(self.people[shop.tenant_id])
            shop.walk_in(face, masked=face in MASKED and self.chance.random() < 0.3)

    # ---- the end -------------------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """The sun comes out, and everybody is in touch until nobody has anything to tell."""
        self.note("settles")
        self.network.weather = FINE
        self.network.cut_off.clear()
        self.hub.index.away, self.hub.index.calls_left = False, None
        self._pass(SETTLES_AFTER_MS)
        for machine in (*self.shops, self.hub):
            machine.power.keep()
            machine.light_up(at_once=True)
        self.network.arrive_late()
        for shop in self.shops:
            while shop.open:
                shop.go_on()
        for _ in range(ROUNDS_MAX):
            self.step += 1
            self._pass(61_000)
            for shop in self.shops:
                for _ in range(TALKS_MAX):
                    if shop.talk() > 0 and outbox.span(shop.store.db.conn).oldest is None:
                        break
                    self._pass(2_000)
                self.witness.look(shop)
                putting_back.pair_anew_if_locked_out(self, shop)
            self.hub.work()
            if not (waits := self.waits()):
                return
            self.note(f"still waits: {waits}")
        raise Unsettled(f"after {ROUNDS_MAX} rounds in touch there still waits: {self.waits()}")

    def waits(self) -> list[str]:
        found = []
        for shop in self.shops:
            at = link.read(shop.store)
            span = outbox.span(shop.store.db.conn)
            if span.oldest is not None:
                found.append(f"records of {shop.name} ({at.error if at else ''})")
            if at is None or at.cursor < self.witness.newest_fact(shop.tenant_id):
                found.append(f"facts for {shop.name}")
            if at is not None and at.hub_life != self.witness.life(shop.tenant_id):
                found.append(f"{shop.name} has not heard that the hub was put back")
            if at is not None and (at.retell or at.rotating):
                found.append(f"{shop.name} {'tells anew' if at.retell else 'rotates'}")
        for tenant in self.hub.tenants:
            found += [f"{words} at {tenant.name}" for words in self.witness.waits(tenant.tenant_id)]
        return found

    def counts(self) -> dict[str, int]:
        return {
            "visits": sum(len(shop.seen) for shop in self.shops),
            "records": sum(len(shop.ledger.records) for shop in self.shops),
            "power cuts": self.hub.power.cuts + sum(shop.power.cuts for shop in self.shops),
            "persons forgotten": len(self.forgotten),
        }

    def shop_of(self, tenant: Tenant) -> list[Shop]:
        return [shop for shop in self.shops if shop.tenant_id == tenant.tenant_id]
