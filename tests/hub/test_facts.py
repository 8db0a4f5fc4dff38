"""Facts on their way down: in the order of commits, the newest of a subject alone, none missed, sealed at rest."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from hub import appliances, facts
from hub.database import Database
from hub.facts import Telling, after, tell, tell_many
from sync.facts import Apart, Fact, GivenBack, Guest, GuestGone, LentTemplate, PersonKnown, PersonUnknown, decoded
from sync.records import RecordError
from tests.hub.chain import NOW, Chain
from tests.hub.telling import new_id


def told(number: int) -> Apart:
    return Apart(person_a=str(number), person_b="z")


def heard(database: Database, tenant_id: str, appliance_id: str, cursor: int = 0) -> list[Fact]:
    with database.tenant(tenant_id) as tx:
        page = after(tx, database.vault(tx, tenant_id), appliance_id, cursor)
    return [decoded(payload) for _, payload in page.facts]


def test_an_appliance_hears_its_own_facts_and_everybodys_in_order(chain: Chain) -> None:
    ours = chain.ours.tenant_id
    with chain.database.tenant(ours) as tx:
        vault = chain.database.vault(tx, ours)
        first = tell(tx, vault, told(1), appliance_id=chain.appliance_a, subject="1", now=NOW)
        last = tell_many(
            tx, vault, [Telling(told(2), None, "2"), Telling(told(3), chain.appliance_b, "3"), Telling(told(4), None, "4")], NOW
        )
    assert last == first + 3
    assert heard(chain.database, ours, chain.appliance_a) == [told(1), told(2), told(4)]
    assert heard(chain.database, ours, chain.appliance_b) == [told(2), told(3), told(4)]
    assert heard(chain.database, ours, chain.appliance_b, first + 2) == [told(4)]
    assert heard(chain.database, chain.danas.tenant_id, chain.danas_appliance) == []
    assert heard(chain.database, chain.danas.tenant_id, chain.appliance_a) == []


def test_the_newest_of_a_subject_takes_the_place_of_the_older(chain: Chain) -> None:
    ours, person, identity = chain.ours.tenant_id, new_id(), new_id()
    with chain.database.tenant(ours) as tx:
        vault = chain.database.vault(tx, ours)
        for name in ("Bob", "Bobby"):
            fact = PersonKnown(person_id=person, identity_id=identity, name=name)
            tell(tx, vault, fact, appliance_id=chain.appliance_a, subject=person, now=NOW)
        tell(tx, vault, Guest(identity_id=identity, role="customer"), appliance_id=None, subject=identity, now=NOW)
    assert [getattr(one, "name", "") for one in heard(chain.database, ours, chain.appliance_a)] == ["Bobby", ""]
    with chain.database.tenant(ours) as tx:
        tell(tx, vault, PersonUnknown(person_id=person), appliance_id=chain.appliance_a, subject=person, now=NOW)
        tell(tx, vault, GuestGone(identity_id=identity), appliance_id=None, subject=identity, now=NOW)
    assert heard(chain.database, ours, chain.appliance_a) == [PersonUnknown(person_id=person), GuestGone(identity_id=identity)]
    with chain.database.tenant(ours) as tx:
        tell_many(tx, vault, [Telling(fact, chain.appliance_a, person)], NOW)
    assert heard(chain.database, ours, chain.appliance_a) == [GuestGone(identity_id=identity), fact]


def test_a_page_is_bounded_in_facts_and_bytes_and_has_at_least_one(chain: Chain) -> None:
    ours = chain.ours.tenant_id
    with chain.database.tenant(ours) as tx:
        vault = chain.database.vault(tx, ours)
        tell_many(tx, vault, [Telling(told(number), None, str(number)) for number in range(5)], NOW)
        assert [len(after(tx, vault, chain.appliance_a, 0, facts_max=n).facts) for n in (-1, 0, 1, 3, 9_999)] == [1, 1, 1, 3, 5]
        page = after(tx, vault, chain.appliance_a, 0, bytes_max=1)
        assert (len(page.facts), page.more) == (1, True)


@pytest.mark.parametrize("cursor", [-5, 99, 1 << 60])
def test_who_knows_more_than_there_is_hears_everything_anew(chain: Chain, cursor: int) -> None:
    ours = chain.ours.tenant_id
    with chain.database.tenant(ours) as tx:
        vault = chain.database.vault(tx, ours)
        tell(tx, vault, told(1), appliance_id=None, subject="1", now=NOW)
        page = after(tx, vault, chain.appliance_a, cursor)
    assert ([decoded(payload) for _, payload in page.facts], page.cursor) == ([told(1)], 1)


def test_where_there_is_no_more_the_cursor_jumps_over_what_was_for_others(chain: Chain) -> None:
    ours = chain.ours.tenant_id
    with chain.database.tenant(ours) as tx:
        vault = chain.database.vault(tx, ours)
        last = tell_many(tx, vault, [Telling(told(number), chain.appliance_b, str(number)) for number in range(9)], NOW)
        page = after(tx, vault, chain.appliance_a, 0)
    assert (page.facts, page.cursor, page.more) == ([], last, False)


def test_a_reader_beside_many_writers_misses_nothing(chain: Chain) -> None:
    ours, count, writers = chain.ours.tenant_id, 15, 4
    database = chain.database

    def write(writer: int) -> None:
        for number in range(count):
            with database.tenant(ours) as tx:
                tell(tx, database.vault(tx, ours), told(writer * count + number), appliance_id=None, subject=f"{writer}-{number}", now=NOW)

    threads = [threading.Thread(target=write, args=[writer]) for writer in range(writers)]
    for thread in threads:
        thread.start()
    cursor, found = 0, []
    while any(thread.is_alive() for thread in threads) or len(found) < count * writers:
        with database.tenant(ours) as tx:
            page = after(tx, database.vault(tx, ours), chain.appliance_a, cursor, facts_max=3)
        assert [sequence for sequence, _ in page.facts] == sorted(sequence for sequence, _ in page.facts)
        found += page.facts
        cursor = page.cursor
    assert [sequence for sequence, _ in found] == list(range(1, count * writers + 1))


def test_payloads_are_sealed_and_bound_to_their_place(chain: Chain) -> None:
    ours = chain.ours.tenant_id
    with chain.database.tenant(ours) as tx:
        vault = chain.database.vault(tx, ours)
        fact = PersonKnown(person_id=new_id(), identity_id=new_id(), name="Bob the regular")
        tell(tx, vault, fact, appliance_id=None, subject="b", now=NOW)
        ((sealed,),) = tx.execute("SELECT payload_sealed FROM facts").fetchall()
    assert b"Bob" not in sealed


def test_a_fact_too_large_is_not_told_and_nothing_else_is(chain: Chain) -> None:
    ours = chain.ours.tenant_id
    large = Guest(identity_id="i", role="customer", templates=[LentTemplate(id="t", model="m", embedding=b"\x00" * 70_000)])
    with chain.database.tenant(ours) as tx:
        with pytest.raises(RecordError):
            tell_many(tx, chain.database.vault(tx, ours), [Telling(told(1), None, "1"), Telling(large, None, "2")], NOW)
        assert tx.execute("SELECT count(*) FROM facts").fetchone() == (0,)


def test_what_need_not_be_told_any_more_is_pruned(chain: Chain) -> None:
    ours = chain.ours.tenant_id
    with chain.database.tenant(ours) as tx:
        vault = chain.database.vault(tx, ours)
        given = [Telling(GivenBack(payload=bytes([number])), chain.appliance_a, f"visit/{number}") for number in range(4)]
        tell_many(tx, vault, given, NOW)
        tell(tx, vault, PersonUnknown(person_id="p"), appliance_id=chain.appliance_a, subject="p", now=NOW - timedelta(days=500))
        tell(tx, vault, told(1), appliance_id=chain.appliance_a, subject="1", now=NOW - timedelta(days=500))
        tell(tx, vault, told(2), appliance_id=chain.appliance_b, subject="2", now=NOW)
        tx.execute("UPDATE appliances SET cursor = 2 WHERE id = %s", [chain.appliance_a])
        appliances.revoke(tx, chain.appliance_b, NOW)
        assert facts.prune(tx, NOW) == 4
    left = heard(chain.database, ours, chain.appliance_a)
    assert left == [GivenBack(payload=b"\x02"), GivenBack(payload=b"\x03"), told(1)]
