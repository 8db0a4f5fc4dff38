"""Which faces are good enough, and the reason why not: one flaw at a time on an otherwise good face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.faces import Faces, Picture
from models.quality import Flaw, Gate, at_a_glance, covered, judge, sharpness, turn

GATE = Gate()
HEIGHT, WIDTH = 480, 640
FRONTAL = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)


def faces(*boxes: tuple[float, float, float, float], score: float = 0.9, nose: float = 0.5) -> Faces:
    table = np.array(boxes, np.float32).reshape(-1, 4)
    shape = FRONTAL.copy()
    shape[2, 0] = nose
    points = table[:, None, :2] + shape * (table[:, None, 2:] - table[:, None, :2])
    return Faces(table, np.full(len(table), score, np.float32), points.astype(np.float32))


GOOD = (200.0, 100.0, 300.0, 220.0)


@pytest.mark.parametrize(
    ("found", "flaw"),
    [
        (faces(GOOD), None),
        (faces((200, 100, 200 + GATE.width_px_min - 1, 150)), Flaw.SMALL),
        (faces((0, 100, 100, 220)), Flaw.CUT),
        (faces((200, -5, 300, 115)), Flaw.CUT),
        (faces((WIDTH - 100, 100, WIDTH, 220)), Flaw.CUT),
        (faces((200, HEIGHT - 120, 300, HEIGHT)), Flaw.CUT),
        (faces(GOOD, score=GATE.score_min - 0.01), Flaw.UNSURE),
        (faces(GOOD, nose=0.7), Flaw.TURNED),
        (faces(GOOD, nose=0.3), Flaw.TURNED),
        (faces(GOOD, (250, 100, 400, 280)), Flaw.COVERED),
    ],
    ids=["good", "small", "left", "top", "right", "bottom", "unsure", "turned right", "turned left", "covered"],
)
def test_what_a_glance_says(found: Faces, flaw: Flaw | None) -> None:
    assert at_a_glance(found, HEIGHT, WIDTH, GATE)[0] is flaw


def test_no_faces_have_no_flaws() -> None:
    assert at_a_glance(faces(), HEIGHT, WIDTH, GATE) == []


def test_the_nearer_face_covers_and_is_not_covered() -> None:
    far, near = (200, 100, 300, 200), (250, 100, 400, 250)
    # The nearer head reaches 30 px (a fifth of its 150) beyond its face: it hides 80 of the 100 px, not 50.
    assert covered(0, [far, near]) == covered(1, [near, far]) == pytest.approx(0.8)
    assert covered(1, [far, near]) == covered(0, [near, far]) == covered(0, [far]) == 0.0


def crop(light: float = 128, contrast: float = 40) -> Picture:
    """A crop of blobs of some size, so that it is neither flat nor noise."""
    noise = np.random.default_rng(0).normal(size=(28, 28))
    grey = cv2.resize(noise, (112, 112), interpolation=cv2.INTER_CUBIC) * contrast + light
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


@pytest.mark.parametrize(
    ("picture", "flaw"),
    [
        (crop(), None),
        (crop(light=10, contrast=5), Flaw.DARK),
        (crop(light=250, contrast=5), Flaw.BRIGHT),
        (np.full((112, 112, 3), 128, np.uint8), Flaw.BLURRED),
        (np.asarray(cv2.GaussianBlur(crop(), (0, 0), 8), np.uint8), Flaw.BLURRED),
    ],
    ids=["good", "dark", "bright", "flat", "blurred"],
)
def test_what_the_crop_says(picture: Picture, flaw: Flaw | None) -> None:
    verdict = judge(picture, FRONTAL * 100, 100, 0.9, GATE)
    assert verdict.flaw is flaw and (0 < verdict.value <= 1 if flaw is None else verdict.value == 0)


def test_a_larger_straighter_sharper_surer_face_counts_more() -> None:
    turned = FRONTAL.copy()
    turned[2, 0] = 0.6
    best = judge(crop(contrast=60), FRONTAL * 100, 100, 0.9, GATE).value
    worse = [
        judge(crop(contrast=60), FRONTAL * 100, 60, 0.9, GATE).value,
        judge(crop(contrast=60), turned * 100, 100, 0.9, GATE).value,
        judge(crop(contrast=60), FRONTAL * 100, 100, 0.7, GATE).value,
        judge(np.asarray(cv2.GaussianBlur(crop(contrast=60), (0, 0), 2), np.uint8), FRONTAL * 100, 100, 0.9, GATE).value,
    ]
    assert all(0 < value < best for value in worse)


def test_blur_lowers_sharpness() -> None:
    grey = crop()[:, :, 0]
    values = [sharpness(np.asarray(cv2.GaussianBlur(grey, (0, 0), s), np.uint8)) for s in (0.5, 1, 2, 4)]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize(("nose", "expected"), [(0.5, 0.0), (0.6, 0.5), (0.4, 0.5), (0.7, 1.0)])
def test_how_far_a_head_is_turned(nose: float, expected: float) -> None:
    points = FRONTAL.copy()
    points[2, 0] = nose
    tilt = np.array([[0.8, -0.6], [0.6, 0.8]], np.float32)
    assert turn(points * 100) == pytest.approx(expected, abs=1e-4)
    assert turn(points * 100 @ tilt.T) == pytest.approx(expected, abs=1e-4), "a tilted head is not a turned one"


def test_eyes_on_one_spot_are_a_profile() -> None:
    assert turn(np.zeros((5, 2), np.float32)) == 1.0
