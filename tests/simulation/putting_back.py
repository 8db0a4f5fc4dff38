"""The hub's database is put back to an earlier day: in full, as a backup has it, with the index and the pictures left as they were.

Whoever does it may say so to the hub, as its own command does, or may not, as somebody who restores a server of their own. What only the
hub knew since is lost, and the world forgets that it knew it; what any store has heard must come back. A store whose keys, or whose
pairing, the hub does not know any more is paired anew: somebody sees that on its page.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from appliance import database_file
from appliance.line import link
from hub import putting_back
from sync import outbox
from sync.keys import key_id
from tests.simulation.network import FINE
from tests.simulation.store import Shop

if TYPE_CHECKING:
    from tests.simulation.world import World


def back_up(world: World) -> None:
    """One is kept."""
    with world.witness.away():
        world.hub.back_up()
    world.note("headquarters makes a backup")


def put_back(world: World) -> None:
    if not world.hub.runs or world.hub.backup is None:
        return
    told = world.chance.random() < 0.4
    world.note(f"headquarters is put back to its backup, and {'knows' if told else 'does not know'} it")
    with world.witness.away():
        world.hub.put_back()
    world.witness.put_back(map(gone_from, world.shops))
    world.put_back = True
    if told:
        putting_back.begin_anew(world.hub.database, world.hub.now())
    forget_what_nobody_knows(world)


def forget_what_nobody_knows(world: World) -> None:
    """An erasure that was asked at a headquarters that is lost, before any store heard of it, is lost with it."""
    known = {row[0] for row in world.witness.rows("SELECT person_id FROM tombstones")}
    requests = {row[0] for row in world.witness.rows("SELECT id FROM erasures")}
    for shop in world.shops:
        with closing(sqlite3.connect(f"{database_file.path_in(shop.folder).as_uri()}?mode=ro", uri=True)) as reading:
            known |= {row[0] for row in reading.execute("SELECT id FROM gone_persons WHERE erased")}
            requests |= {row[0] for row in reading.execute("SELECT erasure_id FROM had_forgotten")}
    world.forgotten &= known
    world.opted_out &= requests


def pair_anew_if_locked_out(world: World, shop: Shop) -> None:
    if world.put_back and shop.runs and world.hub.runs and _locked_out(world, shop):
        pair_anew(world, shop)


def pair_anew(world: World, shop: Shop) -> None:
    if shop.runs and world.hub.runs and shop.name not in world.network.cut_off:
        world.note(f"{shop.name} is paired anew")
        shop.power.keep()
        world.hub.power.keep()
        before, world.network.weather = world.network.weather, FINE
        world.quietly(lambda: shop.pair(world.hub.code_again(shop.tenant_id, shop.name)))
        world.network.weather = before
        # What they hold of the line is of a pairing that is over.
        shop.backups.clear()


def _locked_out(world: World, shop: Shop) -> bool:
    at = link.for_pushing(shop.store)
    assert at is not None
    rows = world.witness.rows("SELECT sign_public, old_sign_public FROM appliances WHERE id = %s AND revoked_at IS NULL", [at.appliance])
    mine = {own.public.sign for own in at.own}
    if not rows or not mine & {bytes(key) for key in rows[0] if key}:
        return True
    return not world.witness.rows("SELECT FROM hub_keys WHERE id = %s", [key_id(at.hub.seal)])


def gone_from(shop: Shop) -> tuple[str, int]:
    """The line that a store is in, and its last record that is gone from the outbox."""
    with closing(sqlite3.connect(f"{database_file.path_in(shop.folder).as_uri()}?mode=ro", uri=True)) as reading:
        (line,) = reading.execute("SELECT line FROM link").fetchone()
        span = outbox.span(reading)
    return line, span.newest if span.oldest is None else span.oldest - 1
