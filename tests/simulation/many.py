"""Many seeds, several at a time: each process runs one after the other, all on one PostgreSQL."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
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


def first_broken(seeds: Iterable[int], folder: Path, jobs: int, planted: str) -> Outcome | None:
    """The first outcome that does not hold, and no run more than is needed."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        runs = [pool.submit(one, seed, folder, planted) for seed in seeds]
        for run_of_seed in as_completed(runs):
            if run_of_seed.result().broken:
                pool.shutdown(wait=False, cancel_futures=True)
                return run_of_seed.result()
    return None


def many(seeds: Iterable[int], folder: Path, jobs: int, planted: str | None = None) -> list[Outcome]:
    """In the order of the seeds."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return list(pool.map(partial(one, folder=folder, planted=planted), seeds))
