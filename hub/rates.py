"""How often somebody may come: a bucket of tokens each, in this process's memory. Several processes of a hub each let as many through."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

WATCHED_MAX = 10_000
"""Of whom buckets are kept; beyond, who came longest ago starts with a full one."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, then `a_second`."""

    a_second: float
    burst: float


EXCHANGES = Rate(10, 100)
"""An appliance has one batch in flight; with a month to tell it makes about five a second."""
SNAPSHOTS = Rate(20, 200)
PAIRINGS = Rate(1 / 20, 10)
"""From one address. A person types a code in half a minute."""
STRANGERS = Rate(20, 200)
"""From one address, messages that nobody known signed. Stores behind one address are known, and not counted here."""


class Rates:
    """May be used from any thread."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[Rate, str], tuple[float, datetime]] = OrderedDict()
        self._turn = threading.Lock()

    def wait_s(self, rate: Rate, who: str, now: datetime, *, spend: bool = True) -> int:
        """0: come in. Otherwise after how many seconds. `spend` False: only asked."""
        with self._turn:
            tokens, since = self._buckets.get((rate, who), (rate.burst, now))
            # A clock that went back gives nothing and takes nothing.
            tokens = min(rate.burst, tokens + max(0.0, (now - since).total_seconds()) * rate.a_second)
            wait_s = 0 if tokens >= 1 else math.ceil((1 - tokens) / rate.a_second)
            self._buckets[rate, who] = (tokens - 1 if spend and not wait_s else tokens, now)
            self._buckets.move_to_end((rate, who))
            if len(self._buckets) > WATCHED_MAX:
                self._buckets.popitem(last=False)
            return wait_s
