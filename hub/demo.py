"""What `regulars-hub demo` shows: a chain of two stores with a headquarters, all of it in a folder that is thrown away."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from hub import lock, pairing, sites, switches, tenants, users
from hub.config import Config
from hub.database import Database
from hub.errors import HubError
from hub.evaluation import temporary
from hub.stores_beside import StoreBeside

PREFIX = "regulars-hub-demo-"
LEFT_S = 600.0
"""A folder this old that nobody holds was left by a demo that was killed."""
CHAIN, USER = "Demo chain", "demo"
STORES = (("Old Town", "store_a", 8477), ("Lakeside", "store_b", 8497))
"""Name, entrance, and where the page's port is looked for: twenty from here on."""


@dataclass(frozen=True, slots=True)
class Account:
    """For whom the demo's page opens."""

    tenant_id: str
    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the chain knows so far. `both`: identities known in both stores."""

    visits: int
    identities: int
    both: int


def settings(folder: Path, port: int | None) -> Config:
    """Of the demo's hub, at this port or any that is free."""
    config = temporary(folder)
    return msgspec.structs.replace(config, web=msgspec.structs.replace(config.web, port=port)) if port else config


def open_chain(database: Database, now: datetime) -> Account:
    """A tenant that has switched everything on but pictures, and somebody who may look at it."""
    password = secrets.token_hex(8)
    with database.anyone() as tx:
        tenant = tenants.add(tx, database.master, CHAIN, now)
        users.add(tx, USER, "tenant_admin", tenant.tenant_id, password, now)
    with database.tenant(tenant.tenant_id) as tx:
        switches.change(tx, database.vault(tx, tenant.tenant_id), tenant.tenant_id, USER, now, also_at=True, guests=True)
    return Account(tenant.tenant_id, USER, password)


def open_stores(
    database: Database, account: Account, address: str, folder: Path, pack: str | None, seconds: float, now: datetime
) -> list[subprocess.Popen[str]]:
    """Each a `regulars demo` of its own, which ends by itself after `seconds` if nobody ends it."""
    processes = []
    for name, scene, port in STORES:
        with database.tenant(account.tenant_id) as tx:
            site = sites.add(tx, account.tenant_id, name, "UTC", now)
        code = pairing.make_code(database, account.tenant_id, site.id, "the demo", now).shown
        chosen = ["--pack", pack] if pack else []
        arguments = ["--scene", scene, "--pair", f"{code}@{address}", "--port", str(port), "--seconds", str(round(seconds)), *chosen]
        said = (folder / f"{scene}.txt").open("w")
        with said:
            store = StoreBeside(name, folder / scene)
            processes.append(store.started("demo", *arguments, stdout=said.fileno(), stderr=subprocess.STDOUT))
    return processes


def pages(folder: Path) -> list[tuple[str, str]]:
    """Name and address of each store's page, as far as they are open."""
    found = []
    for name, scene, _port in STORES:
        with suppress(OSError):
            lines = (folder / f"{scene}.txt").read_text(errors="replace").splitlines()
            found += [(name, line.partition(": ")[2]) for line in lines if line.startswith("The page: ")]
    return found


def last_words(folder: Path) -> str:
    """What the stores said last, when one of them has ended by itself."""
    said = []
    for name, scene, _port in STORES:
        with suppress(OSError):
            said += [f"{name}: {line}" for line in (folder / f"{scene}.txt").read_text(errors="replace").splitlines()[-1:]]
    return "; ".join(said)


def seen(database: Database, tenant_id: str) -> Seen:
    with database.tenant(tenant_id) as tx:
        visits = tx.execute("SELECT count(*) FROM visits").fetchone()
        rows = tx.execute(
            """SELECT count(DISTINCT site_id) FROM persons WHERE identity_id IS NOT NULL AND role <> 'opted_out' GROUP BY identity_id"""
        ).fetchall()
    return Seen(visits[0] if visits else 0, len(rows), sum(row[0] > 1 for row in rows))


def sweep(temporary_folder: Path, now_s: float) -> None:
    """Removes what killed demos left: faces must not lie about, sealed or not."""
    for folder in temporary_folder.glob(f"{PREFIX}*"):
        try:
            ours = folder.is_dir() and folder.stat().st_uid == os.getuid() and now_s - folder.stat().st_mtime > LEFT_S
            held = lock.take_if_free(folder / "hub") if ours and (folder / "hub").is_dir() else None
        except (OSError, HubError):
            continue
        if held:
            held.release()
            shutil.rmtree(folder, ignore_errors=True)
