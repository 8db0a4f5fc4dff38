"""What the hub does by the clock. Hubs may run side by side on one database: a job is done by whoever takes its lock, and by one at a time.

A job that fails is one line in the log and a figure for the monitor; the next turn tries again. What one tenant's rows make fail keeps no
other tenant waiting.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from hub import log as hub_log
from hub import tenants
from hub.database import Database
from hub.metrics import Metrics

Stopping = Callable[[], bool]
Work = Callable[[Stopping], None]
OfTenant = Callable[[str, Stopping], None]
MINUTE_S = 60.0
HOUR_S = 3_600.0
DAY_S = 24 * HOUR_S
MISFIRE_S = 3_600
"""A computer that slept does once what it missed within the hour."""
STOP_S_MAX = 2.0
WORKERS = 3
"""A pass over all templates may take minutes; noticing who is offline must not wait for it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """`run` raises what went wrong and looks at what it is given: true means give up."""

    name: str
    every_s: float
    first_after_s: float
    run: Work


class Jobs:
    """Runs jobs in threads of its own from `start` to `stop`."""

    def __init__(self, database: Database, metrics: Metrics, jobs: Sequence[Job]) -> None:
        self._database, self._metrics, self._jobs = database, metrics, jobs
        self._stopping = threading.Event()
        self._idle = threading.Condition()
        self._running = 0
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": {"type": "threadpool", "max_workers": WORKERS}},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_S},
        )

    def start(self) -> None:
        begin = datetime.now(UTC)
        for job in self._jobs:
            first = begin + timedelta(seconds=job.first_after_s)
            self._scheduler.add_job(self.run, "interval", [job], seconds=job.every_s, id=job.name, next_run_time=first)
        self._scheduler.start()

    def soon(self, name: str) -> None:
        """Its next turn is now."""
        if self._scheduler.running:
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def stop(self) -> bool:
        """Whether everything had ended within two seconds. May be called twice."""
        if not self._stopping.is_set():
            self._stopping.set()
            if self._scheduler.running:
                self._scheduler.shutdown(wait=False)
        deadline_s = time.monotonic() + STOP_S_MAX
        with self._idle:
            return self._idle.wait_for(lambda: self._running == 0, timeout=max(0.0, deadline_s - time.monotonic()))

    def run(self, job: Job) -> bool:
        """Runs the job now, in this thread, unless another hub is at it; whether it was done and went well. Raises nothing."""
        with self._idle:
            if self._stopping.is_set():
                return False
            self._running += 1
        try:
            with self._database.once(f"job {job.name}") as ours:
                if ours:
                    job.run(self._stopping.is_set)
                return ours
        except Exception as error:
            told_of(self._metrics, job.name, error)
            return False
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()


def told_of(metrics: Metrics, job: str, error: Exception) -> None:
    metrics.job_failed(job)
    log.error("event=job_failed job=%s %s", job, hub_log.place_of(error))


def for_each_tenant(database: Database, metrics: Metrics, job: str, work: OfTenant) -> Work:
    """A job's `run` that goes from tenant to tenant. A tenant at which it fails is told of, and the next one has its turn."""

    def run(stopping: Stopping) -> None:
        with database.anyone() as tx:
            ids = [tenant.tenant_id for tenant in tenants.every(tx)]
        for tenant_id in ids:
            if stopping():
                return
            hub_log.about(tenant=tenant_id)
            try:
                work(tenant_id, stopping)
            except Exception as error:
                told_of(metrics, job, error)
            finally:
                hub_log.about(tenant="")

    return run
