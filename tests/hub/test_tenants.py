"""Tenants, sites and appliances: added, found by name or id, switched, revoked; each tenant sees its own."""

from __future__ import annotations

import pytest

from hub import appliances, facts, sites, switches, tenants
from hub.errors import NotAllowed, NotFound
from sync.facts import TenantSettings, decoded
from tests.hub.chain import NOW, Chain


def test_each_tenant_sees_its_own_sites_and_appliances_alone(chain: Chain) -> None:
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        assert [site.name for site in sites.every(tx)] == ["Hang Bai", "Tay Ho"]
        assert {a.id for a in appliances.every(tx)} == {chain.appliance_a, chain.appliance_b}
        assert tenants.every(tx) == [chain.ours]
        for missing in (lambda: sites.get(tx, chain.danas_site.id), lambda: appliances.revoke(tx, chain.danas_appliance, NOW)):
            with pytest.raises(NotFound):
                missing()
        with pytest.raises(NotFound):
            tenants.set_switches(tx, chain.danas.tenant_id, snapshots=True)
    with chain.database.tenant(chain.danas.tenant_id) as tx:
        assert [site.id for site in sites.every(tx)] == [chain.danas_site.id]
        assert appliances.get(tx, chain.danas_appliance).revoked_at is None
        assert not tenants.get(tx, chain.danas.tenant_id).snapshots


def test_the_hub_itself_sees_who_the_tenants_are_and_nothing_of_them(chain: Chain) -> None:
    with chain.database.anyone() as tx:
        assert [tenant.name for tenant in tenants.every(tx)] == ["Dana's Books", "Phin Coffee"]
        assert not sites.every(tx) and not appliances.every(tx)


def test_a_tenant_is_found_by_name_or_id(chain: Chain) -> None:
    with chain.database.anyone() as tx:
        assert tenants.named(tx, " Phin Coffee ") == tenants.named(tx, chain.ours.tenant_id.upper()) == chain.ours
        with pytest.raises(NotFound, match="no tenant called 'Nobody'"):
            tenants.named(tx, "Nobody")


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "two\nlines", "\x00", "0193a6a0-1111-7000-8000-000000000000"])
def test_a_name_that_cannot_be_one_is_refused(chain: Chain, name: str) -> None:
    with chain.database.anyone() as tx, pytest.raises(NotAllowed):
        tenants.add(tx, chain.database.master, name, NOW)


def test_a_name_is_given_once_and_the_transaction_goes_on(chain: Chain) -> None:
    with chain.database.anyone() as tx:
        with pytest.raises(NotAllowed, match="already a tenant called 'Phin Coffee'"):
            tenants.add(tx, chain.database.master, "Phin Coffee", NOW)
        tenants.add(tx, chain.database.master, "Cầu Giấy", NOW)
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        with pytest.raises(NotAllowed, match="already a site"):
            sites.add(tx, chain.ours.tenant_id, "Tay Ho", "UTC", NOW)
        with pytest.raises(NotAllowed, match="no time zone 'Mars/Base'"):
            sites.add(tx, chain.ours.tenant_id, "Mars", "Mars/Base", NOW)
        assert len(sites.every(tx)) == 2


def test_switches_change_alone_and_within_their_bounds(chain: Chain) -> None:
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        assert not chain.ours.guests
        changed = tenants.set_switches(tx, chain.ours.tenant_id, guests=True, guests_max=10)
        assert (changed.guests, changed.guests_max, changed.snapshots, changed.snapshot_days) == (True, 10, False, 30)
        with pytest.raises(NotAllowed, match="1 to 365 days, not 0"):
            tenants.set_switches(tx, chain.ours.tenant_id, snapshot_days=0)


def test_a_switch_is_told_to_the_stores_that_are_paired_already(chain: Chain) -> None:
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        vault = chain.database.vault(tx, chain.ours.tenant_id)
        switches.change(tx, vault, chain.ours.tenant_id, "alice", NOW, snapshots=True)
        once = facts.after(tx, vault, chain.appliance_a, 0)
        assert [decoded(payload) for _, payload in once.facts] == [TenantSettings(snapshots=True)]
        switches.change(tx, vault, chain.ours.tenant_id, "alice", NOW, snapshots=True, guests_max=10)
        assert facts.after(tx, vault, chain.appliance_a, once.cursor).facts == []
        switches.change(tx, vault, chain.ours.tenant_id, "alice", NOW, snapshots=False, also_at=True)
        news = [decoded(payload) for _, payload in facts.after(tx, vault, chain.appliance_a, once.cursor).facts]
        assert [fact for fact in news if isinstance(fact, TenantSettings)] == [TenantSettings(also_at=True)]


def test_a_revoked_appliance_stays_revoked_since_the_first_time(chain: Chain) -> None:
    with chain.database.tenant(chain.ours.tenant_id) as tx:
        appliances.revoke(tx, chain.appliance_a, NOW)
        assert appliances.revoke(tx, chain.appliance_a, NOW.replace(hour=10)).revoked_at == NOW
        assert appliances.named(tx, "Mac at Tay Ho").revoked_at is None
