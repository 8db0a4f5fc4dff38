from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from hub import index_upkeep, tenants
from hub.deciding import bars_for
from hub.erasure import Asked, opt_out, opt_out_persons
from hub.identity_changes import link
from hub.model_bars import bars_of
from hub.resolving import BATCH, Resolved, is_due, resolve_due
from tests.hub.chain import NOW
from tests.hub.told import MODEL, SURE, Hub, Stores, face, like, measured


def test_a_person_seen_in_two_stores_is_one_identity_and_both_stores_hear_of_it(hub: Hub) -> None:
    her = face(1)
    at_a = hub.stores.tell(*hub.a, [like(her, 0.9, 1)], name="Mai")
    at_b = hub.stores.tell(*hub.b, [like(her, 0.9, 2), like(her, 0.9, 3)])
    assert hub.resolve() == Resolved(persons=2, linked=1, new=1)
    assert hub.stores.identity(at_a) == hub.stores.identity(at_b) is not None
    told = hub.known(at_b)
    assert told is not None and told.name == "Mai" and told.also_at == [] and told.chain_visits == 2
    assert hub.known(at_a) is not None
    assert hub.stores.rows("resolve_queue") == 0
    assert hub.index.count(hub.tenant_id, MODEL) == 3


def test_strangers_stay_strangers_and_nothing_is_told_of_them(hub: Hub) -> None:
    people = [hub.stores.tell(*(hub.a if i % 2 else hub.b), [face(i)]) for i in range(20)]
    assert hub.resolve() == Resolved(persons=20, new=20)
    assert len({hub.stores.identity(one) for one in people}) == 20
    assert hub.stores.rows("facts") == 0


def test_two_persons_of_one_appliance_are_never_linked_but_asked_about(hub: Hub) -> None:
    her = face(1)
    people = [hub.stores.tell(*hub.a, [like(her, 0.95, i)]) for i in range(2)]
    hub.resolve()
    assert hub.stores.identity(people[0]) != hub.stores.identity(people[1])
    (question,) = hub.questions()
    assert (question.person_id, question.identity_id) == (people[1], hub.stores.identity(people[0]))


def test_persons_called_different_are_neither_linked_nor_asked_about(hub: Hub) -> None:
    her = face(1)
    people = [hub.stores.tell(*hub.a, [like(her, 0.95, i)]) for i in range(2)]
    hub.stores.call_apart(*people)
    hub.resolve()
    assert hub.questions() == []
    # Nor by way of the other store: whoever comes there is one of the two at most.
    there = hub.stores.tell(*hub.b, [her])
    hub.resolve()
    assert sum(hub.stores.identity(one) == hub.stores.identity(there) for one in people) == 1


def test_a_machine_link_falls_when_the_persons_are_called_different(hub: Hub) -> None:
    her = face(1)
    at_a, at_b = hub.stores.tell(*hub.a, [her]), hub.stores.tell(*hub.b, [like(her, 0.95)])
    hub.resolve()
    assert hub.known(at_b) is not None
    hub.stores.call_apart(at_a, at_b)
    hub.resolve()
    assert hub.stores.identity(at_a) != hub.stores.identity(at_b)
    assert hub.known(at_a) is hub.known(at_b) is None


def test_the_bars_of_a_batch_rise_with_those_it_makes(hub: Hub) -> None:
    """A first batch of many would otherwise be compared as if each of them were among the first."""
    bars = bars_for(measured(), 5), bars_for(measured(), BATCH)
    assert bars[0].link < bars[1].link
    between = (bars[0].link + bars[1].link) / 2
    for i in range(BATCH - 2):
        hub.stores.tell(*hub.a, [face(10 + i)])
    pair = hub.stores.tell(*hub.a, [face(1)]), hub.stores.tell(*hub.b, [like(face(1), between)])
    hub.resolve()
    assert hub.stores.identity(pair[0]) != hub.stores.identity(pair[1])


def test_a_doubtful_likeness_waits_for_somebody(hub: Hub) -> None:
    her, bars = face(1), bars_for(measured(), 5)
    at_a = hub.stores.tell(*hub.a, [her])
    hub.resolve()
    at_b = hub.stores.tell(*hub.b, [like(her, (bars.review + bars.link) / 2)])
    assert hub.resolve() == Resolved(persons=1, new=1, questions=1)
    (question,) = hub.questions()
    assert (question.kind, question.person_id, question.identity_id) == ("link", at_b, hub.stores.identity(at_a))


def test_a_person_whose_new_view_makes_it_sure_goes_over_with_all_that_is_known_of_them(hub: Hub) -> None:
    her, bars = face(1), bars_for(measured(), 5)
    at_a = hub.stores.tell(*hub.a, [her])
    hub.resolve()
    at_b = hub.stores.tell(*hub.b, [like(her, bars.review + 0.01, 1)])
    hub.resolve()
    hub.stores.learn(at_b, like(her, 0.95, 2))
    assert hub.resolve().linked == 1
    assert hub.stores.identity(at_b) == hub.stores.identity(at_a)
    assert hub.questions() == []


def test_a_guest_needs_less_likeness_because_the_store_has_searched_already(hub: Hub) -> None:
    her, bars = face(1), bars_for(measured(), 5)
    at_a = hub.stores.tell(*hub.a, [her])
    hub.resolve()
    identity = hub.stores.identity(at_a)
    at_b = hub.stores.tell(*hub.b, [like(her, bars.guest + 0.01, 1)], guest_of=identity)
    nobody = hub.stores.tell(*hub.b, [like(face(2), 0.99)], guest_of=identity)
    hub.resolve()
    assert hub.stores.identity(at_b) == identity
    assert hub.stores.identity(nobody) != identity


def test_an_index_that_is_away_delays_and_loses_nothing(hub: Hub) -> None:
    her = face(1)
    at_a, at_b = hub.stores.tell(*hub.a, [her]), hub.stores.tell(*hub.b, [like(her, 0.95)])
    hub.index.away = True
    for _ in range(4):
        assert hub.resolve().away
        hub.now += timedelta(seconds=20)
    assert hub.stores.identity(at_a) is None
    # Whoever came meanwhile goes through first, and takes the waiting along.
    hub.index.away = False
    hub.now += timedelta(seconds=1)
    stranger = hub.stores.tell(*hub.b, [face(9)])
    hub.stores.now = hub.now
    hub.stores.queue(stranger)
    hub.resolve()
    hub.resolve()
    assert hub.stores.identity(at_a) == hub.stores.identity(at_b) is not None
    assert hub.stores.rows("resolve_queue") == 0


@pytest.mark.parametrize("calls", range(6))
def test_an_index_that_goes_away_between_any_two_calls_costs_a_repeat(hub: Hub, calls: int) -> None:
    her = face(1)
    gone = hub.stores.tell(*hub.a, [face(3)])
    hub.resolve()
    hub.stores.forget(gone)
    at_a, at_b = hub.stores.tell(*hub.a, [her]), hub.stores.tell(*hub.b, [like(her, 0.95)])
    hub.index.calls_left = calls
    hub.resolve()
    hub.index.calls_left, hub.index.away = None, False
    hub.now += timedelta(seconds=5)
    hub.resolve()
    assert hub.stores.identity(at_a) == hub.stores.identity(at_b) is not None
    assert (hub.index.count(hub.tenant_id, MODEL), hub.stores.rows("index_leftovers")) == (2, 0)


def test_resolving_again_changes_nothing(hub: Hub) -> None:
    her = face(1)
    people = [hub.stores.tell(*hub.a, [her]), hub.stores.tell(*hub.b, [like(her, 0.95)]), hub.stores.tell(*hub.b, [face(2)])]
    hub.resolve()
    before = [hub.stores.identity(one) for one in people], hub.stores.rows("facts"), hub.stores.rows("identity_events")
    hub.stores.queue(*people)
    hub.resolve()
    assert ([hub.stores.identity(one) for one in people], hub.stores.rows("facts"), hub.stores.rows("identity_events")) == before


def test_a_person_that_went_is_gone_from_the_index_and_its_identity_with_it(hub: Hub) -> None:
    before = hub.stores.rows("identities")
    her = face(1)
    at_a, at_b = hub.stores.tell(*hub.a, [her]), hub.stores.tell(*hub.b, [like(her, 0.95)])
    hub.resolve()
    hub.stores.forget(at_a)
    hub.resolve()
    assert hub.index.count_of_persons(hub.tenant_id, [at_a]) == 0
    assert hub.known(at_b) is None
    hub.stores.forget(at_b)
    hub.resolve()
    assert (hub.stores.rows("identities"), hub.index.count(hub.tenant_id, MODEL)) == (before, 0)


def test_a_template_that_lives_again_stays_in_the_index(hub: Hub) -> None:
    at_a = hub.stores.tell(*hub.a, [face(1)])
    hub.resolve()
    with hub.tenant() as (tx, _):
        tx.execute("CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM templates")
        tx.execute("DELETE FROM templates")
        tx.execute("INSERT INTO templates SELECT * FROM kept")
        tx.execute("UPDATE templates SET indexed = false")
    # As after a crash: compared and mended before the resolver has worked off what it had noted.
    index_upkeep.verify(hub.database, hub.index, bars_of, hub.tenant_id, mend=True)
    hub.resolve()
    assert hub.index.count_of_persons(hub.tenant_id, [at_a]) == 1
    assert hub.stores.rows("index_leftovers") == 0


def test_more_than_a_batch_is_worked_off_in_one_run(hub: Hub) -> None:
    for i in range(BATCH + 5):
        hub.stores.tell(*(hub.a if i % 2 else hub.b), [face(i)])
    assert hub.resolve().new == BATCH + 5


def test_persons_of_one_batch_find_one_another(hub: Hub) -> None:
    people = [hub.stores.tell(*(hub.a if i % 2 else hub.b), [like(face(i // 2), 0.95, i)]) for i in range(40)]
    assert hub.resolve() == Resolved(persons=40, linked=20, new=20)
    assert all(hub.stores.identity(people[i]) == hub.stores.identity(people[i + 1]) for i in range(0, 40, 2))


def test_templates_that_nobody_can_compare_wait_and_hold_nobody_up(hub: Hub) -> None:
    strange = hub.stores.tell(*hub.a, [face(1)], model="of_another_maker")
    short = hub.stores.tell(*hub.a, [face(2)[:64] / np.linalg.norm(face(2)[:64])])
    plain = hub.stores.tell(*hub.a, [face(3)])
    hub.resolve()
    assert None not in {hub.stores.identity(one) for one in (strange, short, plain)}
    assert hub.stores.rows("resolve_queue") == 2
    assert hub.resolve() == Resolved()
    assert hub.index.count(hub.tenant_id, MODEL) == 1


def test_somebody_like_a_person_who_opted_out_is_forgotten_as_well(hub: Hub) -> None:
    her = face(1)
    at_a = hub.stores.tell(*hub.a, [her])
    hub.resolve()
    identity = hub.stores.identity(at_a)
    assert identity is not None
    with hub.database.tenant(hub.tenant_id) as tx:
        opt_out(tx, hub.database.vault(tx, hub.tenant_id), identity, Asked("an admin"), NOW)
    at_b = hub.stores.tell(*hub.b, [like(her, SURE)])
    stranger = hub.stores.tell(*hub.b, [face(2)])
    assert hub.resolve().forgotten == 1
    with hub.database.tenant(hub.tenant_id) as tx:
        assert tx.execute("SELECT id FROM persons WHERE id = ANY(%s::uuid[])", [[at_b, stranger]]).fetchall() == [(stranger,)]
    assert hub.stores.rows("resolve_queue") == 0
    hub.resolve()
    assert hub.index.count_of_persons(hub.tenant_id, [at_a, at_b]) == 0


def opt_out_at_a(hub: Hub, person_id: str) -> None:
    with hub.tenant() as (tx, vault):
        opt_out_persons(tx, vault, [person_id], Asked("store"), NOW)


def test_somebody_who_opts_out_before_they_were_linked_is_found_at_the_other_store(hub: Hub) -> None:
    her = face(1)
    at_b = hub.stores.tell(*hub.b, [like(her, SURE)])
    stranger = hub.stores.tell(*hub.b, [face(2)])
    hub.resolve()
    opt_out_at_a(hub, hub.stores.tell(*hub.a, [her]))
    with hub.tenant() as (tx, _):
        assert is_due(tx, hub.now)
    # The index is away meanwhile: nobody is missed for that.
    hub.index.away = True
    assert hub.resolve().away
    hub.index.away = False
    assert hub.resolve().forgotten == 1
    with hub.tenant() as (tx, _):
        assert tx.execute("SELECT id FROM persons WHERE id = ANY(%s::uuid[])", [[at_b, stranger]]).fetchall() == [(stranger,)]
    hub.resolve()
    with hub.tenant() as (tx, _):
        assert not is_due(tx, hub.now)


def test_whoever_is_linked_with_somebody_like_an_opted_out_person_is_forgotten_with_them(hub: Hub) -> None:
    her = face(1)
    at_b = hub.stores.tell(*hub.b, [like(her, SURE)])
    far = hub.stores.tell(*hub.a, [face(7)])
    hub.resolve()
    with hub.tenant() as (tx, vault):
        link(tx, vault, far, hub.stores.identity(at_b) or "", "ann", "knows her", NOW)
    opt_out_at_a(hub, hub.stores.tell(*hub.a, [her]))
    assert hub.resolve().forgotten == 2
    with hub.tenant() as (tx, _):
        assert tx.execute("SELECT id FROM persons WHERE id = ANY(%s::uuid[])", [[at_b, far]]).fetchall() == []


def test_where_else_somebody_comes_is_told_only_where_the_tenant_wants_it(hub: Hub) -> None:
    with hub.database.tenant(hub.tenant_id) as tx:
        tenants.set_switches(tx, hub.tenant_id, also_at=True)
    her = face(1)
    at_a, at_b = hub.stores.tell(*hub.a, [her], visits=3), hub.stores.tell(*hub.b, [like(her, SURE)], visits=2)
    hub.resolve()
    told = hub.known(at_a), hub.known(at_b)
    assert [one and (one.also_at, one.chain_visits) for one in told] == [([hub.b[0].name], 5), ([hub.a[0].name], 5)]


def test_two_tenants_with_the_same_faces_know_nothing_of_one_another(hub: Hub) -> None:
    her = face(1)
    dana = Stores(hub.database, hub.chain.danas.tenant_id, NOW)
    theirs = dana.tell(hub.chain.danas_site, hub.chain.danas_appliance, [her])
    resolve_due(hub.database, hub.index, bars_of, dana.tenant_id, NOW)
    ours = hub.stores.tell(*hub.a, [her])
    assert hub.resolve() == Resolved(persons=1, new=1)
    assert hub.stores.identity(ours) != dana.identity(theirs)


def test_a_suspect_index_is_not_searched(hub: Hub) -> None:
    hub.stores.tell(*hub.a, [face(1)])
    hub.index.suspect = True
    assert hub.resolve().away
    assert hub.stores.rows("resolve_queue") == 1


def test_one_resolver_at_a_time_works_for_a_tenant(hub: Hub) -> None:
    hub.stores.tell(*hub.a, [face(1)])
    with hub.database.once("resolve", hub.tenant_id) as ours:
        assert ours
        assert hub.resolve() == Resolved(busy=True)
    assert hub.resolve() == Resolved(persons=1, new=1)
