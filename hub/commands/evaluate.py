"""`regulars-hub evaluate`: how well people are known across two stores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ui.terminal import print_facts, print_json

if TYPE_CHECKING:
    from hub.link_score import Figures

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("store_a", metavar="STORE_A_DIR", type=FOLDER)
@click.argument("store_b", metavar="STORE_B_DIR", type=FOLDER)
@click.option("--pack", metavar="PACK", help="The stores' face models; else their usual ones.")
@click.option("--json", "as_json", is_flag=True, help="For a script.")
def evaluate(store_a: Path, store_b: Path, pack: str | None, as_json: bool) -> None:
    """Run two recorded stores and compare the links between them with the truth.

    The folders are scenarios as `regulars evaluate` takes them. Everything runs for real and is thrown away: two stores, a hub, the line.
    """
    import msgspec

    from hub import log
    from hub.evaluation import evaluate as run
    from hub.moments import now

    log.write_to(level="error", form="text")
    figures = run((store_a, store_b), pack, now, lambda words: click.echo(f"{words} …", err=True))
    if as_json:
        print_json(msgspec.to_builtins(figures))
    else:
        print_facts(rows(figures))


def rows(figures: Figures) -> list[tuple[str, str]]:
    f = figures
    return [
        ("Came to both stores", str(f.both_stores_true)),
        ("of them one identity", f"{f.both_stores_linked_rate:.1%}"),
        ("known in both stores", f"{f.both_stores_told_apart}, of them one identity {f.told_apart_linked_rate:.1%}"),
        ("Links between the stores", f"{f.links}, of them wrong {f.wrong_link_rate:.1%}"),
        ("Identities", f"{f.identities} of customers; {f.identities_true} people came"),
    ]
