"""`regulars-hub status`: what the hub holds, of each tenant, and whether one runs on the data folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hub.commands import premises
from ui.terminal import how_large, print_facts, print_json, print_table

if TYPE_CHECKING:
    from hub.headquarters import Headquarters

COUNTS = """
SELECT (SELECT count(*) FROM sites), (SELECT count(*) FROM appliances WHERE revoked_at IS NULL),
    (SELECT count(*) FROM appliances WHERE revoked_at IS NULL AND offline_since IS NOT NULL),
    (SELECT count(*) FROM identities WHERE merged_into IS NULL), (SELECT count(*) FROM visits), (SELECT count(*) FROM resolve_queue)
"""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def status(context: click.Context, as_json: bool) -> None:
    """Tenants, sites and appliances, and whether a hub runs."""
    config = premises.settings(context)
    with premises.opened(context) as hub:
        facts = measured(hub)
    if as_json:
        print_json(facts)
        return
    lines = [("Data folder", str(config.data.folder)), ("Database", facts["database"]), ("Size", how_large(facts["database_bytes"]))]
    lines.append(("Disk", disk_words(facts["disk_free_bytes"], sum(tenant["waiting"] for tenant in facts["tenants"]))))
    print_facts([*lines, ("Tables", f"version {facts['tables_version']}")])
    if facts["tenants"]:
        click.echo()
        headings = ("Tenant", "Sites", "Appliances", "Offline", "People", "Visits", "Waiting")
        print_table(headings, [[str(value) for key, value in tenant.items() if key != "id"] for tenant in facts["tenants"]])
    else:
        click.echo("There are no tenants yet. Add one: regulars-hub tenant add NAME")


def disk_words(free_bytes: int, waiting: int) -> str:
    """`waiting`: persons whose identity is still to be found."""
    from hub.room import Room

    if not Room(free_bytes).little:
        return f"{how_large(free_bytes)} left"
    people = f" {waiting} {'person waits' if waiting == 1 else 'people wait'} to be recognised." if waiting else ""
    return f"only {how_large(free_bytes)} left.{people} Free some space; what was stored before is safe."


def measured(hub: Headquarters) -> dict[str, Any]:
    """`database`: by URL; or ours, which runs with a hub or was started for this command."""
    from hub import room, tenants

    with hub.database.anyone() as tx:
        there = tenants.every(tx)
        row = tx.execute("SELECT pg_database_size(current_database()), (SELECT max(version) FROM migrations)").fetchone()
    assert row is not None
    runs = hub.postgres is None and not hub.config.database.url
    where = "a server by URL" if hub.config.database.url else "of a hub that runs" if runs else "no hub runs on this folder"
    counted = []
    for tenant in there:
        with hub.database.tenant(tenant.tenant_id) as tx:
            found = tx.execute(COUNTS).fetchone()
        assert found is not None
        names = ("sites", "appliances", "offline", "people", "visits", "waiting")
        counted.append({"id": tenant.tenant_id, "name": tenant.name, **dict(zip(names, found, strict=True))})
    free = room.left(hub.config.data.folder).free_bytes
    return {
        "disk_free_bytes": free,
        "database": where,
        "runs": runs,
        "database_bytes": row[0],
        "tables_version": row[1],
        "tenants": counted,
    }
