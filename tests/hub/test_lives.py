"""A database that was put back to an earlier day: it says so, or the stores give it away, and who was forgotten since stays forgotten."""

from __future__ import annotations

from datetime import timedelta

from hub import facts, forgotten_rows, lives, opt_outs, putting_back, receipts
from sync.facts import Erase, Guest, LentTemplate, OptOut, OptOutEnded, TenantSettings, encoded
from sync.messages import Answer
from sync.records import ReceiptRecord, ToldBack, halved
from tests.hub.chain import NOW, Chain
from tests.hub.lines import Line, World, make_world
from tests.hub.telling import MODEL, Store, every_fact, new_id, person, stores, template, unit, visit

A_YEAR_OF_FACTS = 10_000


def life(world: World, line: Line) -> str:
    with world.chain.database.tenant(line.tenant_id) as tx:
        return str(tx.execute("SELECT life FROM tenants WHERE tenant_id = %s", [line.tenant_id]).fetchone()[0])  # type: ignore[index]


def asked(line: Line, **push: object) -> Answer:
    answer = line.send(line.message([], **push))
    assert isinstance(answer, Answer)
    return answer


def tell(world: World, line: Line) -> None:
    with world.chain.database.tenant(line.tenant_id) as tx:
        vault = world.chain.database.vault(tx, line.tenant_id)
        facts.tell(tx, vault, TenantSettings(), appliance_id=None, subject=facts.SETTINGS, now=NOW)


def cursor_of(world: World, line: Line) -> int:
    with world.chain.database.tenant(line.tenant_id) as tx:
        return int(tx.execute("SELECT cursor FROM appliances WHERE id = %s", [line.appliance_id]).fetchone()[0])  # type: ignore[index]


def test_every_answer_names_the_life_of_the_database_and_tenants_have_each_their_own(chain: Chain) -> None:
    world = make_world(chain)
    assert asked(world.a).life == asked(world.b).life == life(world, world.a)
    assert asked(world.danas).life == life(world, world.danas) != life(world, world.a)


def test_a_store_of_another_life_is_told_of_this_one_and_nothing_else(chain: Chain) -> None:
    world = make_world(chain)
    tell(world, world.a)
    answer = asked(world.a, life="another", cursor=A_YEAR_OF_FACTS)
    assert (answer.life, answer.facts, answer.more) == (life(world, world.a), [], False)
    # Its cursor counts facts that are no more: nothing is taken for heard because of it.
    assert cursor_of(world, world.a) == 0
    again = asked(world.a, life=answer.life, cursor=0)
    assert len(again.facts) == 1 and again.cursor == 1


def test_a_store_that_heard_more_or_was_acknowledged_more_than_there_is_begins_a_new_life(chain: Chain) -> None:
    world = make_world(chain)
    tell(world, world.a)
    world.a.tells(person(new_id()))
    for gives_away in ({"cursor": 2}, {"acknowledged": 2}):
        before = life(world, world.a)
        assert asked(world.a, life=before, cursor=1, acknowledged=1).life == before
        answer = asked(world.a, life=before, **{"cursor": 1, "acknowledged": 1, **gives_away})
        assert answer.life == life(world, world.a) != before and answer.facts == []
        # The others hear of it, and whoever speaks of the old life changes nothing any more.
        assert asked(world.b, life=before).life == answer.life
        assert asked(world.a, life=before, cursor=A_YEAR_OF_FACTS).life == answer.life
    assert world.danas.tells(person(new_id())).life == life(world, world.danas)


def test_a_store_that_heard_something_else_by_the_same_number_begins_a_new_life(chain: Chain) -> None:
    """Put back, and it has told as much since."""
    world = make_world(chain)
    tell(world, world.a)
    before = life(world, world.a)
    first = asked(world.a, life=before)
    assert first.cursor == 1 and first.mark
    with chain.database.tenant(world.a.tenant_id) as tx:
        tx.execute("DELETE FROM fact_marks")
        tx.execute("INSERT INTO fact_marks (tenant_id, through, made_at) VALUES (%s, 1, now())", [world.a.tenant_id])
    # Who says nothing of a mark is believed, as one of an earlier version is.
    assert asked(world.a, life=before, cursor=1).life == before
    answer = asked(world.a, life=before, cursor=1, mark=first.mark)
    assert answer.life != before and (answer.facts, answer.mark) == ([], "")
    again = asked(world.a, life=answer.life)
    assert again.cursor == 1 and again.mark not in ("", first.mark)
    assert asked(world.a, life=answer.life, cursor=1, mark=again.mark).life == answer.life


def test_a_mark_is_of_what_was_told_at_once_and_stays_when_more_is_told(chain: Chain) -> None:
    world = make_world(chain)
    for _ in range(3):
        tell(world, world.a)
    with chain.database.tenant(world.a.tenant_id) as tx:
        marks = [facts.mark_at(tx, cursor) for cursor in range(5)]
    assert marks[0] == marks[4] == "" and len(set(marks)) == 4
    before = life(world, world.a)
    assert asked(world.a, life=before, cursor=2, mark=marks[2]).life == before
    with chain.database.tenant(world.a.tenant_id) as tx:
        facts.prune(tx, NOW + timedelta(days=facts.GONE_DAYS + 1))
        assert facts.mark_at(tx, 2) == ""
    # Too old to be told by: believed.
    assert asked(world.a, life=before, cursor=2, mark=marks[2]).life == before


def test_a_store_that_never_heard_of_a_life_is_told_from_the_start_at_once(chain: Chain) -> None:
    world = make_world(chain)
    tell(world, world.a)
    answer = asked(world.a, cursor=A_YEAR_OF_FACTS)
    assert len(answer.facts) == 1 and answer.cursor == 1 and cursor_of(world, world.a) == 0


def test_records_of_a_line_that_is_not_known_any_more_were_acknowledged_by_a_later_day(chain: Chain) -> None:
    world = make_world(chain)
    world.a.tells(person(new_id()))
    before = life(world, world.a)
    answer = world.a.send(world.a.message([person(new_id())], line=new_id(), first=40, life=before, acknowledged=39))
    assert isinstance(answer, Answer) and answer.acknowledged == 40 and answer.life != before


def test_whoever_puts_it_back_begins_anew_and_nobody_stays_signed_in(chain: Chain) -> None:
    world = make_world(chain)
    before = life(world, world.a), life(world, world.danas)
    assert putting_back.begin_anew(chain.database, NOW) == 2
    after = life(world, world.a), life(world, world.danas)
    assert not set(before) & set(after)
    with chain.database.tenant(world.a.tenant_id) as tx:
        assert tx.execute("SELECT what FROM audit").fetchall() == [("database put back to an earlier day",)]
        assert lives.begin(tx) not in after


def bobs(chain: Chain) -> list[str]:
    return sorted(i for (name, _), i in chain.persons.items() if name == "Bob")


def with_looks(chain: Chain) -> tuple[Store, Store]:
    a, b, _ = stores(chain)
    for seed, store in enumerate((a, b)):
        bob = chain.persons["Bob", (chain.site_a, chain.site_b)[seed].name]
        store.tells(person(bob, number=2, name="Bob"), template(bob, 10 + seed), visit(bob))
    return a, b


def told_back(fact: Erase | OptOut) -> ToldBack:
    return ToldBack(payload=encoded(fact))


def test_an_erasure_that_is_told_back_is_carried_out_under_its_own_id_and_told_to_all(chain: Chain) -> None:
    a, b = with_looks(chain)
    erased = Erase(erasure_id=new_id(), identity_id=chain.people["Bob"], person_ids=bobs(chain))
    for _ in range(2):
        assert a.tells(told_back(erased), ReceiptRecord(erasure_id=erased.erasure_id, done_ms=1_790_000_000_000, persons=1)) == []
        assert a.rows("SELECT id, kind, identity_ids::text FROM erasures") == [(erased.erasure_id, "erase", f"{{{chain.people['Bob']}}}")]
        assert a.rows("SELECT person_id FROM tombstones ORDER BY 1") == [(one,) for one in bobs(chain)]
        assert a.rows("SELECT count(*), count(person_id) FROM visits") == [(2, 0)]
        assert a.rows("SELECT count(*) FROM templates") == [(0,)]
        assert a.rows("SELECT count(*) FROM identities WHERE id = %s", chain.people["Bob"]) == [(0,)]
        with chain.database.tenant(a.tenant_id) as tx:
            assert [one for one in every_fact(tx, b, b.appliance_id) if isinstance(one, Erase)] == [erased]
            assert [one.place for one in receipts.outstanding(tx)] == ["index", "snapshots", b.appliance_id]


def test_what_one_erasure_told_of_several_identities_is_one_erasure_again(chain: Chain) -> None:
    a, _ = with_looks(chain)
    first = Erase(erasure_id=new_id(), identity_id=new_id(), person_ids=bobs(chain)[:1])
    other = Erase(erasure_id=first.erasure_id, identity_id=chain.people["Bob"], person_ids=bobs(chain)[1:])
    assert a.tells(told_back(first), told_back(other), told_back(first)) == []
    assert a.rows("SELECT cardinality(identity_ids) FROM erasures") == [(2,)]
    with chain.database.tenant(a.tenant_id) as tx:
        assert [one for one in every_fact(tx, a, a.appliance_id) if isinstance(one, Erase)] == [first, other]
        ((here),) = [one for one in receipts.of_erasure(tx, first.erasure_id) if one.place == receipts.POSTGRES]
        assert here.counts == receipts.Counts(persons=2, templates=2)


def test_who_is_linked_with_them_by_now_and_was_not_named_is_looked_at_anew(chain: Chain) -> None:
    a, _ = with_looks(chain)
    here, there = chain.persons["Bob", chain.site_a.name], chain.persons["Bob", chain.site_b.name]
    a.tells(told_back(Erase(erasure_id=new_id(), identity_id=chain.people["Bob"], person_ids=[here])))
    assert a.rows("SELECT id, identity_id FROM persons WHERE id = ANY(%s::uuid[])", [here, there]) == [(there, None)]
    assert (there,) in a.rows("SELECT person_id FROM resolve_queue")


def lent(seed: int) -> LentTemplate:
    return LentTemplate(id=new_id(), model=MODEL, embedding=halved(unit(seed)))


def test_an_opt_out_that_is_told_back_is_in_force_with_its_templates_and_may_end(chain: Chain) -> None:
    a, b = with_looks(chain)
    views = [lent(1), lent(2)]
    out = OptOut(erasure_id=new_id(), identity_id=chain.people["Bob"], person_ids=bobs(chain), templates=views)
    for _ in range(2):
        assert a.tells(told_back(out)) == []
        with chain.database.tenant(a.tenant_id) as tx:
            vault = chain.database.vault(tx, a.tenant_id)
            in_force = opt_outs.in_force(tx, chain.people["Bob"])
            assert in_force is not None and in_force.erasure_ids == [out.erasure_id]
            kept = [one.template.id for one in opt_outs.templates(tx, vault, MODEL)]
            # And what this database itself had of them.
            assert kept[:2] == [one.id for one in views] and len(kept) == 4
            ((told),) = [one for one in every_fact(tx, b, b.appliance_id) if isinstance(one, OptOut)]
            assert told.person_ids == bobs(chain)
    with chain.database.tenant(a.tenant_id) as tx:
        assert opt_outs.end(tx, chain.database.vault(tx, a.tenant_id), chain.people["Bob"], "admin", NOW)
    b.tells(told_back(out))
    with chain.database.tenant(a.tenant_id) as tx:
        assert opt_outs.in_force(tx, chain.people["Bob"]) is None


def test_who_asked_for_more_than_an_opt_out_has_that_whichever_is_told_back_first(chain: Chain) -> None:
    a, b = with_looks(chain)
    out = OptOut(erasure_id=new_id(), identity_id=chain.people["Bob"], person_ids=bobs(chain), templates=[lent(1)])
    erased = Erase(erasure_id=new_id(), identity_id=chain.people["Bob"], person_ids=bobs(chain))
    for first, then in ((out, erased), (erased, out)):
        a.tells(told_back(first))
        b.tells(told_back(then))
        with chain.database.tenant(a.tenant_id) as tx:
            vault = chain.database.vault(tx, a.tenant_id)
            assert opt_outs.in_force(tx, chain.people["Bob"]) is None and opt_outs.templates(tx, vault, MODEL) == []
            for table in ("tombstones", "erasure_receipts", "facts", "erasures"):
                tx.execute(f"DELETE FROM {table}")


def test_who_was_erased_and_had_a_store_opt_out_as_somebody_else_is_erased_whichever_is_told_back_first(chain: Chain) -> None:
    """A store without a line has Bob opt out; headquarters erases him, is put back, and does not know either. Then the store tells."""
    a, b = with_looks(chain)
    also, somebody_else = new_id(), new_id()
    out = OptOut(erasure_id=new_id(), identity_id=somebody_else, person_ids=[bobs(chain)[0], also], templates=[lent(1)])
    erased = Erase(erasure_id=new_id(), identity_id=chain.people["Bob"], person_ids=bobs(chain))
    for first, then in ((out, erased), (erased, out)):
        a.tells(told_back(first))
        b.tells(told_back(then))
        b.tells(told_back(then))
        with chain.database.tenant(a.tenant_id) as tx:
            assert opt_outs.every(tx) == [] and opt_outs.templates(tx, chain.database.vault(tx, a.tenant_id), MODEL) == []
            assert set(forgotten_rows.tombstones(tx, [*bobs(chain), also])) == {*bobs(chain), also}
            told = every_fact(tx, a, a.appliance_id)
            assert sum(one == OptOutEnded(identity_id=somebody_else) for one in told) == 1
            for table in ("tombstones", "erasure_receipts", "facts", "erasures"):
                tx.execute(f"DELETE FROM {table}")


def test_what_says_nothing_of_forgetting_is_not_taken_for_it(chain: Chain) -> None:
    a, _ = with_looks(chain)
    guest = ToldBack(payload=encoded(Guest(identity_id=new_id(), role="customer")))
    odd = told_back(Erase(erasure_id="1", identity_id=new_id()))
    reasons = [one.reason for one in a.tells(guest, odd, ToldBack(payload=b"rubbish"))]
    assert len(reasons) == 3 and "is no fact by which somebody is forgotten" in reasons[0] and "erasure_id is no id" in reasons[1]
    assert a.rows("SELECT count(*) FROM erasures") == [(0,)]


def test_what_the_replaced_database_can_tell_is_carried_over(chain: Chain) -> None:
    a, _ = with_looks(chain)
    erased = Erase(erasure_id=new_id(), identity_id=chain.people["Bob"], person_ids=bobs(chain))
    a.tells(told_back(erased))
    # Into itself: nothing is new, and nothing is done twice.
    assert putting_back.carry_over(chain.database, chain.database, NOW) == 2
    assert a.rows("SELECT id FROM erasures") == [(erased.erasure_id,)]


def test_nothing_is_told_back_to_another_tenant(chain: Chain) -> None:
    a, _ = with_looks(chain)
    _, _, danas = stores(chain)
    danas.tells(told_back(Erase(erasure_id=new_id(), identity_id=chain.people["Bob"], person_ids=bobs(chain))))
    assert a.rows("SELECT count(*) FROM persons WHERE id = ANY(%s::uuid[])", bobs(chain)) == [(2,)]
    assert a.rows("SELECT count(*) FROM tombstones") == [(0,)]
