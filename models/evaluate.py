"""How well a pack tells people apart, measured on labelled photos, and the bars that follow.

Verification: cross-validated accuracy on the pairs, the threshold of each fold chosen on the others. TAR and bars: all pairs of photos of
different people give the impostor scores, all pairs of one person's photos the genuine ones, every person weighing the same. Open set:
a person's score is the cosine to the mean of their enrolled embeddings, and a probe counts only if the right person is first.
A photo without a face counts as a failure wherever it could have been a success.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from models.bars import Bars
from models.crops import embedder_crop
from models.detect import Detector
from models.embed import Embedder, unit
from models.errors import EvaluationError
from models.faces import Floats, Picture
from models.landmarks import refined
from models.manifest import EmbedderSpec
from models.pack import Pack
from models.photo_set import Labelled, Pair, PhotoSet, read_photo_set

DETECTOR_SIDE_PX = 192
"""For photos that one face fills. From 160 to 320 the figures differ by no more than the folds do; larger is only slower."""
FARS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
PAIRS_BEYOND_MIN = 10
"""Impostor pairs that must lie above a bar for it to be called measured: fewer are a handful of people, or of wrong labels."""
BINS = 20_000
"""Impostor scores are counted, not kept: 12 million of them need 160 kB, and a bar is right to 0.0001."""
BLOCK = 1024
BATCH = 64

Indices = npt.NDArray[np.intp]
Progress = Callable[[int, int], None]


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, each 0..1. None: there are not enough pairs for it. `bars`: rate of false accepts -> cosine."""

    pack: str
    accuracy: float
    tar_at_far_1e3: float | None
    tar_at_far_1e4: float | None
    tpir_at_fpir_1e2: float
    tpir_at_fpir_1e3: float
    bars: dict[str, float]


@dataclass(frozen=True, slots=True)
class Basis:
    """What the figures stand on."""

    photos: int
    people: int
    without_face: int
    folds: int
    pairs: int
    accuracy_deviation: float
    impostor_pairs: int
    genuine_people: int
    enrolled: int
    known: int
    strangers: int
    threshold_fpir_1e2: float
    threshold_fpir_1e3: float


@dataclass(frozen=True, slots=True)
class Embedded:
    """`vectors` (N, D) unit, zero where `found` (N,) is False; `place`: the image's row."""

    vectors: Floats
    found: npt.NDArray[np.bool_]
    place: dict[str, int]

    def rows(self, images: list[str]) -> Indices:
        return np.array([self.place[image] for image in images], np.intp)


def evaluate(folder: Path, pack: Pack, progress: Progress = lambda done, of: None) -> tuple[Evaluation, Basis]:
    """Raises EvaluationError where the folder is not laid out as models/photo_set.py says."""
    photo_set = read_photo_set(folder)
    embedded = embed_photos(photo_set, pack.detector, pack.embedder, pack.embedder_spec, progress)
    accuracy, deviation = verification(photo_set.folds, embedded)
    _, who = np.unique([photo.person for photo in photo_set.photos], return_inverse=True)
    counts = impostor_counts(embedded, who)
    bars = bars_from(counts)
    tars = {far: tar(embedded, who, bar) for far, bar in bars.items()}
    loose, strict = (identification(photo_set, embedded, fpir) for fpir in (1e-2, 1e-3))
    figures = Evaluation(
        pack=pack.name,
        accuracy=round(accuracy, 5),
        tar_at_far_1e3=_rounded(tars.get(1e-3)),
        tar_at_far_1e4=_rounded(tars.get(1e-4)),
        tpir_at_fpir_1e2=round(loose[0], 5),
        tpir_at_fpir_1e3=round(strict[0], 5),
        bars={written(far): round(bar, 4) for far, bar in bars.items()},
    )
    basis = Basis(
        photos=len(photo_set.photos),
        people=int(who.max()) + 1,
        without_face=int((~embedded.found).sum()),
        folds=len(photo_set.folds),
        pairs=sum(len(fold) for fold in photo_set.folds),
        accuracy_deviation=deviation,
        impostor_pairs=int(counts.sum()),
        genuine_people=int((np.bincount(who) > 1).sum()),
        enrolled=len({one.person for one in photo_set.enrolled}),
        known=len(photo_set.known),
        strangers=len(photo_set.unknown),
        threshold_fpir_1e2=loose[1],
        threshold_fpir_1e3=strict[1],
    )
    return figures, basis


def embed_photos(photo_set: PhotoSet, detector: Detector, embedder: Embedder, spec: EmbedderSpec, progress: Progress) -> Embedded:
    """The face in the middle of each photo, as a unit vector."""
    count = len(photo_set.photos)
    vectors, found = np.zeros((count, spec.output_size), np.float32), np.zeros(count, bool)
    waiting: list[tuple[int, Picture]] = []
    for i, photo in enumerate(photo_set.photos):
        picture = cv2.imread(str(photo_set.folder / photo.image))
        if picture is None:
            raise EvaluationError(f"{photo_set.folder / photo.image} is not a picture that can be read")
        crop = middle_face(np.asarray(picture, np.uint8), detector, spec)
        if crop is not None:
            found[i] = True
            waiting.append((i, crop))
        if waiting and (len(waiting) == BATCH or i == count - 1):
            vectors[[place for place, _ in waiting]] = embedder.embed(np.stack([crop for _, crop in waiting]))
            waiting.clear()
        progress(i + 1, count)
    return Embedded(vectors, found, {photo.image: i for i, photo in enumerate(photo_set.photos)})


def middle_face(picture: Picture, detector: Detector, spec: EmbedderSpec) -> Picture | None:
    faces = detector.detect(picture, DETECTOR_SIDE_PX)
    if not len(faces):
        return None
    middle = np.array([picture.shape[1] / 2, picture.shape[0] / 2], np.float32)
    off = np.linalg.norm((faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2 - middle, axis=1)
    one = faces.take(np.array([int(np.argmin(off))]))
    # The mean of two looks: a small detector's points tremble, and so does the embedding with them (.993 of pairs right, .991 with one).
    points = (one.points[0] + refined(detector, picture, one).points[0]) / 2
    return embedder_crop(picture, one.boxes[0], points, spec)


def verification(folds: list[list[Pair]], embedded: Embedded) -> tuple[float, float]:
    """Mean and standard deviation over the folds of the accuracy at the threshold that serves the other folds best."""
    scores, same, seen = [], [], []
    for fold in folds:
        a, b = embedded.rows([pair.a for pair in fold]), embedded.rows([pair.b for pair in fold])
        scores.append((embedded.vectors[a] * embedded.vectors[b]).sum(axis=1))
        same.append(np.array([pair.same for pair in fold]))
        seen.append(embedded.found[a] & embedded.found[b])
    right = []
    for k in range(len(folds)):
        others = [i for i in range(len(folds)) if i != k]
        threshold = best_threshold(np.concatenate([scores[i] for i in others]), np.concatenate([same[i] for i in others]))
        right.append(float((((scores[k] >= threshold) == same[k]) & seen[k]).mean()))
    return float(np.mean(right)), float(np.std(right))


def best_threshold(scores: Floats, same: npt.NDArray[np.bool_]) -> float:
    """The threshold with the fewest errors of "same if score >= threshold"; in the middle of the gap between two scores."""
    order = np.argsort(scores)
    ordered, genuine = scores[order], same[order]
    # Threshold below the i-th score: wrong are the genuine ones before it and the impostors from it on.
    errors = np.concatenate([[0], np.cumsum(genuine)]) + np.concatenate([np.cumsum(~genuine[::-1])[::-1], [0]])
    i = int(np.argmin(errors))
    low = ordered[i - 1] if i else ordered[0] - 1
    high = ordered[i] if i < len(ordered) else ordered[-1] + 1
    return float((low + high) / 2)


def impostor_counts(embedded: Embedded, who: Indices) -> npt.NDArray[np.int64]:
    """Scores of all pairs of found faces of different people, counted in BINS bins over -1..1."""
    rows = np.flatnonzero(embedded.found)
    vectors, people = embedded.vectors[rows], who[rows]
    counts = np.zeros(BINS, np.int64)
    for start in range(0, len(rows), BLOCK):
        scores = vectors[start : start + BLOCK] @ vectors[start:].T
        later = np.arange(start, len(rows))[None, :] > np.arange(start, start + len(scores))[:, None]
        different = people[start : start + BLOCK, None] != people[None, start:]
        bins = ((scores[later & different] + 1) * (BINS / 2)).astype(np.int64)
        counts += np.bincount(np.clip(bins, 0, BINS - 1), minlength=BINS)
    return counts


def bars_from(counts: npt.NDArray[np.int64]) -> dict[float, float]:
    """The cosine above which each rate of impostor pairs lies, for the rates that there are pairs enough for."""
    total = int(counts.sum())
    above = np.concatenate([np.cumsum(counts[::-1])[::-1], [0]])
    edges = np.linspace(-1, 1, BINS + 1)
    # `above` falls with the edges; turned round it rises, as interp wants it.
    return {far: float(np.interp(far * total, above[::-1], edges[::-1])) for far in FARS if far * total >= PAIRS_BEYOND_MIN}


def tar(embedded: Embedded, who: Indices, bar: float) -> float:
    """Mean over the people of the share of pairs of their photos above the bar."""
    shares = []
    for person in range(int(who.max()) + 1):
        rows = np.flatnonzero(who == person)
        if len(rows) > 1:
            scores = embedded.vectors[rows] @ embedded.vectors[rows].T
            shares.append(float((scores[np.triu_indices(len(rows), 1)] >= bar).mean()))
    return float(np.mean(shares)) if shares else 0.0


def identification(photo_set: PhotoSet, embedded: Embedded, fpir: float) -> tuple[float, float]:
    """Share of known probes whose person is first and above the threshold that at most `fpir` of the strangers pass; the threshold."""
    names, people = np.unique([one.person for one in photo_set.enrolled], return_inverse=True)
    sums = np.zeros((len(names), embedded.vectors.shape[1]), np.float32)
    np.add.at(sums, people, embedded.vectors[_rows(embedded, photo_set.enrolled)])
    gallery = unit(sums)
    strangers = np.sort((embedded.vectors[_rows(embedded, photo_set.unknown)] @ gallery.T).max(axis=1))[::-1]
    threshold = float(strangers[int(fpir * len(strangers))])  # Strictly above it are at most fpir of them.
    scores = embedded.vectors[_rows(embedded, photo_set.known)] @ gallery.T
    right = names[scores.argmax(axis=1)] == np.array([probe.person for probe in photo_set.known])
    return float((right & (scores.max(axis=1) > threshold)).mean()), threshold


def manifest_entry(evaluation: Evaluation, pack: Pack, basis: Basis) -> str:
    """The bars as an entry for models.toml."""
    table = ", ".join(f"[{far}, {bar}]" for far, bar in evaluation.bars.items())
    return (
        f'[[bars]]\ndetector = "{pack.detector.model}"\nembedder = "{pack.embedder.model}"\nfar = [{table}]\n'
        f'measured = "all pairs of {basis.photos:,} photos of {basis.people:,} people: {basis.impostor_pairs:,} impostor pairs"\n'
    )


def measured_bars(evaluation: Evaluation) -> Bars:
    return Bars({float(far): bar for far, bar in evaluation.bars.items()})


def written(far: float) -> str:
    """1e-3, as people write it."""
    return f"1e{round(np.log10(far))}"


def _rows(embedded: Embedded, labelled: list[Labelled]) -> Indices:
    return embedded.rows([one.image for one in labelled])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)
