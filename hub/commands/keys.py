"""`regulars-hub keys`: the hub's own keys, to which stores seal and by which they know it."""

from __future__ import annotations

import click

from hub.commands import premises


@click.group()
def keys() -> None:
    """Show the hub's fingerprint, and give it new keys."""


@keys.command()
@click.pass_context
def show(context: click.Context) -> None:
    """Print the fingerprint that stores show when they are paired."""
    from hub.hub_keys import HubKeys
    from hub.moments import now
    from sync.keys import fingerprint

    with premises.opened(context) as hub:
        click.echo(fingerprint(HubKeys(hub.database, now()).current(now()).public))


@keys.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def rotate(context: click.Context, yes: bool) -> None:
    """Make new keys. Each store learns them with its next answer, signed by those it knows; nothing is lost on the way.

    A running hub takes them up within a minute.
    """
    from hub.hub_keys import HubKeys
    from hub.moments import now
    from sync.keys import fingerprint

    if not yes:
        click.confirm("Give this hub new keys? Its fingerprint changes", abort=True)
    with premises.opened(context) as hub:
        click.echo(f"The hub's fingerprint is now {fingerprint(HubKeys(hub.database, now()).rotate(now()).public)}.")
