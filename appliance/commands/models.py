"""`regulars models`: what weights there are, getting them, checking them, and measuring how well they recognise."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance.commands.premises import settings
from ui.terminal import how_large, print_facts, print_json, print_table

if TYPE_CHECKING:
    from models.evaluate import Basis, Evaluation
    from models.manifest import Manifest, PackSpec
    from models.pack import Pack
    from models.weights import Found, Weights


@click.group()
def models() -> None:
    """List, pull, verify and evaluate the face models."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="For a script.")
@click.pass_context
def list_packs(context: click.Context, as_json: bool) -> None:
    """The packs, whether they are here, and whether a shop may use them."""
    weights = _weights(context)
    manifest = weights.manifest()
    rows = [_pack_row(weights, manifest, pack) for pack in manifest.packs]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("Pack", "State", "Size", "Commercial use", "What it is"),
        [[r["pack"], r["state"], how_large(r["bytes"]), "yes" if r["commercial_use"] else "no", r["summary"]] for r in rows],
    )


@models.command()
@click.argument("pack_name", metavar="PACK")
@click.option("--accept", metavar="NAME", help="Accept the pack's terms, by the pack's own name.")
@click.pass_context
def pull(context: click.Context, pack_name: str, accept: str | None) -> None:
    """Get the files of PACK: from this computer where they are, else over the network."""
    from models import acceptance
    from models.pull import client
    from models.pull import pull as pull_files

    weights = _weights(context)
    manifest = weights.manifest()
    pack = manifest.pack(pack_name)
    if accept is not None:
        acceptance.accept(weights, pack, accept, datetime.now(UTC))
    acceptance.require_accepted(weights, pack)
    with client() as web:
        paths = pull_files(weights, manifest.files_of(pack), web, _Bar())
    for path in paths:
        click.echo(str(path))
    click.echo(f"The pack {pack.name} is complete.")


@models.command()
@click.option("--json", "as_json", is_flag=True, help="For a script.")
@click.pass_context
def verify(context: click.Context, as_json: bool) -> None:
    """Check every file that is here against its sha256. Exit code 1 if one is wrong."""
    from models.weights import look

    weights = _weights(context)
    manifest = weights.manifest()
    pack_of = {spec.name: pack.name for pack in reversed(manifest.packs) for spec in manifest.files_of(pack)}
    found = [look(weights, spec, remembered=False, pack=pack_of.get(spec.name, "")) for spec in manifest.files]
    if as_json:
        print_json([_file_row(one) for one in found])
    else:
        print_table(("File", "State", "Where"), [(one.spec.file, one.state, _where(one, pack_of.get(one.spec.name))) for one in found])
    if any(one.state == "wrong" for one in found):
        sys.exit(1)


@models.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@click.option("--pack", "pack_name", default=None, help="The pack to measure; else the one of the settings.")
@click.option("--json", "as_json", is_flag=True, help="For a script.")
@click.pass_context
def evaluate(context: click.Context, folder: Path, pack_name: str | None, as_json: bool) -> None:
    """Measure on the labelled photos in DIR how well a pack recognises, and the bars that follow."""
    import msgspec

    from models.evaluate import evaluate as measure
    from models.pack import load_pack

    pack = load_pack(pack_name or settings(context).models.pack, _weights(context))
    bar = _Bar()
    figures, basis = measure(folder, pack, lambda done, of: bar("photos", done, of))
    if as_json:
        print_json(msgspec.to_builtins(figures))
        return
    facts = [(key, _figure(value)) for key, value in msgspec.to_builtins(figures).items() if key != "bars"]
    print_facts(facts + [(f"bar at FAR {far}", f"{value:.4f}") for far, value in figures.bars.items()])
    _say_basis(basis, figures, pack)


class _Bar:
    """Progress on the terminal's standard error, drawn at most once a percent; nothing where nobody looks."""

    def __init__(self) -> None:
        self._shown = ""

    def __call__(self, name: str, done: int, of: int) -> None:
        share = 100 * done // max(1, of)
        words = f"\r{name}  [{'#' * (share // 4):<25}] {share:3d} %"
        if words == self._shown or not sys.stderr.isatty():
            return
        self._shown = words
        click.echo(words + ("\n" if done >= of else ""), err=True, nl=False)


def _weights(context: click.Context) -> Weights:
    from models.weights import weights_of

    config = settings(context)
    return weights_of(config.data.folder, folder=config.models.folder)


def _pack_row(weights: Weights, manifest: Manifest, pack: PackSpec) -> dict[str, Any]:
    from models.acceptance import is_accepted
    from models.weights import look

    specs = manifest.files_of(pack)
    found = [look(weights, spec, pack=pack.name) for spec in specs]
    here = all(one.state == "ok" for one in found)
    wrong = any(one.state == "wrong" for one in found)
    state = "wrong" if wrong else "missing" if not here else "ready" if is_accepted(weights, pack) else "terms not accepted"
    return {
        "pack": pack.name,
        "state": state,
        "bytes": sum(spec.bytes for spec in specs),
        "commercial_use": all(spec.commercial_use for spec in specs),
        "summary": pack.summary,
        "terms": pack.terms,
        "files": [{**_file_row(one), "licence": one.spec.licence, "origin": one.spec.origin} for one in found],
    }


def _where(found: Found, pack: str | None) -> str:
    """Short enough for a table's cell; the JSON has the whole sentence."""
    from models.weights import pull_command

    if found.state != "missing":
        return found.words
    if found.spec.bundled:
        return "git checkout models/starter"
    if not found.spec.address:
        return "only from a folder or mirror: $REGULARS_MODELS"
    return pull_command(pack) if pack else "in no pack"


def _file_row(found: Found) -> dict[str, Any]:
    return {
        "name": found.spec.name,
        "file": found.spec.file,
        "state": found.state,
        "path": str(found.path) if found.path else None,
        "words": found.words,
    }


def _figure(value: object) -> str:
    if value is None:
        return "- (too few pairs)"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _say_basis(basis: Basis, figures: Evaluation, pack: Pack) -> None:
    from models.evaluate import manifest_entry

    click.echo(
        f"\n{basis.photos:,} photos of {basis.people:,} people, {basis.without_face} without a face (each counts as a failure).\n"
        f"accuracy: {basis.folds} folds, {basis.pairs:,} pairs, deviation {basis.accuracy_deviation:.4f} between folds.\n"
        f"tar and bars: all {basis.impostor_pairs:,} pairs of different people; {basis.genuine_people:,} people with two photos or more.\n"
        f"tpir: {basis.enrolled} enrolled, {basis.known} known and {basis.strangers} unknown probes against the mean of a person's photos; "
        f"thresholds {basis.threshold_fpir_1e2:.3f} and {basis.threshold_fpir_1e3:.3f}."
    )
    if figures.bars:
        click.echo(f"\nFor models.toml:\n\n{manifest_entry(figures, pack, basis)}", nl=False)
