"""`regulars bench`: the speed and the memory of recognition on this machine, each figure beside its goal."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click

from appliance.commands import premises
from ui.terminal import print_json, print_table

NAMES = ("overhead", "frame_rate", "cameras", "memory", "gallery", "pages", "report_beside")
REPORT = Path("build", "bench.json")


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes, about a minute: to see that it works. The figures are worth little.")
@click.option("--only", type=click.Choice(NAMES), multiple=True, help="Only this measurement; may be given several times.")
@click.option("--pack", "pack_name", default=None, help="The models to measure with; else the pack of the settings.")
@click.option("--minutes", type=click.FloatRange(0.5, 24 * 60), default=10.0, show_default=True, help="How long memory is watched.")
@click.option("--video", type=click.Path(path_type=Path, dir_okay=False), default=None, help="The video to measure on.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=REPORT, show_default=True, help="Where the report goes.")
@click.option("--json", "as_json", is_flag=True, help="Print the report instead of the table.")
@click.pass_context
def bench(
    context: click.Context,
    quick: bool,
    only: tuple[str, ...],
    pack_name: str | None,
    minutes: float,
    video: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    """Measure speed and memory on this machine."""
    from appliance.benchmarks import report
    from appliance.benchmarks.footage import footage
    from appliance.benchmarks.machine import this_machine
    from appliance.benchmarks.measurements import Order, measured_apart
    from appliance.benchmarks.shop import usable_pack, weights_in

    config = premises.settings(context)
    folders = [str(folder) for folder in (config.data.folder, config.models.folder) if folder]
    pack_name = pack_name or usable_pack(weights_in(folders), config.models.pack)
    with tempfile.TemporaryDirectory(prefix="regulars-bench-") as own:
        shown = footage(Path(own), video=video)
        values: dict[str, Any] = {"pack": pack_name, "quick": quick, "video": shown.name, "machine": this_machine()}
        for name in only or NAMES:
            click.echo(f"measuring {name} …", err=True)
            values |= measured_apart(Order(name, pack_name, folders, str(shown), quick, minutes))
            # Written after each: what was measured is not lost when the next one fails or is interrupted.
            report.write(out, values)
    if as_json:
        print_json(report.plain(values))
        return
    print_table(["WHAT", "FIGURE", "GOAL", "MET"], report.rows(values))
    click.echo(f"\nPack {pack_name}, load at the start {values['machine'].load_at_start}. Everything that was measured: {out}")
