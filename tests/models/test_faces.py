"""From a picture to unit vectors: detectors' boxes land where the faces are whatever the size of the picture, crops stand upright."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.align import ARCFACE_POINTS, align, similarity
from models.detect import CANDIDATES_MAX, STRIDE, Canvas, fitted, shared, suppressed
from models.embed import BATCH_MAX, unit
from models.faces import Faces, Floats, Picture
from models.landmarks import refined
from models.scrfd import _decode as scrfd_decode
from tests.models.packs import group_photo, pack


def as_faces(boxes: list[tuple[float, float, float, float]], scores: list[float]) -> Faces:
    return Faces(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32), np.zeros((len(scores), 5, 2), np.float32))


def overlaps(a: Floats, b: Floats) -> Floats:
    """Intersection over union (N, M) of (N, 4) and (M, 4) boxes."""
    return np.array([[iou(one, other) for other in b.tolist()] for one in a.tolist()], np.float32)


def iou(a: Sequence[float], b: Sequence[float]) -> float:
    return shared(a, b) / max(shared(a, a) + shared(b, b) - shared(a, b), 1e-9)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (2, 2, 4, 4), 0.04),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
        ((10, 10, 0, 0), (0, 0, 10, 10), 0.0),
    ],
    ids=["the same", "half over", "beside", "inside", "empty", "inside out"],
)
def test_overlap(a: tuple[float, ...], b: tuple[float, ...], expected: float) -> None:
    assert iou(a, b) == pytest.approx(expected, abs=1e-6)


def test_of_boxes_over_one_face_the_surest_is_kept_best_first() -> None:
    found = as_faces([(1, 0, 11, 10), (0, 0, 10, 10), (50, 0, 60, 10), (100, 0, 110, 10)], [0.7, 0.9, 0.6, 0.95])
    assert suppressed(found, 0.4).scores.tolist() == pytest.approx([0.95, 0.9, 0.6])
    assert len(suppressed(as_faces([], []), 0.4)) == 0


def test_a_box_inside_a_box_is_the_same_face() -> None:
    found = as_faces([(0, 0, 118, 118), (20, 20, 90, 90), (100, 0, 170, 70)], [0.8, 0.9, 0.7])
    assert suppressed(found, 0.45).boxes.tolist() == [[20, 20, 90, 90], [100, 0, 170, 70]]


def test_noise_cannot_make_suppression_slow() -> None:
    many = 5 * CANDIDATES_MAX
    found = as_faces([(20.0 * i, 0, 20.0 * i + 10, 10) for i in range(many)], [0.5 + i / many / 4 for i in range(many)])
    assert len(suppressed(found, 0.4)) == CANDIDATES_MAX


@pytest.mark.parametrize(("height", "width"), [(1, 1), (480, 640), (640, 480), (1, 3000), (3000, 1), (31, 33), (9000, 12000)])
def test_any_picture_fits_the_net(height: int, width: int) -> None:
    padded, scale = fitted(np.full((height, width, 3), 9, np.uint8), 640)
    assert padded.shape[0] % STRIDE == 0 and padded.shape[1] % STRIDE == 0 and max(padded.shape) == 640
    assert scale == 640 / max(height, width)
    assert padded[0, 0].tolist() == [9, 9, 9]


@pytest.fixture(scope="module")
def photo() -> Picture:
    return group_photo()


def test_a_picture_leaves_nothing_behind_on_the_canvas_for_the_next() -> None:
    canvas = Canvas(360, 640)
    canvas.pictures(np.full((720, 1280, 3), 255, np.uint8))
    picture = np.random.default_rng(1).integers(0, 255, (720, 1280, 3), np.uint8)
    assert np.array_equal(canvas.pictures(picture)[0], fitted(picture, 640)[0])


def test_a_crop_without_a_face_among_crops_with_one(tmp_path: Path, photo: Picture) -> None:
    detector = pack("starter", tmp_path).detector
    x, y = detector.detect(photo, 960).boxes[0].reshape(2, 2).mean(axis=0).astype(int).tolist()
    crop = np.asarray(cv2.resize(photo[y - 100 : y + 100, x - 100 : x + 100], (160, 160)), np.uint8)
    found = detector.detect_crops([crop, np.zeros_like(crop), crop])
    assert len(found[0]) >= 1 and len(found[1]) == 0
    assert np.array_equal(found[0].boxes, found[2].boxes) and np.array_equal(found[0].points, found[2].points)
    assert np.array_equal(found[0].points, detector.detect_crops([crop])[0].points)


@pytest.mark.parametrize("name", ["starter", "open"])
@pytest.mark.parametrize("scale", [0.6, 1.0, 1.7])
def test_faces_are_found_in_the_pictures_own_pixels_at_any_size(tmp_path: Path, photo: Picture, name: str, scale: float) -> None:
    detector = pack(name, tmp_path).detector
    whole = detector.detect(photo, 960).take(np.arange(6))
    scaled = np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    found = detector.detect(scaled, 960)
    assert len(found) >= 6
    overlap = overlaps(whole.boxes, found.boxes / np.float32(scale)).max(axis=1)
    assert overlap.min() > 0.7
    x, y = found.points[:6, :, 0], found.points[:6, :, 1]
    assert (x[:, 0] < x[:, 1]).all() and (x[:, 3] < x[:, 4]).all() and (y[:, 0] < y[:, 3]).all()


def test_faint_faces_come_only_when_wanted_and_after_the_others(tmp_path: Path, photo: Picture) -> None:
    detector = pack("starter", tmp_path).detector
    sure, faint = detector.detect(photo, 640), detector.detect(photo, 640, faint=True)
    assert len(faint) >= len(sure) and sure.scores.min() >= detector.score_min
    assert np.array_equal(faint.boxes[: len(sure)], sure.boxes)


def test_scrfd_decodes_two_anchors_a_cell_with_distances_in_strides() -> None:
    def level(stride: int, hit: int | None) -> tuple[Floats, Floats, Floats]:
        cells = 2 * (64 // stride) ** 2
        score, box, points = np.zeros((cells, 1), np.float32), np.ones((cells, 4), np.float32), np.zeros((cells, 10), np.float32)
        if hit is not None:
            score[hit], box[hit], points[hit] = 0.8, (1, 2, 3, 4), np.arange(10)
        return score, box, points

    levels = [level(8, 2 * (3 * 8 + 5) + 1), level(16, None), level(32, None)]
    out = [part for kind in range(3) for part in (levels[2][kind], levels[0][kind], levels[1][kind])]
    found = scrfd_decode(out, 64, 0.5)
    assert found.boxes.tolist() == [[40 - 8, 24 - 16, 40 + 24, 24 + 32]]
    assert found.points[0].tolist() == [[40 + 16 * i, 24 + 16 * i + 8] for i in range(5)]
    assert len(scrfd_decode(out, 64, 0.9)) == 0


@given(
    angle=st.floats(-3.1, 3.1), scale=st.floats(0.05, 20), shift=st.tuples(st.floats(-5000, 5000), st.floats(-5000, 5000))
)
def test_alignment_undoes_turn_scale_and_shift(angle: float, scale: float, shift: tuple[float, float]) -> None:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    points = (ARCFACE_POINTS @ np.array([[c, s], [-s, c]]) + shift).astype(np.float32)
    matrix = similarity(points, ARCFACE_POINTS)
    back = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(back - ARCFACE_POINTS).max() < 0.1 + 2e-3 * max(map(abs, shift)) / scale
    assert np.linalg.det(matrix[:, :2]) > 0, "a face is never mirrored"


@given(
    angle=st.floats(-3.1, 3.1),
    scale=st.floats(0.1, 4),
    middle=st.tuples(st.floats(-400, 1000), st.floats(-400, 1000)),
    seed=st.integers(0, 9),
)
def test_a_crop_is_what_warping_the_whole_picture_gives(angle: float, scale: float, middle: tuple[float, float], seed: int) -> None:
    picture = np.asarray(cv2.GaussianBlur(np.random.default_rng(seed).integers(0, 255, (500, 600, 3), np.uint8), (0, 0), 3), np.uint8)
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    points = ((ARCFACE_POINTS - 56) @ np.array([[c, s], [-s, c]]) + middle).astype(np.float32)
    whole = cv2.warpAffine(picture, similarity(points, ARCFACE_POINTS), (112, 112))
    assert np.abs(align(picture, points).astype(int) - whole).max() <= 2


def test_points_on_one_spot_cannot_be_aligned() -> None:
    with pytest.raises(ValueError, match="on one spot"):
        align(np.zeros((10, 10, 3), np.uint8), np.ones((5, 2), np.float32))


def test_a_tilted_face_gives_nearly_the_embedding_of_the_upright_one(tmp_path: Path, photo: Picture) -> None:
    starter = pack("starter", tmp_path)
    found = starter.detector.detect(photo, 960).take(np.arange(6))
    height, width = photo.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 15, 1.0)
    tilted = np.asarray(cv2.warpAffine(photo, matrix, (width, height)), np.uint8)
    for points in found.points:
        moved = (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
        a, b = starter.embedder.embed(np.stack([align(photo, points), align(tilted, moved)]))
        assert float(a @ b) > 0.75


def test_a_batch_gives_what_each_crop_gives_alone(tmp_path: Path, photo: Picture) -> None:
    starter = pack("starter", tmp_path)
    points = starter.detector.detect(photo, 960).points[:6]
    crops = np.stack([align(photo, p) for p in points])[np.arange(2 * BATCH_MAX + 3) % 6]
    together = starter.embedder.embed(crops)
    alone = np.concatenate([starter.embedder.embed(c[None]) for c in crops[:6]])
    assert together.shape == (len(crops), starter.embedder.size) and together.dtype == np.float32
    assert np.abs(together[:6] - alone).max() < 1e-4
    assert np.abs(np.linalg.norm(together, axis=1) - 1).max() < 1e-5


def test_a_mirrored_embedding_is_the_same_of_a_face_and_its_mirror_image(tmp_path: Path, photo: Picture) -> None:
    starter = pack("starter", tmp_path)
    crop = align(photo, starter.detector.detect(photo, 960).points[0])
    a, b = starter.embedder.embed(np.stack([crop, crop[:, ::-1]]), mirrored=True)
    assert float(a @ b) > 0.9999
    assert starter.embedder.embed(np.zeros((0, 112, 112, 3), np.uint8), mirrored=True).shape == (0, starter.embedder.size)


@given(arrays.arrays(np.float32, (3, 8), elements=st.floats(-1000, 1000, width=32)))
def test_unit_vectors_have_length_one_and_zeros_stay_zeros(vectors: Floats) -> None:
    lengths, before = np.linalg.norm(unit(vectors), axis=1), np.linalg.norm(vectors, axis=1)
    assert np.abs(lengths[before > 1e-6] - 1).max(initial=0) < 1e-3
    assert (lengths[(vectors == 0).all(axis=1)] == 0).all()


def test_a_second_look_brings_points_near_to_those_of_a_large_picture(tmp_path: Path, photo: Picture) -> None:
    detector = pack("starter", tmp_path).detector
    rough = detector.detect(photo, 320).take(np.arange(6))
    better = refined(detector, photo, rough)
    fine = detector.detect(photo, 1280)
    nearest = fine.points[overlaps(rough.boxes, fine.boxes).argmax(axis=1)]

    def off(points: Floats) -> float:
        return float(np.linalg.norm(points - nearest, axis=2).mean())

    assert off(better.points) < off(rough.points)
    assert np.array_equal(better.boxes, rough.boxes)


def test_a_face_that_the_second_look_does_not_find_keeps_its_points(tmp_path: Path) -> None:
    detector = pack("starter", tmp_path).detector
    nothing = as_faces([(10, 10, 60, 60)], [0.9])
    assert np.array_equal(refined(detector, np.zeros((100, 100, 3), np.uint8), nothing).points, nothing.points)
    assert len(refined(detector, np.zeros((100, 100, 3), np.uint8), as_faces([], []))) == 0
