"""Every command of `regulars`, by name: where it lives and what it is for.

Help must answer at once on a busy Mac, so a command's module, and the slow libraries behind it, is imported only when it is called.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

OURS = frozenset({"appliance", "models", "sync", "ui"})
"""An error of these packages' own exception trees is a sentence for the person at the keyboard; any other is a defect."""

DAMAGED = (
    "The database in the data folder is damaged. Start Regulars anew (`regulars run`): it sets the file aside and restores the newest "
    "good backup."
)


@dataclass(frozen=True, slots=True)
class Place:
    module: str
    function: str
    help: str
    """One line; the same as the command's own first line (a test compares them)."""


COMMANDS: dict[str, Place] = {
    "demo": Place("appliance.commands.demo", "demo", "See it work: a demo camera, faces, visits and the page."),
    "run": Place("appliance.commands.run", "run", "Watch the cameras, log visits and serve the store's page."),
    "camera": Place("appliance.commands.camera", "camera", "Add, list, test and remove cameras."),
    "visits": Place("appliance.commands.visits", "visits", "The latest visits, newest first, and why each was decided so."),
    "people": Place("appliance.commands.people", "people", "The people this store can tell apart."),
    "status": Place("appliance.commands.status", "status", "Whether the appliance runs, and what its data folder holds."),
    "pair": Place("appliance.commands.pair", "pair", "Connect this store to its headquarters with a one-time code."),
    "unpair": Place("appliance.commands.pair", "unpair", "Send nothing more to headquarters."),
    "sync": Place("appliance.commands.sync", "sync", "How the line to headquarters does; try it now; new keys."),
    "models": Place("appliance.commands.models", "models", "List, pull, verify and evaluate the face models."),
    "backup": Place("appliance.commands.backup", "backup", "Make, list and restore backups of the database."),
    "evaluate": Place("appliance.commands.evaluate", "evaluate", "Run a recorded scenario and compare with the truth."),
    "bench": Place("appliance.commands.bench", "bench", "Measure speed and memory on this machine."),
}


class CommandTable(click.Group):
    """A group that knows its commands by name and imports the one that is called."""

    def __init__(self, *args: Any, places: dict[str, Place], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = self.places.get(cmd_name)
        if place is None:
            return None
        command = getattr(importlib.import_module(place.module), place.function)
        assert isinstance(command, click.Command), f"{place.module}.{place.function} is no click command"
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.help) for name, place in self.places.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        # click would import every command's module to suggest a near name; the names alone are enough for that.
        if args and args[0] not in self.places and not args[0].startswith("-"):
            ctx.fail(unknown_command(args[0], list(self.places)))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if isinstance(error, BrokenPipeError) and nobody_reads_on():
                ctx.exit(0)
            if is_damage(error) and not os.environ.get("REGULARS_DEBUG"):
                raise click.ClickException(DAMAGED) from error
            if is_a_sentence(error) and not os.environ.get("REGULARS_DEBUG"):
                raise click.ClickException(str(error)) from error
            raise


def is_damage(error: Exception) -> bool:
    """sqlite3.DatabaseError itself is raised for a malformed file alone; its children (a constraint, wrong SQL) are defects of ours."""
    return (type(error).__module__, type(error).__name__) == ("sqlite3", "DatabaseError")


def nobody_reads_on() -> bool:
    """Whether it was our own output that broke, as with `| head -1`; the rest is thrown away, also what the interpreter's end flushes."""
    import select

    output = sys.stdout.fileno()
    looked = select.poll()
    looked.register(output, 0)
    if not any(event & (select.POLLERR | select.POLLHUP) for _, event in looked.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    return True


def is_a_sentence(error: Exception) -> bool:
    """Whether one of our packages raised this on purpose, with words for a person."""
    return type(error).__module__.partition(".")[0] in OURS


def unknown_command(name: str, known: Sequence[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    return f"there is no command '{name}'." + (f" Did you mean '{near[0]}'?" if near else " 'regulars --help' lists them.")
