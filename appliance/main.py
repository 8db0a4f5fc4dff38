"""The command `regulars`: one store's appliance. Wires the command table to the terminal and does nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.commands.table import COMMANDS, said_of_damage
from ui.command_table import CommandTable, show_version

HELP = """Regulars tells a store who comes back.

Start with 'regulars demo'. Then: 'regulars camera add', 'regulars camera test', 'regulars run'.

Exit codes: 0 done, 1 failed (one sentence says why), 2 wrong usage. REGULARS_DEBUG=1 shows where an error came from.
"""


@click.group(
    "regulars",
    cls=CommandTable,
    places=COMMANDS,
    said_of=said_of_damage,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="REGULARS_CONFIG",
    help="The configuration file (or REGULARS_CONFIG). Without one, the defaults and the environment hold.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=show_version, help="Show the version and leave.")
@click.pass_context
def cli(context: click.Context, config_file: Path | None) -> None:
    context.obj = config_file


def main() -> None:
    cli(prog_name="regulars")


if __name__ == "__main__":
    main()
