"""A headquarters and two stores as processes on this computer, with a line between them that can be cut."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.string import TextLoader

from appliance.database_file import path_in
from hub import postgres
from hub.evaluation import free_port
from tests.chaos.proxy import Proxy
from tests.hub.conftest import reachable_folder
from tests.shared import CHECKOUT
from tests.simulation.both_ends import differences

UP_S_MAX = 90.0
SETTLE_S_MAX = 150.0
LOOK_S = 0.1
NOBODY_THERE = "http://127.0.0.1:1"
"""An index that is away."""


def environment(**chosen: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REGULARS_")}
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    return {**kept, "PYTHONPATH": path, **chosen}


def until(true: Callable[[], object], what: str, seconds: float = UP_S_MAX, why: Callable[[], object] = lambda: "") -> None:
    end_s = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end_s, f"not within {seconds:g} s: {what} {why()}"
        time.sleep(LOOK_S)


@dataclass(slots=True)
class Hub:
    folder: Path
    port: int
    process: subprocess.Popen[str] | None = None
    index_url: str = ""

    def environment(self) -> dict[str, str]:
        chosen = {"REGULARS_HUB_DATA__FOLDER": str(self.folder), "REGULARS_HUB_WEB__PORT": str(self.port)}
        return environment(**chosen, **({"REGULARS_HUB_INDEX__URL": self.index_url} if self.index_url else {}))

    def command(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "hub.main", *arguments]
        return subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=True, timeout=120).stdout

    def code_for(self, tenant: str, site: str) -> str:
        return str(json.loads(self.command("pair-code", tenant, site, "--json"))["code"])

    def start(self) -> None:
        command = [sys.executable, "-m", "hub.main", "serve"]
        self.process = subprocess.Popen(
            command, env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, start_new_session=True
        )

    def answers(self) -> bool:
        with contextlib.suppress(OSError), closing(socket.create_connection(("127.0.0.1", self.port), 1)):
            return True
        return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
            self.kill()

    def postmaster(self) -> int:
        return int((self.folder / postgres.CLUSTER / "postmaster.pid").read_text().split()[0])

    @contextmanager
    def rows(self) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
        """What is committed, whosever it is."""
        with psycopg.connect(**postgres.line_to(self.folder, postgres.SUPERUSER), autocommit=True, connect_timeout=5) as connection:
            connection.adapters.register_loader("uuid", TextLoader)
            yield lambda words, values=(): connection.execute(words, values).fetchall()


@dataclass(slots=True)
class Shop:
    name: str
    folder: Path
    seed: int
    process: subprocess.Popen[str] | None = None
    appliance_id: str = ""

    @property
    def seen(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.seen")

    def pair(self, code: str, port: int) -> None:
        command = [sys.executable, "-m", "appliance.main", "pair", f"{code}@http://127.0.0.1:{port}", "--yes"]
        chosen = environment(REGULARS_DATA__FOLDER=str(self.folder), REGULARS_SITE__NAME=self.name, REGULARS_SITE__TIME_ZONE="UTC")
        subprocess.run(command, env=chosen, capture_output=True, text=True, check=True, timeout=60)
        self.appliance_id = self.ask("SELECT appliance_id FROM link")[0][0]

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.chaos.store", str(self.folder), str(self.seed), str(self.seen)]
        self.process = subprocess.Popen(
            command,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def close_its_doors(self) -> None:
        """Nobody walks in any more; the line goes on."""
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.close()

    def ask(self, words: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"{path_in(self.folder).as_uri()}?mode=ro", uri=True, timeout=10)) as reading:
            return reading.execute(words).fetchall()

    def waiting(self) -> int:
        return int(self.ask("SELECT count(*) FROM outbox")[0][0])

    def wrote_down(self) -> set[str]:
        return set(self.seen.read_text().split()) if self.seen.exists() else set()


@dataclass(slots=True)
class Chain:
    hub: Hub
    shops: list[Shop]
    line: Proxy
    began_s: float = field(default_factory=time.monotonic)

    def settle(self) -> None:
        """Everybody runs, nobody walks in, and nothing waits any more."""
        for shop in self.shops:
            shop.close_its_doors()
        until(lambda: all(shop.waiting() == 0 for shop in self.shops), "the stores have told everything", SETTLE_S_MAX, self._trouble)
        until(self._resolved, "everybody is somebody", SETTLE_S_MAX)
        until(self._heard, "the stores have heard everything", SETTLE_S_MAX)

    def _trouble(self) -> list[tuple[Any, ...]]:
        return [(shop.name, shop.waiting(), *shop.ask("SELECT error, retell, state FROM link")[0]) for shop in self.shops]

    def _resolved(self) -> bool:
        with contextlib.suppress(psycopg.Error), self.hub.rows() as rows:
            return rows("SELECT count(*) FROM resolve_queue")[0][0] == 0
        return False

    def _heard(self) -> bool:
        with contextlib.suppress(psycopg.Error), self.hub.rows() as rows:
            newest = rows("SELECT max(fact_sequence) FROM tenants")[0][0]
            return all(shop.waiting() == 0 and shop.ask("SELECT cursor FROM link")[0][0] >= newest for shop in self.shops)
        return False

    def check(self) -> int:
        """Nothing lost, nothing double; how many visits there are."""
        visits = 0
        with self.hub.rows() as rows:
            for shop in self.shops:
                with closing(sqlite3.connect(f"{path_in(shop.folder).as_uri()}?mode=ro", uri=True)) as here:
                    found = [one.words for one in differences(here.execute, rows, shop.appliance_id)]
                    there = {row[0] for row in here.execute("SELECT id FROM visits")}
                assert not found, f"{shop.name}: {found}"
                # Visits of one person that grew together are one; the others are gone for that reason alone.
                lost = shop.wrote_down() - there
                told = {row[0] for row in rows("SELECT id FROM visits WHERE appliance_id = %s", [shop.appliance_id])}
                assert not lost & told, f"{shop.name}: {len(lost & told)} visits are at headquarters and not in the store"
                visits += len(there)
        return visits


@contextmanager
def a_chain(folder: Path, *, shop_folders: list[Path] | None = None, index_url: str = "") -> Iterator[Chain]:
    """Paired and running, with people walking in. `index_url`: of the hub's index, to begin with; empty: its own."""
    room = reachable_folder()
    hub = Hub(room / "hub", free_port(), index_url=index_url)
    hub.folder.mkdir()
    line = Proxy(hub.port)
    places = shop_folders or [folder / "one", folder / "two"]
    shops = [Shop(f"Store {n + 1}", place, n) for n, place in enumerate(places)]
    chain = Chain(hub, shops, line)
    try:
        hub.command("tenant", "add", "Phin Coffee")
        for shop in shops:
            hub.command("site", "add", "Phin Coffee", shop.name)
        hub.start()
        until(hub.answers, "the hub answers")
        for shop in shops:
            shop.pair(hub.code_for("Phin Coffee", shop.name), line.port)
            shop.start()
        yield chain
    finally:
        for shop in shops:
            shop.kill()
        hub.stop()
        line.close()
        shutil.rmtree(room, ignore_errors=True)


def signal_postgres(hub: Hub, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, OSError, ValueError):
        os.kill(hub.postmaster(), number)
