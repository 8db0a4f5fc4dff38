"""One run of the simulation: a seed in, what came of it out."""

from __future__ import annotations

import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path

from tests.simulation import invariants
from tests.simulation.parts import Parts
from tests.simulation.postgres import Server
from tests.simulation.world import Say, World

WHOLE = Parts()
IN_MEMORY = Path("/dev/shm")
DEFECT_LINES = 12


@dataclass(frozen=True, slots=True)
class Outcome:
    """`broken`: what did not hold, empty if all did. `way`: two runs of one seed take the same. `counts`: how much happened."""

    seed: int
    broken: str
    way: str
    counts: dict[str, int]


def run(seed: int, server: Server, parts: Parts = WHOLE, say: Say = lambda _words: None) -> Outcome:
    place = str(IN_MEMORY) if IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="regulars-simulation-", dir=place) as folder, server.database() as database:
        world = World(seed, parts, server, Path(folder), database, say)
        try:
            broken = _gone_through(world)
        finally:
            world.close()
        return Outcome(seed, broken, world.way, world.counts())


def _gone_through(world: World) -> str:
    """An assertion that failed in words; any other error is a defect, and broken too."""
    try:
        world.run()
        invariants.check(world)
    except AssertionError as error:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return "".join(traceback.format_exc().splitlines(keepends=True)[-DEFECT_LINES:])
    return ""
