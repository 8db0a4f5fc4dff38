"""Appliances that fall silent are noticed once, and noticed again when they are back."""

from __future__ import annotations

from datetime import timedelta

from hub import appliances
from hub.heartbeats import OFFLINE_AFTER, notice_offline
from tests.hub.chain import NOW, Chain
from tests.hub.lines import make_world
from tests.hub.telling import visit


def test_a_silent_appliance_goes_offline_since_it_was_last_heard_and_comes_back_with_its_first_word(chain: Chain) -> None:
    world = make_world(chain)
    world.a.tells(visit())
    silent = NOW + OFFLINE_AFTER + timedelta(seconds=1)
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        appliances.revoke(tx, chain.appliance_b, NOW)
        assert notice_offline(tx, NOW + OFFLINE_AFTER) == []
        assert notice_offline(tx, silent) == [chain.appliance_a]
        assert notice_offline(tx, silent) == []
        assert appliances.get(tx, chain.appliance_a).offline_since == NOW
    with chain.database.tenant(chain.danas.tenant_id) as tx:
        assert appliances.get(tx, chain.danas_appliance).offline_since is None
    world.now = silent + timedelta(hours=50)
    world.a.tells(visit())
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        assert appliances.get(tx, chain.appliance_a).offline_since is None
        notes = [row[0] for row in tx.execute("SELECT what FROM audit ORDER BY at, id")]
    assert notes == ["went offline", "is back after 2 days"]
