"""The command `regulars-hub`: headquarters. This version carries no hub yet, and the command says so."""

from __future__ import annotations

import sys

import click

WORDS = """This version of Regulars carries no hub yet.

Stores are complete without one. They keep what they have to tell headquarters in their outbox, in order, and send it when a hub
comes with a later version and the store is paired with it."""


@click.command(help=WORDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="regulars", message="regulars-hub %(version)s (carries no hub yet)")
def cli() -> None:
    click.echo(WORDS, err=True)
    sys.exit(1)


def main() -> None:
    cli(prog_name="regulars-hub")


if __name__ == "__main__":
    main()
