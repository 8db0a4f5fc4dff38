"""`regulars-hub evaluate`: two recorded entrances through two real stores, a hub made for them, and its links against the truth."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from hub import config as settings
from hub import duplicates, link_score, pairing, resolving, sites, tenants
from hub.config import Config
from hub.database import Database
from hub.errors import HubError
from hub.link_score import Figures, Placed
from hub.model_bars import bars_of
from hub.running import Hub, open_hub
from hub.stores_beside import StoreBeside

SHOWN = "shown.json"
"""What `regulars evaluate --keep` leaves in the data folder: visit id to the true name of whom it shows."""
RESOLVE_S_MAX = 300.0
LOOK_S = 0.2
STORES = ("Store A", "Store B")


class NoScenario(HubError):
    """The folder holds no recorded scenario, or its truth cannot be read."""


class Unresolved(HubError):
    """The hub did not find out who everybody is in the time it was given, or did not take all that the stores told."""


class _Visit(msgspec.Struct, frozen=True):
    identity: str
    staff: bool
    opted_out: bool


class _Truth(msgspec.Struct, frozen=True):
    visits: list[_Visit]


Say = Callable[[str], None]


def evaluate(folders: tuple[Path, Path], pack: str | None, now: Callable[[], datetime], say: Say) -> Figures:
    """Raises HubError."""
    customers = [customers_of(folder) for folder in folders]
    with tempfile.TemporaryDirectory(prefix="regulars-evaluate-hub-") as made:
        room = Path(made)
        # PostgreSQL may run as another user, who must be able to pass.
        room.chmod(0o711)
        kept = [room / f"store_{n}" for n in range(len(STORES))]
        for name, folder, place_kept in zip(STORES, folders, kept, strict=True):
            say(f"{name} watches {folder.name}")
            chosen = ["--pack", pack] if pack else []
            StoreBeside(name, None, pack).ran(
                "evaluate", str(folder.absolute()), "--keep", str(place_kept), "--no-ceiling", "--json", *chosen
            )
        stores = [StoreBeside(name, place_kept, pack) for name, place_kept in zip(STORES, kept, strict=True)]
        say("Both stores tell the hub")
        with open_hub(temporary(room / "hub"), now) as hub:
            tenant_id = _told(hub, stores, now)
            _resolved(hub, tenant_id, now)
            shown = [msgspec.json.decode((place_kept / SHOWN).read_bytes(), type=dict[str, str]) for place_kept in kept]
            return link_score.score(customers, placed(hub.database, tenant_id, shown))


def customers_of(folder: Path) -> set[str]:
    """True names of who came, without staff and who opted out. Raises NoScenario."""
    path = folder / "truth.json"
    try:
        truth = msgspec.json.decode(path.read_bytes(), type=_Truth)
    except FileNotFoundError:
        raise NoScenario(f"{folder} is no scenario: it has no truth.json.") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise NoScenario(f"{path} is not the truth of a scenario: {error}.") from None
    return {visit.identity for visit in truth.visits if not visit.staff and not visit.opted_out}


def temporary(folder: Path) -> Config:
    """Of a hub for the moment, whatever this user's own settings say: on this computer alone, at a port that is free."""
    usual = settings.Config()
    return msgspec.structs.replace(
        usual,
        data=msgspec.structs.replace(usual.data, folder=folder),
        web=msgspec.structs.replace(usual.web, host="127.0.0.1", port=free_port()),
    )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _told(hub: Hub, stores: list[StoreBeside], now: Callable[[], datetime]) -> str:
    with hub.database.anyone() as tx:
        tenant = tenants.add(tx, hub.database.master, "Evaluation", now())
    for store in stores:
        code = code_for(hub.database, tenant.tenant_id, store.name, now())
        store.ran("pair", f"{code}@{hub.address}", "--yes")
        store.ran("sync", "now")
    return tenant.tenant_id


def code_for(database: Database, tenant_id: str, name: str, now: datetime) -> str:
    """For the appliance of a new site."""
    with database.tenant(tenant_id) as tx:
        site = sites.add(tx, tenant_id, name, "UTC", now)
    return pairing.make_code(database, tenant_id, site.id, "evaluation", now).shown


def _resolved(hub: Hub, tenant_id: str, now: Callable[[], datetime]) -> None:
    """Until everybody is somebody; then the pass that finds doubles, as it is made each night. Raises Unresolved."""
    until_s = time.monotonic() + RESOLVE_S_MAX
    while True:
        with hub.database.tenant(tenant_id) as tx:
            waiting = resolving.waiting(tx)
        if not waiting:
            break
        if time.monotonic() > until_s:
            raise Unresolved(f"{waiting} persons still waited to be resolved after {RESOLVE_S_MAX:g} s.")
        time.sleep(LOOK_S)
    with hub.database.tenant(tenant_id) as tx:
        aside = tx.execute("SELECT reason FROM set_aside LIMIT 1").fetchone()
    if aside is not None:
        raise Unresolved(f"The hub set records of the stores aside: {aside[0]}.")
    duplicates.find(hub.database, hub.index, bars_of, tenant_id, now())


def placed(database: Database, tenant_id: str, shown: list[dict[str, str]]) -> list[Placed]:
    """Each person of the tenant; `shown` by store, in the order that the appliances were paired."""
    with database.tenant(tenant_id) as tx:
        order = {row[0]: n for n, row in enumerate(tx.execute("SELECT id FROM appliances ORDER BY paired_at, id"))}
        visits: dict[str, Any] = dict(tx.execute("SELECT id, person_id FROM visits").fetchall())
        persons = tx.execute("SELECT id, appliance_id, identity_id, role FROM persons WHERE role <> 'opted_out' ORDER BY id").fetchall()
    names = link_score.by_visit(visits, {visit: name for of_store in shown for visit, name in of_store.items()})
    return [Placed(order[appliance], identity, role, names.get(person, [])) for person, appliance, identity, role in persons]
