"""`regulars visits`: the visit log, newest first, with the reason of every decision."""

from __future__ import annotations

from dataclasses import asdict

import click

from appliance.commands import premises
from ui.terminal import NOTHING, how_long, print_json, print_table, when

LIMIT_MAX = 10_000
"""More than a busy store sees in a week; a longer list is a report, not a glance."""


@click.command()
@click.option("--limit", type=click.IntRange(1, LIMIT_MAX), default=20, show_default=True, help="How many.")
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), help="Only those of the last so many hours.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: times in UTC milliseconds.")
@click.pass_context
def visits(context: click.Context, limit: int, hours: float | None, as_json: bool) -> None:
    """The latest visits, newest first, and why each was decided so."""
    from appliance import visits as log

    config = premises.settings(context)
    now_ms = premises.now_ms()
    since_ms = now_ms - round(hours * 3_600_000) if hours else 0
    rows: list[log.VisitRow] = []
    if not premises.nothing_yet(config):
        with premises.to_read(config) as store:
            rows = log.recent(store, limit=limit, since_ms=since_ms)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    if not rows:
        click.echo("No visits yet." if not hours else f"No visits in the last {how_long(round(hours * 3_600_000))}.")
        return
    zone = config.site.zone
    print_table(
        ("Came", "Stayed", "Verdict", "Person", "Cameras", "Similarity", "Why"),
        [
            (
                when(row.first_seen_ms, zone, now_ms),
                how_long(row.last_seen_ms - row.first_seen_ms),
                row.verdict,
                row.label or NOTHING,
                ", ".join(row.cameras),
                NOTHING if row.similarity is None else f"{row.similarity:.2f}" + ("" if row.bar is None else f" (bar {row.bar:.2f})"),
                row.reason,
            )
            for row in rows
        ],
    )
