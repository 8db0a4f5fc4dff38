"""A store's computer as a process of its own, to be killed: the real database, recognition, reception and line; only the camera is made up.

`python -m tests.chaos.store FOLDER SEED SEEN`: people walk in until the process is killed or its standard input closes. Each visit that the
reception says it has written goes into the file SEEN as well: what is there must never be missing.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from appliance import visits
from appliance.data_key import KeyFile
from appliance.database import open_store
from appliance.gallery import Gallery
from appliance.identity import Policy
from appliance.line.agent import Agent, Surroundings
from appliance.reception import Received, Reception
from appliance.recognition import Recognition
from appliance.sightings import Phase
from tests.appliance.visitors import sighting
from tests.simulation.people import MODEL, SIZE, look
from tests.simulation.store import BARS, CAMERA

PEOPLE = 12
GAP_MS = 400
BETWEEN_S = 0.04


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def main() -> None:
    folder, seed, seen = Path(sys.argv[1]), int(sys.argv[2]), os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    chance = Random(f"{seed}/{os.getpid()}/{now_ms()}")

    def told(received: Received) -> None:
        outcome = received.outcome
        if outcome.settled and outcome.visit_id:
            os.write(seen, f"{outcome.visit_id}\n".encode())

    store = open_store(folder, now_ms(), keeper=KeyFile(folder))
    visits.settle_left_over(store, now_ms())
    recognition = Recognition(store, Gallery(MODEL, SIZE), BARS, Policy(), GAP_MS, ZoneInfo("UTC"))
    recognition.load()
    reception = Reception(recognition, now_ms, told=told)
    agent = Agent(store, Surroundings(now=now_ms, on_reception=reception.ask, renew=recognition.renew))
    reception.start()
    agent.start()
    ending = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ending.set()), daemon=True).start()
    number = 0
    while not ending.wait(BETWEEN_S):
        number += 1
        views = [look(chance.randrange(PEOPLE), chance)] * 2
        for phase in (Phase.OPENED, Phase.CLOSED):
            told_of = sighting(
                f"{os.getpid()} {now_ms()} {number}",
                views,
                now_ms() - 300,
                phase=phase,
                camera=CAMERA,
                shots=4,
                lasts_ms=300,
                portrait=b"",
                model=MODEL,
            )
            reception.receive(told_of, now_ms())
    # Nobody walks in any more; reception and line go on until somebody kills this.
    while True:
        time.sleep(1.0)


if __name__ == "__main__":
    main()
