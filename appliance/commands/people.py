"""`regulars people`: whom this store can tell apart. Names are shown only here and on the page, never logged."""

from __future__ import annotations

from dataclasses import asdict

import click

from appliance.commands import premises
from ui.terminal import print_json, print_table, when


@click.command()
@click.option("--role", type=click.Choice(["customer", "staff", "opted_out"]), help="Only these.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: times in UTC milliseconds.")
@click.pass_context
def people(context: click.Context, role: str | None, as_json: bool) -> None:
    """The people this store can tell apart."""
    from appliance import persons

    config = premises.settings(context)
    rows: list[persons.PersonRow] = []
    if not premises.nothing_yet(config):
        with premises.to_read(config) as store:
            rows = [row for row in persons.list_persons(store) if role in (None, row.role)]
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    if not rows:
        click.echo("Nobody yet." if role is None else f"Nobody with the role {role}.")
        return
    now_ms, zone = premises.now_ms(), config.site.zone
    print_table(
        ("Person", "Role", "Visits", "First seen", "Last seen"),
        [
            (
                row.label,
                row.role.replace("_", " "),
                str(row.visit_count),
                when(row.first_seen_ms, zone, now_ms),
                when(row.last_seen_ms, zone, now_ms),
            )
            for row in rows
        ],
    )
