"""`regulars-hub site`: the stores of a tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hub.commands import premises
from ui.terminal import print_facts, print_json, print_table

if TYPE_CHECKING:
    from hub.sites import Site


@click.group()
def site() -> None:
    """Add and list the sites of a tenant."""


@site.command()
@click.argument("tenant")
@click.argument("name")
@click.option("--time-zone", default="UTC", show_default=True, help="Whose day is the store's day, such as Asia/Ho_Chi_Minh.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def add(context: click.Context, tenant: str, name: str, time_zone: str, as_json: bool) -> None:
    """Add a site NAME to TENANT (by name or id)."""
    from hub import sites, tenants
    from hub.moments import now

    with premises.opened(context) as hub:
        with hub.database.anyone() as tx:
            found = tenants.named(tx, tenant)
        with hub.database.tenant(found.tenant_id) as tx:
            made = sites.add(tx, found.tenant_id, name, time_zone, now())
    if as_json:
        print_json(as_plain(made))
    else:
        print_facts([("Tenant", found.name), ("Site", made.name), ("Id", made.id), ("Time zone", made.time_zone)])


@site.command("list")
@click.argument("tenant")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def list_(context: click.Context, tenant: str, as_json: bool) -> None:
    """The sites of TENANT (by name or id)."""
    from hub import sites, tenants

    with premises.opened(context) as hub:
        with hub.database.anyone() as tx:
            found = tenants.named(tx, tenant)
        with hub.database.tenant(found.tenant_id) as tx:
            there = sites.every(tx)
    if as_json:
        print_json([as_plain(one) for one in there])
    elif not there:
        click.echo(f"{found.name} has no sites yet. Add one: regulars-hub site add TENANT NAME")
    else:
        print_table(("Site", "Time zone", "Id"), [(one.name, one.time_zone, one.id) for one in there])


def as_plain(one: Site) -> dict[str, Any]:
    from hub.moments import to_ms

    return {"id": one.id, "tenant_id": one.tenant_id, "name": one.name, "time_zone": one.time_zone, "made_ms": to_ms(one.made_at)}
