"""`regulars demo`: an appliance with a demo camera in a folder that is thrown away at the end. Prints visits as they come."""

from __future__ import annotations

import json
import queue
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance.commands import premises

if TYPE_CHECKING:
    from appliance.reception import Received
    from appliance.running import Appliance
    from appliance.visits import VisitRow
    from ui.ending import Ending

UNATTENDED_S = 90.0
"""Without a terminal nobody presses control-C."""
PORTS_TRIED = 20
LOOK_S = 0.2
VISITS_MAX = 10_000
HISTORY_DAYS_MAX = 1_500


class Days(click.ParamType[int]):
    """400d, or 400."""

    name = "DAYS"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"(\d{1,4})d?", str(value).strip())
        if found is None or not 1 <= int(found[1]) <= HISTORY_DAYS_MAX:
            self.fail(f"{value!r} is no number of days from 1 to {HISTORY_DAYS_MAX}, such as 400d.", param, ctx)
        return int(found[1])


@click.command()
@click.option("--seconds", type=click.FloatRange(1, 86_400), help="End by itself after so many seconds (90 without a terminal).")
@click.option("--json", "as_json", is_flag=True, help="Print what was logged as one JSON document at the end, and nothing else.")
@click.option("--port", type=click.IntRange(1, 65_535), help="The page's port; else that of the settings (8477). Taken: the next free one.")
@click.option("--pack", help="The face models: 'open' or 'starter', or another that is on this computer.")
@click.option("--scene", type=click.Choice(["store_a", "store_b"]), help="One of the two entrances of a chain; else the first.")
@click.option("--history", type=Days(), help="Give the store a made-up past of so many days first, as 400d: full charts.")
@click.option("--pair", "code_at_url", metavar="CODE@URL", help="Pair with a headquarters for as long as it runs.")
@click.pass_context
def demo(
    context: click.Context,
    seconds: float | None,
    as_json: bool,
    port: int | None,
    pack: str | None,
    scene: str | None,
    history: int | None,
    code_at_url: str | None,
) -> None:
    """See it work: a demo camera, faces, visits and the page."""
    from appliance import demo as stage
    from appliance import log
    from ui import ending

    began_s = time.monotonic()
    attended = sys.stdin.isatty() and sys.stdout.isatty() and not as_json
    until_s = began_s + (seconds or (float("inf") if attended else UNATTENDED_S))
    usual = premises.settings(context)
    log.write_to(level="error")

    def say(words: str) -> None:
        click.echo(words, err=as_json)

    stage.sweep(Path(tempfile.gettempdir()), time.time())
    with ending.asked_for() as asked, tempfile.TemporaryDirectory(prefix=stage.PREFIX, ignore_cleanup_errors=True) as folder:
        asked.removes(Path(folder))
        chosen = Chosen(pack, scene, code_at_url, port or usual.web.port, history or 0)
        summary = _shown(asked, usual, Path(folder), chosen, until_s, attended, say)
    if as_json:
        click.echo(json.dumps({**summary, "seconds": round(time.monotonic() - began_s, 1)}, ensure_ascii=False, indent=2))


@dataclass(frozen=True, slots=True)
class Chosen:
    """On the command line; None: the usual."""

    pack: str | None
    scene: str | None
    code_at_url: str | None
    port: int
    history_days: int


def _shown(
    asked: Ending, usual: Any, folder: Path, wanted: Chosen, until_s: float, attended: bool, say: Callable[[str], None]
) -> dict[str, Any]:
    from appliance import demo as stage
    from appliance import garbage
    from appliance.data_key import KeyFile
    from appliance.running import open_appliance

    chosen, port = wanted.pack or stage.choose_pack(usual, folder, say), wanted.port
    scene = stage.choose_scene(folder, say, wanted.scene)
    config = stage.settings(usual, folder, chosen, scene.gap_s)
    if asked.asked:
        raise click.Abort
    told: queue.SimpleQueue[Received] = queue.SimpleQueue()
    appliance = open_appliance(config, premises.now_ms, keeper=KeyFile(folder), told=told.put, everybody=stage.EVERYBODY)
    lines = _Lines(appliance, say)
    try:
        asked.kills(appliance.process_ids)
        entered = stage.furnish(appliance, scene, premises.now_ms())
        if wanted.history_days:
            stage.remember(appliance, wanted.history_days, premises.now_ms(), say)
        began_ms, opted_out = premises.now_ms(), _opted_out(appliance)
        if wanted.code_at_url:
            from appliance.commands.pair import paired

            say(f"Paired with {paired(appliance.store, config, wanted.code_at_url).tenant_name}.")
        appliance.start([*range(port, min(port + PORTS_TRIED, 65_536)), 0])
        garbage.loaded()
        say(f"The page: {appliance.address}")
        known = f"; {entered} people are known already as staff or opted out" if entered else ""
        say(f"The camera: {scene.words}{known}. Models: {chosen}. Back within {scene.gap_s:g} s is still the same visit.")
        say("Visits as they come (control-C ends it):" if attended else "Visits as they come:")
        while not asked.wait(min(LOOK_S, max(0.0, until_s - time.monotonic()))) and time.monotonic() < until_s:
            lines.say_all(told)
        appliance.end_cameras()
        lines.say_all(told)
        return _summary(appliance, scene.words, chosen, say, began_ms, opted_out)
    finally:
        appliance.stop()


class _Lines:
    """A visit is said once it is known who it is, and again if that changes."""

    def __init__(self, appliance: Appliance, say: Callable[[str], None]) -> None:
        self._appliance, self._say = appliance, say
        self._said: dict[str, str] = {}

    def say_all(self, told: queue.SimpleQueue[Received]) -> None:
        while not told.empty():
            outcome = told.get().outcome
            if outcome.visit_id is None:
                if outcome.logged:
                    self._say(f"{self._clock(premises.now_ms())}  Somebody who opted out: counted, nothing kept")
            elif outcome.settled or outcome.person_id:
                self._visit(outcome.visit_id)

    def _visit(self, visit_id: str) -> None:
        from appliance import visits

        row = visits.one(self._appliance.store, visit_id)
        words = in_words(row) if row else ""
        if row and self._said.get(visit_id) != words:
            self._said[visit_id] = words
            self._say(f"{self._clock(row.first_seen_ms)}  {words}")

    def _clock(self, at_ms: int) -> str:
        from ui.terminal import when

        return when(at_ms, self._appliance.config.site.zone, at_ms)


def in_words(row: VisitRow) -> str:
    """Who it is taken for and how sure that is."""
    from ui.formats import ordinal

    if row.verdict == "returning":
        return f"{row.label:<18}  came back: {ordinal(row.visit_number)} visit"
    if row.verdict == "unsure":
        near = f", resembles {row.nearest}" if row.nearest else ""
        return f"{'Somebody':<18}  not sure who{near}"
    return f"{row.label:<18}  " + ("staff, not counted" if row.verdict == "staff" else "new")


def _opted_out(appliance: Appliance) -> int:
    (visits,) = appliance.store.db.execute("SELECT coalesce(sum(visits), 0) FROM opted_out_counts").fetchone()
    return int(visits)


def _summary(
    appliance: Appliance, camera: str, pack: str, say: Callable[[str], None], began_ms: int, opted_out_before: int
) -> dict[str, Any]:
    """Of what was seen, not of a past that was made up."""
    from appliance import visits

    store = appliance.store
    rows = visits.recent(store, limit=VISITS_MAX, since_ms=began_ms)[::-1]
    counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in ("new", "returning", "unsure", "staff")}
    opted_out = _opted_out(appliance) - opted_out_before
    counts["opted_out"] = opted_out
    customers = len(rows) - counts["staff"]
    people = len({row.person_id for row in rows if row.person_id and row.verdict != "staff"})
    say(
        f"{customers} visits by {people} people told apart: {counts['new']} new, {counts['returning']} returning, {counts['unsure']} "
        f"not sure; besides {counts['staff']} of staff, {opted_out} of people who opted out."
    )
    return {"pack": pack, "camera": camera, "address": appliance.address, "counts": counts, "visits": [asdict(row) for row in rows]}
