"""The simulated chain from fifty seeds; with each of the planted bugs; and the same way twice.

`make simulate SEEDS=1000` runs it from more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.simulation.many import first_broken, many
from tests.simulation.planted import PLANTED
from tests.simulation.postgres import Server, a_server

SEEDS = range(50)
JOBS = min(4, os.cpu_count() or 1)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with a_server() as running:
        yield running


@pytest.mark.timeout(600)
def test_a_chain_comes_through_everything_that_can_happen_to_it(server: Server) -> None:
    outcomes = many(SEEDS, server.folder, JOBS)
    broken = [f"python -m tests.simulation --seed {one.seed}\n{one.broken}" for one in outcomes if one.broken]
    assert not broken, "\n\n".join(broken)
    # A run in which nothing happens proves nothing.
    totals = {what: sum(one.counts[what] for one in outcomes) for what in outcomes[0].counts}
    assert all(total > 0 for total in totals.values()), totals


@pytest.mark.timeout(600)
@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(server: Server, bug: str) -> None:
    assert first_broken(SEEDS, server.folder, JOBS, bug) is not None, f"no seed finds that it {bug}"


def test_a_seed_takes_the_same_way_every_time(server: Server) -> None:
    one, again = many([3, 3], server.folder, 2)
    assert one == again
