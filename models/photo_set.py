"""A folder of labelled photos in the layout that `models evaluate` reads: LFW's, with lists for open-set identification.

images/<person>/<person>_0001.jpg     every photo
pairs.txt                             "<folds> <n>", then for each fold n lines "person i j" and n lines "person i other j"
enroll.csv, probes_known.csv, probes_unknown.csv      person,image (relative to the folder)
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from models.errors import EvaluationError

PHOTOS_MAX = 50_000
"""All of them are compared with all others: beyond this the comparison alone takes minutes."""


@dataclass(frozen=True, slots=True)
class Pair:
    a: str
    b: str
    same: bool


@dataclass(frozen=True, slots=True)
class Labelled:
    person: str
    image: str


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """Images are named relative to `folder`."""

    folder: Path
    photos: list[Labelled]
    folds: list[list[Pair]]
    enrolled: list[Labelled]
    known: list[Labelled]
    unknown: list[Labelled]


def read_photo_set(folder: Path) -> PhotoSet:
    """Raises EvaluationError that names the file and line which is not as it should be."""
    if not (folder / "images").is_dir():
        raise EvaluationError(f"{folder} has no folder `images` with a folder of photos for each person (see docs/models.md)")
    photos = [
        Labelled(person.name, image.relative_to(folder).as_posix())
        for person in sorted((folder / "images").iterdir())
        if person.is_dir()
        for image in sorted(person.glob("*.jpg"))
    ]
    if not 2 <= len(photos) <= PHOTOS_MAX:
        raise EvaluationError(f"{folder / 'images'}: {len(photos):,} photos (<person>/*.jpg), expected 2 to {PHOTOS_MAX:,}")
    there = {photo.image for photo in photos}
    found = PhotoSet(
        folder,
        photos,
        _folds(folder / "pairs.txt", there),
        _labelled(folder / "enroll.csv", there),
        _labelled(folder / "probes_known.csv", there),
        _labelled(folder / "probes_unknown.csv", there),
    )
    enrolled = {one.person for one in found.enrolled}
    for probe in found.known:
        if probe.person not in enrolled:
            raise EvaluationError(f"{folder / 'probes_known.csv'}: {probe.person} is not in enroll.csv")
    for probe in found.unknown:
        if probe.person in enrolled:
            raise EvaluationError(f"{folder / 'probes_unknown.csv'}: {probe.person} is in enroll.csv too")
    return found


def _folds(path: Path, there: set[str]) -> list[list[Pair]]:
    lines = [line.split() for line in _text(path).splitlines() if line.strip()]
    if not lines or len(lines[0]) != 2 or not all(word.isdecimal() for word in lines[0]):
        raise EvaluationError(f"{path}: the first line must say how many folds and how many pairs of each kind in one, like `10 300`")
    folds, pairs = (int(word) for word in lines[0])
    if folds < 2 or pairs < 1:
        raise EvaluationError(f"{path}: {folds} folds of {pairs} pairs: at least 2 folds of 1 pair are needed")
    if len(lines) - 1 != folds * pairs * 2:
        raise EvaluationError(f"{path}: {len(lines) - 1:,} pairs, expected {folds * pairs * 2:,} ({folds} folds of {pairs} + {pairs})")
    read = [_pair(path, number, words, there) for number, words in enumerate(lines[1:], 2)]
    size = pairs * 2
    return [read[start : start + size] for start in range(0, len(read), size)]


def _pair(path: Path, number: int, words: list[str], there: set[str]) -> Pair:
    if len(words) == 3 and words[1].isdecimal() and words[2].isdecimal():
        pair = Pair(_image(words[0], words[1]), _image(words[0], words[2]), True)
    elif len(words) == 4 and words[1].isdecimal() and words[3].isdecimal():
        pair = Pair(_image(words[0], words[1]), _image(words[2], words[3]), False)
    else:
        raise EvaluationError(f"{path}, line {number}: expected `person i j` or `person i other j`, got {' '.join(words)!r}")
    for image in (pair.a, pair.b):
        if image not in there:
            raise EvaluationError(f"{path}, line {number}: there is no {image}")
    return pair


def _image(person: str, number: str) -> str:
    return f"images/{person}/{person}_{int(number):04d}.jpg"


def _labelled(path: Path, there: set[str]) -> list[Labelled]:
    rows = list(csv.reader(_text(path).splitlines()))
    if not rows or rows[0] != ["person", "image"]:
        raise EvaluationError(f"{path}: the first line must be `person,image`")
    if len(rows) < 2:
        raise EvaluationError(f"{path}: nobody is in it")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != 2:
            raise EvaluationError(f"{path}, line {number}: expected person,image, got {','.join(row)!r}")
        if row[1] not in there:
            raise EvaluationError(f"{path}, line {number}: there is no {row[1]}")
    return [Labelled(person, image) for person, image in rows[1:]]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise EvaluationError(f"{path} is missing (see docs/models.md for the layout)") from error
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"{path} cannot be read: {error}") from error
