from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from hub.config import Config, Data
from hub.headquarters import open_headquarters
from hub.index import Template
from hub.index_place import open_index
from hub.main import cli
from tests.hub.chain import NOW, make_chain
from tests.hub.told import MODEL, Stores, face


def ran(*arguments: str, folder: Path) -> Result:
    environ = {"REGULARS_HUB_DATA__FOLDER": str(folder), "REGULARS_HUB_CONFIG": "", "XDG_CONFIG_HOME": str(folder)}
    return CliRunner().invoke(cli, arguments, env=environ)


def test_the_index_is_compared_mended_and_filled_anew_by_commands(hub_folder: Path) -> None:
    folder = hub_folder / "data"
    config = Config(data=Data(folder=folder))
    with open_headquarters(config, NOW) as found:
        chain = make_chain(found.database)
        stores = Stores(found.database, chain.ours.tenant_id, NOW)
        for i in range(3):
            stores.tell(chain.site_a, chain.appliance_a, [face(i)])

    done = ran("index", "verify", "--json", folder=folder)
    ours = {one["tenant"]: one for one in json.loads(done.output)}[chain.ours.name]
    assert (done.exit_code, ours["held"], ours["missing"]) == (1, 0, 3)
    done = ran("index", "verify", "--mend", folder=folder)
    assert done.exit_code == 0 and "put right" in done.output
    done = ran("index", "verify", "--tenant", chain.ours.name, folder=folder)
    assert done.exit_code == 0 and "To put it right" not in done.output

    with open_headquarters(config, NOW) as found:
        index = open_index(config, found.database)
        assert not index.suspect
        index.put(chain.danas.tenant_id, MODEL, [Template(chain.ours.tenant_id, chain.danas.tenant_id, face(9))])
        index.close()
    done = ran("index", "rebuild", "--json", folder=folder)
    assert {one["tenant"]: one["templates"] for one in json.loads(done.output)} == {chain.ours.name: 3, chain.danas.name: 0}
    assert ran("index", "verify", folder=folder).exit_code == 0
    assert ran("index", "rebuild", "--tenant", "Nobody", folder=folder).exit_code != 0
