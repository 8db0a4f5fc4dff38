"""Every command of `regulars-hub`, by name: where it lives and what it is for."""

from __future__ import annotations

from ui.command_table import Place

COMMANDS: dict[str, Place] = {
    "serve": Place("hub.commands.serve", "serve", "Take what stores send, know people across them, serve the page."),
    "migrate": Place("hub.commands.migrate", "migrate", "Bring the database's tables to this version."),
    "status": Place("hub.commands.status", "status", "Tenants, sites and appliances, and whether a hub runs."),
    "tenant": Place("hub.commands.tenant", "tenant", "Add and list tenants, and set what they switched on."),
    "site": Place("hub.commands.site", "site", "Add and list the sites of a tenant."),
    "appliance": Place("hub.commands.appliance", "appliance", "List the appliances of a tenant, and revoke one."),
    "pair-code": Place("hub.commands.pair_code", "pair_code", "Make a one-time code with which a store's appliance is paired."),
    "keys": Place("hub.commands.keys", "keys", "Show the hub's fingerprint, and give it new keys."),
    "backup": Place("hub.commands.backup", "backup", "Copy the database into a sealed file, and put one back."),
    "index": Place("hub.commands.index", "index", "Compare the index of templates with the database, or fill it anew."),
    "user": Place("hub.commands.user", "user", "Add and list who may sign in, and give one a new password."),
    "demo": Place("hub.commands.demo", "demo", "See a chain work: a headquarters, two stores, people who come to both."),
    "evaluate": Place("hub.commands.evaluate", "evaluate", "Run two recorded stores and compare the links between them with the truth."),
    "token": Place("hub.commands.token", "token", "Add, list and revoke the API tokens of a tenant."),
}
