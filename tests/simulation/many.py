"""Many seeds, several at a time: each process runs one after the other, all on one PostgreSQL."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from tests.simulation.parts import Parts
from tests.simulation.planted import PLANTED
from tests.simulation.postgres import Server
from tests.simulation.run import Outcome, run

JOBS_MAX = 8


def one(seed: int, folder: Path, planted: str | None) -> Outcome:
    logging.disable(logging.WARNING)
    return run(seed, Server(folder), PLANTED[planted] if planted else Parts())


@dataclass(frozen=True, slots=True)
class Runners:
    """`jobs` processes that have everything imported: starting them takes longer than a run."""

    pool: ProcessPoolExecutor
    jobs: int
    folder: Path

    def begin(self, seed: int, planted: str | None) -> Future[Outcome]:
        return self.pool.submit(one, seed, self.folder, planted)


@contextmanager
def runners_on(folder: Path, jobs: int) -> Iterator[Runners]:
    """`folder`: of the PostgreSQL."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield Runners(pool, jobs, folder)


def first_broken(runners: Runners, seeds: Iterable[int], planted: str) -> Outcome | None:
    """The first outcome that does not hold, and no run begun after it."""
    left = iter(seeds)
    running = {runners.begin(seed, planted) for seed in islice(left, runners.jobs)}
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for run_of_seed in done:
            if run_of_seed.result().broken:
                return run_of_seed.result()
        running |= {runners.begin(seed, planted) for seed in islice(left, len(done))}
    return None


def many(runners: Runners, seeds: Iterable[int], planted: str | None = None) -> list[Outcome]:
    """In the order of the seeds."""
    return [run_of_seed.result() for run_of_seed in [runners.begin(seed, planted) for seed in seeds]]
