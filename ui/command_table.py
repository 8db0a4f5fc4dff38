"""The commands of one program, by name: where each lives and what it is for; and which errors are a sentence for a person.

Help must answer at once on a busy machine, so a command's module, and the slow libraries behind it, is imported only when it is called.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

OURS = frozenset({"appliance", "hub", "models", "sync", "ui"})
"""An error of these packages' own exception trees is a sentence for the person at the keyboard; any other is a defect."""
DEBUG = "REGULARS_DEBUG"


@dataclass(frozen=True, slots=True)
class Place:
    module: str
    function: str
    help: str
    """One line; the same as the command's own first line (a test compares them)."""


def nothing_else(_: Exception) -> str | None:
    return None


class CommandTable(click.Group):
    """A group that knows its commands by name and imports the one that is called. `said_of`: the words for a foreign error that is no
    defect, None for any other."""

    def __init__(
        self, *args: Any, places: dict[str, Place], said_of: Callable[[Exception], str | None] = nothing_else, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.places, self.said_of = places, said_of

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
            ctx.fail(unknown_command(args[0], list(self.places), ctx.info_name or ""))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if isinstance(error, BrokenPipeError) and nobody_reads_on():
                ctx.exit(0)
            words = str(error) if is_a_sentence(error) else self.said_of(error)
            if words is not None and not os.environ.get(DEBUG):
                raise click.ClickException(words) from error
            raise


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


def unknown_command(name: str, known: Sequence[str], program: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    return f"there is no command '{name}'." + (f" Did you mean '{near[0]}'?" if near else f" '{program} --help' lists them.")


def show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """The callback of a program's --version."""
    if not wanted or context.resilient_parsing:
        return
    from importlib import metadata

    try:
        click.echo(f"{context.info_name} {metadata.version('regulars')}")
    except metadata.PackageNotFoundError:
        raise click.ClickException("this checkout is not installed, so it has no version: run 'make setup'") from None
    context.exit()
