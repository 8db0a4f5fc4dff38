import numpy as np
import pytest

from appliance.camera.motion import FORCE_MS, LINGER_MS, MotionGate
from appliance.camera.zones import Zone
from models.faces import Picture

RANDOM = np.random.default_rng(7)


def scene(height: int = 720, width: int = 1280) -> Picture:
    """A shop that has edges and surfaces."""
    rows, columns = np.mgrid[0:height, 0:width]
    grey = 90 + 40 * np.sin(columns / 37) + 30 * (rows // 90 % 2)
    return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


def noisy(picture: Picture, sigma: float) -> Picture:
    return np.clip(picture + RANDOM.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)


def opened(pictures: list[Picture], busy: bool = False, ignored: tuple[Zone, ...] = ()) -> list[bool]:
    gate = MotionGate(ignored)
    return [gate.open(picture, 1_000_000 + index * 200, busy) for index, picture in enumerate(pictures)]


def settled(after: list[bool]) -> list[bool]:
    """Without the frames in which the gate learns the scene."""
    return after[1 + LINGER_MS // 200 :]


def test_a_still_picture_is_looked_at_only_now_and_then() -> None:
    after = settled(opened([scene()] * 60))
    assert sum(after) == pytest.approx(len(after) * 200 / FORCE_MS, abs=1)


@pytest.mark.parametrize("sigma", [3, 8])
def test_noise_is_no_motion(sigma: float) -> None:
    assert sum(settled(opened([noisy(scene(480, 640), sigma) for _ in range(30)]))) <= 3


def test_light_that_changes_slowly_is_no_motion() -> None:
    assert sum(settled(opened([np.clip(scene(480, 640) + 0.6 * index, 0, 255).astype(np.uint8) for index in range(60)]))) <= 7


def test_a_small_face_that_moves_opens_the_gate_at_once_and_for_a_while() -> None:
    pictures = [scene() for _ in range(40)]
    for index in range(20, 25):
        pictures[index][300:350, 600 + 12 * index : 640 + 12 * index] = 190
    after = opened(pictures)
    assert not after[19] or not after[18]
    assert all(after[20 : 25 + LINGER_MS // 200 - 1])
    assert not all(after[32:])


def test_what_moves_in_a_zone_that_is_ignored_opens_nothing_and_beside_it_does() -> None:
    street: tuple[Zone, ...] = (((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),)
    left, right = [[scene() for _ in range(30)] for _ in range(2)]
    for index in range(10, 30):
        left[index][300:380, 100 + 12 * index : 180 + 12 * index] = 190
        right[index][300:380, 660 + 12 * index : 740 + 12 * index] = 190
    assert sum(settled(opened(left, ignored=street))) <= 3
    assert all(opened(right, ignored=street)[10:])
    everything: tuple[Zone, ...] = (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),)
    assert sum(settled(opened(right, ignored=everything))) <= 3


def test_who_stands_still_while_being_followed_is_not_lost() -> None:
    assert all(opened([scene()] * 40, busy=True))


def test_a_clock_that_is_set_back_does_not_close_the_gate_for_good() -> None:
    gate = MotionGate()
    for index in range(20):
        gate.open(scene(), 10_000_000 + index * 200, busy=False)
    assert any(gate.open(scene(), 5_000 + index * 200, busy=False) for index in range(3))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 5000), (5000, 1), (33, 161), (2160, 3840)])
def test_pictures_of_any_size_pass(height: int, width: int) -> None:
    assert opened([scene(height, width), scene(height, width)])[0]
    gate = MotionGate()
    assert gate.open(scene(48, 64), 0, busy=False) and gate.open(scene(height, width), 100, busy=False)
