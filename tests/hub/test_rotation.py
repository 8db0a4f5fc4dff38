from __future__ import annotations

import numpy as np
import pytest

from hub.index import Floats
from hub.rotation import Rotations, matrix

OURS, DANAS = "10000000-0000-7000-8000-000000000001", "10000000-0000-7000-8000-000000000002"
KEYS = {OURS: b"o" * 32, DANAS: b"d" * 32}


def faces(count: int, size: int) -> Floats:
    rows = np.random.default_rng(5).standard_normal((count, size)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("size", [1, 3, 128, 512])
def test_a_rotation_keeps_every_cosine(size: int) -> None:
    rows = faces(200, size)
    turned = Rotations(KEYS.__getitem__).turned(OURS, rows)
    assert turned.dtype == np.float32
    assert np.abs(rows @ rows.T - turned @ turned.T).max() < 1e-6 * 2


def test_two_tenants_vectors_of_one_face_do_not_match() -> None:
    rotations, rows = Rotations(KEYS.__getitem__), faces(200, 128)
    ours, danas = rotations.turned(OURS, rows), rotations.turned(DANAS, rows)
    for one, other in ((ours, danas), (ours, rows), (danas, rows)):
        same_face = np.einsum("nd,nd->n", one, other)
        # Chance: a normal distribution of deviation 1/sqrt(128). No bar is below .25.
        assert np.abs(same_face).mean() < 0.15
        assert (same_face > 0.25).mean() < 0.05


def test_the_same_key_makes_the_same_rotation_ever_after() -> None:
    """Known numbers: a rotation that changed with a version of numpy would silently part the index from what is asked of it."""
    first = matrix(b"k" * 32, 4)
    assert np.array_equal(first, matrix(b"k" * 32, 4))
    assert first.ravel().tolist() == pytest.approx(KNOWN, abs=1e-6)


KNOWN = [
    -0.081723,
    -0.3801534,
    -0.255092,
    0.8852869,
    -0.720077,
    -0.5851568,
    0.2903115,
    -0.2340937,
    0.2062224,
    -0.4696973,
    -0.7588205,
    -0.4013082,
    0.6574821,
    -0.5407951,
    0.5242507,
    -0.0204697,
]


def test_a_size_has_a_rotation_of_its_own() -> None:
    assert not np.allclose(matrix(b"k" * 32, 8)[:4, :4], matrix(b"k" * 32, 4), atol=0.05)


def test_all_directions_are_as_likely() -> None:
    """Without the signs taken out of QR the first entry would be negative always."""
    signs = [matrix(bytes([i]) * 32, 3)[0, 0] > 0 for i in range(200)]
    assert 60 < sum(signs) < 140


def test_a_key_or_size_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="key"):
        matrix(b"short", 4)
    with pytest.raises(ValueError, match="numbers"):
        matrix(b"k" * 32, 5_000)
