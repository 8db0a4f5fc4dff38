from __future__ import annotations

from datetime import timedelta

from hub import duplicates, identity_changes, index_upkeep
from hub.deciding import bars_for
from hub.duplicates import Found
from hub.model_bars import bars_of
from tests.hub.chain import NOW
from tests.hub.told import SURE, Hub, face, like, measured


def find(hub: Hub) -> Found:
    return duplicates.find(hub.database, hub.index, bars_of, hub.tenant_id, NOW)


def parted(hub: Hub, cosine: float) -> tuple[str, str]:
    """One person of each store that arrived unlike one another, and learned since that they are alike."""
    at_a, at_b = hub.stores.tell(*hub.a, [face(1)]), hub.stores.tell(*hub.b, [face(2)])
    hub.resolve()
    with hub.tenant() as (tx, _):
        (first,) = tx.execute("SELECT id FROM templates WHERE person_id = %s", [at_b]).fetchall()
        tx.execute("DELETE FROM templates WHERE id = %s", [first[0]])
    hub.stores.learn(at_b, like(face(1), cosine))
    hub.stores.queue(at_b)
    with hub.tenant() as (tx, vault):
        # So that the resolver leaves them as they are.
        identity_changes.link(tx, vault, at_b, hub.stores.identity(at_b) or "", "ann", "", NOW)
        tx.execute("DELETE FROM resolve_queue")
    index_upkeep.verify(hub.database, hub.index, bars_of, hub.tenant_id, mend=True)
    return at_a, at_b


def test_two_identities_as_alike_as_one_person_are_joined(hub: Hub) -> None:
    at_a, at_b = parted(hub, SURE)
    assert find(hub).joined == 1
    assert hub.stores.identity(at_a) == hub.stores.identity(at_b)
    assert hub.known(at_a) is not None
    assert find(hub).joined == 0


def test_of_doubtful_ones_somebody_is_asked_once(hub: Hub) -> None:
    bars = bars_for(measured(), 6)
    at_a, at_b = parted(hub, (bars.link + bars.review) / 2)
    assert find(hub).questions == 1
    find(hub)
    (question,) = hub.questions()
    assert {question.identity_id, question.other_identity_id} == {hub.stores.identity(at_a), hub.stores.identity(at_b)}


def test_two_that_one_appliance_tells_apart_are_not_joined(hub: Hub) -> None:
    people = [hub.stores.tell(*hub.a, [like(face(1), 0.97, i)]) for i in range(2)]
    hub.resolve()
    assert find(hub).joined == 0
    assert len(hub.questions()) == 1, "the resolver's own question is not asked a second time"
    hub.stores.call_apart(*people)
    hub.resolve()


def test_two_that_were_called_different_are_left_alone(hub: Hub) -> None:
    at_a, at_b = parted(hub, SURE)
    hub.stores.call_apart(at_a, at_b)
    assert find(hub).joined == 0
    assert hub.questions() == []


def test_an_index_that_is_away_breaks_the_pass_off(hub: Hub) -> None:
    parted(hub, SURE)
    hub.index.away = True
    assert find(hub).away


def test_strangers_are_not_asked_about(hub: Hub) -> None:
    for i in range(150):
        hub.stores.tell(*(hub.a if i % 2 else hub.b), [face(i)])
    hub.resolve()
    found = find(hub)
    assert (found.compared >= 150, found.joined, found.questions) == (True, 0, 0)


def test_in_a_large_chain_only_those_that_changed_of_late_are_compared(hub: Hub) -> None:
    at_a, at_b = parted(hub, SURE)

    def after(days: int) -> Found:
        now = NOW + timedelta(days=days)
        return duplicates.find(hub.database, hub.index, bars_of, hub.tenant_id, now, all_max=2)

    assert after(9) == Found()
    assert after(1).joined == 1
    assert hub.stores.identity(at_a) == hub.stores.identity(at_b)
