"""Train the starter pack: a small face detector and a small face embedder, from a folder of labelled photos and two teachers.

    python -m models.training prepare  --faces DIR --models DIR --out DATA.npz [--leave-out NAMES.txt]
    python -m models.training detector --data DATA.npz --hours 0.8 --out detector.pt
    python -m models.training embedder --data DATA.npz --hours 0.85 --out embedder.pt
    python -m models.training export   --detector detector.pt --embedder embedder.pt --out DIR

DIR of photos: <person>/*.jpg (LFW's layout). Teachers, in the models folder: yunet_n_dynamic.onnx finds the face and its five points,
arcface_mobilefacenet.onnx says where it lies among faces. Both are trained from random weights on one CPU core in under an hour.
"""

from __future__ import annotations

from pathlib import Path

import click

EXISTING = click.Path(exists=True, path_type=Path)
NEW = click.Path(path_type=Path)


@click.group(help=__doc__)
def training() -> None:
    pass


@training.command()
@click.option("--faces", type=EXISTING, required=True)
@click.option("--models", "models_folder", type=EXISTING, required=True)
@click.option("--out", type=NEW, required=True)
@click.option("--leave-out", type=EXISTING, help="Names of people not to learn from, one a line.")
def prepare(faces: Path, models_folder: Path, out: Path, leave_out: Path | None) -> None:
    from models.training.preparation import prepared

    skip = frozenset(leave_out.read_text().split()) if leave_out else frozenset()
    count, people = prepared(faces, models_folder, out, skip)
    click.echo(f"{count:,} faces of {people:,} people")


@training.command()
@click.option("--data", type=EXISTING, required=True)
@click.option("--hours", type=float, default=0.8)
@click.option("--out", type=NEW, required=True)
def detector(data: Path, hours: float, out: Path) -> None:
    from models.training.detector import train_detector

    train_detector(data, hours, out, click.echo)


@training.command()
@click.option("--data", type=EXISTING, required=True)
@click.option("--hours", type=float, default=0.85)
@click.option("--out", type=NEW, required=True)
def embedder(data: Path, hours: float, out: Path) -> None:
    from models.training.embedder import train_embedder

    train_embedder(data, hours, out, click.echo)


@training.command()
@click.option("--detector", "detector_file", type=EXISTING, required=True)
@click.option("--embedder", "embedder_file", type=EXISTING, required=True)
@click.option("--out", type=NEW, required=True)
def export(detector_file: Path, embedder_file: Path, out: Path) -> None:
    from models.training.export import exported

    exported(detector_file, embedder_file, out)


if __name__ == "__main__":
    training()
