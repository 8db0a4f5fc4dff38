"""Jobs by the clock, with real threads: a failure is said once, stopping is quick. And notices, which say it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import audit, backup, notices, snapshots
from appliance.config import Config, Data, Site
from appliance.errors import BackupError
from appliance.jobs import AGAIN, HEARTBEAT, Job, Jobs, standard_jobs
from appliance.web import retold
from tests.appliance.stores import DAY_MS, JPEG, NOON, a_store, add_person, add_visit
from ui.words import speaking

Times = dict[str, int]


def job(run: object, name: str = "night", first_after_s: float = 0.0) -> Job:
    return Job(name, "The nightly work could not be done.", 3600.0, first_after_s, run)  # type: ignore[arg-type]


def test_a_failing_job_is_one_log_line_and_one_notice_until_it_goes_well(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = a_store(tmp_path)
    jobs = Jobs(store, [], lambda: NOON)

    def fails(_stopping: object) -> None:
        raise BackupError("The disk is gone.")

    def breaks(_stopping: object) -> None:
        raise KeyError("Bob Nguyen")

    jobs.run(job(fails))
    jobs.run(job(fails))
    jobs.run(job(breaks, "other"))
    other, night = notices.open_notices(store)
    assert (night.words, night.details) == ("The nightly work could not be done. The disk is gone.", "")
    assert other.words == f"The nightly work could not be done. {AGAIN}" and other.details.startswith("KeyError at test_jobs.py:")
    assert "Bob" not in caplog.text and "KeyError at test_jobs.py:" in caplog.text
    jobs.run(job(lambda _stopping: None))
    assert [n.kind for n in notices.open_notices(store)] == ["job:other"]
    assert len(caplog.records) == 3


def test_what_it_means_that_a_job_failed_is_said_in_vietnamese_too(tmp_path: Path) -> None:
    store = a_store(tmp_path)

    def breaks(_stopping: object) -> None:
        raise KeyError("Bob Nguyen")

    jobs = Jobs(store, [], lambda: NOON)
    config = Config(data=Data(folder=tmp_path))
    all_of_them = standard_jobs(store, config, lambda: NOON, gallery_check=lambda: None, forgotten=lambda _ids: None)
    for one in all_of_them:
        jobs.run(replace(one, run=breaks))
    found = notices.open_notices(store)
    assert len(found) == len(all_of_them)
    with speaking("vi"):
        again = retold.said(AGAIN)
        for notice in found:
            assert retold.said(notice.words).endswith(again) and notice.words.removesuffix(AGAIN) not in retold.said(notice.words)


def test_jobs_run_in_threads_of_their_own_and_stop_within_two_seconds(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    started, ran = threading.Event(), threading.Event()

    def patient(stopping: object) -> None:
        started.set()
        while not stopping():  # type: ignore[operator]
            time.sleep(0.01)

    jobs = Jobs(store, [job(patient), job(lambda _s: ran.set(), "quick")], lambda: NOON)
    jobs.start()
    assert started.wait(5) and ran.wait(5)
    began_s = time.monotonic()
    assert jobs.stop() and jobs.stop()
    assert time.monotonic() - began_s < 2.0
    store.close()


def test_a_job_that_does_not_listen_is_not_waited_for_longer_than_two_seconds(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    started, release = threading.Event(), threading.Event()

    def deaf(_stopping: object) -> None:
        started.set()
        release.wait(20)

    jobs = Jobs(store, [job(deaf)], lambda: NOON)
    jobs.start()
    assert started.wait(5)
    began_s = time.monotonic()
    assert jobs.stop() is False
    assert time.monotonic() - began_s < 3.0
    release.set()
    assert jobs.stop() is True


def test_jobs_stopped_before_they_began_stop(tmp_path: Path) -> None:
    assert Jobs(a_store(tmp_path), [job(lambda _s: None)], lambda: NOON).stop()


def test_the_standard_jobs_do_what_the_settings_say(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    add_person(store, "bob", last_seen_ms=NOON - 731 * DAY_MS)
    name = snapshots.save(store, "a", JPEG, NOON - 31 * DAY_MS)
    add_visit(store, "a", NOON - 31 * DAY_MS, name)
    with store.transaction():
        for age in (731, 729):
            audit.note(store, "see", "bob", NOON - age * DAY_MS)
    checked, told = [], list[str]()
    config = Config(data=Data(folder=tmp_path), site=Site(time_zone="Asia/Ho_Chi_Minh"))
    made = standard_jobs(store, config, lambda: NOON, gallery_check=lambda: checked.append(1), forgotten=told.extend)
    jobs = Jobs(store, made, lambda: NOON)
    for each in made:
        jobs.run(each)
        jobs.run(each)
    assert notices.open_notices(store) == []
    assert told == ["bob"] and checked == [1, 1]
    assert not list(store.snapshots.glob("*/*"))
    assert [entry.at_ms for entry in audit.entries(store, audit.Asked(), 9)] == [NOON - 729 * DAY_MS]
    assert len(backup.list_backups(tmp_path)) == 1
    assert store.db.execute("SELECT value FROM settings WHERE key = ?", [HEARTBEAT]).fetchone() == (str(NOON),)
    jobs = Jobs(store, made, lambda: NOON)
    jobs.start()
    assert jobs.stop()


def test_a_notice_is_open_until_it_is_dismissed(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    first = notices.notify(store, "a", "one", NOON)
    assert notices.notify(store, "a", "one again", NOON + 1) == first
    assert [n.words for n in notices.open_notices(store)] == ["one again"]
    assert notices.dismiss(store, first, NOON) and not notices.dismiss(store, first, NOON)
    assert notices.notify(store, "a", "anew", NOON) != first
    assert [n.words for n in notices.open_notices(store)] == ["anew"]
