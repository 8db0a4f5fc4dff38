"""The arithmetic of the evaluation on scores whose figures are known, and the layout's errors."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.errors import EvaluationError
from models.evaluate import (
    BINS,
    Embedded,
    bars_from,
    best_threshold,
    evaluate,
    identification,
    impostor_counts,
    tar,
    verification,
)
from models.photo_set import Labelled, Pair, PhotoSet, read_photo_set
from tests.models.packs import pack


def embedded(*angles: float, missing: tuple[int, ...] = ()) -> Embedded:
    """Unit vectors in a plane, by their angles in degrees: the cosine of two is that of the angle between them."""
    turns = np.radians(np.array(angles))
    found = np.array([i not in missing for i in range(len(angles))])
    vectors = np.stack([np.cos(turns), np.sin(turns)], 1).astype(np.float32) * found[:, None]
    return Embedded(vectors, found, {str(i): i for i in range(len(angles))})


def test_the_best_threshold_lies_in_the_gap() -> None:
    scores, same = np.array([0.1, 0.2, 0.6, 0.8], np.float32), np.array([False, False, True, True])
    assert best_threshold(scores, same) == pytest.approx(0.4)
    assert best_threshold(-scores, ~same) == pytest.approx(-0.4)


def test_accuracy_is_measured_with_the_threshold_of_the_other_folds() -> None:
    # Fold one is told apart at cosine .97, fold two at .5: each threshold is wrong for one pair of the other fold.
    one = [Pair("0", "1", True), Pair("0", "2", False)]  # 10 and 40 degrees apart.
    two = [Pair("0", "3", True), Pair("0", "4", False)]  # 45 and 80 degrees apart.
    accuracy, _ = verification([one, two], embedded(0, 10, 40, 45, 80))
    assert accuracy == pytest.approx(0.5)


def test_a_photo_without_a_face_makes_its_pairs_wrong() -> None:
    folds = [[Pair("0", "1", True), Pair("0", "2", False)], [Pair("0", "1", True), Pair("0", "2", False)]]
    assert verification(folds, embedded(0, 10, 90))[0] == 1
    assert verification(folds, embedded(0, 10, 90, missing=(2,)))[0] == pytest.approx(0.5)


def test_impostor_pairs_are_all_pairs_of_different_people_with_a_face() -> None:
    counts = impostor_counts(embedded(0, 10, 90, 180, missing=(3,)), np.array([0, 0, 1, 2]))
    assert counts.sum() == 2  # 0-2 and 1-2.


def test_bars_are_the_quantiles_of_the_impostor_scores_and_only_for_rates_with_pairs_enough() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 0.1, 200_000)
    counts = np.histogram(scores, BINS, (-1, 1))[0].astype(np.int64)
    bars = bars_from(counts)
    assert list(bars) == [1e-2, 1e-3, 1e-4]
    for far, bar in bars.items():
        assert bar == pytest.approx(np.quantile(scores, 1 - far), abs=2e-3)
        assert (scores > bar).mean() == pytest.approx(far, rel=0.05)


def test_every_person_weighs_the_same_in_the_tar() -> None:
    # Person 0 has three photos (all alike), person 1 two that are not; person 2 has one and does not count.
    who = np.array([0, 0, 0, 1, 1, 2])
    assert tar(embedded(0, 1, 2, 90, 180, 50), who, 0.5) == pytest.approx(0.5)


def test_identification_needs_the_right_person_first_and_above_the_strangers() -> None:
    enrolled = [Labelled("Alice", "0"), Labelled("Bob", "1")]
    known = [Labelled("Alice", "2"), Labelled("Alice", "3"), Labelled("Bob", "4")]
    photo_set = PhotoSet(Path(), [], [], enrolled, known, [Labelled("x", "5"), Labelled("y", "6")])
    # Alice at 0 and Bob at 90 degrees; her probes at 5 and 80 (nearer to Bob); his at 60; strangers at -40 and 180.
    rate, threshold = identification(photo_set, embedded(0, 90, 5, 80, 60, -40, 180), 0.01)
    assert threshold == pytest.approx(np.cos(np.radians(40)))
    assert rate == pytest.approx(2 / 3)
    # With half of the strangers let in, the threshold is the second stranger's.
    assert identification(photo_set, embedded(0, 90, 5, 80, 60, -40, 180), 0.5)[1] == pytest.approx(0, abs=1e-6)


def photos(folder: Path, pairs: str = "2 1\nAlice 1 2\nAlice 1 Bob 1\nBob 1 2\nBob 2 Carol 1\n") -> Path:
    for person, count in (("Alice", 2), ("Bob", 2), ("Carol", 1)):
        (folder / "images" / person).mkdir(parents=True)
        for i in range(1, count + 1):
            cv2.imwrite(str(folder / "images" / person / f"{person}_{i:04d}.jpg"), np.full((150, 150, 3), 127, np.uint8))
    (folder / "pairs.txt").write_text(pairs)
    (folder / "enroll.csv").write_text("person,image\nAlice,images/Alice/Alice_0001.jpg\nBob,images/Bob/Bob_0001.jpg\n")
    (folder / "probes_known.csv").write_text("person,image\nAlice,images/Alice/Alice_0002.jpg\nBob,images/Bob/Bob_0002.jpg\n")
    (folder / "probes_unknown.csv").write_text("person,image\nCarol,images/Carol/Carol_0001.jpg\n")
    return folder


def test_photos_without_any_face_are_failures_and_no_crash(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    figures, basis = evaluate(photos(tmp_path), pack("starter", tmp_path / "own"), lambda done, of: told.append((done, of)))
    assert (figures.accuracy, figures.tpir_at_fpir_1e2, figures.tpir_at_fpir_1e3) == (0, 0, 0)
    assert figures.bars == {} and figures.tar_at_far_1e3 is None
    assert basis.without_face == basis.photos == 5 and told[-1] == (5, 5)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("pairs.txt", "", "the first line must say how many folds"),
        ("pairs.txt", "10\n", "the first line must say how many folds"),
        ("pairs.txt", "1 2\n", "at least 2 folds"),
        ("pairs.txt", "2 1\nAlice 1 2\n", "1 pairs, expected 4"),
        ("pairs.txt", "2 1\nAlice 1 2\nAlice 1 Bob 1\nBob 1 2\nBob 2 Carol 9\n", "line 5: there is no images/Carol/Carol_0009.jpg"),
        ("pairs.txt", "2 1\nAlice 1 2\nAlice one Bob 1\nBob 1 2\nBob 2 Carol 1\n", "line 3: expected `person i j`"),
        ("pairs.txt", "\xff\x00", "the first line must say"),
        ("enroll.csv", "who,what\n", "the first line must be `person,image`"),
        ("enroll.csv", "person,image\n", "nobody is in it"),
        ("enroll.csv", "person,image\nAlice\n", "line 2: expected person,image"),
        ("enroll.csv", "person,image\nAlice,../secret.jpg\n", "line 2: there is no ../secret.jpg"),
        ("probes_known.csv", "person,image\nCarol,images/Carol/Carol_0001.jpg\n", "Carol is not in enroll.csv"),
        ("probes_unknown.csv", "person,image\nBob,images/Bob/Bob_0002.jpg\n", "Bob is in enroll.csv too"),
    ],
)
def test_a_folder_laid_out_wrongly_is_refused_with_file_and_line(tmp_path: Path, name: str, text: str, words: str) -> None:
    (photos(tmp_path) / name).write_text(text)
    with pytest.raises(EvaluationError, match=words):
        read_photo_set(tmp_path)


@pytest.mark.parametrize("missing", ["pairs.txt", "enroll.csv", "probes_known.csv", "probes_unknown.csv"])
def test_a_missing_list_is_named(tmp_path: Path, missing: str) -> None:
    (photos(tmp_path) / missing).unlink()
    with pytest.raises(EvaluationError, match=rf"{missing} is missing"):
        read_photo_set(tmp_path)


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"has no folder `images`"):
        read_photo_set(tmp_path)


def test_a_photo_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (photos(tmp_path) / "images/Bob/Bob_0001.jpg").write_bytes(b"no picture")
    with pytest.raises(EvaluationError, match=r"Bob_0001.jpg is not a picture that can be read"):
        evaluate(tmp_path, pack("starter", tmp_path / "own"))
