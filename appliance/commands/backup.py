"""`regulars backup`: make, list and restore sealed copies of the database."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click

from appliance import backup as backups
from appliance import lock, starting_anew
from appliance.commands import premises
from appliance.config import Config
from appliance.errors import BackupError, RegularsError
from appliance.vault import Vault

LOCK_WAIT_S = 1.0


@click.group("backup")
def backup() -> None:
    """Make, list and restore backups of the database.

    A backup is sealed: it opens only with the data key of the folder it was made in. Snapshots are not in it.
    """


@backup.command("now")
@click.pass_context
def now(context: click.Context) -> None:
    """Make a backup now. The appliance may run meanwhile."""
    config = _config(context)
    with _said():
        _refuse_without_data(config)
        made = backups.make_backup(
            config.data.folder, Vault.open(config.data.folder), _now_ms(), into=config.backup.folder, keep=config.backup.keep
        )
    click.echo(f"{made.name}  {_size(made.bytes)}")


@backup.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_context
def list_(context: click.Context, as_json: bool) -> None:
    """List the backups, newest first."""
    config = _config(context)
    with _said():
        found = backups.list_backups(config.data.folder, config.backup.folder)
    if as_json:
        click.echo(json.dumps([{"name": b.name, "made_ms": b.made_ms, "bytes": b.bytes, "path": str(b.path)} for b in found]))
        return
    for b in found:
        click.echo(f"{b.name}  {_when(b, config)}  {_size(b.bytes)}")
    if not found:
        click.echo("There is no backup yet. One is made every night while the appliance runs, or now with `regulars backup now`.")


@backup.command("restore")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def restore(context: click.Context, name: str, yes: bool) -> None:
    """Put the backup NAME (or "newest") in the place of the database.

    The appliance must be stopped. The present database is kept beside it under another name.
    """
    config = _config(context)
    folder = config.data.folder
    with _said():
        chosen = backups.find(folder, name, config.backup.folder)
        lock.take(folder, LOCK_WAIT_S).release()
        if not yes:
            click.confirm(f"Restore the backup of {_when(chosen, config)}? What was stored after that will be missing.", abort=True)
        aside = starting_anew.restore(folder, config.backup.folder, chosen.name, _now_ms())
        # At once, and not at the next start: a command that reads would show whom this brings back.
        with premises.to_change(config):
            pass
    click.echo(f"Restored {chosen.name}." + (f" The database from before is kept as {aside.name}." if aside else ""))


def _config(context: click.Context) -> Config:
    """Those that were given, or what the program's start reads."""
    with _said():
        return context.find_object(Config) or premises.settings(context)


def _refuse_without_data(config: Config) -> None:
    if not config.data.folder.is_dir():
        raise BackupError(f"There is no data in {config.data.folder} yet, so there is nothing to back up.")


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except RegularsError as error:
        raise click.ClickException(str(error)) from None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _when(made: backups.Backup, config: Config) -> str:
    return f"{datetime.fromtimestamp(made.made_ms / 1000, config.site.zone):%d %b %Y %H:%M}"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} KB"
