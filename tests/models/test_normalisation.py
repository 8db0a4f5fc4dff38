"""Every scheme on pixels whose numbers can be worked out by hand, and the crops that models are given."""

from __future__ import annotations

import numpy as np
import pytest

from models.crops import square_crop, surroundings_crop
from models.manifest import Normalisation
from models.normalisation import normalised

BLUE_ISH = np.array([200, 100, 50], np.uint8)


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ("bgr_0_255", [200, 100, 50]),
        ("rgb_0_255", [50, 100, 200]),
        ("rgb_minus_127.5_over_127.5", [(50 - 127.5) / 127.5, (100 - 127.5) / 127.5, (200 - 127.5) / 127.5]),
        ("rgb_minus_127.5_over_128", [(50 - 127.5) / 128, (100 - 127.5) / 128, (200 - 127.5) / 128]),
        ("rgb_imagenet", [(50 / 255 - 0.485) / 0.229, (100 / 255 - 0.456) / 0.224, (200 / 255 - 0.406) / 0.225]),
    ],
)
def test_a_scheme_orders_the_channels_and_scales_the_pixels(scheme: Normalisation, expected: list[float]) -> None:
    numbers = normalised(np.broadcast_to(BLUE_ISH, (2, 4, 4, 3)).copy(), scheme)
    assert numbers.shape == (2, 3, 4, 4) and numbers.dtype == np.float32 and numbers.flags.c_contiguous
    assert np.allclose(numbers[1, :, 2, 3], expected, atol=1e-5)


def test_standardisation_is_of_each_picture_for_itself() -> None:
    rng = np.random.default_rng(1)
    crops = np.stack([rng.integers(0, 60, (16, 16, 3), np.uint8), rng.integers(100, 255, (16, 16, 3), np.uint8)])
    numbers = normalised(crops, "per_image_standardisation")
    assert np.allclose(numbers.mean(axis=(1, 2, 3)), 0, atol=1e-4) and np.allclose(numbers.std(axis=(1, 2, 3)), 1, atol=1e-3)


def test_a_flat_picture_can_be_standardised() -> None:
    assert (normalised(np.full((1, 8, 8, 3), 9, np.uint8), "per_image_standardisation") == 0).all()


def test_no_crops_give_no_numbers() -> None:
    assert normalised(np.zeros((0, 8, 8, 3), np.uint8), "rgb_imagenet").shape == (0, 3, 8, 8)


def test_a_square_of_the_inputs_own_size_is_cut_without_blur() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (40, 60, 3), np.uint8)
    assert (square_crop(picture, np.array([10, 5, 26, 21], np.float32), 1.0, 16) == picture[5:21, 10:26]).all()


def test_outside_the_picture_is_black() -> None:
    crop = square_crop(np.full((20, 20, 3), 255, np.uint8), np.array([-10, 0, 10, 20], np.float32), 1.0, 20)
    assert (crop[:, :9] == 0).all() and (crop[:, 11:] == 255).all()


def test_the_surroundings_are_moved_to_lie_inside_the_picture() -> None:
    picture = np.zeros((101, 101, 3), np.uint8)
    picture[:61, :61] = 200
    # A face of 20 pixels in the corner, enlarged three times: 60 pixels, all of them in the bright part.
    assert surroundings_crop(picture, np.array([0, 0, 20, 20], np.float32), 3.0, 80).min() == 200
    # Larger than the picture: as much of it as there is.
    assert surroundings_crop(picture, np.array([10, 10, 90, 90], np.float32), 4.0, 80).shape == (80, 80, 3)
