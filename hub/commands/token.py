"""`regulars-hub token`: keys with which programs ask the API."""

from __future__ import annotations

import click

from hub.commands import premises
from ui.terminal import NOTHING, print_json, print_table

SCOPES = click.Choice(["read", "admin"])


@click.group()
def token() -> None:
    """Add, list and revoke the API tokens of a tenant."""


@token.command()
@click.argument("tenant")
@click.argument("name")
@click.option("--scope", type=SCOPES, default="read", show_default=True, help="What it may: read, or read and change.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def add(context: click.Context, tenant: str, name: str, scope: str, as_json: bool) -> None:
    """Make a token of TENANT for the program NAME. It is printed this once."""
    from hub import audit, tenants, tokens
    from hub.moments import now

    with premises.opened(context) as hub:
        with hub.database.anyone() as tx:
            found = tenants.named(tx, tenant)
        with hub.database.tenant(found.tenant_id) as tx:
            made, secret = tokens.add(tx, found.tenant_id, name, scope, "the terminal", now())
            audit.note(tx, "the terminal", f"API token made ({made.scope})", made.id, now())
    if as_json:
        print_json({"id": made.id, "name": made.name, "scope": made.scope, "tenant_id": found.tenant_id, "token": secret})
    else:
        click.echo(secret)


@token.command("list")
@click.argument("tenant")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def list_(context: click.Context, tenant: str, as_json: bool) -> None:
    """The tokens of TENANT, without the tokens themselves: only their hashes are kept."""
    from hub import tenants, tokens
    from hub.commands.appliance import shown
    from hub.moments import now, to_ms

    with premises.opened(context) as hub:
        with hub.database.anyone() as tx:
            found = tenants.named(tx, tenant)
        with hub.database.tenant(found.tenant_id) as tx:
            there = tokens.every(tx)
    if as_json:
        plain = [
            {"id": one.id, "name": one.name, "scope": one.scope, "made_by": one.made_by, "made_ms": to_ms(one.made_at)}
            | {"used_ms": one.used_at and to_ms(one.used_at), "revoked_ms": one.revoked_at and to_ms(one.revoked_at)}
            for one in there
        ]
        print_json(plain)
    elif not there:
        click.echo(f"{found.name} has no API tokens yet. Make one: regulars-hub token add TENANT NAME")
    else:
        rows = [
            (one.name, one.scope, shown(one.made_at, now()), shown(one.used_at, now()), "revoked" if one.revoked_at else NOTHING, one.id)
            for one in there
        ]
        print_table(("Name", "May", "Made (UTC)", "Used (UTC)", "State", "Id"), rows)


@token.command()
@click.argument("tenant")
@click.argument("name")
@click.pass_context
def revoke(context: click.Context, tenant: str, name: str) -> None:
    """From now on the token NAME (or its id) of TENANT opens nothing."""
    from hub import audit, tenants, tokens
    from hub.moments import now

    with premises.opened(context) as hub:
        with hub.database.anyone() as tx:
            found = tenants.named(tx, tenant)
        with hub.database.tenant(found.tenant_id) as tx:
            gone = tokens.revoke(tx, name, now())
            audit.note(tx, "the terminal", "API token revoked", gone.id, now())
    click.echo(f"The token {gone.name} is revoked.")
