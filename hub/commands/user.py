"""`regulars-hub user`: who may sign in; also the way back in when a password is lost."""

from __future__ import annotations

import click

from hub.commands import premises
from ui.terminal import asked_password, print_json, print_table


@click.group()
def user() -> None:
    """Add and list who may sign in, and give one a new password."""


@user.command()
@click.argument("name")
@click.option("--tenant", help="Whose admin (a tenant's name or id).")
@click.option("--system", is_flag=True, help="An admin of the whole hub, with every tenant.")
@click.pass_context
def add(context: click.Context, name: str, tenant: str | None, system: bool) -> None:
    """Add somebody who may sign in; asks for a password."""
    if system == (tenant is not None):
        raise click.UsageError("say either --tenant TENANT or --system.")
    from hub import tenants, users
    from hub.moments import now

    password = asked_password()
    with premises.opened(context, may_make=True) as hub, hub.database.anyone() as tx:
        tenant_id = tenants.named(tx, tenant).tenant_id if tenant is not None else None
        made = users.add(tx, name, "system_admin" if system else "tenant_admin", tenant_id, password, now())
    click.echo(f"{made.name} may sign in.")


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """Who may sign in."""
    from hub import tenants, users
    from hub.moments import to_ms

    with premises.opened(context) as hub, hub.database.anyone() as tx:
        found = users.every(tx)
        names = {tenant.tenant_id: tenant.name for tenant in tenants.every(tx)}
    if as_json:
        print_json(
            [{"id": one.id, "name": one.name, "role": one.role, "tenant_id": one.tenant_id, "made_ms": to_ms(one.made_at)} for one in found]
        )
    elif not found:
        click.echo("Nobody may sign in yet. Add somebody: regulars-hub user add NAME --system")
    else:
        print_table(
            ("Name", "May", "Tenant"),
            [(one.name, one.role.replace("_", " "), names.get(one.tenant_id or "", "every tenant")) for one in found],
        )


@user.command()
@click.argument("name")
@click.pass_context
def reset(context: click.Context, name: str) -> None:
    """Give somebody a new password; whoever is signed in as them is signed out."""
    from hub import users

    with premises.opened(context) as hub:
        with hub.database.anyone() as tx:
            users.named(tx, name)
        password = asked_password()
        with hub.database.anyone() as tx:
            found = users.named(tx, name)
            ended = users.set_password(tx, found, password)
    click.echo(f"{found.name} has a new password." + (f" Signed out: {ended}." if ended else ""))
