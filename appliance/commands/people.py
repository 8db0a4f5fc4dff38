"""`regulars people`: whom this store can tell apart, and what may be done with them. Names are shown only here and on the page, never
logged."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from appliance.commands import premises
from ui.terminal import print_json, print_table, when

if TYPE_CHECKING:
    from appliance.config import Config
    from appliance.database import Store
    from appliance.persons import PersonRow

WHO = "WHO is a visitor's number (1204) or a name, as the list shows it."


@click.group(invoke_without_command=True)
@click.option("--role", type=click.Choice(["customer", "staff", "opted_out"]), help="Only these.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: times in UTC milliseconds.")
@click.pass_context
def people(context: click.Context, role: str | None, as_json: bool) -> None:
    """The people this store can tell apart."""
    if context.invoked_subcommand is None:
        show(premises.settings(context), role, as_json)


def show(config: Config, role: str | None, as_json: bool) -> None:
    rows: list[PersonRow] = []
    if not premises.nothing_yet(config):
        with premises.to_read(config) as store:
            rows = [row for row in _known(store) if role in (None, row.role)]
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    if not rows:
        click.echo("Nobody yet." if role is None else f"Nobody with the role {role}.")
        return
    now_ms, zone = premises.now_ms(), config.site.zone
    print_table(
        ("Person", "Role", "Visits", "First seen", "Last seen"),
        [
            (
                row.label,
                row.role.replace("_", " "),
                str(row.visit_count),
                when(row.first_seen_ms, zone, now_ms),
                when(row.last_seen_ms, zone, now_ms),
            )
            for row in rows
        ],
    )


@people.command(epilog=WHO)
@click.argument("who")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def erase(context: click.Context, who: str, yes: bool) -> None:
    """Forget somebody, here and in the whole chain.

    Templates, pictures and name go. Their visits stay counted and are nobody's.
    """
    from appliance import requests

    _do(context, requests.ERASE, [who], "Erase {0}? This cannot be undone, and the whole chain forgets them", yes)


@people.command("opt-out", epilog=WHO)
@click.argument("who")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def opt_out(context: click.Context, who: str, yes: bool) -> None:
    """Keep nothing of somebody from now on.

    Their pictures, name and visits go; a few templates are kept, to know them by and for nothing else.
    """
    from appliance import requests

    _do(context, requests.OPT_OUT, [who], "Opt out {0}? Their pictures and name go, and their visits are nobody's", yes)


@people.command(epilog=WHO)
@click.argument("keep", metavar="WHO")
@click.argument("taken", metavar="OTHER")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def merge(context: click.Context, keep: str, taken: str, yes: bool) -> None:
    """Say that two people are one.

    WHO stays and takes over the visits of OTHER.
    """
    from appliance import requests

    _do(context, requests.MERGE, [keep, taken], "Make {0} and {1} one person? {0} stays", yes)


def _do(context: click.Context, kind: str, whom: list[str], question: str, yes: bool) -> None:
    """By the appliance that runs, or right here while none does."""
    from appliance import asked, backup, clearing, requests

    config = premises.settings(context)
    with premises.to_change(config) as store:
        found = [found_by(store, who) for who in whom]
        if not yes:
            click.confirm(question.format(*(row.label for row in found)), abort=True)
        ids = [row.id for row in found]
        if store.owner:
            words, _ = requests.carry_out(store, kind, ids, round(config.visits.gap_s * 1000), premises.now_ms())
            click.echo(words)
            # What the appliance does by the clock: while none runs, nobody else would.
            clearing.clear(store, config.backup.folder or store.folder / backup.FOLDER, premises.now_ms())
            return
        answer = asked.answer_to(store, asked.ask(store, kind, ids, premises.now_ms()))
    if answer is None:
        raise click.ClickException("The appliance that runs did not come to it in time. See 'regulars status'.")
    if answer.failed:
        raise click.ClickException(answer.words)
    click.echo(answer.words)


def found_by(store: Store, who: str) -> PersonRow:
    """By number, or by a name that only one has."""
    from appliance import persons
    from appliance.errors import PersonError

    number = who.strip().removeprefix("Visitor ").replace(" ", "")
    if number.isascii() and number.isdigit():
        row = store.db.execute("SELECT id FROM persons WHERE number = ?", [int(number[:15])]).fetchone()
        if row:
            return persons.one(store, row[0])
    named = [row for row in _known(store, PERSONS_MAX) if row.label.casefold() == who.strip().casefold()]
    if len(named) == 1:
        return named[0]
    if named:
        numbers = ", ".join(str(row.number) for row in named)
        raise PersonError(f"{len(named)} people have that name. Say which by number: {numbers}.")
    raise PersonError("There is nobody of that number or name. `regulars people` lists them.")


def _known(store: Store, limit: int = 200) -> list[PersonRow]:
    """Last seen first; by the chain's name where this store has none."""
    from appliance import persons
    from appliance.line import guests

    names = guests.chain_names(store)
    rows = persons.list_persons(store, limit=limit)
    return [replace(row, label=names.get(row.id, row.label)) if row.label == f"Visitor {row.number}" else row for row in rows]


PERSONS_MAX = 1_000_000
"""All: a name is sealed, so it is found by opening each."""
