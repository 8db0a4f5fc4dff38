"""`python -m tests.simulation`: the chain run from many seeds, or from one with a log of every step."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter

from tests.simulation.many import JOBS_MAX, many, runners_on
from tests.simulation.parts import Parts
from tests.simulation.planted import PLANTED
from tests.simulation.postgres import a_server
from tests.simulation.run import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="how many (50)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--seed", type=int, help="one alone, with a log of every step")
    parser.add_argument("--planted", choices=sorted(PLANTED), help="with this bug in it")
    parser.add_argument("--jobs", type=int, default=min(JOBS_MAX, os.cpu_count() or 1))
    chosen = parser.parse_args()
    began_s = time.monotonic()
    # What the parts log of a line this bad would bury the steps.
    logging.disable(logging.WARNING)
    with a_server() as server:
        if chosen.seed is not None:
            parts = PLANTED[chosen.planted] if chosen.planted else Parts()
            outcomes = [run(chosen.seed, server, parts, print)]
        else:
            with runners_on(server.folder, chosen.jobs) as found:
                outcomes = many(found, range(chosen.first, chosen.first + chosen.seeds), chosen.planted)
    failed = [outcome for outcome in outcomes if outcome.broken]
    for outcome in failed:
        print(f"seed {outcome.seed}: {outcome.broken}\n  again: python -m tests.simulation --seed {outcome.seed}")
    totals = Counter[str]()
    for outcome in outcomes:
        totals.update(outcome.counts)
    much = ", ".join(f"{count} {what}" for what, count in totals.items())
    print(f"{len(outcomes)} seeds in {time.monotonic() - began_s:.0f} s, {len(failed)} failed. {much}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
