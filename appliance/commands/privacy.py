"""`regulars privacy`: what somebody who answers for the data does from the terminal. The page Privacy does the same."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from appliance.commands import premises
from appliance.commands.people import WHO, erase, found_by, opt_out
from ui.terminal import print_json, print_table, when

if TYPE_CHECKING:
    from appliance.config import Config

FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.group()
def privacy() -> None:
    """What is stored about people, and what they asked for."""


privacy.add_command(erase)
privacy.add_command(opt_out)


@privacy.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts: times in UTC milliseconds.")
@click.pass_context
def stored(context: click.Context, as_json: bool) -> None:
    """How much is stored, of what, since when."""
    from appliance.privacy import holdings

    config = premises.settings(context)
    with premises.to_read(config) as store:
        found = holdings.held(store.db.conn, store.folder, store.snapshots, _backups(config))
    if as_json:
        print_json([asdict(each) for each in found])
        return
    now_ms, zone = premises.now_ms(), config.site.zone
    print_table(
        ("What", "How many", "Bytes", "Since"),
        [
            (each.words, str(each.count), "" if each.bytes is None else str(each.bytes), when(each.oldest_ms, zone, now_ms))
            for each in found
        ],
    )


@privacy.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts: times in UTC milliseconds.")
@click.pass_context
def requests(context: click.Context, as_json: bool) -> None:
    """Who asked for what, and what came of it: open ones first."""
    from appliance.privacy import register

    config = premises.settings(context)
    with premises.to_read(config) as store:
        found = register.listed(store.db.conn)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    if not found:
        click.echo("Nobody has asked for anything yet.")
        return
    now_ms, zone = premises.now_ms(), config.site.zone
    print_table(
        ("Request", "Kind", "Visitor", "State", "Due", "Done", "Cleared"),
        [
            (
                str(each.id),
                each.kind.replace("_", " "),
                str(each.person_number),
                each.state,
                when(each.due_ms, zone, now_ms) if each.state == register.OPEN else "",
                when(each.done_ms, zone, now_ms) if each.done_ms is not None else "",
                when(each.cleared_ms, zone, now_ms) if each.cleared_ms is not None else "",
            )
            for each in found
        ],
    )


@privacy.command(epilog=WHO)
@click.argument("who")
@click.argument("file", type=FILE)
@click.pass_context
def export(context: click.Context, who: str, file: Path) -> None:
    """Write everything about WHO into FILE, a ZIP.

    A page to read, the data as JSON and their pictures. It is entered that it was given out.
    """
    from appliance import audit
    from appliance.errors import PersonError
    from appliance.files import refused, write_whole
    from appliance.forgetting import Forgotten
    from appliance.privacy import dossier, dossier_page, particulars, register

    config = premises.settings(context)
    if file.exists():
        raise click.ClickException(f"{file} is there already. Name another file.")
    with premises.to_change(config) as store:
        row = found_by(store, who)
        if row.role == "opted_out":
            raise PersonError("Of somebody who opted out nothing is stored but what it takes not to store them.")
        now_ms = premises.now_ms()
        with store.transaction():
            register.fulfil(store, register.ACCESS, row.id, row.number, Forgotten(), audit.THIS_COMPUTER, now_ms)
            audit.note(store, "export", row.id, now_ms)
        told = particulars.of(store)
        data, pictures = dossier.gathered(store, row.id, config.site.name, config.site.zone, now_ms)
        content = b"".join(dossier.zipped(store, data, pictures, lambda found: dossier_page.page(found, told)))
    try:
        write_whole(file.absolute(), content)
    except OSError as error:
        raise refused(error, file) from None
    click.echo(f"Wrote {file}: {len(data['visits'])} visits, {len(pictures)} pictures. It is not sealed: give it to nobody else.")


@privacy.command()
@click.argument("number", type=click.IntRange(1))
@click.argument("file", type=FILE)
@click.pass_context
def receipt(context: click.Context, number: int, file: Path) -> None:
    """Write the receipt of a request that is done into FILE, a PDF."""
    from appliance.files import write_whole
    from appliance.privacy import particulars, receipts, register

    config = premises.settings(context)
    with premises.to_read(config) as store:
        found = register.one(store.db.conn, number)
        told = particulars.of(store)
    if found is None or found.state != register.DONE:
        raise click.ClickException(f"There is no request {number} that is done. See 'regulars privacy requests'.")
    write_whole(file.absolute(), receipts.pdf(found, told, config.site.name, config.site.zone, premises.now_ms()))
    click.echo(f"Wrote {file}.")


def _backups(config: Config) -> Path:
    from appliance import backup

    return config.backup.folder or config.data.folder / backup.FOLDER
