"""`regulars run`: the store, until control-C or SIGTERM."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from appliance.commands import premises
from ui import words

if TYPE_CHECKING:
    from appliance.starting_anew import StartingAnew
    from ui.ending import Ending

LOOK_S = 0.2
"""How soon a new start that the page asks for begins."""


@click.command()
@click.pass_context
def run(context: click.Context) -> None:
    """Watch the cameras, log visits and serve the store's page.

    Control-C or SIGTERM ends it cleanly; a second control-C ends it at once.
    """
    from appliance import log
    from ui import ending

    config = premises.settings(context)
    kept = log.write_to(level=config.log.level)
    with ending.asked_for() as ending_asked:
        from appliance.starting_anew import StartingAnew

        anew = StartingAnew()
        while True:
            lost = _once(context, ending_asked, anew, kept.lines)
            if lost:
                raise click.ClickException(f"{lost} sightings could not be written before the end: the log says why.")
            if ending_asked.asked:
                break
            anew.between(config.data.folder, config.backup.folder, premises.now_ms)
    click.echo("Regulars has ended. Everything that was seen is in the log.")


def _once(context: click.Context, ending_asked: Ending, anew: StartingAnew, lines: Callable[[], list[str]]) -> int:
    """From a start to an end, or to where the page asks for a new start. How many sightings were lost."""
    from appliance import garbage
    from appliance.running import open_appliance
    from appliance.starting_anew import Outside

    config, said = premises.settings_said(context)
    words.set_own(config.site.language or words.ENGLISH)
    appliance = open_appliance(config, premises.now_ms, outside=Outside(said, anew, lines))
    try:
        appliance.start([config.web.port])
        garbage.loaded()
        ending_asked.kills(appliance.process_ids)
        click.echo(f"Regulars runs. Its page: {appliance.address}  (control-C ends it)")
        if appliance.door.certificate:
            click.echo(f"It is open to the network. Fingerprint of its certificate: {appliance.door.certificate.fingerprint}")
        if appliance.door.first_code:
            click.echo(f"Nobody can sign in yet. Open the page and make the owner's account with the code {appliance.door.first_code}")
        while not ending_asked.wait(LOOK_S) and not anew.asked:
            pass
    finally:
        lost = appliance.stop()
    return lost
