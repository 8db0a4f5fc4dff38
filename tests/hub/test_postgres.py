"""The hub's own PostgreSQL: made, started, stopped and recovered, whatever happens to whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub import postgres, postgres_leftovers
from hub.errors import DatabaseAway, DatabaseError, DataFolderError
from hub.postgres_account import Account, account
from tests import needs

SOON_S = 30.0
CHILD = """
import sys, time
from pathlib import Path
from hub import postgres
server = postgres.start(Path(sys.argv[1]))
print(server.pid, flush=True)
time.sleep(600)
"""


@contextmanager
def running(folder: Path) -> Iterator[postgres.Postgres]:
    server = postgres.start(folder)
    try:
        yield server
    finally:
        server.stop()


def asked(folder: Path, words: str, role: str = postgres.SUPERUSER, database: str = postgres.DATABASE) -> Any:
    with psycopg.connect(**postgres.line_to(folder, role, database), autocommit=True, connect_timeout=5) as connection:
        done = connection.execute(words)
        return done.fetchone() if done.description else None


def eventually(true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + SOON_S
    while not true():
        assert time.monotonic() < deadline_s, "not within time"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Ended, whether or not somebody has asked for its exit status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        pass
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path("/proc/self/stat").exists()
    return True


def test_a_new_server_has_checksums_and_passwords(hub_folder: Path) -> None:
    with running(hub_folder):
        said = {name: asked(hub_folder, f"SHOW {name}")[0] for name in ("data_checksums", "listen_addresses", "server_encoding", "fsync")}
        assert said == {"data_checksums": "on", "listen_addresses": "", "server_encoding": "UTF8", "fsync": "on"}
        assert asked(hub_folder, "SELECT datcollate FROM pg_database WHERE datname = 'regulars'") == ("C",)
        line = postgres.line_to(hub_folder, postgres.APPLICATION)
        for wrong in ({"password": "wrong"}, {"password": ""}, {"user": "nobody"}, {"user": postgres.SUPERUSER}):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(**{**line, **wrong}, connect_timeout=5)


def test_nothing_listens_on_a_network(hub_folder: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("which sockets a process has is only told by Linux")
    with running(hub_folder) as server:
        held = {str(entry.readlink()) for entry in Path(f"/proc/{server.pid}/fd").iterdir()}
        listening = [line.split()[9] for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
        assert any(name.startswith("socket:") for name in held)
        assert not [number for number in listening if f"socket:[{number}]" in held]


def test_the_roles_are_neither_superusers_nor_free_of_row_security(hub_folder: Path) -> None:
    words = "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication FROM pg_roles WHERE rolname = current_user"
    with running(hub_folder):
        for role in (postgres.OWNER, postgres.APPLICATION):
            assert asked(hub_folder, words, role) == (False,)


def test_secrets_and_data_are_the_owners_alone(hub_folder: Path) -> None:
    with running(hub_folder):
        assert (hub_folder / postgres.SECRET_FILE).stat().st_mode & 0o777 == 0o600
        assert (hub_folder / postgres.CLUSTER).stat().st_mode & 0o777 == 0o700
        assert (hub_folder / postgres.RUN).stat().st_mode & 0o777 == 0o700
        assert not list(hub_folder.glob("*.part"))


@pytest.mark.parametrize("name", ["with a space", 'it\'s "quoted", and a comma', "Cầu Giấy", "deep/" + "x" * 120])
def test_a_folder_may_have_any_name(hub_folder: Path, name: str) -> None:
    folder = hub_folder / name
    folder.parent.mkdir(exist_ok=True)
    folder.parent.chmod(0o711)
    for _ in range(2):
        with running(folder):
            assert asked(folder, "SELECT current_user", postgres.APPLICATION) == (postgres.APPLICATION,)


def test_what_was_written_is_there_after_a_stop_and_the_stop_is_clean(hub_folder: Path) -> None:
    with running(hub_folder):
        asked(hub_folder, "CREATE TABLE kept AS SELECT 7 AS number")
    assert not (hub_folder / postgres.CLUSTER / postgres_leftovers.PID_FILE).exists()
    with pytest.raises(DatabaseAway, match="No PostgreSQL runs"):
        postgres.line_to(hub_folder, postgres.APPLICATION)
    with running(hub_folder) as server:
        assert asked(hub_folder, "TABLE kept") == (7,)
        server.stop()
        server.stop()


def test_a_server_killed_under_us_is_started_again_with_everything_committed(hub_folder: Path) -> None:
    with running(hub_folder) as server:
        asked(hub_folder, "CREATE TABLE kept AS SELECT 7 AS number")
        # Sessions that are open when their parent is killed are the orphans that hold the shared memory.
        orphan = psycopg.connect(**postgres.line_to(hub_folder, postgres.SUPERUSER), autocommit=True)
        first = server.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)

        def back() -> bool:
            with suppress(psycopg.Error, DatabaseAway):
                return server.pid not in (None, first) and asked(hub_folder, "TABLE kept") == (7,)
            return False

        eventually(back)
        with pytest.raises(psycopg.OperationalError):
            orphan.execute("SELECT 1")
        orphan.close()


def test_a_server_left_by_a_hub_that_was_killed_with_its_watch_is_taken_over(hub_folder: Path) -> None:
    with hub_process(hub_folder) as (child, pid):
        for watch in children_of(child.pid):
            if watch != pid:
                os.kill(watch, signal.SIGKILL)
        child.kill()
        child.wait()
        time.sleep(0.2)
        assert not is_gone(pid)
        with running(hub_folder) as server:
            assert server.pid != pid and is_gone(pid)


def test_the_orphans_of_a_server_that_was_killed_do_not_keep_the_next_from_starting(hub_folder: Path) -> None:
    with hub_process(hub_folder) as (child, pid):
        stopped = psycopg.connect(**postgres.line_to(hub_folder, postgres.SUPERUSER), autocommit=True)
        # A session that stands still, so that it cannot see that its parent is gone.
        os.kill(stopped.info.backend_pid, signal.SIGSTOP)
        child.kill()
        os.kill(pid, signal.SIGKILL)
        child.wait()
        with running(hub_folder):
            assert asked(hub_folder, "SELECT 1") == (1,)
        stopped.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_the_server_ends_with_the_hub_however_that_ends(hub_folder: Path, number: signal.Signals) -> None:
    with hub_process(hub_folder) as (child, pid):
        child.send_signal(number)
        child.wait(SOON_S)
        eventually(lambda: is_gone(pid))
        assert not (hub_folder / postgres.CLUSTER / postgres_leftovers.PID_FILE).exists()


@pytest.mark.parametrize("pid", ["{ours}", "999999", "1", "rubbish", ""])
def test_a_stale_note_of_a_process_is_taken_away_and_nobody_is_killed_for_it(hub_folder: Path, pid: str) -> None:
    with running(hub_folder):
        note = (hub_folder / postgres.CLUSTER / postgres_leftovers.PID_FILE).read_text()
    stale = hub_folder / postgres.CLUSTER / postgres_leftovers.PID_FILE
    stale.write_text("\n".join([pid.format(ours=os.getpid()), *note.splitlines()[1:]]))
    with running(hub_folder):
        assert asked(hub_folder, "SELECT 1") == (1,)


def test_a_cluster_that_was_being_made_when_the_power_went_is_made_anew(hub_folder: Path) -> None:
    half = hub_folder / "postgres.0123abcd.part"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with running(hub_folder):
        assert not half.exists()


def test_what_is_missing_or_damaged_is_said_in_a_sentence(hub_folder: Path) -> None:
    with running(hub_folder):
        pass
    secret = (hub_folder / postgres.SECRET_FILE).read_bytes()
    (hub_folder / postgres.SECRET_FILE).unlink()
    with pytest.raises(DataFolderError, match=r"postgres\.secret.* is missing or damaged"):
        postgres.start(hub_folder)
    (hub_folder / postgres.SECRET_FILE).write_bytes(secret)
    with pytest.raises(DataFolderError, match="chmod 600"):
        postgres.start(hub_folder)
    (hub_folder / postgres.SECRET_FILE).chmod(0o600)
    version = hub_folder / postgres.CLUSTER / "PG_VERSION"
    version.write_text("12\n")
    with pytest.raises(DatabaseError, match=r"made by PostgreSQL 12; this installation carries .*18"):
        postgres.start(hub_folder)
    version.write_text("18\n")
    control = hub_folder / postgres.CLUSTER / "global" / "pg_control"
    control.rename(hub_folder / "pg_control.away")
    with pytest.raises(DatabaseAway, match=r"PostgreSQL did not start: .*could not"):
        postgres.start(hub_folder)
    (hub_folder / "pg_control.away").rename(control)
    with running(hub_folder):
        assert asked(hub_folder, "SELECT 1") == (1,)


def test_a_folder_that_postgres_may_not_reach_is_named(hub_folder: Path) -> None:
    if not account().other:
        pytest.skip("not run as root: PostgreSQL runs as we do")
    (hub_folder / "closed").mkdir(mode=0o700)
    with pytest.raises(DataFolderError, match=r"may not pass .*closed\. .*chmod o\+x"):
        postgres.start(hub_folder / "closed" / "data")


def test_a_socket_folder_that_somebody_else_made_is_refused(hub_folder: Path) -> None:
    ours = Account("", os.geteuid(), os.getegid(), other=False)
    (hub_folder / postgres.RUN).mkdir()
    (hub_folder / postgres.RUN).chmod(0o777)
    with pytest.raises(DataFolderError, match="belongs to somebody else or is open to others"):
        postgres.socket_folder(hub_folder, ours)


@contextmanager
def hub_process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that runs a server on the folder, and the server's number."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    pid = int(child.stdout.readline())
    try:
        yield child, pid
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        with suppress(DatabaseError):
            postgres_leftovers.clear(folder.resolve() / postgres.CLUSTER)


def children_of(pid: int) -> list[int]:
    listing = [needs.program("ps", "procps"), "-axo", "pid=,ppid="]
    done = subprocess.run(listing, capture_output=True, text=True, check=True, timeout=SOON_S)
    pairs = (line.split() for line in done.stdout.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]
