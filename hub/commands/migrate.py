"""`regulars-hub migrate`: the tables. A hub with a PostgreSQL of its own does it at each start; with `database.url` it is asked for."""

from __future__ import annotations

import click

from hub.commands import premises


@click.command()
@click.pass_context
def migrate(context: click.Context) -> None:
    """Bring the database's tables to this version."""
    from hub import headquarters
    from hub.moments import now

    applied = headquarters.migrate(premises.settings(context), now())
    for migration in applied:
        click.echo(f"{migration.version:04} {migration.name}")
    if not applied:
        click.echo("The database's tables are of this version.")
