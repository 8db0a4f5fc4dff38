"""What the appliance does by the clock: retention, gallery check, nightly backup, heartbeat.

A job that fails is one line in the log and one notice on the page, which goes when the job goes well again. The notice says what that
means; where it happened is in the log, and in the notice's details. Stopping takes at most two seconds."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler

from appliance import audit, backup, clearing, notices, retention, set_aside, snapshots
from appliance.config import Config
from appliance.database import Store
from appliance.errors import RegularsError
from appliance.line import room
from appliance.privacy import retention_days
from appliance.reports import tallies
from ui import formats

Stopping = Callable[[], bool]
MINUTE_S = 60.0
HOUR_S = 3_600.0
MISFIRE_S = 3_600
"""A computer that slept runs what it missed once when it wakes, if that is within the hour; else the next turn does."""
STOP_S_MAX = 2.0
CLEARING_S = 5.0
WORKERS = 3
"""The backup may take minutes, and so may clearing the earlier ones; the heartbeat must wait for neither."""
HEARTBEAT = "heartbeat"
AGAIN = "It is tried again by itself. If this is still here tomorrow, give the diagnostics (Settings, Health) to whoever helps you."
"""What a notice says where the error has no words for people."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """`words`: what it means that it failed, a whole sentence, which stands in `appliance/web/notice_words.py` as well. `run` raises what
    went wrong and looks at what it is given: true means give up."""

    name: str
    words: str
    every_s: float
    first_after_s: float
    run: Callable[[Stopping], None]


def standard_jobs(
    store: Store,
    config: Config,
    now: Callable[[], int],
    *,
    gallery_check: Callable[[], None],
    forgotten: Callable[[list[str]], None],
) -> list[Job]:
    """`now` gives UTC milliseconds; `gallery_check` raises when the gallery is not what the database says; `forgotten` gets the ids of
    people whose templates were dropped."""

    def keep_snapshots(stopping: Stopping) -> None:
        days = retention_days.of(store, config.retention).snapshot_days
        snapshots.expire(store, now(), days)
        retention.drop_unsure_embeddings(store, now(), days)
        if not stopping():
            snapshots.sweep(store, now())

    def keep_people(stopping: Stopping) -> None:
        retention.drop_templates(store, now(), retention_days.of(store, config.retention).person_days, forgotten)
        audit.drop_old(store, now(), retention_days.of(store, config.retention).audit_days, stopping)
        set_aside.drop_old(store.folder, now())

    def back_up(stopping: Stopping) -> None:
        made = backup.list_backups(store.folder, config.backup.folder)
        if backup.due(made[0].made_ms if made else None, now(), config.backup.hour, config.site.zone):
            done = _backed_up(store, config.backup.folder, config.backup.keep, now(), stopping)
            log.info("backup made name=%s bytes=%d", done.name, done.bytes)

    def beat(_stopping: Stopping) -> None:
        with store.transaction() as db:
            db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", [HEARTBEAT, str(now())])

    def keep_outbox(_stopping: Stopping) -> None:
        dropped = room.keep(store, now())
        if dropped:
            log.warning("outbox shed records=%d", dropped)

    def count_days(stopping: Stopping) -> None:
        zone = config.site.zone
        tallies.refresh(store, zone, formats.day_of(now(), zone), stopping)

    def clear(stopping: Stopping) -> None:
        clearing.clear(store, config.backup.folder or store.folder / backup.FOLDER, now(), stopping)

    return [
        Job("heartbeat", "This computer could not note that it is running.", MINUTE_S, 0.0, beat),
        Job("snapshots", "Old pictures could not be deleted: they are kept longer than they should be.", HOUR_S, 60.0, keep_snapshots),
        Job("people", "Those who stay away could not be forgotten: they are kept longer than they should be.", HOUR_S, 120.0, keep_people),
        Job("tallies", "The days could not be counted: the reports may lack the last hours.", MINUTE_S, 5.0, count_days),
        Job("gallery", "The hourly check of the known faces did not go well.", HOUR_S, 600.0, lambda _stopping: gallery_check()),
        Job("outbox", "The room for what headquarters has to be told could not be looked after.", HOUR_S, 180.0, keep_outbox),
        Job(
            "clearing",
            "Those who were forgotten could not be cleared out of the log and the backups yet.",
            CLEARING_S,
            CLEARING_S,
            clear,
        ),
        # Looks every ten minutes whether last night's is made: so a night without power is made up for.
        Job("backup", "The nightly backup could not be made.", 10 * MINUTE_S, 300.0, back_up),
    ]


class Jobs:
    """Runs jobs in threads of its own from `start` to `stop`."""

    def __init__(self, store: Store, jobs: list[Job], now: Callable[[], int]) -> None:
        self._store, self._jobs, self._now = store, jobs, now
        self._stopping = threading.Event()
        self._idle = threading.Condition()
        self._running = 0
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": {"type": "threadpool", "max_workers": WORKERS}},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_S},
        )

    def start(self) -> None:
        # The scheduler's own lines, two for every run, say nothing that ours do not.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        begin = datetime.now(UTC)
        for job in self._jobs:
            first = begin + timedelta(seconds=job.first_after_s)
            self._scheduler.add_job(self.run, "interval", [job], seconds=job.every_s, id=job.name, next_run_time=first)
        self._scheduler.start()

    def stop(self) -> bool:
        """Whether everything had ended within two seconds. May be called twice."""
        if not self._stopping.is_set():
            self._stopping.set()
            if self._scheduler.running:
                self._scheduler.shutdown(wait=False)
        deadline_s = time.monotonic() + STOP_S_MAX
        with self._idle:
            return self._idle.wait_for(lambda: self._running == 0, timeout=max(0.0, deadline_s - time.monotonic()))

    def run(self, job: Job) -> None:
        """Runs the job now, in this thread. Raises nothing: this loop is where an error ends."""
        with self._idle:
            if self._stopping.is_set():
                return
            self._running += 1
        try:
            self._tried(job)
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()

    def _tried(self, job: Job) -> None:
        kind = f"job:{job.name}"
        try:
            job.run(self._stopping.is_set)
            notices.settle(self._store, kind, self._now())
        except backup.Stopped:
            log.info("job given up job=%s", job.name)
        except Exception as error:
            why, details = (str(error), "") if isinstance(error, RegularsError) else (AGAIN, f"{type(error).__name__} at {_place(error)}")
            log.error("job failed job=%s error=%s", job.name, details or why)
            try:
                notices.notify(self._store, kind, f"{job.words} {why}", self._now(), details)
            except Exception as second:
                # A full disk takes no notice either; the log has it.
                log.error("notice failed job=%s error=%s", job.name, type(second).__name__)


def _backed_up(store: Store, into: Path | None, keep: int, now_ms: int, stopping: Stopping) -> backup.Backup:
    return backup.make_backup(store.folder, store.vault, now_ms, into=into, keep=keep, stopping=stopping)


def _place(error: Exception) -> str:
    """Where it happened. Not what it says: the words of a foreign error may quote data."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown place"
