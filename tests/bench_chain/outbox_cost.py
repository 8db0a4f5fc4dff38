"""What the record for headquarters costs a visit: the same visits into the same kind of database, with the outbox and without, in turn."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from appliance.data_key import KeyFile
from appliance.database import Store, open_store
from appliance.gallery import Gallery
from appliance.identity import Policy
from appliance.recognition import Recognition
from appliance.sightings import Phase
from sync.records import Record
from tests.appliance.stores import NOON
from tests.appliance.visitors import sighting
from tests.simulation.people import MODEL, SIZE, look
from tests.simulation.store import BARS, CAMERA

BLOCKS, VISITS = 30, 30
GAP_MS = 600_000
PEOPLE = 30


class WithoutOutbox(Store):
    def record(self, record: Record, now_ms: int) -> None:
        """Headquarters is not told."""


class Shop:
    def __init__(self, folder: Path, *, outbox: bool) -> None:
        folder.mkdir()
        self.store = open_store(folder, NOON, keeper=KeyFile(folder))
        if not outbox:
            self.store.__class__ = WithoutOutbox
        self.recognition = Recognition(self.store, Gallery(MODEL, SIZE), BARS, Policy(), GAP_MS, ZoneInfo("UTC"))
        self.visits = 0
        self._chance = Random(1)

    def block(self) -> float:
        """Seconds for so many visits, each told twice as a camera does."""
        began = time.perf_counter()
        for _ in range(VISITS):
            self.visits += 1
            at_ms, views = NOON + 2 * GAP_MS * self.visits, [look(self._chance.randrange(PEOPLE), self._chance)] * 2
            for phase in (Phase.OPENED, Phase.CLOSED):
                told = sighting(f"{self.visits}", views, at_ms, phase=phase, camera=CAMERA, portrait=b"", model=MODEL)
                self.recognition.receive(told, told.ended_ms)
        return time.perf_counter() - began


def measure(folder: Path) -> dict[str, float]:
    told, plain = Shop(folder / "told", outbox=True), Shop(folder / "plain", outbox=False)
    told.block(), plain.block()
    pairs = [(told.block(), plain.block()) for _ in range(BLOCKS)]
    told.store.close()
    plain.store.close()
    return {
        "outbox_over_plain": statistics.median(t / p for t, p in pairs),
        "visit_ms": 1000 * statistics.median(t for t, _ in pairs) / VISITS,
    }
