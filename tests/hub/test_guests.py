from __future__ import annotations

import pytest

from hub import facts, guests, identity_changes, tenants
from hub.erasure import Asked, erase
from hub.guests import Lent, Visitor, chosen
from sync.facts import Guest
from tests.hub.chain import NOW
from tests.hub.told import SURE, Hub, face, like


def lend(hub: Hub) -> Lent:
    return guests.lend(hub.database, hub.tenant_id, NOW)


def lent(hub: Hub, appliance_id: str) -> dict[str, Guest]:
    with hub.tenant() as (tx, vault):
        told = facts.held(tx, vault, "guest")
    return {one.subject: one.fact for one in told if one.appliance_id == appliance_id and isinstance(one.fact, Guest)}


def gone(hub: Hub, appliance_id: str) -> list[str]:
    with hub.tenant() as (tx, vault):
        return [one.subject for one in facts.held(tx, vault, "guest_gone") if one.appliance_id == appliance_id]


def switch(hub: Hub, *, on: bool = True, most: int = 100) -> None:
    with hub.tenant() as (tx, _):
        tenants.set_switches(tx, hub.tenant_id, guests=on, guests_max=most)


@pytest.fixture
def regular(hub: Hub) -> str:
    """Somebody who comes to the first store often; the other store knows some people of its own."""
    person_id = hub.stores.tell(*hub.a, [face(1), like(face(1), 0.8, 4)], visits=9, name="Mai")
    hub.stores.tell(*hub.b, [face(50)])
    hub.resolve()
    return hub.stores.identity(person_id) or ""


def test_a_frequent_visitor_is_lent_to_the_other_store_where_the_tenant_wants_it(hub: Hub, regular: str) -> None:
    assert lend(hub) == Lent()
    switch(hub)
    assert lend(hub) == Lent(told=1)
    (guest,) = lent(hub, hub.b[1]).values()
    assert (guest.identity_id, guest.role, guest.name, len(guest.templates)) == (regular, "customer", "Mai", 2)
    assert lent(hub, hub.a[1]) == {}
    assert lend(hub) == Lent()


def test_switching_it_off_takes_the_guests_back(hub: Hub, regular: str) -> None:
    switch(hub)
    lend(hub)
    switch(hub, on=False)
    assert lend(hub) == Lent(gone=1)
    assert (lent(hub, hub.b[1]), gone(hub, hub.b[1])) == ({}, [regular])


def test_staff_of_the_chain_are_lent_to_every_store_whatever_the_switch(hub: Hub, regular: str) -> None:
    hub.stores.tell(*hub.a, [face(3)], role="staff", name="Alice")
    hub.resolve()
    assert lend(hub) == Lent(told=1)
    (guest,) = lent(hub, hub.b[1]).values()
    assert (guest.role, guest.name) == ("staff", "Alice")


def test_somebody_headquarters_made_staff_is_staff_everywhere(hub: Hub, regular: str) -> None:
    with hub.tenant() as (tx, vault):
        identity_changes.describe(tx, vault, regular, "ann", NOW, role="staff")
    lend(hub)
    assert lent(hub, hub.b[1])[regular].role == "staff"


def test_whoever_the_store_knows_itself_is_lent_no_longer(hub: Hub, regular: str) -> None:
    switch(hub)
    lend(hub)
    hub.stores.tell(*hub.b, [like(face(1), SURE)])
    hub.resolve()
    assert lend(hub) == Lent(gone=1)


def test_a_guest_who_became_a_visitor_stays_until_the_store_has_views_enough(hub: Hub, regular: str) -> None:
    switch(hub)
    lend(hub)
    at_b = hub.stores.tell(*hub.b, [like(face(1), SURE)], guest_of=regular)
    hub.resolve()
    assert lend(hub).gone == 0
    for seed in range(guests.OWN_VIEWS_ENOUGH):
        hub.stores.learn(at_b, like(face(1), SURE, seed))
    hub.resolve()
    assert lend(hub).gone == 1


def test_a_new_view_of_somebody_lent_is_not_told_before_it_is_needed(hub: Hub, regular: str) -> None:
    switch(hub)
    with hub.tenant() as (tx, _):
        (person,) = tx.execute("SELECT id FROM persons WHERE identity_id = %s", [regular]).fetchall()
    for seed in range(guests.TEMPLATES_EACH):
        hub.stores.learn(person[0], like(face(1), 0.9, 10 + seed))
    hub.resolve()
    lend(hub)
    before = lent(hub, hub.b[1])[regular]
    hub.stores.learn(person[0], like(face(1), 0.9, 77))
    hub.resolve()
    assert lend(hub) == Lent()
    with hub.tenant() as (tx, _):
        tx.execute("DELETE FROM templates WHERE id = %s", [before.templates[0].id])
    assert lend(hub) == Lent(told=1)


def test_somebody_forgotten_is_not_lent_and_not_mentioned(hub: Hub, regular: str) -> None:
    switch(hub)
    lend(hub)
    with hub.tenant() as (tx, vault):
        erase(tx, vault, regular, Asked("ann"), NOW)
    lend(hub)
    assert (lent(hub, hub.b[1]), gone(hub, hub.b[1]), hub.stores.rows("lent_guests")) == ({}, [], 0)


def test_no_more_are_lent_than_the_tenant_allows_and_the_special_ones_first() -> None:
    def visitor(name: str, visits: int, *, special: bool = False, staff: bool = False) -> Visitor:
        return Visitor(name, staff, special, visits, {"a": 1}, frozenset())

    everybody = [visitor("x", 30), visitor("y", 20), visitor("vip", 1, special=True), visitor("rare", 1), visitor("boss", 0, staff=True)]
    assert chosen(everybody, "b", set(), 2) == ["boss", "vip", "x"]
    assert chosen(everybody, "a", set(), 2) == []
    assert chosen(everybody, "b", set(), 0) == ["boss"]


def test_two_about_as_frequent_do_not_take_turns() -> None:
    two = [Visitor("x", False, False, 11, {"a": 1}, frozenset()), Visitor("y", False, False, 10, {"a": 1}, frozenset())]
    assert chosen(two, "b", {"y"}, 1) == ["y"]
    assert chosen(two, "b", set(), 1) == ["x"]
