"""What keeps a hub going and what it tells of itself: jobs, the resolver's thread, figures, readiness, the log."""

from __future__ import annotations

import io
import json
import logging
import threading
import time
from collections.abc import Iterator

import pytest

from hub import log as hub_log
from hub import users
from hub.database import Database
from hub.heartbeats import OFFLINE_AFTER
from hub.jobs import Job, Jobs, for_each_tenant
from hub.metrics import Metrics
from hub.model_bars import bars_of
from hub.readiness import CHECK_S_MAX, Readiness
from hub.resolver import Resolver
from hub.room import Room
from hub.snapshot_store import in_folder
from hub.standing_jobs import standing_jobs
from hub.standings import look_up
from tests.cheap import CHEAP
from tests.hub.chain import NOW, Chain
from tests.hub.exact_index import ExactIndex
from tests.hub.web.office import WORDS
from ui.sign_in import begin_session


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the log says."""
    root, written = logging.getLogger(), io.StringIO()
    before, level = list(root.handlers), root.level
    hub_log.write_to(written, level="info")
    yield written
    root.handlers[:] = before
    root.setLevel(level)


def nothing() -> None:
    """A check that finds what it looks for."""


def test_a_job_is_done_by_one_hub_at_a_time(database: Database) -> None:
    began, go_on, done = threading.Event(), threading.Event(), []

    def work(_stopping: object) -> None:
        began.set()
        assert go_on.wait(10)
        done.append(1)

    job = Job("long", 60, 60, work)
    one, other = Jobs(database, Metrics(), [job]), Jobs(database, Metrics(), [job])
    thread = threading.Thread(target=one.run, args=(job,))
    thread.start()
    assert began.wait(10)
    assert other.run(job) is False
    go_on.set()
    thread.join(10)
    assert done == [1]
    assert other.run(job) is True


def test_a_job_that_fails_is_counted_and_told_without_its_words(database: Database, lines: io.StringIO) -> None:
    metrics = Metrics()

    def work(_stopping: object) -> None:
        raise ValueError("Bob's template is broken")

    jobs = Jobs(database, metrics, [])
    assert jobs.run(Job("broken", 60, 60, work)) is False
    assert 'regulars_hub_job_failures_total{job="broken"} 1.0' in metrics.text().decode()
    assert "event=job_failed job=broken error=ValueError at=test_standing.py:" in lines.getvalue()
    assert "Bob" not in lines.getvalue()
    assert jobs.stop()
    assert jobs.run(Job("late", 60, 60, work)) is False


def test_a_tenant_at_which_a_job_fails_keeps_no_other_waiting(chain: Chain) -> None:
    metrics, seen = Metrics(), []

    def work(tenant_id: str, _stopping: object) -> None:
        seen.append(tenant_id)
        if tenant_id == chain.danas.tenant_id:
            raise KeyError("x")

    for_each_tenant(chain.database, metrics, "job", work)(lambda: False)
    assert sorted(seen) == sorted([chain.ours.tenant_id, chain.danas.tenant_id])
    assert 'regulars_hub_job_failures_total{job="job"} 1.0' in metrics.text().decode()
    seen.clear()
    for_each_tenant(chain.database, metrics, "job", work)(lambda: True)
    assert seen == []


def test_jobs_end_within_two_seconds_and_a_stubborn_one_is_left(database: Database) -> None:
    began, release = threading.Event(), threading.Event()

    def work(_stopping: object) -> None:
        began.set()
        release.wait(20)

    jobs = Jobs(database, Metrics(), [Job("stubborn", 60, 0.0, work)])
    jobs.start()
    assert began.wait(10)
    began_s = time.monotonic()
    assert jobs.stop() is False
    assert time.monotonic() - began_s < 4
    release.set()
    assert jobs.stop() is True


def test_every_standing_job_runs_on_a_chain_and_leaves_it_as_it_should_be(chain: Chain, hub_folder) -> None:  # type: ignore[no-untyped-def]
    database, metrics, index = chain.database, Metrics(), ExactIndex()
    with database.anyone() as tx:
        user = users.add(tx, "alice", "tenant_admin", chain.ours.tenant_id, WORDS, NOW, cost=CHEAP)
    storage = users.UserStorage(database)
    account = storage.account("alice")
    assert account and account.id == user.id
    begin_session(storage, account, "", 1_000)
    store = in_folder(hub_folder / "snapshots")
    jobs = Jobs(database, metrics, [])
    standing = standing_jobs(database, index, bars_of, store, metrics, lambda: NOW + OFFLINE_AFTER * 2)
    assert len({job.name for job in standing}) == len(standing) >= 10
    for job in standing:
        assert jobs.run(job), job.name
    assert "job_failures_total{" not in metrics.text().decode()
    with database.anyone() as tx:
        assert tx.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
    with database.tenant(chain.ours.tenant_id) as tx:
        assert tx.execute("SELECT count(*) FROM appliances WHERE offline_since IS NOT NULL").fetchone() == (2,)
        assert tx.execute("SELECT count(*) FROM audit WHERE what = 'appliance went offline'").fetchone() == (2,)


def test_the_resolver_takes_what_waits_and_survives_what_goes_wrong(chain: Chain, lines: io.StringIO) -> None:
    database, index, metrics = chain.database, ExactIndex(), Metrics()
    person = chain.persons["Bob", "Tay Ho"]
    with database.tenant(chain.ours.tenant_id) as tx:
        tx.execute("INSERT INTO resolve_queue (tenant_id, person_id, queued_at, not_before) VALUES (%s, %s, %s, %s)",
                   (chain.ours.tenant_id, person, NOW, NOW))  # fmt: skip
    resolver = Resolver(database, index, bars_of, metrics, lambda: NOW, lambda: Room(12_000_000))
    resolver.start()
    try:
        resolver.wake()
        until_s = time.monotonic() + 10
        left: tuple[int, ...] | None = (1,)
        while left != (0,) and time.monotonic() < until_s:
            with database.tenant(chain.ours.tenant_id) as tx:
                left = tx.execute("SELECT count(*) FROM resolve_queue").fetchone()
            time.sleep(0.05)
        assert left == (0,)
    finally:
        assert resolver.stop(5)
    assert "event=resolver_failed" not in lines.getvalue()


def test_a_resolver_that_waits_says_why_for_how_many_and_that_the_disk_is_full(chain: Chain, lines: io.StringIO) -> None:
    index = ExactIndex()
    index.away = True
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        tx.execute("INSERT INTO resolve_queue (tenant_id, person_id, queued_at, not_before) VALUES (%s, %s, %s, %s)",
                   (chain.ours.tenant_id, chain.persons["Bob", "Tay Ho"], NOW, NOW))  # fmt: skip
        # Something to tell the index, which is asked nothing about persons without templates.
        leftover = "INSERT INTO index_leftovers (tenant_id, template_id, model) VALUES (%s, gen_random_uuid(), 'starter')"
        tx.execute(leftover, [chain.ours.tenant_id])
    Resolver(chain.database, index, bars_of, Metrics(), lambda: NOW, lambda: Room(12_000_000)).turn()
    (line,) = [line for line in lines.getvalue().splitlines() if "event=resolver_waits" in line]
    assert f"tenant={chain.ours.tenant_id} error=IndexAway reason=" in line and " waiting=1 disk=only_12_MB_left" in line


def test_figures_name_no_tenant_unless_asked_to(chain: Chain) -> None:
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        status = json.dumps({"waiting": 41, "oldest_ms": round(NOW.timestamp() * 1000) - 60_000})
        tx.execute("UPDATE appliances SET last_contact_at = %s, status = %s WHERE id = %s", (NOW, status, chain.appliance_a))
        rubbish = json.dumps({"waiting": "many", "oldest_ms": [1]})
        tx.execute("UPDATE appliances SET status = %s, set_aside_count = 3 WHERE id = %s", (rubbish, chain.appliance_b))
    plain, labelled = Metrics(), Metrics()
    plain.look_up(look_up(chain.database, lambda: NOW, OFFLINE_AFTER, False))
    labelled.look_up(look_up(chain.database, lambda: NOW, OFFLINE_AFTER, True))
    said = plain.text().decode()
    for line in ("appliances_online 1.0", "appliances_offline 2.0", "outbox_records 41.0", "outbox_oldest_seconds 60.0", "set_aside 3.0"):
        assert f"regulars_hub_{line}\n" in said
    assert chain.ours.tenant_id not in said and "Phin" not in said
    said = labelled.text().decode()
    assert f'regulars_hub_appliances_online{{tenant="{chain.ours.tenant_id}"}} 1.0' in said and "Phin" not in said


def test_readiness_says_which_thing_is_missing_and_never_what_its_error_said() -> None:
    def away() -> None:
        raise ConnectionError("postgres://user:secret@db")

    found = Readiness({"postgres": away, "index": nothing}).look()
    assert found == {"postgres": "ConnectionError", "index": "ok"}


def test_a_thing_that_does_not_answer_is_silent_and_holds_nothing_up() -> None:
    release = threading.Event()
    asked: list[int] = []

    def hangs() -> None:
        asked.append(1)
        release.wait(30)

    began_s = time.monotonic()
    readiness = Readiness({"index": hangs, "postgres": nothing})
    assert readiness.look() == {"index": "silent", "postgres": "ok"}
    assert time.monotonic() - began_s < CHECK_S_MAX + 2
    assert readiness.look()["index"] == "silent" and len(asked) == 1, "asked once for both"
    release.set()


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_line_carries_request_and_tenant_and_of_an_error_only_kind_and_place(form: str) -> None:
    root = logging.getLogger()
    before, level, written = list(root.handlers), root.level, io.StringIO()
    try:
        hub_log.write_to(written, level="info", form=form)  # type: ignore[arg-type]
        hub_log.about(request="abc123", tenant="t-1")
        logging.getLogger("hub.x").info("event=resolved persons=%d", 3)
        try:
            raise KeyError("Bob")
        except KeyError:
            logging.getLogger("hub.x").exception("event=broken")
        logging.getLogger("hub.x").debug("event=not_said")
        logging.getLogger("psycopg.pool").warning("error connecting: password=secret")
    finally:
        hub_log.about(request="", tenant="")
        root.handlers[:] = before
        root.setLevel(level)
    one, other = written.getvalue().splitlines()
    if form == "json":
        said = json.loads(one)
        assert (said["request"], said["tenant"], said["event"], said["persons"]) == ("abc123", "t-1", "resolved", "3")
        assert json.loads(other)["error"] == "KeyError"
    else:
        assert one.endswith("level=info from=hub.x request=abc123 tenant=t-1 event=resolved persons=3")
    assert "KeyError" in other and "Bob" not in other and "secret" not in written.getvalue()
