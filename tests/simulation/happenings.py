"""What happens to the simulated chain besides visitors: everything that may go wrong, and what people may do in the middle of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from appliance.errors import PersonError
from tests.simulation import at_headquarters, putting_back
from tests.simulation.network import WEATHERS
from tests.simulation.people import axis
from tests.simulation.store import Shop

if TYPE_CHECKING:
    from tests.simulation.world import World

DAY_MS = 86_400_000


def _running(world: World) -> Shop | None:
    shop = world.chance.choice(world.shops)
    return shop if shop.runs else None


def power_at_a_store(world: World) -> None:
    if shop := _running(world):
        shop.power.cut_in(world.chance.randint(1, 40))


def power_at_the_hub(world: World) -> None:
    world.hub.power.cut_in(world.chance.randint(1, 80))


def clock_of_a_store(world: World) -> None:
    shop = world.chance.choice(world.shops)
    days, minutes = world.chance.randint(-20 * DAY_MS, 20 * DAY_MS), world.chance.randint(-600_000, 600_000)
    shop.clock_off_ms = world.chance.choice([0, 0, days, minutes])
    world.note(f"{shop.name}'s clock is {shop.clock_off_ms / 1000:.0f} s off")


def clock_of_the_hub(world: World) -> None:
    world.hub.clock_off_ms = world.chance.choice([0, 0, world.chance.randint(-3_600_000, 3_600_000)])
    world.note(f"the hub's clock is {world.hub.clock_off_ms / 1000:.0f} s off")


def weather(world: World) -> None:
    world.network.weather = world.chance.choice(WEATHERS)
    world.note("the weather changes")


def line_cut(world: World) -> None:
    shop = world.chance.choice(world.shops)
    world.network.cut_off.add(shop.name)
    world.note(f"{shop.name} has no line")


def line_back(world: World) -> None:
    if world.network.cut_off:
        shop = world.chance.choice(sorted(world.network.cut_off))
        world.network.cut_off.discard(shop)
        world.note(f"{shop} has a line again")


def weeks(world: World) -> None:
    world.now_ms += world.chance.randint(1, 21) * DAY_MS
    world.note("days go by")


def index_away(world: World) -> None:
    world.hub.index.calls_left = world.chance.randint(0, 10)
    world.note("the index will be away")


def index_back(world: World) -> None:
    if world.hub.index.away:
        world.note("the index is back")
    world.hub.index.away, world.hub.index.calls_left = False, None


def merged_at_a_store(world: World) -> None:
    """Two persons with one true face are one: a store sees that on its page."""
    if (shop := _running(world)) is None:
        return
    by_face: dict[int, list[str]] = {}
    for person in shop.persons():
        if (face := shop.face_of(person.id)) is not None:
            by_face.setdefault(face, []).append(person.id)
    doubles = [ids for _, ids in sorted(by_face.items()) if len(ids) > 1]
    if doubles:
        keep, taken, *_ = world.chance.choice(doubles)
        with suppress(PersonError):
            shop.merge(keep, taken)
            world.note(f"{shop.name} merges two persons")


def erased_at_a_store(world: World) -> None:
    if (shop := _running(world)) and (persons := shop.persons()):
        person = world.chance.choice(persons)
        world.note(f"{shop.name} erases person {person.number}")
        if shop.erase(person.id):
            world.forgotten.add(person.id)


def opted_out_at_a_store(world: World) -> None:
    if (shop := _running(world)) and (persons := shop.persons()):
        person = world.chance.choice(persons)
        world.note(f"{shop.name}: person {person.number} opts out")
        shop.opt_out(person.id)


def staff_at_a_store(world: World) -> None:
    if shop := _running(world):
        face = world.chance.randint(32, 36)
        if not any(axis(t.embedding) == face for t in shop.recognition.gallery.with_role("staff")):
            shop.enrol("staff", f"Staff {face}", face)
            world.people[shop.tenant_id].append(face)


def keys_of_a_store(world: World) -> None:
    if shop := _running(world):
        shop.rotate()
        world.note(f"{shop.name} rotates its keys")


def keys_of_the_hub(world: World) -> None:
    world.note("the hub rotates its keys")
    world.hub.doing(lambda: world.hub.keys.rotate(world.hub.now()))


def backup_at_a_store(world: World) -> None:
    if shop := _running(world):
        shop.back_up()


def restored_at_a_store(world: World) -> None:
    if (shop := _running(world)) and shop.restore():
        world.note(f"{shop.name} restores a backup")
        if world.put_back:
            putting_back.forget_what_nobody_knows(world)


def outbox_full(world: World) -> None:
    if shop := _running(world):
        shop.shed(world.chance.randint(2, 20))
        world.note(f"{shop.name} has no room in its outbox")


def played_again(world: World) -> None:
    world.network.play_again()


def erased_at_the_hub(world: World) -> None:
    tenant = world.chance.choice(world.hub.tenants)
    if identities := world.witness.identities(tenant.tenant_id):
        number, identity_id = world.chance.choice(identities)
        persons = world.witness.persons_of(identity_id)
        world.note(f"headquarters erases identity {number} of {tenant.name}, {len(persons)} persons")
        if world.hub.erase(tenant, identity_id):
            world.forgotten.update(persons)


def opted_out_at_the_hub(world: World) -> None:
    tenant = world.chance.choice(world.hub.tenants)
    if identities := world.witness.identities(tenant.tenant_id):
        number, identity_id = world.chance.choice(identities)
        world.note(f"identity {number} of {tenant.name} opts out at headquarters")
        if erasure_id := world.hub.opt_out(tenant, identity_id):
            world.opted_out.add(erasure_id)


def backup_at_the_hub(world: World) -> None:
    if world.hub.runs:
        putting_back.back_up(world)


def put_back_at_the_hub(world: World) -> None:
    putting_back.put_back(world)


def paired_anew(world: World) -> None:
    putting_back.pair_anew(world, world.chance.choice(world.shops))


def passes_at_the_hub(world: World) -> None:
    world.hub.pass_over()


def work_at_the_hub(world: World) -> None:
    world.hub.work()


Action = Callable[["World"], None]
WEIGHTS: dict[str, float] = {
    "power_at_a_store": 0.06,
    "power_at_the_hub": 0.05,
    "clock_of_a_store": 0.01,
    "clock_of_the_hub": 0.01,
    "weather": 0.04,
    "line_cut": 0.02,
    "line_back": 0.06,
    "weeks": 0.005,
    "index_away": 0.03,
    "index_back": 0.08,
    "merged_at_a_store": 0.05,
    "erased_at_a_store": 0.012,
    "opted_out_at_a_store": 0.008,
    "staff_at_a_store": 0.008,
    "keys_of_a_store": 0.02,
    "keys_of_the_hub": 0.01,
    "backup_at_a_store": 0.012,
    "restored_at_a_store": 0.008,
    "outbox_full": 0.025,
    "played_again": 0.05,
    "erased_at_the_hub": 0.012,
    "opted_out_at_the_hub": 0.008,
    "passes_at_the_hub": 0.02,
    "backup_at_the_hub": 0.02,
    "put_back_at_the_hub": 0.018,
    "paired_anew": 0.004,
}
"""Chance of each, in each step."""
ACTIONS: dict[str, Action] = {name: globals()[name] for name in (*WEIGHTS, "work_at_the_hub")}
WEIGHTS |= at_headquarters.WEIGHTS
ACTIONS |= at_headquarters.ACTIONS
AT_THE_HUB = ["keys_of_the_hub", "erased_at_the_hub", "opted_out_at_the_hub", "work_at_the_hub", "work_at_the_hub", "work_at_the_hub"]
