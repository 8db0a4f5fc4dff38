"""One store of the simulated chain: its computer with the real database, recognition and line, its clock, its power, and who walks in.

The truth that the end is compared with is written down outside the computer: every record the store ever committed, by line and number, and
whose face was before the camera.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import msgspec

from appliance import backup, forgetting, honouring, merging, persons, visits
from appliance.data_key import KeyFile
from appliance.database import Store
from appliance.enrolment import Photo, enrol
from appliance.gallery import Gallery
from appliance.identity import Policy
from appliance.line import link, pairing, room
from appliance.line.agent import Agent, Surroundings
from appliance.line.carrying import Carrier
from appliance.outcomes import Outcome
from appliance.recognition import Recognition
from appliance.sightings import Phase, Sighting
from models.bars import Bars
from sync import keys, outbox
from sync.messages import Status
from sync.pairing import Target, parse_code
from sync.records import TemplateRecord, decoded
from tests.appliance.visitors import sighting
from tests.cheap import CHEAP_WORK
from tests.simulation.network import Network, StoresLine
from tests.simulation.parts import Parts
from tests.simulation.people import MODEL, SIZE, axis, look, person
from tests.simulation.power import Power, PowerCut

BARS = Bars({1e-2: 0.2506, 1e-3: 0.3332, 1e-4: 0.3995, 1e-5: 0.4567, 1e-6: 0.5186})
"""Those of the model whose name the vectors bear: the hub looks them up by it."""
GAP_MS = 600_000
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
BOOT_MS_MAX = 90_000
HUB_URL = "http://127.0.0.1:1"
"""Nothing listens there: the transport is the simulated network."""
CAMERA = "01920000-0000-7000-8000-00000000cafe"


class Reused(AssertionError):
    """A sequence number of a line was given to two records."""


@dataclass(slots=True)
class Ledger:
    """Every record that was ever committed here: payload by (line, sequence). `templates`: what each person's were, for who is erased."""

    records: dict[tuple[str, int], bytes] = field(default_factory=dict)
    templates: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Template id: its person when it was last told, its embedding."""
    seen: dict[str, int] = field(default_factory=dict)

    def history(self, row_id: str) -> str:
        """What was told of one visit or person, for whoever looks for a fault."""
        named = row_id.encode()
        told = [f"{line[:13]}/{number} {decoded(payload)}" for (line, number), payload in self.records.items() if named in payload]
        return "\n    ".join(told)

    def write_down(self, store: Store) -> None:
        """Raises Reused."""
        line = link.line_of(store)
        newest = outbox.newest(store.db.conn)
        after = 0 if newest < self.seen.get(line, 0) else self.seen.get(line, 0)
        for entry in outbox.pending(store.db.conn, store.vault.unseal, after=after, records_max=100_000, bytes_max=1 << 30):
            held = self.records.setdefault((line, entry.sequence), entry.payload)
            if held != entry.payload:
                raise Reused(f"record {entry.sequence} of a line is another than it was")
            record = decoded(entry.payload)
            if isinstance(record, TemplateRecord):
                self.templates[record.id] = (record.person_id, record.embedding)
        self.seen[line] = newest


@dataclass(slots=True)
class Person:
    """What the world knows of somebody who was before this store's cameras: outcome by sighting."""

    face: int
    at_ms: int
    outcome: Outcome


class Shop:
    """The store. Everything that its computer does goes through `doing`: then the power may go at any step of it."""

    def __init__(self, name: str, folder: Path, parts: Parts, network: Network, chance: Random, true_now: Callable[[], int]) -> None:
        self.name, self.folder, self.parts, self.network, self.chance = name, folder, parts, network, chance
        self._true_now = true_now
        self.clock_off_ms = 0
        self.power = Power()
        self.ledger = Ledger()
        self.dark_until_ms: int | None = None
        self._booted_ms = 0
        self._sightings = 0
        self.open: list[tuple[int, Sighting]] = []
        """Who is before the camera now: whose face, and what was told of them last."""
        self.seen: list[Person] = []
        self.tenant_id = self.appliance_id = ""
        self.backups: list[backup.Backup] = []
        self.boots = 0
        self.shed_through: dict[str, int] = {}
        """By line: records that had no room in the outbox."""
        self._boot()

    # ---- its computer ------------------------------------------------------------------------------------------------------------

    def now_ms(self) -> int:
        return self._true_now() + self.clock_off_ms

    def steady_s(self) -> float:
        return (self._true_now() - self._booted_ms) / 1000

    def _boot(self) -> None:
        self.power.keep()
        self.boots += 1
        self.dark_until_ms, self._booted_ms = None, self._true_now()
        self.store = self.parts.open_store(self.folder, self.now_ms(), keeper=KeyFile(self.folder))
        with self.store.transaction() as db:
            # As long as the connection lives: each statement inside a transaction is a step.
            self._steps = db.tracer(lambda _sql, _values: self.power.step("store"))
            self._steps.__enter__()
        honouring.honour(self.store, self.folder / backup.FOLDER, self.now_ms())
        self.recognition = Recognition(self.store, Gallery(MODEL, SIZE), BARS, Policy(), GAP_MS, ZONE)
        self.recognition.load()
        self.open.clear()
        visits.settle_left_over(self.store, self.now_ms())
        around = Surroundings(
            now=self.now_ms,
            renew=self.recognition.renew,
            renew_guests=self.recognition.renew_guests,
            status=Status,
            transport=StoresLine(self.network, self.name),
            chance=self.chance.random,
            steady_s=self.steady_s,
            passed_s=self.steady_s,
        )
        self.agent = Agent(self.store, around)
        self.ledger.write_down(self.store)

    @property
    def runs(self) -> bool:
        return self.dark_until_ms is None

    def doing(self, what: Callable[[], object]) -> bool:
        """Whether it came to its end with the power on."""
        assert self.runs
        try:
            what()
            self.ledger.write_down(self.store)
            self.power.step("after")
        except PowerCut:
            self.fall_dark()
            return False
        return True

    def fall_dark(self) -> None:
        """Once: what it was doing on top of something else takes that with it."""
        if not self.runs:
            return
        self.store.close()
        self.dark_until_ms = self._true_now() + self.chance.randint(1_000, BOOT_MS_MAX)

    def light_up(self, *, at_once: bool = False) -> None:
        """Starts again, when it is time."""
        if self.dark_until_ms is not None and (at_once or self._true_now() >= self.dark_until_ms):
            self._boot()

    def close(self) -> None:
        if self.runs:
            self.store.close()

    # ---- its line ----------------------------------------------------------------------------------------------------------------

    def pair(self, code: str) -> None:
        carrier = Carrier(HUB_URL, transport=StoresLine(self.network, self.name))
        target = Target(parse_code(code), HUB_URL, plain=True)
        answer, own = pairing.pair(
            carrier,
            target,
            name=self.name,
            time_zone="Asia/Ho_Chi_Minh",
            version="1",
            now_ms=self.now_ms(),
            wait=lambda _s: None,
            work=CHEAP_WORK,
        )
        link.begin(self.store, HUB_URL, answer, own, self.now_ms())
        self.tenant_id, self.appliance_id = answer.tenant_id, answer.appliance_id

    def talk(self) -> float:
        """What the line has due; in how many seconds there may be more."""
        waited: list[float] = [1.0]
        self.doing(lambda: waited.append(self.agent.step()))
        return waited[-1]

    def rotate(self) -> None:
        # A backup from before carries keys that headquarters will not take any more: a store restored from it is paired anew.
        self.backups.clear()
        self.doing(lambda: link.rotate(self.store, keys.make()))

    def shed(self, kept: int) -> None:
        """The outbox has no room for more than this."""

        def do() -> None:
            line = link.line_of(self.store)
            if room.keep(self.store, self.now_ms(), records_max=kept):
                span = outbox.span(self.store.db.conn)
                self.shed_through[line] = span.newest if span.oldest is None else span.oldest - 1

        self.doing(do)

    # ---- what happens in it ------------------------------------------------------------------------------------------------------

    def walk_in(self, face: int, *, masked: bool = False) -> None:
        """Somebody comes before the camera."""
        self._sightings += 1
        shots = [look(face, self.chance, masked=masked) for _ in range(self.chance.randint(2, 4))]
        told = sighting(
            f"{self.name} {self.boots} {self._sightings}",
            shots,
            self.now_ms(),
            phase=Phase.OPENED,
            camera=CAMERA,
            shots=len(shots),
            lasts_ms=900,
            portrait=b"",
            model=MODEL,
        )
        self.open.append((face, told))
        self.doing(lambda: self._told(face, told))

    def go_on(self) -> None:
        """Somebody who is before the camera is seen better, or leaves."""
        if not self.open:
            return
        face, last = self.open.pop(self.chance.randrange(len(self.open)))
        leaves = self.chance.random() < 0.7
        now_ms = max(self.now_ms(), last.ended_ms + 200)
        told = _later(last, Phase.CLOSED if leaves else Phase.IMPROVED, min(now_ms, last.began_ms + 20_000))
        if not leaves:
            self.open.append((face, told))
        self.doing(lambda: self._told(face, told))

    def _told(self, face: int, told: Sighting) -> None:
        outcome = self.recognition.receive(told, self.now_ms())
        if told.phase is Phase.CLOSED:
            self.seen.append(Person(face, self._true_now(), outcome))

    def enrol(self, role: str, name: str, face: int) -> None:
        photos = [Photo(look(face, self.chance), 0.9, "") for _ in range(3)]
        self.doing(lambda: enrol(self.store, self.recognition.gallery, role, name, photos, self.now_ms()))

    def merge(self, keep: str, taken: str) -> None:
        self._change(lambda: merging.merge(self.store, keep, taken, GAP_MS, self.now_ms()))

    def apart(self, one: str, other: str) -> None:
        self._change(lambda: merging.apart(self.store, one, other, "somebody said so", self.now_ms()) or [])

    def erase(self, person_id: str) -> bool:
        return self._change(lambda: forgetting.erase(self.store, person_id, self.now_ms()).keys)

    def opt_out(self, person_id: str) -> None:
        self._change(lambda: forgetting.opt_out(self.store, person_id, self.now_ms()).keys)

    def _change(self, change: Callable[[], list[str]]) -> bool:
        def do() -> None:
            with self.store.transaction():
                touched = change()
            self.recognition.renew(touched)

        return self.doing(do)

    def face_of(self, person_id: str) -> int | None:
        """Whose face the person's templates are."""
        own = persons.templates_of(self.store, person_id, MODEL)
        return person(axis(own[0][0].embedding)) if own else None

    def persons(self, role: str = "customer") -> list[persons.PersonRow]:
        """In the order they were made, so that a choice among them does not hang on their ids."""
        return sorted(persons.list_persons(self.store, role, limit=10_000), key=lambda p: p.number)

    # ---- its disk ----------------------------------------------------------------------------------------------------------------

    def back_up(self) -> None:
        at = link.read(self.store)
        if at is None or at.rotating:
            return
        self.backups.append(backup.make_backup(self.folder, self.store.vault, self.now_ms()))

    def restore(self) -> bool:
        """One of the backups takes the place of the database."""
        if not self.backups:
            return False
        self.store.close()
        backup.restore(self.folder, self.store.vault, self.chance.choice(self.backups), self.now_ms())
        self._boot()
        return True


def _later(last: Sighting, phase: Phase, at_ms: int) -> Sighting:
    return msgspec.structs.replace(
        last, phase=phase, ended_ms=at_ms, last_shot_ms=at_ms, sent_ms=at_ms, shot_count=last.shot_count + 2, portrait=b""
    )
