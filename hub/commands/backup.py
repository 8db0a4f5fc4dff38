"""`regulars-hub backup`: a sealed copy of the database, and going back to one."""

from __future__ import annotations

from pathlib import Path

import click

from hub.commands import premises

FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def backup() -> None:
    """Copy the database into a sealed file, and put one back."""


@backup.command()
@click.argument("file", type=FILE)
@click.pass_context
def now(context: click.Context, file: Path) -> None:
    """Make a backup. The hub may run meanwhile."""
    from hub import backup as backups
    from ui.terminal import how_large

    folder = backups.own_server(premises.settings(context))
    with premises.opened(context) as hub:
        size = backups.make(folder, hub.master, file.absolute())
    click.echo(f"{file}: {how_large(size)}. It opens with this hub's master key alone, which is not in it: keep that apart.")


@backup.command()
@click.argument("file", type=FILE)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def restore(context: click.Context, file: Path, yes: bool) -> None:
    """Put a backup in the place of the database. The hub must be stopped."""
    from hub import backup as backups
    from hub.moments import now

    if not yes:
        click.confirm("Go back to this backup? What only headquarters knew since is lost", abort=True)
    done = backups.restore(premises.settings(context), file.absolute(), now())
    click.echo(f"Headquarters is as it was in {file}. Start it: the stores tell it everything anew by themselves.")
    if done.kept is not None:
        click.echo(f"What was there before is in {done.kept}, sealed likewise. It holds people who may be forgotten since: delete it soon.")
    if not done.carried_over:
        click.echo("What was there before could not say who was forgotten or revoked since. The stores know whom they were told to forget.")
        click.echo("Look through: requests of the last minutes, users, revoked appliances and tokens.")


@backup.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def restored(context: click.Context, yes: bool) -> None:
    """Say that the database was put back to an earlier day by other means, such as those of a server of your own."""
    from hub import putting_back
    from hub.moments import now

    if not yes:
        click.confirm("Have every store tell everything anew? Everybody is signed out", abort=True)
    with premises.opened(context) as hub:
        tenants = putting_back.begin_anew(hub.database, now())
    click.echo(f"Of {tenants} {'tenant' if tenants == 1 else 'tenants'} the stores tell everything anew. Compare the index, too:")
    click.echo("regulars-hub index verify --mend")
