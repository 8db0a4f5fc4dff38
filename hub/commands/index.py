"""`regulars-hub index`: the index of templates beside the database, which is the truth."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import click

from hub.commands import premises
from ui.terminal import print_json, print_table

if TYPE_CHECKING:
    from hub.database import Database
    from hub.index import Index
    from hub.tenants import Tenant

BUSY_S_MAX = 120.0
"""A resolver at work is done with its run in seconds."""
AGAIN_S = 0.5
T = TypeVar("T")


@click.group()
def index() -> None:
    """Compare the index of templates with the database, or fill it anew."""


@index.command()
@click.option("--tenant", "named", metavar="TENANT", help="Only this one.")
@click.option("--mend", is_flag=True, help="Also put right what differs.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def verify(context: click.Context, named: str | None, mend: bool, as_json: bool) -> None:
    """Compare the index with the database."""
    from hub import index_upkeep
    from hub.model_bars import bars_of

    found = []
    with _opened(context, named) as (database, opened, chosen):
        for tenant in chosen:
            differs = _in_turn(
                tenant,
                lambda one=tenant: index_upkeep.verify(database, opened, bars_of, one.tenant_id, mend=mend),  # type: ignore[misc]
            )
            found.append((tenant, differs))
        wrong = any(differs.any for _, differs in found)
        if opened.suspect and named is None and (mend or not wrong):
            opened.trust()
    if as_json:
        names = ("held", "missing", "moved", "extra")
        print_json([{"tenant": t.name, **{name: getattr(d, name) for name in names}, "mended": mend} for t, d in found])
    else:
        headings = ("Tenant", "As it should be", "Missing", "Under another person", "Too many")
        print_table(headings, [(t.name, *map(str, (d.held, d.missing, d.moved, d.extra))) for t, d in found])
        if wrong:
            click.echo("What differed was put right." if mend else "To put it right: regulars-hub index verify --mend")
    if wrong and not mend:
        sys.exit(1)


@index.command()
@click.option("--tenant", "named", metavar="TENANT", help="Only this one.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def rebuild(context: click.Context, named: str | None, as_json: bool) -> None:
    """Throw the index away and fill it from the database."""
    from hub import index_upkeep
    from hub.model_bars import bars_of

    found = []
    with _opened(context, named) as (database, opened, chosen):
        for tenant in chosen:
            count = _in_turn(tenant, lambda one=tenant: index_upkeep.rebuild(database, opened, bars_of, one.tenant_id))  # type: ignore[misc]
            found.append((tenant, count))
        if named is None:
            opened.trust()
    if as_json:
        print_json([{"tenant": tenant.name, "templates": count} for tenant, count in found])
    else:
        print_table(("Tenant", "Templates"), [(tenant.name, str(count)) for tenant, count in found])


@contextmanager
def _opened(context: click.Context, named: str | None) -> Iterator[tuple[Database, Index, list[Tenant]]]:
    """The tenants are all, or the one that was named."""
    from hub import tenants
    from hub.index_place import open_index

    with premises.opened(context) as hub:
        with hub.database.anyone() as tx:
            chosen = tenants.every(tx) if named is None else [tenants.named(tx, named)]
        opened = open_index(hub.config, hub.database)
        try:
            yield hub.database, opened, chosen
        finally:
            opened.close()


def _in_turn(tenant: Tenant, work: Callable[[], T | None]) -> T:
    """Waits while the tenant's resolver is at work."""
    deadline_s = time.monotonic() + BUSY_S_MAX
    while (done := work()) is None:
        if time.monotonic() > deadline_s:
            raise click.ClickException(f"The hub has been working on {tenant.name} for {BUSY_S_MAX:.0f} s. Try again later.")
        time.sleep(AGAIN_S)
    return done
