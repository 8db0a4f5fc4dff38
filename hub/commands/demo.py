"""`regulars-hub demo`: a headquarters and two stores on this computer, in a folder that is thrown away at the end."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hub.demo import Seen
    from ui.ending import Ending

UNATTENDED_S = 150.0
"""Without a terminal nobody presses control-C; by then somebody has been seen in both stores."""
FOR_EVER_S = 86_400.0
LOOK_S = 2.0
STORES_S_MAX = 2.5
"""A program that is asked to end is forced to after five seconds, and the hub needs its own part of them."""


@click.command()
@click.option("--seconds", type=click.FloatRange(1, FOR_EVER_S), help="End by itself after so many seconds (150 without a terminal).")
@click.option("--port", type=click.IntRange(1, 65_535), help="The page's port; else any that is free.")
@click.option("--pack", metavar="PACK", help="The stores' face models: 'open' or 'starter', or another that is on this computer.")
def demo(seconds: float | None, port: int | None, pack: str | None) -> None:
    """See a chain work: a headquarters, two stores, people who come to both."""
    from hub import demo as stage
    from hub import log
    from ui import ending

    attended = sys.stdin.isatty() and sys.stdout.isatty()
    lasts_s = seconds or (FOR_EVER_S if attended else UNATTENDED_S)
    log.write_to(level="error")
    stage.sweep(Path(tempfile.gettempdir()), time.time())
    with ending.asked_for() as asked, tempfile.TemporaryDirectory(prefix=stage.PREFIX, ignore_cleanup_errors=True) as place:
        folder = Path(place)
        # PostgreSQL may run as another user, who must be able to pass.
        folder.chmod(0o711)
        asked.removes(folder)
        _shown(asked, folder, port, pack, lasts_s, attended)


def _shown(asked: Ending, folder: Path, port: int | None, pack: str | None, lasts_s: float, attended: bool) -> None:
    from hub import demo as stage
    from hub.moments import now
    from hub.running import open_hub
    from hub.stores_beside import ask_to_end, end, of_session

    click.echo("Opening a headquarters …")
    (folder / "hub").mkdir()
    stores = []
    try:
        with open_hub(stage.settings(folder / "hub", port), now) as hub:
            account = stage.open_chain(hub.database, now())
            stores = stage.open_stores(hub.database, account, hub.address, folder, pack, lasts_s + 60, now())
            asked.kills(lambda: [number for store in stores for number in of_session(store.pid)])
            click.echo(f"Headquarters' page: {hub.address}")
            click.echo(f"Sign in there as {account.name} with the password {account.password}")
            click.echo("Two stores open their doors" + (" (control-C ends everything) …" if attended else " …"))
            until_s, told, told_pages = time.monotonic() + lasts_s, None, 0
            while not asked.wait(min(LOOK_S, max(0.0, until_s - time.monotonic()))) and time.monotonic() < until_s:
                pages = stage.pages(folder)
                for name, address in pages[told_pages:]:
                    click.echo(f"The page of {name}: {address}")
                told_pages = len(pages)
                if any(store.poll() is not None for store in stores):
                    raise click.ClickException(f"A store has ended by itself. {stage.last_words(folder)}")
                so_far = stage.seen(hub.database, account.tenant_id)
                if so_far != told:
                    click.echo(f"{_people(so_far)}, {so_far.both} of them in both stores")
                    told = so_far
            ask_to_end(stores)
            last = stage.seen(hub.database, account.tenant_id)
            click.echo(f"In the end: {_people(last)}, {last.both} of them came to both stores.")
    finally:
        end(stores, STORES_S_MAX)


def _people(seen: Seen) -> str:
    visits = f"{seen.visits} visit{'s'[: seen.visits != 1]}"
    return f"{visits}, {seen.identities} {'person' if seen.identities == 1 else 'people'} known"
