"""`regulars-hub pair-code`: lets one appliance in, for ten minutes and once."""

from __future__ import annotations

import click

from hub.commands import premises
from ui.terminal import print_facts, print_json


@click.command("pair-code")
@click.argument("tenant")
@click.argument("site")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def pair_code(context: click.Context, tenant: str, site: str, as_json: bool) -> None:
    """Make a one-time code with which a store's appliance is paired.

    TENANT and SITE by name or id. Typed on the store's computer within ten minutes.
    """
    from hub import pairing, sites, tenants
    from hub.hub_keys import HubKeys
    from hub.moments import now, to_ms
    from hub.web.opening import opening
    from sync.keys import fingerprint

    address = opening(premises.settings(context).web, True).address
    with premises.opened(context) as hub:
        with hub.database.anyone() as tx:
            found = tenants.named(tx, tenant)
        with hub.database.tenant(found.tenant_id) as tx:
            there = sites.named(tx, site)
        made = pairing.make_code(hub.database, found.tenant_id, there.id, "the terminal", now())
        shown = fingerprint(HubKeys(hub.database, now()).current(now()).public)
    if as_json:
        facts = {"code": made.shown, "address": address, "expires_ms": to_ms(made.expires_at), "site_id": there.id}
        print_json({**facts, "fingerprint": shown})
        return
    print_facts(
        [
            ("Store", f"{there.name} of {found.name}"),
            ("Code", f"{made.shown}  (ten minutes, one appliance)"),
            ("To type there", f"regulars pair {made.shown}@{address}"),
            ("This hub's key", f"{shown}  (the store must show the same)"),
        ]
    )
