"""What is done to a chain of real processes while people walk in; how long is up to whoever asks."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from random import Random

from tests.chaos.chain import Chain, signal_postgres, until


def kills(chain: Chain, chance: Random, count: int, say: Callable[[str], None]) -> None:
    """kill -9 of the hub or of a store, at any moment, and now and then the line is cut or PostgreSQL is killed."""
    for number in range(count):
        time.sleep(chance.uniform(0.1, 1.2))
        draw = chance.random()
        if draw < 0.35:
            say(f"{number}: kill the hub")
            chain.hub.kill()
            time.sleep(chance.uniform(0, 0.5))
            chain.hub.start()
            if chance.random() < 0.7:
                until(chain.hub.answers, "the hub answers again")
        elif draw < 0.85:
            shop = chance.choice(chain.shops)
            say(f"{number}: kill {shop.name}")
            shop.kill()
            shop.start()
            # So that people walk in before the next kill.
            time.sleep(chance.uniform(0.5, 2.5))
        else:
            say(f"{number}: kill PostgreSQL")
            signal_postgres(chain.hub, signal.SIGKILL)
        if chance.random() < 0.25:
            say(f"{number}: cut the line")
            chain.line.cut()
            time.sleep(chance.uniform(0.2, 1.5))
            chain.line.restore()


def outages(chain: Chain, say: Callable[[str], None], *, seconds: float = 3.0) -> None:
    """PostgreSQL stands still, then the line is gone: each for a while."""
    say("PostgreSQL stands still")
    signal_postgres(chain.hub, signal.SIGSTOP)
    time.sleep(seconds)
    signal_postgres(chain.hub, signal.SIGCONT)
    say("no line")
    chain.line.cut()
    time.sleep(seconds)
    chain.line.restore()


def another_index(chain: Chain, url: str, say: Callable[[str], None]) -> None:
    """The hub starts again with an index by this address; empty: its own."""
    say(f"the index is at {url}" if url else "the index is the hub's own")
    chain.hub.stop()
    chain.hub.index_url = url
    chain.hub.start()
    until(chain.hub.answers, "the hub answers again")
