"""Every command of `regulars-hub`, by name: where it lives and what it is for."""

from __future__ import annotations

from ui.command_table import Place

COMMANDS: dict[str, Place] = {
    "migrate": Place("hub.commands.migrate", "migrate", "Bring the database's tables to this version."),
    "status": Place("hub.commands.status", "status", "Tenants, sites and appliances, and whether a hub runs."),
    "tenant": Place("hub.commands.tenant", "tenant", "Add and list tenants, and set what they switched on."),
    "site": Place("hub.commands.site", "site", "Add and list the sites of a tenant."),
    "appliance": Place("hub.commands.appliance", "appliance", "List the appliances of a tenant, and revoke one."),
}
