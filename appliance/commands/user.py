"""`regulars user`: who may use the store's page; also the way back in when a password or a telephone is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from appliance.commands import premises
from ui.terminal import asked_password, print_json, print_table, when

if TYPE_CHECKING:
    from appliance.database import Store
    from appliance.users import User

ROLES = click.Choice(["owner", "manager", "viewer"])


@click.group()
def user() -> None:
    """Who may use the page: list, add, remove; a new password, a lost telephone."""


@user.command("list")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """Who may use the page."""
    from appliance import users

    config = premises.settings(context)
    found: list[User] = []
    if not premises.nothing_yet(config):
        with premises.to_read(config) as store:
            found = users.every(store)
    if as_json:
        keys = ("id", "name", "role", "made_ms", "used_ms")
        print_json([{**{key: getattr(one, key) for key in keys}, "one_time_codes": one.coded} for one in found])
    elif not found:
        click.echo("Nobody may use the page yet. Start with `regulars run` and open it, or: regulars user add NAME --role owner")
    else:
        zone, now_ms = config.site.zone, premises.now_ms()
        rows = [(one.name, one.role, "yes" if one.coded else "no", when(one.used_ms, zone, now_ms)) for one in found]
        print_table(("Name", "Role", "One-time codes", "Last here"), rows)


@user.command()
@click.argument("name")
@click.option("--role", type=ROLES, default="manager", show_default=True, help="What they may do.")
@click.pass_context
def add(context: click.Context, name: str, role: str) -> None:
    """Add somebody who may use the page; asks for a password."""
    from appliance import users

    password = asked_password()
    with premises.to_change(premises.settings(context)) as store:
        made = users.add(store, name, role, password, premises.now_ms())  # type: ignore[arg-type]
    click.echo(f"{made.name} may use the page, as {made.role}.")


@user.command()
@click.argument("name")
@click.pass_context
def password(context: click.Context, name: str) -> None:
    """Give somebody a new password; whoever is signed in as them is signed out."""
    from appliance import users

    config = premises.settings(context)
    with premises.to_read(config) as store:
        users.named(store, name)
    given = asked_password()
    with premises.to_change(config) as store:
        found = users.named(store, name)
        ended = users.set_password(store, found, given, premises.now_ms())
    click.echo(f"{found.name} has a new password." + (f" Signed out: {ended}." if ended else ""))


@user.command()
@click.argument("name")
@click.argument("role", type=ROLES)
@click.pass_context
def role(context: click.Context, name: str, role: str) -> None:
    """Change what somebody may do."""
    from appliance import users

    def do(store: Store, found: User) -> str:
        users.set_role(store, found.id, role, premises.now_ms())  # type: ignore[arg-type]
        return f"{found.name} is {role} now."

    _changed(context, name, do)


@user.command()
@click.argument("name")
@click.pass_context
def remove(context: click.Context, name: str) -> None:
    """Let somebody in no more; they are signed out at once."""
    from appliance import users

    def do(store: Store, found: User) -> str:
        users.remove(store, found.id, premises.now_ms())
        return f"{found.name} may use the page no more."

    _changed(context, name, do)


@user.command("reset-code")
@click.argument("name")
@click.pass_context
def reset_code(context: click.Context, name: str) -> None:
    """Ask somebody for no one-time code any more: their telephone is lost."""
    from appliance import one_time_codes

    def do(store: Store, found: User) -> str:
        one_time_codes.turn_off(store, found.id, premises.now_ms())
        return f"{found.name} signs in with the password alone, until they turn one-time codes on again."

    _changed(context, name, do)


def _changed(context: click.Context, name: str, do: Callable[[Store, User], str]) -> None:
    from appliance import users

    with premises.to_change(premises.settings(context)) as store:
        said = do(store, users.named(store, name))
    click.echo(said)
