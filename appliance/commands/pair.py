"""`regulars pair` and `regulars unpair`: which headquarters this store belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from appliance.commands import premises
from ui.terminal import print_facts

if TYPE_CHECKING:
    # Late elsewhere: they take seconds to import, and help must answer at once.
    from appliance.config import Config
    from appliance.database import Store
    from appliance.line.link import Link


@click.command(short_help="Connect this store to its headquarters with a one-time code.")
@click.argument("code_at_url", metavar="CODE@URL")
@click.option("--yes", is_flag=True, help="Replace an existing pairing without asking.")
@click.pass_context
def pair(context: click.Context, code_at_url: str, yes: bool) -> None:
    """Connect this store to its headquarters with a one-time code.

    CODE@URL is shown at headquarters, for example 7K2M-QX4D-09WV@hub.example.com. It holds for ten minutes, once. A running appliance
    begins to send within seconds.
    """
    from appliance.line import link
    from sync import pairing as wire

    config = premises.settings(context)
    target = wire.parse_target(code_at_url)
    with premises.to_change(config) as store:
        before = link.read(store)
        if before and not yes:
            click.echo(f"This store is paired with {before.tenant_name} ({before.site_name}) at {before.hub_url}.")
            click.confirm("Replace that? Everything is told anew, and the old one should be revoked there", abort=True)
        if target.plain:
            click.echo("The way there is not encrypted by TLS. What crosses it is sealed all the same.")
        found = paired(store, config, code_at_url)
    print_facts(
        [
            ("Paired with", found.tenant_name),
            ("As the store", found.site_name),
            ("At", found.hub_url),
            ("Fingerprint", f"{found.fingerprint}  (the same must be shown at headquarters)"),
        ]
    )


def paired(store: Store, config: Config, code_at_url: str) -> Link:
    """Raises BadCode, LineError."""
    from appliance.line import link, pairing
    from appliance.line.carrying import Carrier
    from appliance.line.status import version
    from sync import pairing as wire

    target = wire.parse_target(code_at_url)
    carrier = Carrier(target.url, ca_file=config.headquarters.ca_file)
    try:
        answer, own = pairing.pair(
            carrier, target, name=config.site.own_name, time_zone=config.site.time_zone, version=version(), now_ms=premises.now_ms()
        )
    finally:
        carrier.close()
    link.begin(store, target.url, answer, own, premises.now_ms())
    found = link.read(store)
    assert found is not None
    return found


@click.command(short_help="Send nothing more to headquarters.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def unpair(context: click.Context, yes: bool) -> None:
    """Send nothing more to headquarters.

    What the chain told of people here goes; whoever opted out anywhere is still not stored. What headquarters was told stays there: revoke
    this store's computer at headquarters as well.
    """
    from appliance.line import link

    with premises.to_change(premises.settings(context)) as store:
        before = link.read(store)
        if before is None:
            click.echo("This store is not paired with a headquarters.")
            return
        if not yes:
            click.confirm(f"Leave {before.tenant_name} ({before.site_name}) at {before.hub_url}?", abort=True)
        link.end(store)
    click.echo("Unpaired. The store works on by itself; records are kept for a later pairing.")
