from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from hub import index_upkeep
from hub.index import IndexAway, Template
from hub.index_upkeep import Difference
from hub.milvus_lite import open_lite
from hub.model_bars import bars_of
from hub.resolving import resolve_due
from hub.rotation import Rotations
from tests.hub.chain import NOW
from tests.hub.told import MODEL, Hub, face, like


@pytest.fixture
def filled(hub: Hub) -> Hub:
    for i in range(10):
        hub.stores.tell(*(hub.a if i % 2 else hub.b), [face(i), like(face(i), 0.9)])
    hub.resolve()
    return hub


def verify(hub: Hub, *, mend: bool) -> Difference | None:
    return index_upkeep.verify(hub.database, hub.index, bars_of, hub.tenant_id, mend=mend)


def some_templates(hub: Hub, count: int) -> list[str]:
    with hub.tenant() as (tx, _):
        return [row[0] for row in tx.execute("SELECT id FROM templates ORDER BY id LIMIT %s", [count])]


def test_an_index_that_is_as_it_should_be_verifies(filled: Hub) -> None:
    assert verify(filled, mend=False) == Difference(filled.tenant_id, held=20)


def test_what_differs_is_counted_and_mended(filled: Hub) -> None:
    missing = some_templates(filled, 3)
    filled.index.remove_templates(filled.tenant_id, MODEL, missing[:2])
    filled.index.put(
        filled.tenant_id, MODEL, [Template(missing[2], str(uuid.uuid4()), face(1)), Template(str(uuid.uuid4()), missing[0], face(2))]
    )
    expected = Difference(filled.tenant_id, held=17, missing=2, moved=1, extra=1)
    assert verify(filled, mend=False) == expected == verify(filled, mend=True)
    assert verify(filled, mend=False) == Difference(filled.tenant_id, held=20)


def test_templates_that_cannot_be_compared_or_are_anothers_do_not_belong_in_the_index(filled: Hub) -> None:
    filled.stores.tell(*filled.a, [face(3)], model="of_another_maker")
    filled.index.put(filled.chain.danas.tenant_id, MODEL, [Template(str(uuid.uuid4()), str(uuid.uuid4()), face(1))])
    assert verify(filled, mend=False) == Difference(filled.tenant_id, held=20)


def test_a_rebuilt_index_holds_what_it_should(filled: Hub) -> None:
    filled.index.remove_tenant(filled.tenant_id)
    filled.index.put(filled.tenant_id, MODEL, [Template(str(uuid.uuid4()), str(uuid.uuid4()), face(1))])
    assert index_upkeep.rebuild(filled.database, filled.index, bars_of, filled.tenant_id) == 20
    assert verify(filled, mend=False) == Difference(filled.tenant_id, held=20)


def test_a_rebuilding_that_broke_off_is_finished_by_verify(filled: Hub) -> None:
    filled.index.calls_left = 1
    with pytest.raises(IndexAway):
        index_upkeep.rebuild(filled.database, filled.index, bars_of, filled.tenant_id)
    filled.index.calls_left, filled.index.away = None, False
    found = verify(filled, mend=True)
    assert found is not None and found.missing == 20
    assert verify(filled, mend=False) == Difference(filled.tenant_id, held=20)


def test_a_suspect_index_is_trusted_once_it_was_compared_and_mended(filled: Hub) -> None:
    filled.index.suspect = True
    filled.index.remove_templates(filled.tenant_id, MODEL, some_templates(filled, 1))
    index_upkeep.verify_all(filled.database, filled.index, bars_of, mend=False)
    assert filled.index.suspect
    index_upkeep.verify_all(filled.database, filled.index, bars_of, mend=True)
    assert not filled.index.suspect


def test_nothing_is_compared_while_the_resolver_is_at_work(filled: Hub) -> None:
    with filled.database.once(index_upkeep.RESOLVER, filled.tenant_id):
        assert verify(filled, mend=False) is None
        assert index_upkeep.rebuild(filled.database, filled.index, bars_of, filled.tenant_id) is None


def test_the_whole_way_through_milvus_lite(hub: Hub, tmp_path: Path) -> None:
    def key_of(tenant_id: str) -> bytes:
        with hub.database.tenant(tenant_id) as tx:
            return hub.database.vault(tx, tenant_id).subkey("index rotation")

    index = open_lite(tmp_path / "index", Rotations(key_of))
    try:
        people = [hub.stores.tell(*(hub.a if i % 2 else hub.b), [like(face(i // 2), 0.95, i)]) for i in range(20)]
        done = resolve_due(hub.database, index, bars_of, hub.tenant_id, NOW)
        assert (done.linked, done.new, done.away) == (10, 10, "")
        assert all(hub.stores.identity(people[i]) == hub.stores.identity(people[i + 1]) for i in range(0, 20, 2))
        hub.stores.forget(people[0])
        resolve_due(hub.database, index, bars_of, hub.tenant_id, NOW)
        assert index.count_of_persons(hub.tenant_id, people[:2]) == 1
        found = index_upkeep.verify(hub.database, index, bars_of, hub.tenant_id, mend=False)
        assert found == Difference(hub.tenant_id, held=19)
        assert index_upkeep.rebuild(hub.database, index, bars_of, hub.tenant_id) == 19
    finally:
        index.close()
