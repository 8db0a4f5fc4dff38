"""`regulars-hub serve`: headquarters, until control-C or SIGTERM."""

from __future__ import annotations

import click

from hub.commands import premises


@click.command()
@click.pass_context
def serve(context: click.Context) -> None:
    """Take what stores send, know people across them, serve the page.

    Control-C or SIGTERM ends it cleanly; a second control-C ends it at once.
    """
    from hub import log
    from hub.moments import now
    from ui import ending
    from ui.server import CannotServe

    config = premises.settings(context)
    log.write_to(level=config.log.level, form=config.log.form)
    with ending.asked_for() as asked:
        from hub.running import open_hub

        try:
            with open_hub(config, now) as hub:
                click.echo(f"Headquarters runs. Its page: {hub.address}  (control-C ends it)")
                if hub.first_code:
                    click.echo(f"Nobody can sign in yet. Open the page and make the first account with the code {hub.first_code}")
                asked.wait()
        except CannotServe as error:
            raise click.ClickException(str(error)) from None
    click.echo("Headquarters has ended.")
