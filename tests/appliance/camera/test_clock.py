"""A camera's process on a wall clock that jumps: driven frame by frame, over a real pipe."""

from multiprocessing import Pipe

import numpy as np

from appliance.camera.frames import Frame
from appliance.camera.messages import CameraSettings, Seen, Start, from_camera
from appliance.camera.process import CameraProcess, Report
from appliance.sightings import Phase, Sighting
from tests.appliance.camera.blobs import MAKER, BlobWatcher


def sightings_of(times_ms: list[int]) -> list[Sighting]:
    ours, theirs = Pipe()
    camera = CameraProcess(Start(CameraSettings("cam", "Entrance", "usb", "0"), MAKER), Report(theirs), lambda: 0)
    watcher, picture = BlobWatcher("cam"), np.full((48, 64, 3), 255, np.uint8)
    for index, taken_ms in enumerate(times_ms):
        camera.see(watcher, Frame(picture, taken_ms, index))
    seen = []
    while ours.poll(0):
        message = from_camera(ours.recv_bytes())
        seen += [message.sighting] if isinstance(message, Seen) else []
    return seen


def test_a_clock_set_back_by_a_little_does_not_turn_time_round() -> None:
    assert [one.ended_ms for one in sightings_of([10_000, 10_200, 9_900, 10_100, 10_400])] == [10_000, 10_200, 10_201, 10_202, 10_400]


def test_a_clock_set_back_by_hours_ends_who_was_followed_and_begins_anew() -> None:
    seen = sightings_of([9_000_000, 9_000_200, 1_000_000, 1_000_200])
    assert [(one.id, one.phase, one.ended_ms) for one in seen] == [
        ("cam-1", Phase.OPENED, 9_000_000),
        ("cam-1", Phase.IMPROVED, 9_000_200),
        ("cam-1", Phase.CLOSED, 9_000_200),
        ("cam-2", Phase.OPENED, 1_000_000),
        ("cam-2", Phase.IMPROVED, 1_000_200),
    ]
