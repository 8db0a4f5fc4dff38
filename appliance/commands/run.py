"""`regulars run`: the store, until control-C or SIGTERM."""

from __future__ import annotations

import click

from appliance.commands import premises


@click.command()
@click.pass_context
def run(context: click.Context) -> None:
    """Watch the cameras, log visits and serve the store's page.

    Control-C or SIGTERM ends it cleanly; a second control-C ends it at once.
    """
    from appliance import log
    from ui import ending

    config = premises.settings(context)
    log.write_to(level=config.log.level)
    with ending.asked_for() as ending_asked:
        from appliance.running import open_appliance

        appliance = open_appliance(config, premises.now_ms)
        try:
            appliance.start([config.web.port])
            ending_asked.kills(appliance.process_ids)
            click.echo(f"Regulars runs. Its page: {appliance.address}  (control-C ends it)")
            if appliance.door.certificate:
                click.echo(f"It is open to the network. Fingerprint of its certificate: {appliance.door.certificate.fingerprint}")
            if appliance.door.first_code:
                click.echo(f"Nobody can sign in yet. Open the page and make the owner's account with the code {appliance.door.first_code}")
            ending_asked.wait()
        finally:
            lost = appliance.stop()
    if lost:
        raise click.ClickException(f"{lost} sightings could not be written before the end: the log says why.")
    click.echo("Regulars has ended. Everything that was seen is in the log.")
