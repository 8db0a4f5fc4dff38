"""`regulars-hub tenant`: the chains that this hub works for."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from hub.commands import premises
from ui.terminal import print_facts, print_json, print_table

if TYPE_CHECKING:
    from hub.tenants import Tenant

ON_OFF = click.Choice(["on", "off"])


@click.group()
def tenant() -> None:
    """Add and list tenants, and set what they switched on."""


@tenant.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def add(context: click.Context, name: str, as_json: bool) -> None:
    """Add a tenant."""
    from hub import tenants
    from hub.moments import now

    with premises.opened(context, may_make=True) as hub, hub.database.anyone() as tx:
        show(tenants.add(tx, hub.master, name, now()), as_json)


@tenant.command("list")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """The tenants."""
    from hub import tenants

    with premises.opened(context) as hub, hub.database.anyone() as tx:
        found = tenants.every(tx)
    if as_json:
        print_json([as_plain(one) for one in found])
    elif not found:
        click.echo("There are no tenants yet. Add one: regulars-hub tenant add NAME")
    else:
        rows = [(one.name, *(on_off(value) for value in (one.snapshots, one.also_at, one.guests)), one.tenant_id) for one in found]
        print_table(("Tenant", "Snapshots", "Also at", "Guests", "Id"), rows)


@tenant.command("set")
@click.argument("name")
@click.option("--snapshots", type=ON_OFF, help="Whether stores send pictures of visits.")
@click.option("--also-at", type=ON_OFF, help="Whether stores are told in which others somebody is seen.")
@click.option("--guests", type=ON_OFF, help="Whether stores are lent faces of frequent visitors of the others.")
@click.option("--guests-max", type=int, help="How many visitors a store is lent at most.")
@click.option("--snapshot-days", type=int, help="For how many days pictures are kept.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def set_(
    context: click.Context,
    name: str,
    snapshots: str | None,
    also_at: str | None,
    guests: str | None,
    guests_max: int | None,
    snapshot_days: int | None,
    as_json: bool,
) -> None:
    """Set what a tenant (by name or id) switched on; what is not said stays. Its stores hear of it when they next ask."""
    from hub import switches, tenants
    from hub.moments import now

    with premises.opened(context) as hub:
        with hub.database.anyone() as tx:
            found = tenants.named(tx, name)
        with hub.database.tenant(found.tenant_id) as tx:
            changed = switches.change(
                tx,
                hub.database.vault(tx, found.tenant_id),
                found.tenant_id,
                "the terminal",
                now(),
                snapshots=switched(snapshots),
                also_at=switched(also_at),
                guests=switched(guests),
                guests_max=guests_max,
                snapshot_days=snapshot_days,
            )
    show(changed, as_json)


def show(one: Tenant, as_json: bool) -> None:
    if as_json:
        print_json(as_plain(one))
        return
    print_facts(
        [
            ("Tenant", one.name),
            ("Id", one.tenant_id),
            ("Snapshots", f"{on_off(one.snapshots)}, kept {one.snapshot_days} days"),
            ("Also at", on_off(one.also_at)),
            ("Guests", f"{on_off(one.guests)}, at most {one.guests_max} a store"),
        ]
    )


def as_plain(one: Tenant) -> dict[str, Any]:
    from hub.moments import to_ms

    plain = dataclasses.asdict(one)
    plain["id"], plain["made_ms"] = plain.pop("tenant_id"), to_ms(plain.pop("made_at"))
    return plain


def switched(word: str | None) -> bool | None:
    return None if word is None else word == "on"


def on_off(value: bool) -> str:
    return "on" if value else "off"
