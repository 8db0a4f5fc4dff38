"""Forgetting: everything of somebody goes from every table, stays away, and the stores are told."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from hub import erasure, facts, identity_changes, opt_outs, receipts, set_aside
from hub.errors import NotFound
from hub.set_aside import Aside
from sync.facts import Erase, GivenBack, Guest, OptOut, OptOutEnded, PersonKnown
from sync.records import ApartRecord, PersonGone, ReceiptRecord, encoded
from tests.hub.chain import NOW, Chain
from tests.hub.lines import make_world
from tests.hub.telling import ADMIN, MODEL, Store, every_fact, new_id, person, stores, template, visit

TABLES = [
    "persons",
    "templates",
    "visits",
    "identities",
    "resolve_queue",
    "review",
    "identity_events",
    "apart",
    "facts",
    "set_aside",
    "lent_guests",
]


def bobs(chain: Chain) -> list[str]:
    return sorted(i for (name, _), i in chain.persons.items() if name == "Bob")


def with_looks(chain: Chain) -> tuple[Store, Store, Store]:
    """Bob has visits, with a picture, and templates in both stores."""
    a, b, danas = stores(chain)
    for seed, store in enumerate((a, b)):
        bob = chain.persons["Bob", (chain.site_a, chain.site_b)[seed].name]
        store.tells(person(bob, number=2, name="Bob"), *(template(bob, 10 * seed + n) for n in range(3)), visit(bob))
    with chain.database.tenant(a.tenant_id) as tx:
        tx.execute("UPDATE visits SET snapshot = 'key-' || id, snapshot_taken_at = now()")
        vault = chain.database.vault(tx, a.tenant_id)
        seen = visit(bobs(chain)[0])
        told: list[tuple[Any, str | None, str]] = [
            (PersonKnown(person_id=bobs(chain)[0], identity_id=chain.people["Bob"], name="Bob"), a.appliance_id, bobs(chain)[0]),
            (Guest(identity_id=chain.people["Bob"], role="customer", name="Bob"), b.appliance_id, chain.people["Bob"]),
            (GivenBack(payload=encoded(person(bobs(chain)[0]))), a.appliance_id, f"person/{bobs(chain)[0]}"),
        ]
        facts.tell_many(tx, vault, [facts.Telling(*one) for one in told], NOW)
        set_aside.keep(tx, vault, a.appliance_id, "line", [Aside(7, "visit", "too late", encoded(seen))], NOW)
    return a, b, danas


def everything(store: Store) -> str:
    """All that the tables say, the sealed opened where facts and set-aside records are."""
    with store.database.tenant(store.tenant_id) as tx:
        vault = store.database.vault(tx, store.tenant_id)
        told = [str(tx.execute(f"SELECT * FROM {table}").fetchall()) for table in TABLES]
        for sequence, sealed in tx.execute("SELECT sequence, payload_sealed FROM facts").fetchall():
            told.append(str(facts.opened(vault, sequence, sealed)))
    return "\n".join(told)


def test_an_erased_identity_is_nowhere_any_more_and_its_visits_are_still_counted(chain: Chain) -> None:
    a, _b, _ = with_looks(chain)
    with chain.database.tenant(a.tenant_id) as tx:
        erasure_id = erasure.erase(tx, chain.database.vault(tx, a.tenant_id), chain.people["Bob"], ADMIN, NOW)
    assert a.rows("SELECT count(*), count(person_id), count(snapshot) FROM visits") == [(2, 0, 0)]
    assert a.rows("SELECT count(*) FROM templates") == [(0,)]
    assert a.rows("SELECT count(*) FROM doomed_snapshots WHERE erasure_id = %s", erasure_id) == [(2,)]
    left = everything(a)
    told = [one for one in left.splitlines() if one.startswith("Erase(")]
    assert len(told) == 1
    rest = left.replace(told[0], "")
    assert not [one for one in (*bobs(chain), chain.people["Bob"]) if one in rest]
    assert a.rows("SELECT person_id FROM tombstones ORDER BY 1") == [(one,) for one in bobs(chain)]


def test_a_merge_that_was_taken_back_does_not_remember_who_was_forgotten_since(chain: Chain) -> None:
    a, _b, _ = with_looks(chain)
    bob = chain.persons["Bob", chain.site_b.name]
    with chain.database.tenant(a.tenant_id) as tx:
        vault = chain.database.vault(tx, a.tenant_id)
        identity_changes.merge(tx, vault, chain.people["Alice"], chain.people["Bob"], "admin", "", NOW)
        own = identity_changes.unlink(tx, vault, bob, "admin", "", NOW)
        assert bob in str(tx.execute("SELECT before FROM identity_events WHERE kind = 'merge'").fetchall())
        erasure.erase(tx, vault, own, ADMIN, NOW)
        ((kept,),) = tx.execute("SELECT before->'persons' FROM identity_events WHERE kind = 'merge'").fetchall()
        assert kept == [chain.persons["Bob", chain.site_a.name]]
        assert bob not in str(tx.execute("SELECT * FROM identity_events").fetchall())


def test_every_appliance_is_told_and_every_place_has_to_answer(chain: Chain) -> None:
    a, b, danas = with_looks(chain)
    with chain.database.tenant(a.tenant_id) as tx:
        erasure_id = erasure.erase(tx, chain.database.vault(tx, a.tenant_id), chain.people["Bob"], ADMIN, NOW)
        for store in (a, b):
            assert Erase(erasure_id=erasure_id, identity_id=chain.people["Bob"], person_ids=bobs(chain)) in every_fact(
                tx, a, store.appliance_id
            )
        assert [one.place for one in receipts.outstanding(tx)] == ["index", "snapshots", a.appliance_id, b.appliance_id]
        ((here),) = [one for one in receipts.of_erasure(tx, erasure_id) if one.done_at]
        assert (here.place, here.counts) == ("postgres", receipts.Counts(2, 6, 2))
    b.tells(ReceiptRecord(erasure_id=erasure_id, done_ms=1_700_000_000_000, persons=1, templates=3, snapshots=1))
    with chain.database.tenant(a.tenant_id) as tx:
        assert [one.place for one in receipts.outstanding(tx)] == ["index", "snapshots", a.appliance_id]
    with chain.database.tenant(danas.tenant_id) as tx:
        assert receipts.outstanding(tx) == []
        assert every_fact(tx, danas, danas.appliance_id) == []


def test_a_store_that_has_not_heard_of_it_cannot_bring_somebody_back(chain: Chain) -> None:
    a, b, _ = with_looks(chain)
    with chain.database.tenant(a.tenant_id) as tx:
        erasure.erase(tx, chain.database.vault(tx, a.tenant_id), chain.people["Bob"], ADMIN, NOW)
    bob, other = chain.persons["Bob", chain.site_b.name], new_id()
    late = visit(bob)
    pair = ApartRecord(person_a=min(bob, other), person_b=max(bob, other))
    assert b.tells(person(other), person(bob, name="Bob"), template(bob), late, pair) == []
    assert b.rows("SELECT person_id, reason, similarity FROM visits WHERE id = %s", late.id) == [(None, "forgotten", None)]
    for table in ("templates", "apart"):
        assert b.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    assert b.rows("SELECT count(*) FROM persons WHERE id = %s", bob) == [(0,)]


def test_whom_a_store_had_merged_somebody_forgotten_into_is_forgotten_too(chain: Chain) -> None:
    a, b, _ = with_looks(chain)
    with chain.database.tenant(a.tenant_id) as tx:
        erasure.erase(tx, chain.database.vault(tx, a.tenant_id), chain.people["Bob"], ADMIN, NOW)
    bob, heir = chain.persons["Bob", chain.site_b.name], new_id()
    b.tells(person(heir), template(heir), visit(heir), PersonGone(id=bob, merged_into=heir))
    assert b.rows("SELECT count(*) FROM persons WHERE id = %s", heir) == [(0,)]
    assert b.rows("SELECT count(*) FROM templates") == [(0,)]
    with chain.database.tenant(b.tenant_id) as tx:
        newest = every_fact(tx, b, b.appliance_id)[-1]
        assert isinstance(newest, Erase)
        assert (newest.identity_id, newest.person_ids) == (chain.people["Bob"], [heir])
        assert newest.erasure_id in receipts.outstanding_at(tx, b.appliance_id)
    assert b.tells(person(heir), template(heir)) == []
    assert b.rows("SELECT count(*) FROM persons WHERE id = %s", heir) == [(0,)]


def test_a_person_first_recognised_by_what_was_lent_of_somebody_erased_is_forgotten_too(chain: Chain) -> None:
    a, b, _ = with_looks(chain)
    with chain.database.tenant(a.tenant_id) as tx:
        erasure.erase(tx, chain.database.vault(tx, a.tenant_id), chain.people["Bob"], ADMIN, NOW)
    guest, alice_there = new_id(), new_id()
    seen = visit(guest)
    b.tells(person(guest, guest_of=chain.people["Bob"], name="Bob"), template(guest), seen)
    b.tells(person(alice_there, role="staff", guest_of=chain.people["Alice"]))
    assert b.rows("SELECT id, guest_of FROM persons WHERE id = ANY(%s::uuid[])", [guest, alice_there]) == [
        (alice_there, chain.people["Alice"])
    ]
    assert b.rows("SELECT count(*) FROM templates") == [(0,)]
    assert b.rows("SELECT person_id FROM visits WHERE id = %s", seen.id) == [(None,)]


def test_asked_at_a_store_the_whole_chain_forgets(chain: Chain) -> None:
    a, b, _ = with_looks(chain)
    b.tells(PersonGone(id=chain.persons["Bob", chain.site_b.name], erased=True))
    assert a.rows("SELECT person_id FROM tombstones ORDER BY 1") == [(one,) for one in bobs(chain)]
    assert a.rows("SELECT count(*) FROM identities WHERE id = %s", chain.people["Bob"]) == [(0,)]
    assert a.rows("SELECT asked_by, kind FROM erasures") == [(b.sender.name, "erase")]


def test_somebody_without_an_identity_is_erased_alone(chain: Chain) -> None:
    a, _, _ = with_looks(chain)
    alone, unknown = new_id(), new_id()
    seen = visit(alone)
    a.tells(person(alone), seen)
    a.tells(PersonGone(id=alone, erased=True), PersonGone(id=unknown, erased=True))
    assert a.rows("SELECT person_id FROM visits WHERE id = %s", seen.id) == [(None,)]
    assert a.rows("SELECT person_id FROM tombstones ORDER BY 1") == [(one,) for one in sorted([alone, unknown])]
    assert a.rows("SELECT count(*) FROM persons WHERE id = ANY(%s::uuid[])", bobs(chain)) == [(2,)]
    a.tells(person(unknown))
    assert a.rows("SELECT count(*) FROM persons WHERE id = %s", unknown) == [(0,)]


def test_an_opt_out_at_a_store_is_one_in_the_chain_and_lends_the_best_templates_alone(chain: Chain) -> None:
    a, b, _ = with_looks(chain)
    a.tells(person(chain.persons["Bob", chain.site_a.name], role="opted_out"))
    with chain.database.tenant(a.tenant_id) as tx:
        told = [one for one in every_fact(tx, a, b.appliance_id) if isinstance(one, OptOut)]
        assert [(len(one.templates), one.person_ids) for one in told] == [(6, bobs(chain))]
        known = opt_outs.templates(tx, chain.database.vault(tx, a.tenant_id), MODEL)
        assert {one.identity_id for one in known} == {chain.people["Bob"]}
        assert len(known) == 6
    assert a.rows("SELECT count(*) FROM templates") == [(0,)]
    left = everything(a).replace(str(told[0]), "")
    assert not [one for one in (*bobs(chain), chain.people["Bob"]) if one in left]


def test_somebody_who_opted_out_before_their_templates_came_is_waited_with(chain: Chain) -> None:
    a, b, _ = stores(chain)
    charlie = new_id()
    a.tells(person(charlie, role="opted_out", name="Charlie"))
    assert a.rows("SELECT name_sealed FROM persons WHERE id = %s", charlie) == [(None,)]
    assert a.rows("SELECT count(*) FROM erasures") == [(0,)]
    a.tells(template(charlie, 1), template(charlie, 2))
    a.tells(*(template(charlie, seed) for seed in range(3, 13)))
    with chain.database.tenant(a.tenant_id) as tx:
        (told,) = [one for one in every_fact(tx, a, b.appliance_id) if isinstance(one, OptOut)]
        assert len(told.templates) == 8
        assert told.person_ids == [charlie]
    assert a.rows("SELECT count(*) FROM templates") == [(0,)]


def test_somebody_who_opts_out_before_their_identity_is_found_is_opted_out_alone(chain: Chain) -> None:
    a, b, _ = stores(chain)
    somebody = new_id()
    a.tells(person(somebody), template(somebody))
    a.tells(person(somebody, role="opted_out"))
    with chain.database.tenant(a.tenant_id) as tx:
        (told,) = [one for one in every_fact(tx, a, b.appliance_id) if isinstance(one, OptOut)]
    assert (told.person_ids, len(told.templates)) == ([somebody], 1)
    assert a.rows("SELECT count(*) FROM persons WHERE id = %s", somebody) == [(0,)]


@pytest.mark.parametrize("cuts", [[], [1], [2], [3], [4], [1, 2, 3, 4, 5]])
def test_it_makes_no_difference_which_records_travelled_together(chain: Chain, cuts: list[int]) -> None:
    a, _, _ = stores(chain)
    first, heir = new_id(), new_id()
    a.tells(person(first), template(first, 1), person(heir))
    told = [
        template(first, 2),
        person(first, role="opted_out"),
        person(first),
        visit(first),
        template(heir, 3),
        PersonGone(id=first, merged_into=heir),
    ]
    for begin, end in zip([0, *cuts], [*cuts, len(told)], strict=True):
        a.tells(*told[begin:end])
    assert a.rows("SELECT person_id FROM tombstones ORDER BY 1") == [(one,) for one in sorted([first, heir])]
    assert a.rows("SELECT count(*) FROM persons WHERE id = ANY(%s::uuid[])", [first, heir]) == [(0,)]
    assert a.rows("SELECT count(*) FROM templates") == [(0,)]
    assert a.rows("SELECT person_id, reason FROM visits") == [(None, "forgotten")]


def test_one_who_opted_in_again_leaves_nothing_here_and_is_told_of(chain: Chain) -> None:
    a, b, _ = with_looks(chain)
    vault_of = chain.database.vault
    with chain.database.tenant(a.tenant_id) as tx:
        erasure.opt_out(tx, vault_of(tx, a.tenant_id), chain.people["Bob"], ADMIN, NOW)
    with chain.database.tenant(a.tenant_id) as tx:
        erasure.end_opt_out(tx, vault_of(tx, a.tenant_id), chain.people["Bob"], "admin", NOW)
        told = every_fact(tx, a, b.appliance_id)
        assert [one.templates for one in told if isinstance(one, OptOut)] == [[]]
        assert told[-1] == OptOutEnded(identity_id=chain.people["Bob"])
        assert opt_outs.every(tx) == []
        with pytest.raises(NotFound):
            erasure.end_opt_out(tx, vault_of(tx, a.tenant_id), chain.people["Bob"], "admin", NOW)


def test_one_who_opted_out_can_ask_to_be_erased_as_well(chain: Chain) -> None:
    a, b, _ = with_looks(chain)
    with chain.database.tenant(a.tenant_id) as tx:
        vault = chain.database.vault(tx, a.tenant_id)
        first = erasure.opt_out(tx, vault, chain.people["Bob"], ADMIN, NOW)
        assert erasure.opt_out(tx, vault, chain.people["Bob"], ADMIN, NOW) == first
        second = erasure.erase(tx, vault, chain.people["Bob"], ADMIN, NOW)
        told = every_fact(tx, a, b.appliance_id)
    assert second != first
    assert [one.templates for one in told if isinstance(one, OptOut)] == [[]]
    assert told[-2:] == [
        OptOutEnded(identity_id=chain.people["Bob"]),
        Erase(erasure_id=second, identity_id=chain.people["Bob"], person_ids=bobs(chain)),
    ]


def test_a_further_person_of_somebody_opted_out_brings_its_templates_and_the_newest_fact_has_them_all(chain: Chain) -> None:
    a, b, _ = with_looks(chain)
    found = new_id()
    b.tells(person(found), template(found, 77))
    with chain.database.tenant(a.tenant_id) as tx:
        vault = chain.database.vault(tx, a.tenant_id)
        first = erasure.opt_out(tx, vault, chain.people["Bob"], ADMIN, NOW)
        also = erasure.forget_also(tx, vault, first, [found], ADMIN, NOW)
        told = [one for one in every_fact(tx, a, b.appliance_id) if isinstance(one, OptOut)]
        assert [(one.erasure_id, len(one.templates)) for one in told] == [(first, 0), (also, 7)]
        assert len({one.identity_id for one in told}) == 1
    assert b.rows("SELECT count(*) FROM templates") == [(0,)]


def test_an_identity_merged_away_is_erased_with_the_one_that_took_its_place(chain: Chain) -> None:
    a, _, _ = with_looks(chain)
    with chain.database.tenant(a.tenant_id) as tx:
        tx.execute("UPDATE identities SET merged_into = %s WHERE id = %s", [chain.people["Bob"], chain.people["Alice"]])
        erasure.erase(tx, chain.database.vault(tx, a.tenant_id), chain.people["Alice"], ADMIN, NOW)
        told = [one for one in every_fact(tx, a, a.appliance_id) if isinstance(one, Erase)]
    theirs = sorted([*bobs(chain), chain.persons["Alice", chain.site_a.name]])
    assert [(one.identity_id, one.person_ids) for one in told] == [(chain.people["Bob"], theirs), (chain.people["Alice"], [])]
    assert a.rows("SELECT count(*) FROM identities WHERE id = ANY(%s::uuid[])", [chain.people["Bob"], chain.people["Alice"]]) == [(0,)]


def test_danas_tenant_can_ask_for_nothing_of_ours(chain: Chain) -> None:
    a, _, danas = with_looks(chain)
    with chain.database.tenant(danas.tenant_id) as tx, pytest.raises(NotFound):
        erasure.erase(tx, chain.database.vault(tx, danas.tenant_id), chain.people["Bob"], ADMIN, NOW)
    assert a.rows("SELECT count(*) FROM persons WHERE id = ANY(%s::uuid[])", bobs(chain)) == [(2,)]


def test_a_receipt_for_an_erasure_that_is_not_known_is_set_aside(chain: Chain) -> None:
    a, _, _ = stores(chain)
    (aside,) = a.tells(ReceiptRecord(erasure_id=new_id(), done_ms=1_700_000_000_000))
    assert "not known here" in aside.reason


def test_a_batch_that_is_stored_beside_an_erasure_brings_nobody_back(chain: Chain) -> None:
    world = make_world(chain)
    database = chain.database
    for _ in range(12):
        bob = new_id()
        world.a.tells(person(bob))
        message = world.a.message([person(bob, name="Bob"), template(bob), visit(bob)])

        def forget(bob: str = bob) -> None:
            with database.tenant(world.a.tenant_id) as tx:
                erasure.erase_persons(tx, database.vault(tx, world.a.tenant_id), [bob], ADMIN, NOW)

        threads = [threading.Thread(target=forget), threading.Thread(target=world.a.send, args=[message])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        world.a.sent += 3
        with database.tenant(world.a.tenant_id) as tx:
            for table, column in (("persons", "id"), ("templates", "person_id"), ("visits", "person_id")):
                assert tx.execute(f"SELECT count(*) FROM {table} WHERE {column} = %s", [bob]).fetchone() == (0,), table
    with database.tenant(world.a.tenant_id) as tx:
        assert tx.execute("SELECT count(*) FROM visits").fetchone() == (12,)


def test_two_stores_that_ask_at_once_for_the_same_person_make_one_request(chain: Chain) -> None:
    world = make_world(chain)
    threads = []
    for line, site in ((world.a, chain.site_a), (world.b, chain.site_b)):
        message = line.message([PersonGone(id=chain.persons["Bob", site.name], erased=True)])
        threads.append(threading.Thread(target=line.send, args=[message]))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with chain.database.tenant(world.a.tenant_id) as tx:
        assert tx.execute("SELECT count(*) FROM erasures").fetchone() == (1,)
        assert tx.execute("SELECT person_id FROM tombstones ORDER BY 1").fetchall() == [(one,) for one in bobs(chain)]


def test_one_merged_into_another_and_that_into_a_third_are_all_forgotten_in_one_batch(chain: Chain) -> None:
    a, b, _ = with_looks(chain)
    with chain.database.tenant(a.tenant_id) as tx:
        erasure.opt_out(tx, chain.database.vault(tx, a.tenant_id), chain.people["Bob"], ADMIN, NOW)
    bob, heir, last = chain.persons["Bob", chain.site_b.name], new_id(), new_id()
    b.tells(person(heir), person(last), template(last, 5))
    b.tells(template(heir, 6), PersonGone(id=bob, merged_into=heir), PersonGone(id=heir, merged_into=last))
    assert b.rows("SELECT count(*) FROM persons WHERE id = ANY(%s::uuid[])", [heir, last]) == [(0,)]
    assert b.rows("SELECT count(*) FROM templates") == [(0,)]
    with chain.database.tenant(a.tenant_id) as tx:
        told = [one for one in every_fact(tx, a, b.appliance_id) if isinstance(one, OptOut)]
    assert [len(one.templates) for one in told] == [0, 7]
    assert told[-1].person_ids == sorted([heir, last])
