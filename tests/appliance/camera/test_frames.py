import threading
import time

import numpy as np
import pytest

from appliance.camera.frames import WAITING_MAX, Frame, Grid, Slot


def due(times_ms: list[float], analysed_fps: float) -> list[float]:
    grid = Grid(analysed_fps)
    return [at_ms for at_ms in times_ms if grid.due(at_ms)]


@pytest.mark.parametrize(
    ("fps", "analysed_fps", "expected"), [(12.5, 5, 50), (30, 5, 50), (25, 5, 50), (29.97, 5, 50), (12.5, 12.5, 125), (30, 30, 300)]
)
def test_ten_seconds_of_video_give_ten_seconds_of_analysed_frames(fps: float, analysed_fps: float, expected: int) -> None:
    assert len(due([index * 1000 / fps for index in range(round(fps * 10))], analysed_fps)) == expected


def test_the_grid_does_not_drift_when_frames_come_late() -> None:
    assert due([0, 80, 160, 240, 320, 400, 480, 560, 640], 5) == [0, 240, 400, 640]


def test_after_a_gap_the_next_frame_is_due_and_only_that_one() -> None:
    assert due([0, 200, 5030, 5070, 5200, 5240], 5) == [0, 200, 5030, 5200]


def test_a_clock_that_is_set_back_starts_the_grid_anew() -> None:
    assert due([100_000, 100_200, 5_000, 5_100, 5_200], 5) == [100_000, 100_200, 5_000, 5_200]


def frame(index: int) -> Frame:
    return Frame(np.zeros((1, 1, 3), np.uint8), index * 200, index)


def test_the_newest_frame_replaces_one_that_waits_and_the_loss_is_counted() -> None:
    slot = Slot()
    for index in range(5):
        slot.put_newest(frame(index))
    taken = slot.take(0)
    assert taken and taken.index == 4
    assert slot.dropped == 4 and slot.take(0) is None


def test_a_source_that_loses_no_frame_waits_for_room() -> None:
    slot, put = Slot(), []

    def fill() -> None:
        for index in range(20):
            put.append(slot.put_waiting(frame(index)))
        slot.close()

    thread = threading.Thread(target=fill)
    thread.start()
    time.sleep(0.05)
    assert len(put) == WAITING_MAX
    taken = []
    while not slot.over:
        one = slot.take(1)
        taken += [one.index] if one else []
    thread.join(1)
    assert taken == list(range(20)) and slot.dropped == 0


def test_closing_lets_go_of_who_waits_for_room() -> None:
    slot, results = Slot(), []
    thread = threading.Thread(target=lambda: results.extend(slot.put_waiting(frame(index)) for index in range(WAITING_MAX + 1)))
    thread.start()
    time.sleep(0.05)
    slot.close()
    thread.join(1)
    assert results == [True] * WAITING_MAX + [False]
