"""`regulars-hub appliance`: the computers in the stores. They are added by pairing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hub.commands import premises
from ui.terminal import NOTHING, print_json, print_table, when

if TYPE_CHECKING:
    from datetime import datetime

    from hub.appliances import Appliance


@click.group()
def appliance() -> None:
    """List the appliances of a tenant, and revoke one."""


@appliance.command("list")
@click.argument("tenant")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def list_(context: click.Context, tenant: str, as_json: bool) -> None:
    """The appliances of TENANT (by name or id), with their last contact."""
    from hub import appliances, sites, tenants
    from hub.moments import now

    with premises.opened(context) as hub:
        with hub.database.anyone() as tx:
            found = tenants.named(tx, tenant)
        with hub.database.tenant(found.tenant_id) as tx:
            names = {site.id: site.name for site in sites.every(tx)}
            there = appliances.every(tx)
    if as_json:
        print_json([as_plain(one, names[one.site_id]) for one in there])
    elif not there:
        click.echo(f"{found.name} has no appliances yet. They come by pairing.")
    else:
        rows = [(one.name, names[one.site_id], state_of(one), shown(one.last_contact_at, now()), one.id) for one in there]
        print_table(("Appliance", "Site", "State", "Last contact (UTC)", "Id"), rows)


@appliance.command()
@click.argument("tenant")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def revoke(context: click.Context, tenant: str, name: str, yes: bool) -> None:
    """Take nothing more from appliance NAME (or its id) of TENANT, and tell it nothing."""
    from hub import appliances, tenants
    from hub.moments import now

    with premises.opened(context) as hub:
        with hub.database.anyone() as tx:
            found = tenants.named(tx, tenant)
        with hub.database.tenant(found.tenant_id) as tx:
            there = appliances.named(tx, name)
        if not yes:
            click.confirm(f"Revoke {there.name}? It works on by itself, and can only come back by pairing anew.", abort=True)
        with hub.database.tenant(found.tenant_id) as tx:
            appliances.revoke(tx, there.id, now())
    click.echo(f"{there.name} is revoked.")


def state_of(one: Appliance) -> str:
    if one.revoked_at is not None:
        return "revoked"
    return "offline" if one.offline_since is not None else "paired"


def shown(at: datetime | None, now: datetime) -> str:
    from zoneinfo import ZoneInfo

    from hub.moments import to_ms

    return NOTHING if at is None else when(to_ms(at), ZoneInfo("UTC"), to_ms(now))


def as_plain(one: Appliance, site_name: str) -> dict[str, Any]:
    from hub.moments import to_ms

    def ms(at: datetime | None) -> int | None:
        return None if at is None else to_ms(at)

    return {
        "id": one.id,
        "name": one.name,
        "site": site_name,
        "state": state_of(one),
        "paired_ms": ms(one.paired_at),
        "revoked_ms": ms(one.revoked_at),
        "last_contact_ms": ms(one.last_contact_at),
        "offline_since_ms": ms(one.offline_since),
        "clock_skew_ms": one.clock_skew_ms,
        "set_aside": one.set_aside_count,
    }
