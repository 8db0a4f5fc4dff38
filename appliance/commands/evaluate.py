"""`regulars evaluate`: how true the log of a recorded scenario is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance.commands.premises import settings
from ui.terminal import print_json, print_table

if TYPE_CHECKING:
    from appliance.evaluation import Report
    from appliance.scenario import Figures

ROWS = (
    ("visits found", "visits_found", "visits_true"),
    ("visits split in two", "visits_split", None),
    ("visits of nobody", "visits_spurious", None),
    ("different customers", "unique_customers", "unique_customers_true"),
    ("returning visits", "returning", "returning_true"),
    ("pairs: precision", "pair_precision", None),
    ("pairs: recall", "pair_recall", None),
    ("customer pairs: precision", "customer_pair_precision", None),
    ("customer pairs: recall", "customer_pair_recall", None),
    ("visits left unsure", "unsure_visits", None),
    ("staff counted as customers", "staff_counted_as_customers", None),
    ("opted-out visits stored", "opted_out_stored", None),
    ("people made by the poster", "poster_people", None),
)
"""Words, and the figure and what it is of."""


@click.command()
@click.argument("scenario_dir", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--pack", "pack_name", metavar="PACK", help="Another pack than the settings'.")
@click.option("--pace", type=click.Choice(["full", "real"]), default="full", show_default=True, help="As fast as it goes, or by the clock.")
@click.option("--ceiling/--no-ceiling", default=True, show_default=True, help="Also run the same decisions on perfect tracks.")
@click.option("--keep", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False), help="A new folder: the data stay there.")
@click.option("--json", "as_json", is_flag=True, help="For a script.")
@click.pass_context
def evaluate(
    context: click.Context, scenario_dir: Path, pack_name: str | None, pace: str, ceiling: bool, keep: Path | None, as_json: bool
) -> None:
    """Run a recorded scenario and compare with the truth."""
    from appliance.evaluation import evaluate as run
    from appliance.identity import Policy
    from models.pack import load_pack
    from models.weights import weights_of

    config = settings(context)
    pack = load_pack(pack_name or config.models.pack, weights_of(config.data.folder, folder=config.models.folder))
    folders = [str(config.data.folder), *([str(config.models.folder)] if config.models.folder else [])]
    wanted = config.recognition
    report = run(
        scenario_dir,
        pack,
        folders,
        pace="own" if pace == "real" else "full",
        policy=Policy(wanted.false_match_per_search, wanted.shots_min),
        analysed_fps=wanted.analysed_fps,
        min_face_px=wanted.min_face_px,
        ceiling=ceiling,
        keep=keep,
        progress=_progress,
    )
    if sys.stderr.isatty():
        click.echo("\r" + " " * 60 + "\r", nl=False, err=True)
    if as_json:
        print_json(document(report))
    else:
        show(report)


def document(report: Report) -> dict[str, Any]:
    """The report as one flat document; `ceiling` holds the same figures on perfect tracks."""
    import msgspec

    return {
        **msgspec.to_builtins(report.figures),
        "log_latency_p95_s": report.log_latency_p95_s,
        "frames_analysed": report.frames_analysed,
        "frames_dropped": report.frames_dropped,
        "pack": report.pack,
        "pace": report.pace,
        "ceiling": msgspec.to_builtins(report.ceiling),
    }


def show(report: Report) -> None:
    best = report.ceiling
    print_table(
        ("", "logged", "truth", "ceiling"),
        [(words, _cell(report.figures, key), _cell(report.figures, of), _cell(best, key)) for words, key, of in ROWS],
    )
    click.echo(f"Logged {report.log_latency_p95_s:.2f} s after the first shot (95 % of visits, by the {_clock(report)} clock).")
    click.echo(f"{report.frames_analysed} frames analysed, {report.frames_dropped} dropped; pack {report.pack}, {report.pace} pace.")
    if best:
        click.echo("Ceiling: the same shots and decisions on tracks taken from the truth.")


def _clock(report: Report) -> str:
    return "wall" if report.pace == "real" else "video's own"


def _cell(figures: Figures | None, key: str | None) -> str:
    if figures is None or key is None:
        return ""
    value = getattr(figures, key)
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _progress(share: float) -> None:
    if sys.stderr.isatty():
        click.echo(f"\rWatching  [{'#' * int(share * 25):<25}] {share * 100:3.0f} %", nl=False, err=True)
