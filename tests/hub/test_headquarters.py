"""A hub's data folder: one hub on it, commands as its guests, the master key that belongs to it, or a server somewhere else."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from hub import headquarters, lock, postgres, tenants
from hub.config import Config, Data, Keys
from hub.config import Database as DatabaseSettings
from hub.errors import AlreadyRunning, ConfigError, DatabaseError, KeyUnavailable, NotFound, WrongVersion
from hub.headquarters import open_headquarters
from hub.master_key import KEY_FILE, MasterKey, master_key
from tests.hub.chain import NOW
from tests.hub.conftest import MASTER, Server
from tests.hub.test_postgres import children_of, eventually, is_gone

COMMAND = """
import sys, time
from pathlib import Path
from hub.config import Config, Data
from hub.headquarters import open_headquarters
from hub.moments import now
with open_headquarters(Config(data=Data(folder=Path(sys.argv[1]))), now()) as hub:
    print("open", flush=True)
    time.sleep(600)
"""


def at(folder: Path) -> Config:
    return Config(data=Data(folder=folder))


def names(config: Config) -> list[str]:
    with open_headquarters(config, NOW) as hub, hub.database.anyone() as tx:
        return [tenant.name for tenant in tenants.every(tx)]


def add(config: Config, name: str) -> None:
    with open_headquarters(config, NOW) as hub, hub.database.anyone() as tx:
        tenants.add(tx, hub.master, name, NOW)


def test_a_command_is_the_guest_of_the_hub_that_runs(hub_folder: Path) -> None:
    with open_headquarters(at(hub_folder), NOW, serve=True) as hub:
        assert hub.postgres is not None and hub.applied
        pid = hub.postgres.pid
        with open_headquarters(at(hub_folder), NOW) as guest:
            assert guest.postgres is None and not guest.applied
            add(at(hub_folder), "Phin Coffee")
            with guest.database.anyone() as tx:
                assert [tenant.name for tenant in tenants.every(tx)] == ["Phin Coffee"]
        assert hub.postgres.pid == pid
    assert names(at(hub_folder)) == ["Phin Coffee"]


def test_a_second_hub_on_the_folder_is_refused_with_a_sentence(hub_folder: Path) -> None:
    with open_headquarters(at(hub_folder), NOW, serve=True):
        second = open_headquarters(at(hub_folder), NOW, serve=True, wait_s=0.1)
        with pytest.raises(AlreadyRunning, match=r"A hub already runs on .* \(process \d+\)\. Stop it first"), second:
            pass
        assert names(at(hub_folder)) == []


def test_commands_that_come_all_at_once_take_turns_or_are_guests_and_lose_nothing(hub_folder: Path) -> None:
    failed: list[BaseException] = []

    def run(number: int) -> None:
        try:
            add(at(hub_folder), f"Tenant {number}")
        except BaseException as error:
            failed.append(error)

    add(at(hub_folder), "Tenant 0")
    threads = [threading.Thread(target=run, args=[number]) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failed
    assert names(at(hub_folder)) == [f"Tenant {number}" for number in range(7)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_command_that_is_ended_leaves_no_server_behind(hub_folder: Path, number: signal.Signals) -> None:
    child = subprocess.Popen([sys.executable, "-c", COMMAND, str(hub_folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "open\n"
    started = children_of(child.pid)
    assert len(started) == 2
    child.send_signal(number)
    child.wait(30)
    child.stdout.close()
    eventually(lambda: all(is_gone(pid) for pid in started))
    assert names(at(hub_folder)) == []


def test_a_folder_without_a_hub_is_said_and_left_as_it_is(hub_folder: Path) -> None:
    with pytest.raises(NotFound, match="There is no hub in"), open_headquarters(at(hub_folder / "typo"), NOW, may_make=False):
        pass
    assert not (hub_folder / "typo").exists()


def test_the_master_key_is_made_once_and_a_lost_one_is_not_replaced(hub_folder: Path) -> None:
    add(at(hub_folder), "Phin Coffee")
    key = (hub_folder / KEY_FILE).read_text()
    assert len(key) == 64 and (hub_folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    (hub_folder / KEY_FILE).unlink()
    with pytest.raises(KeyUnavailable, match="is missing, but there is a database that was sealed under it"):
        names(at(hub_folder))
    assert not (hub_folder / KEY_FILE).exists()
    (hub_folder / KEY_FILE).write_text("00" * 32)
    (hub_folder / KEY_FILE).chmod(0o600)
    with pytest.raises(KeyUnavailable, match="not the one that this database was sealed under"):
        names(at(hub_folder))
    (hub_folder / KEY_FILE).write_text(key)
    assert names(at(hub_folder)) == ["Phin Coffee"]


def test_the_master_key_may_come_from_a_file_or_from_the_settings(hub_folder: Path) -> None:
    elsewhere = hub_folder / "elsewhere.key"
    with pytest.raises(KeyUnavailable, match="There is no master key"):
        master_key(hub_folder, file=elsewhere, may_make=True)
    elsewhere.write_text("ab" * 32 + "\n")
    with pytest.raises(KeyUnavailable, match="chmod 600"):
        master_key(hub_folder, file=elsewhere, may_make=True)
    elsewhere.chmod(0o600)
    add(Config(data=Data(folder=hub_folder / "hub"), keys=Keys(master_file=elsewhere)), "Phin Coffee")
    assert names(Config(data=Data(folder=hub_folder / "hub"), keys=Keys(master="ab" * 32))) == ["Phin Coffee"]
    assert not (hub_folder / "hub" / KEY_FILE).exists()
    elsewhere.write_text("cafe")
    with pytest.raises(KeyUnavailable, match="must be 64 hexadecimal digits") as refused:
        master_key(hub_folder, file=elsewhere, may_make=True)
    assert "cafe" not in str(refused.value)


def test_a_proof_is_of_one_tenant_under_one_key() -> None:
    tenant = "0193a6a0-1111-7000-8000-000000000000"
    assert MASTER.acting_for(tenant) == MASTER.acting_for(tenant.upper())
    assert MASTER.acting_for(tenant) != MasterKey(bytes(32)).acting_for(tenant)
    assert MASTER.acting_for(tenant) != MASTER.acting_for(tenant[:-1] + "1")


def by_url(server: Server, role: str, name: str) -> str:
    line = postgres.line_to(server.folder, role, name)
    return f"postgresql://{role}:{line['password']}@/{name}?host={quote(line['host'], safe='')}&port={line['port']}"


def test_a_server_by_url_is_migrated_by_its_owner_and_used_by_the_application(server: Server, hub_folder: Path) -> None:
    name = server.new_database("template1")
    url, owner_url = by_url(server, postgres.APPLICATION, name), by_url(server, postgres.OWNER, name)
    config = Config(data=Data(folder=hub_folder / "hub"), database=DatabaseSettings(url=url))
    keys = Keys(master=MASTER.fingerprint * 4)
    try:
        with pytest.raises(KeyUnavailable, match="is missing"):
            names(config)
        with pytest.raises(WrongVersion, match="Run: regulars-hub migrate"):
            names(Config(data=config.data, database=config.database, keys=keys))
        with pytest.raises(ConfigError, match=r"set database\.owner_url"):
            headquarters.migrate(config, NOW)
        whole = Config(data=config.data, database=DatabaseSettings(url=url, owner_url=owner_url))
        assert headquarters.migrate(whole, NOW) and not headquarters.migrate(whole, NOW)
        add(config, "Phin Coffee")
        # Replicas side by side: no lock on the folder, and nothing of a server in it.
        with open_headquarters(config, NOW, serve=True) as one, open_headquarters(config, NOW, serve=True) as two:
            assert one.postgres is None and two.postgres is None
        assert not postgres.exists(config.data.folder)
        with pytest.raises(DatabaseError, match="must not use the database as its owner"):
            names(Config(data=config.data, database=DatabaseSettings(url=owner_url)))
    finally:
        server.drop(name)


def test_a_url_that_is_none_is_refused_without_repeating_it(hub_folder: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        names(Config(data=Data(folder=hub_folder), database=DatabaseSettings(url="postgresql://user:secret@host/?nonsense=%zz")))
    assert "secret" not in str(refused.value)


def test_guests_leave_before_the_server_is_stopped(hub_folder: Path) -> None:
    guest = lock.be_guest(hub_folder)
    assert guest is not None and lock.wait_for_guests(hub_folder, 0.1) is None
    guest.release()
    last = lock.wait_for_guests(hub_folder, 0.1)
    assert last is not None and lock.be_guest(hub_folder) is None
    last.release()
