"""A hub's own backup: whole, sealed, put back in one piece or not at all, and nobody who was forgotten since comes back with it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub import backup, erasure, pairing, postgres
from hub.config import Config, Data
from hub.config import Database as DatabaseSettings
from hub.errors import AlreadyRunning, CannotOpen, ConfigError, DataFolderError
from hub.headquarters import Headquarters, open_headquarters
from hub.hub_keys import HubKeys
from hub.index_place import FOLDER
from hub.master_key import KEY_FILE
from hub.milvus_lite import DIRTY
from tests.hub.chain import NOW, Chain, make_chain
from tests.hub.telling import ADMIN

LATER = NOW + timedelta(hours=5)


def rows(hub: Headquarters, tenant_id: str, query: str) -> list[tuple[object, ...]]:
    with hub.database.tenant(tenant_id) as tx:
        return tx.execute(query).fetchall()  # type: ignore[arg-type]


def erase(hub: Headquarters, chain: Chain, who: str) -> str:
    with hub.database.tenant(chain.ours.tenant_id) as tx:
        return erasure.erase(tx, hub.database.vault(tx, chain.ours.tenant_id), chain.people[who], ADMIN, LATER)


def test_a_hub_goes_back_to_its_backup_and_nobody_who_was_forgotten_since_comes_with_it(hub_folder: Path) -> None:
    config, file = Config(data=Data(folder=hub_folder)), hub_folder / "monday.backup"
    with open_headquarters(config, NOW, serve=True) as hub:
        chain = make_chain(hub.database)
        ours, danas = chain.ours.tenant_id, chain.danas.tenant_id
        HubKeys(hub.database, NOW)
        before = erase(hub, chain, "Alice")
        assert backup.make(hub_folder, hub.master, file) == file.stat().st_size
        assert file.stat().st_mode & 0o777 == 0o600 and not list(hub_folder.glob("*.part"))
        assert chain.ours.name.encode() not in file.read_bytes()
        with pytest.raises(DataFolderError, match="is there already"):
            backup.make(hub_folder, hub.master, file)
        with pytest.raises(AlreadyRunning):
            backup.restore(config, file, LATER)
        life = rows(hub, ours, "SELECT life FROM tenants")
        since = erase(hub, chain, "Bob")
        with hub.database.tenant(ours) as tx:
            pairing.revoke(tx, hub.database.vault(tx, ours), chain.appliance_b, "admin", LATER)
            tx.execute("UPDATE sites SET name = 'Renamed' WHERE id = %s", [chain.site_a.id])
        newer = HubKeys(hub.database, LATER).rotate(LATER)
    (hub_folder / FOLDER).mkdir()
    done = backup.restore(config, file, LATER)
    assert done.tenants == 2 and done.carried_over and done.kept is not None and done.kept.is_file()
    assert (hub_folder / FOLDER / DIRTY).exists()
    with open_headquarters(config, LATER) as hub:
        assert {row[0] for row in rows(hub, ours, "SELECT name FROM sites")} == {chain.site_a.name, chain.site_b.name}
        assert rows(hub, ours, "SELECT life FROM tenants") != life
        assert rows(hub, ours, "SELECT id FROM erasures ORDER BY asked_at, id") == [(before,), (since,)]
        assert rows(hub, ours, "SELECT count(*) FROM identities") == [(1,)]
        assert rows(hub, ours, "SELECT id FROM appliances WHERE revoked_at IS NOT NULL") == [(chain.appliance_b,)]
        assert rows(hub, danas, "SELECT count(*) FROM persons") == [(1,)]
        assert HubKeys(hub.database, LATER).current(LATER).public == newer.public
        # Row security came with it: nobody's session sees nothing.
        with hub.database.anyone() as tx:
            assert tx.execute("SELECT count(*) FROM persons").fetchone() == (0,)
    # On another computer, from the file and the master key alone.
    elsewhere = hub_folder / "elsewhere"
    elsewhere.mkdir(mode=0o711)
    (elsewhere / KEY_FILE).write_bytes((hub_folder / KEY_FILE).read_bytes())
    (elsewhere / KEY_FILE).chmod(0o600)
    there = backup.restore(Config(data=Data(folder=elsewhere)), file, LATER)
    assert (there.tenants, there.kept, there.carried_over) == (2, None, False)
    with open_headquarters(Config(data=Data(folder=elsewhere)), LATER) as hub:
        assert rows(hub, ours, "SELECT id FROM erasures") == [(before,)]
        assert postgres.exists(elsewhere)


def test_what_is_no_backup_of_this_hub_changes_nothing(hub_folder: Path) -> None:
    config, file = Config(data=Data(folder=hub_folder)), hub_folder / "a.backup"
    with open_headquarters(config, NOW) as hub:
        backup.make(hub_folder, hub.master, file)
        whole = file.read_bytes()
    for rubbish in (b"", whole[:40], whole[:-1], whole[:200] + bytes([whole[200] ^ 1]) + whole[201:], b"RGLB\x01" + whole[5:]):
        file.write_bytes(rubbish)
        with pytest.raises(CannotOpen, match=r"a\.backup"):
            backup.restore(config, file, LATER)
    with pytest.raises(DataFolderError, match="cannot be read"):
        backup.restore(config, hub_folder / "nothing", LATER)
    assert not list(hub_folder.glob("before-restore*"))


def test_a_server_of_ones_own_is_backed_up_by_its_own_means(hub_folder: Path) -> None:
    config = Config(data=Data(folder=hub_folder), database=DatabaseSettings(url="postgresql://regulars_app@db.example/regulars"))
    with pytest.raises(ConfigError, match="regulars-hub backup restored"):
        backup.restore(config, hub_folder / "a.backup", NOW)
