"""`make chaos`: a hundred kills of a headquarters and two stores while people walk in, then everything must be there once."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from tests.chaos import storm
from tests.chaos.chain import a_chain, until


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how many (100)")
    parser.add_argument("--seed", type=int, default=round(time.time()), help="of what is killed when")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="regulars-chaos-") as folder, a_chain(Path(folder)) as chain:
        storm.kills(chain, Random(chosen.seed), chosen.kills, lambda words: print(words, flush=True))
        until(chain.hub.answers, "the hub answers again")
        chain.settle()
        print(f"{chosen.kills} kills, {chain.check()} visits: nothing lost, nothing double.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
