from __future__ import annotations

import pytest

from hub import facts, identity_changes, identity_events, review, reviewing
from hub.deciding import bars_for
from hub.errors import NotAllowed, NotFound
from sync.facts import Apart
from tests.hub.chain import NOW
from tests.hub.told import SURE, Hub, face, like, measured

ANN = "ann"
"""Who sits at headquarters."""


def seen_in_both(hub: Hub, seed: int = 1) -> tuple[str, str]:
    at_a, at_b = hub.stores.tell(*hub.a, [face(seed)]), hub.stores.tell(*hub.b, [like(face(seed), SURE)])
    hub.resolve()
    assert hub.stores.identity(at_a) == hub.stores.identity(at_b)
    return at_a, at_b


def identity(hub: Hub, person_id: str) -> str:
    found = hub.stores.identity(person_id)
    assert found is not None
    return found


def test_somebody_parted_by_a_person_is_not_joined_again_by_the_machine(hub: Hub) -> None:
    at_a, at_b = seen_in_both(hub)
    with hub.tenant() as (tx, vault):
        own = identity_changes.unlink(tx, vault, at_b, ANN, "another hair", NOW)
    assert hub.stores.identity(at_b) == own != hub.stores.identity(at_a)
    assert hub.known(at_a) is hub.known(at_b) is None
    hub.stores.learn(at_b, like(face(1), 0.99, 7))
    hub.resolve()
    assert hub.stores.identity(at_b) == own
    assert hub.questions() == []


def test_a_link_by_a_person_stays_whatever_the_faces_say(hub: Hub) -> None:
    at_a, at_b = hub.stores.tell(*hub.a, [face(1)]), hub.stores.tell(*hub.b, [face(2)])
    hub.resolve()
    with hub.tenant() as (tx, vault):
        identity_changes.link(tx, vault, at_b, identity(hub, at_a), ANN, "knows him", NOW)
    hub.stores.queue(at_a, at_b)
    hub.resolve()
    assert hub.stores.identity(at_a) == hub.stores.identity(at_b)
    assert hub.known(at_b) is not None


def test_an_id_that_was_merged_away_goes_on_meaning_somebody(hub: Hub) -> None:
    people = [hub.stores.tell(*hub.a, [face(i)]) for i in range(3)]
    hub.resolve()
    ids = [identity(hub, one) for one in people]
    with hub.tenant() as (tx, vault):
        identity_changes.merge(tx, vault, ids[1], ids[0], ANN, "", NOW)
        identity_changes.merge(tx, vault, ids[2], ids[0], ANN, "", NOW)
    assert {hub.stores.identity(one) for one in people} == {ids[2]}
    with hub.tenant() as (tx, vault), pytest.raises(NotAllowed, match="already"):
        identity_changes.merge(tx, vault, ids[0], ids[1], ANN, "", NOW)


def test_a_merge_undone_leaves_everything_as_it_was(hub: Hub) -> None:
    one, other = seen_in_both(hub, 1), seen_in_both(hub, 2)
    ids = identity(hub, one[0]), identity(hub, other[0])
    with hub.tenant() as (tx, vault):
        identity_changes.describe(tx, vault, ids[1], ANN, NOW, name="Mai Tran", vip=True)
        event = identity_changes.merge(tx, vault, ids[0], ids[1], ANN, "twins", NOW)
    told = hub.known(one[0])
    assert told is not None and (told.name, told.vip, told.chain_visits) == ("Mai Tran", True, 4)
    with hub.tenant() as (tx, vault):
        identity_changes.undo(tx, vault, event, ANN, NOW)
    assert [hub.stores.identity(person) for person in (*one, *other)] == [ids[0], ids[0], ids[1], ids[1]]
    told = hub.known(one[0]), hub.known(other[0])
    assert [fact and (fact.name, fact.vip) for fact in told] == [("", False), ("Mai Tran", True)]
    with hub.tenant() as (tx, vault), pytest.raises(NotAllowed, match="undone already"):
        identity_changes.undo(tx, vault, event, ANN, NOW)


def test_a_machines_link_can_be_undone_and_is_not_made_again(hub: Hub) -> None:
    at_a, at_b = seen_in_both(hub)
    with hub.tenant() as (tx, _):
        events = identity_events.of_identity(tx, identity(hub, at_b))
    (linked,) = [one for one in events if one.event.person_id == at_b]
    assert linked.event.reason == "near enough to be sure" and linked.event.made_by == "machine"
    with hub.tenant() as (tx, vault):
        identity_changes.undo(tx, vault, linked.id, ANN, NOW)
    hub.stores.queue(at_a, at_b)
    hub.resolve()
    assert hub.stores.identity(at_a) != hub.stores.identity(at_b)


def test_what_headquarters_says_of_somebody_reaches_each_store_that_knows_them(hub: Hub) -> None:
    at_a, at_b = seen_in_both(hub)
    alone = hub.stores.tell(*hub.a, [face(5)])
    hub.resolve()
    with hub.tenant() as (tx, vault):
        identity_changes.describe(tx, vault, identity(hub, at_b), ANN, NOW, name="  Mai   Tran ", watchlist=True)
        identity_changes.describe(tx, vault, identity(hub, alone), ANN, NOW, vip=True)
    for person_id, expected in ((at_a, ("Mai Tran", False, True)), (at_b, ("Mai Tran", False, True)), (alone, ("", True, False))):
        told = hub.known(person_id)
        assert told is not None and (told.name, told.vip, told.watchlist) == expected
    with hub.tenant() as (tx, vault):
        identity_changes.describe(tx, vault, identity(hub, at_b), ANN, NOW, name="", watchlist=False)
        identity_changes.describe(tx, vault, identity(hub, alone), ANN, NOW, vip=False)
    assert hub.known(alone) is None


def test_a_store_is_told_when_headquarters_calls_two_of_its_own_persons_different(hub: Hub) -> None:
    people = [hub.stores.tell(*hub.a, [like(face(1), 0.97, i)]) for i in range(2)]
    hub.resolve()
    (question,) = hub.open()
    with hub.tenant() as (tx, vault):
        reviewing.answer_different(tx, vault, question.id, ANN, NOW)
        (told,) = facts.held(tx, vault, "apart")
    assert told.fact == Apart(person_a=min(people), person_b=max(people)) and told.appliance_id == hub.a[1]


def test_a_question_answered_with_the_same_joins_them(hub: Hub) -> None:
    people = [hub.stores.tell(*hub.a, [like(face(1), 0.97, i)]) for i in range(2)]
    hub.resolve()
    (question,) = hub.open()
    with hub.tenant() as (tx, vault):
        reviewing.answer_same(tx, vault, question.id, ANN, NOW)
    assert hub.stores.identity(people[0]) == hub.stores.identity(people[1])
    assert hub.open() == []
    with hub.tenant() as (tx, vault), pytest.raises(NotFound):
        reviewing.answer_same(tx, vault, question.id, ANN, NOW)


def test_a_question_answered_with_different_is_never_asked_again(hub: Hub) -> None:
    bars = bars_for(measured(), 5)
    at_a, at_b = hub.stores.tell(*hub.a, [face(1)]), hub.stores.tell(*hub.b, [like(face(1), (bars.review + bars.link) / 2)])
    hub.resolve()
    (question,) = hub.open()
    with hub.tenant() as (tx, vault):
        reviewing.answer_different(tx, vault, question.id, ANN, NOW)
    hub.stores.learn(at_b, like(face(1), 0.99, 3))
    hub.resolve()
    assert hub.stores.identity(at_a) != hub.stores.identity(at_b)
    assert hub.open() == []
    with hub.tenant() as (tx, _):
        review.ask(tx, [review.link_question(at_b, identity(hub, at_a), 0.9, 0.5)], NOW)
        review.ask(tx, [review.duplicate_question(identity(hub, at_b), identity(hub, at_a), 0.9, 0.5)], NOW)
    assert hub.open() == []


def test_a_question_falls_away_when_one_of_them_goes(hub: Hub) -> None:
    people = [hub.stores.tell(*hub.a, [like(face(1), 0.97, i)]) for i in range(2)]
    hub.resolve()
    hub.stores.forget(people[1])
    hub.resolve()
    with hub.tenant() as (tx, _):
        review.close_settled(tx, NOW)
    assert hub.open() == []


def test_what_is_not_there_or_cannot_be_is_refused_with_a_sentence(hub: Hub) -> None:
    at_a, _ = seen_in_both(hub)
    alone = hub.stores.tell(*hub.a, [face(5)])
    hub.resolve()
    nobody = "00000000-0000-7000-8000-000000000009"
    with hub.tenant() as (tx, vault):
        with pytest.raises(NotFound, match="no person"):
            identity_changes.unlink(tx, vault, nobody, ANN, "", NOW)
        with pytest.raises(NotFound, match="no identity"):
            identity_changes.link(tx, vault, at_a, nobody, ANN, "", NOW)
        with pytest.raises(NotAllowed, match="of its own"):
            identity_changes.unlink(tx, vault, alone, ANN, "", NOW)
        with pytest.raises(NotAllowed, match="at most"):
            identity_changes.describe(tx, vault, identity(hub, alone), ANN, NOW, name="x" * 300)
        with pytest.raises(NotAllowed, match="staff"):
            identity_changes.describe(tx, vault, identity(hub, alone), ANN, NOW, role="opted_out")


def test_danas_tenant_can_change_nothing_of_ours(hub: Hub) -> None:
    at_a, _ = seen_in_both(hub)
    theirs = hub.chain.danas.tenant_id
    with hub.database.tenant(theirs) as tx:
        vault = hub.database.vault(tx, theirs)
        for change in (
            lambda: identity_changes.unlink(tx, vault, at_a, "dana", "", NOW),
            lambda: identity_changes.merge(tx, vault, identity(hub, at_a), hub.chain.people["Bob"], "dana", "", NOW),
            lambda: identity_changes.describe(tx, vault, identity(hub, at_a), "dana", NOW, name="mine"),
        ):
            with pytest.raises(NotFound):
                change()
