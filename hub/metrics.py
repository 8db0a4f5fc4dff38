"""What a monitor may know: counts and times of the hub's own work. Never a tenant's name or id unless the settings ask for it.

What happens is counted as it happens, in memory; what stands in the database is looked up when somebody asks, at most every ten seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

KEPT_S = 10.0
"""A monitor asks every 15 s or more; two of them share an answer."""
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CONTENT_TYPE = "text/plain; version=0.0.4"
"""Litestar adds the charset."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one tenant. `label`: empty, or the tenant's id where the settings allow it. `oldest_s`: how long the oldest record that an
    appliance said is waiting there has waited."""

    label: str
    appliances_online: int
    appliances_offline: int
    to_resolve: int
    set_aside: int
    outbox_records: int
    oldest_s: float
    outstanding: int


class Metrics:
    """Each hub process has its own; nothing is registered globally."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        made = self.registry
        self._batches = Counter("regulars_hub_batches", "Batches that came, by what became of them.", ["outcome"], registry=made)
        self._records = Counter("regulars_hub_records", "Records applied.", registry=made)
        self._set_aside = Counter("regulars_hub_records_set_aside", "Records that could not be taken.", registry=made)
        self._seconds = Histogram("regulars_hub_line_seconds", "One answer to a store.", ["route"], buckets=SECONDS, registry=made)
        self._resolved = Counter("regulars_hub_resolved", "Persons looked at, by what was decided.", ["outcome"], registry=made)
        self._resolve_seconds = Histogram(
            "regulars_hub_resolve_seconds", "One turn of the resolver.", buckets=SECONDS, registry=made
        )
        self._index_errors = Counter("regulars_hub_index_errors", "Times the index did not answer as it should.", registry=made)
        self._jobs = Counter("regulars_hub_job_failures", "Jobs that failed.", ["job"], registry=made)

    def exchanged(self, outcome: str, records: int, set_aside: int) -> None:
        """`outcome`: taken, repeat, resend, refused."""
        self._batches.labels(outcome).inc()
        self._records.inc(records)
        self._set_aside.inc(set_aside)

    def answered(self, route: str, seconds: float) -> None:
        self._seconds.labels(route).observe(seconds)

    def resolved(self, linked: int, new: int, questions: int, others: int, seconds: float) -> None:
        """One turn of the resolver at one tenant. `others`: persons that nothing was decided of."""
        for outcome, count in (("linked", linked), ("new", new), ("review", questions), ("none", others)):
            self._resolved.labels(outcome).inc(count)
        self._resolve_seconds.observe(seconds)

    def index_failed(self) -> None:
        self._index_errors.inc()

    def job_failed(self, job: str) -> None:
        self._jobs.labels(job).inc()

    def look_up(self, standings: Callable[[], list[Standing]]) -> None:
        """Where the figures of the database come from."""
        self.registry.register(_LookedUp(standings))

    def text(self) -> bytes:
        return generate_latest(self.registry)


class _LookedUp(Collector):
    def __init__(self, standings: Callable[[], list[Standing]]) -> None:
        self._standings = standings
        self._lock = threading.Lock()
        self._found: list[Standing] = []
        self._at_s = float("-inf")

    def describe(self) -> Iterable[Metric]:
        """Nothing is looked up when it is registered."""
        return []

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            if time.monotonic() - self._at_s >= KEPT_S:
                self._found, self._at_s = self._standings(), time.monotonic()
            found = self._found
        return [
            gauge("regulars_hub_appliances_online", "Appliances heard from lately.", found, lambda s: s.appliances_online),
            gauge("regulars_hub_appliances_offline", "Appliances not heard from.", found, lambda s: s.appliances_offline),
            gauge("regulars_hub_to_resolve", "Persons whose identity is still to be found.", found, lambda s: s.to_resolve),
            gauge("regulars_hub_set_aside", "Records set aside and kept.", found, lambda s: s.set_aside),
            gauge("regulars_hub_outbox_records", "Records waiting at appliances when last heard from.", found, lambda s: s.outbox_records),
            gauge("regulars_hub_outbox_oldest_seconds", "Age of the oldest of them.", found, lambda s: s.oldest_s, max),
            gauge("regulars_hub_erasures_outstanding", "Places where a request to be forgotten is open.", found, lambda s: s.outstanding),
        ]


def gauge(
    name: str,
    words: str,
    found: list[Standing],
    value: Callable[[Standing], float],
    together: Callable[[Iterable[float]], float] = sum,
) -> Metric:
    """One figure for the whole hub, or one for each tenant where they carry a label."""
    labelled = [standing for standing in found if standing.label]
    metric = GaugeMetricFamily(name, words, labels=["tenant"] if labelled else [])
    if labelled:
        for standing in labelled:
            metric.add_metric([standing.label], value(standing))
    else:
        metric.add_metric([], together([0.0, *(float(value(standing)) for standing in found)]))
    return metric
