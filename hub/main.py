"""The command `regulars-hub`: headquarters. Wires the command table to the terminal and does nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from hub.commands.table import COMMANDS
from ui.command_table import CommandTable, show_version

HELP = """Headquarters of Regulars: one hub for all stores of a chain, or of several.

Exit codes: 0 done, 1 failed (one sentence says why), 2 wrong usage. REGULARS_DEBUG=1 shows where an error came from.
"""


@click.group(
    "regulars-hub",
    cls=CommandTable,
    places=COMMANDS,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="REGULARS_HUB_CONFIG",
    help="The configuration file (or REGULARS_HUB_CONFIG). Without one, the defaults and the environment hold.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=show_version, help="Show the version and leave.")
@click.pass_context
def cli(context: click.Context, config_file: Path | None) -> None:
    context.obj = config_file


def main() -> None:
    cli(prog_name="regulars-hub")


if __name__ == "__main__":
    main()
