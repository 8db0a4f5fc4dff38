"""What somebody at headquarters may do about who is who: say that persons are one or are not, take that back, and end an opt-out.

They know the truth where they join, since no identity may be two people. Where they part, one face may be two identities from then on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from hub import erasure, identity_changes
from hub.database import Tx
from hub.vault import Vault
from tests.simulation.headquarters import Tenant
from tests.simulation.people import axis, person

if TYPE_CHECKING:
    from tests.simulation.world import World

BY, REASON = "somebody at headquarters", "said so"


def merged(world: World) -> None:
    """Two identities that are one person."""
    tenant = world.chance.choice(world.hub.tenants)
    if found := _doubles(world, tenant):
        (number, keep), (other, taken), *_ = world.chance.choice(found)
        world.note(f"headquarters merges identities {number} and {other} of {tenant.name}")
        event = world.hub.change(tenant, lambda tx, vault: identity_changes.merge(tx, vault, keep, taken, BY, REASON, world.hub.now()))
        if event:
            world.events.append((tenant, event))


def linked(world: World) -> None:
    """A person is said to be another identity, which is the same person."""
    tenant = world.chance.choice(world.hub.tenants)
    if found := _doubles(world, tenant):
        (number, identity_id), (_, other), *_ = world.chance.choice(found)
        moved = world.chance.choice(world.witness.numbered_persons_of(other))
        world.note(f"headquarters links a person with identity {number} of {tenant.name}")

        def link(tx: Tx, vault: Vault) -> None:
            identity_changes.link(tx, vault, moved, identity_id, BY, REASON, world.hub.now())

        world.hub.change(tenant, link)


def unlinked(world: World) -> None:
    tenant = world.chance.choice(world.hub.tenants)
    several = [
        (number, persons)
        for number, identity_id in world.witness.identities(tenant.tenant_id)
        if len(persons := world.witness.numbered_persons_of(identity_id)) > 1
    ]
    if several:
        number, persons = world.chance.choice(several)
        parted = world.chance.choice(persons)
        world.note(f"headquarters parts a person from identity {number} of {tenant.name}")
        world.parted = True
        world.hub.change(tenant, lambda tx, vault: identity_changes.unlink(tx, vault, parted, BY, REASON, world.hub.now()))


def undone(world: World) -> None:
    if world.events:
        tenant, event = world.events.pop(world.chance.randrange(len(world.events)))
        world.note(f"headquarters takes a merge of {tenant.name} back")
        world.parted = True

        def undo(tx: Tx, vault: Vault) -> None:
            identity_changes.undo(tx, vault, event, BY, world.hub.now())

        world.hub.change(tenant, undo)


def opted_in_again(world: World) -> None:
    tenant = world.chance.choice(world.hub.tenants)
    rows = world.witness.rows(
        """SELECT identity_id FROM erasures WHERE tenant_id = %s AND kind = 'opt_out' AND ended_at IS NULL
            GROUP BY identity_id ORDER BY min(id::text)""",
        [tenant.tenant_id],
    )
    if rows:
        place = world.chance.randrange(len(rows))
        (identity_id,) = rows[place]
        world.note(f"somebody of {tenant.name} who opted out opts in again: the {place + 1}. of {len(rows)}")

        def end(tx: Tx, vault: Vault) -> None:
            erasure.end_opt_out(tx, vault, identity_id, BY, world.hub.now())

        world.hub.change(tenant, end)
        # Whether it came to that or the power went before: it need not hold any more.
        ended = world.witness.rows("SELECT id FROM erasures WHERE identity_id = %s", [identity_id])
        world.opted_out -= {row[0] for row in ended}


def _doubles(world: World, tenant: Tenant) -> list[list[tuple[int, str]]]:
    """Identities, as number and id, that are the same one person."""
    faces: dict[str, set[int]] = defaultdict(set)
    for shop in world.shop_of(tenant):
        for person_id, embedding in shop.ledger.templates.values():
            faces[person_id].add(person(axis(np.frombuffer(embedding, "<f2").astype(np.float32))))
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for number, identity_id in world.witness.identities(tenant.tenant_id):
        whose = {face for one in world.witness.persons_of(identity_id) for face in faces[one]}
        if len(whose) == 1:
            found[whose.pop()].append((number, identity_id))
    return [identities for _, identities in sorted(found.items()) if len(identities) > 1]


WEIGHTS: dict[str, float] = {"merged": 0.02, "linked": 0.015, "unlinked": 0.008, "undone": 0.01, "opted_in_again": 0.006}
ACTIONS: dict[str, Callable[[World], None]] = {name: globals()[name] for name in WEIGHTS}
