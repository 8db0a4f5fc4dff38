"""`regulars sync`: how the line to headquarters does, a try at once, new keys."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from appliance.commands import premises
from ui.terminal import how_long, print_facts, print_json, when

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from appliance.config import Config
    from appliance.database import Store
    from appliance.line.standing import Standing
    from sync.messages import Status

SECONDS_MAX = 3600.0
LOOK_S = 0.5
SKEW_MS_RIGHT = 2_000
"""Below that the difference is the line's own delay."""
NOT_PAIRED = "This store is not paired with a headquarters. Have a code made there, then: regulars pair CODE@URL"


@click.group()
def sync() -> None:
    """How the line to headquarters does; try it now; new keys."""


@sync.command("status")
@click.option("--json", "as_json", is_flag=True, help="For scripts: times in UTC milliseconds.")
@click.pass_context
def status_command(context: click.Context, as_json: bool) -> None:
    """Last contact, what waits, how fast it goes, and what is wrong."""
    from appliance.line import link, standing

    config = premises.settings(context)
    with premises.to_read(config) as store:
        found, stands = link.read(store), standing.read(store.db.conn)
    fingerprint = found.fingerprint if found else ""
    if as_json:
        print_json({**asdict(stands), "fingerprint": fingerprint, "keys_being_rotated": bool(found and found.rotating)})
    else:
        print_facts(in_words(stands, fingerprint, bool(found and found.rotating), config.site.zone, premises.now_ms()))


def in_words(stands: Standing, fingerprint: str, rotating: bool, zone: ZoneInfo, now_ms: int) -> list[tuple[str, str]]:
    from appliance.web.headquarters import speed

    def ago(at_ms: int | None, never: str) -> str:
        return never if at_ms is None else f"{when(at_ms, zone, now_ms)} ({how_long(now_ms - at_ms)} ago)"

    waiting = f"{stands.waiting or 'no'} record{'s'[: stands.waiting != 1]}"
    waiting += f", the oldest from {ago(stands.oldest_ms, '-')}" if stands.oldest_ms is not None else ""
    if not stands.paired:
        return [("Headquarters", NOT_PAIRED), ("Waiting", waiting)]
    facts = [
        ("Headquarters", f"{stands.tenant}, as the store {stands.site}, at {stands.url}"),
        ("State", "revoked: this store works by itself" if stands.revoked else "paired"),
        ("Fingerprint", fingerprint),
        ("Last contact", ago(stands.contact_ms, "none yet")),
        ("Last try", ago(stands.tried_ms, "none yet")),
        ("Waiting", waiting + (", and everything is being told anew" if stands.retelling else "")),
        ("Speed", speed(stands.bytes_per_s) if stands.bytes_per_s else "not known yet"),
        ("Clock", stands.clock or _skew(stands.skew_ms)),
        ("Pictures", "sent" if stands.snapshots else "not sent: headquarters does not want them"),
    ]
    if rotating:
        facts.append(("Keys", "new ones are being taken over"))
    if stands.set_aside:
        facts.append(("Set aside", f"{stands.set_aside} that headquarters could not take; it says there why"))
    if stands.passed_over:
        facts.append(("Passed over", f"{stands.passed_over} that this version does not understand; update Regulars"))
    return facts + ([("Trouble", stands.error)] if stands.error else [])


def _skew(skew_ms: int | None) -> str:
    if skew_ms is None:
        return "not compared yet"
    said = f"{abs(skew_ms) / 1000:.1f} s {'ahead of' if skew_ms > 0 else 'behind'} headquarters'"
    return f"right ({said})" if abs(skew_ms) < SKEW_MS_RIGHT else f"{said}: near enough, it is said when it matters"


@sync.command()
@click.option("--seconds", type=click.FloatRange(1, SECONDS_MAX), default=120.0, show_default=True, help="How long to wait at most.")
@click.pass_context
def now(context: click.Context, seconds: float) -> None:
    """Try at once, and wait until headquarters has everything."""
    from appliance.line import link

    config = premises.settings(context)
    with premises.to_change(config) as store:
        if link.read(store) is None:
            raise click.ClickException(NOT_PAIRED)
        done = _by_ourselves(store, config, seconds) if store.owner else _by_the_appliance(store, seconds)
    if not done:
        raise click.ClickException("There was not enough time for everything; it goes on by itself while the appliance runs.")
    click.echo("Headquarters has everything.")


def _by_the_appliance(store: Store, seconds: float) -> bool:
    from appliance import asked
    from appliance.line import standing

    began_ms, until_s = premises.now_ms(), time.monotonic() + seconds
    answer = asked.answer_to(store, asked.ask(store, asked.SYNC_NOW, [], began_ms))
    if answer is None or answer.failed:
        raise click.ClickException("The appliance that runs did not come to it. Its log says what it does.")
    told = -1
    while True:
        stands = standing.read(store.db.conn)
        told = _progress(stands, told)
        if stands.tried_ms is not None and stands.tried_ms >= began_ms:
            if stands.error and not stands.retelling:
                raise click.ClickException(stands.error)
            if not stands.waiting and not stands.retelling:
                return True
        if time.monotonic() > until_s:
            return False
        time.sleep(LOOK_S)


def _by_ourselves(store: Store, config: Config, seconds: float) -> bool:
    from appliance.line import standing
    from appliance.line.agent import Agent, Surroundings
    from appliance.line.status import status

    def how() -> Status:
        return status(store.folder, "", config.site.zone, [], "")

    agent = Agent(store, Surroundings(now=premises.now_ms, ca_file=config.headquarters.ca_file, status=how))
    began_ms, until_s, told, insisted = premises.now_ms(), time.monotonic() + seconds, -1, False
    try:
        while True:
            wait_s = agent.step()
            if agent.stands.stopped and not insisted:
                insisted = True
                agent.begin_again()
                continue
            stands = standing.read(store.db.conn)
            told = _progress(stands, told)
            if stands.tried_ms is not None and stands.tried_ms >= began_ms:
                if stands.error and not stands.retelling:
                    raise click.ClickException(stands.error)
                if not stands.waiting and not stands.retelling:
                    return True
            if time.monotonic() > until_s:
                return False
            time.sleep(min(wait_s, LOOK_S))
    finally:
        agent.stop()


def _progress(stands: Standing, told: int) -> int:
    if stands.waiting != told and stands.waiting:
        click.echo(f"{stands.waiting} record{'s'[: stands.waiting != 1]} to go")
    return stands.waiting


@sync.command("rotate-keys")
@click.pass_context
def rotate_keys(context: click.Context) -> None:
    """Make new keys for this store; headquarters takes them with the next contact."""
    from appliance.line import link
    from sync import keys

    with premises.to_change(premises.settings(context)) as store:
        if link.read(store) is None:
            raise click.ClickException(NOT_PAIRED)
        link.rotate(store, keys.make())
    click.echo("New keys are made. They are used as soon as headquarters has taken them: see 'regulars sync status'.")
