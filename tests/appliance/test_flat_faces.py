"""Pictures of faces: told from faces by a few looks, and by the real nets where they are at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest

from appliance.camera.messages import CameraSettings, Start
from appliance.camera.watcher import Watcher
from appliance.flat_faces import LOOKS_MAX, LOOKS_TO_TELL, FlatFaces
from appliance.sightings import Sighting
from appliance.watch import open_watcher
from models.faces import Floats, Picture
from models.liveness import Liveness
from tests.models import packs
from tests.shared import shared

NOTHING = np.zeros((10, 10, 3), np.uint8)
BOX = (1.0, 1.0, 5.0, 5.0)


class Net:
    """Stands for the nets: says of every face what it is told to, and counts how often it is asked."""

    def __init__(self, *says: float) -> None:
        self.says, self.asked = list(says), 0

    def real(self, _picture: Picture, boxes: Floats) -> Floats:
        self.asked += len(boxes)
        return np.full(len(boxes), self.says.pop(0) if len(self.says) > 1 else self.says[0], np.float32)


def looked(net: Net, times: int) -> FlatFaces:
    flat = FlatFaces(cast("Liveness", net))
    for _ in range(times):
        flat.look(NOTHING, [("t", BOX)])
    return flat


def test_nobody_is_believed_or_called_flat_before_a_few_looks() -> None:
    for says in (0.9, 0.1):
        flat = looked(Net(says), LOOKS_TO_TELL - 1)
        assert flat.doubted("t") and not flat.is_flat("t")


def test_the_mean_decides_and_who_was_told_of_stays_told_of() -> None:
    flat = looked(Net(0.1, 0.9, 0.9, 0.0), LOOKS_TO_TELL)
    assert not flat.doubted("t")
    for _ in range(5):
        flat.look(NOTHING, [("t", BOX)])
    assert not flat.doubted("t") and not flat.is_flat("t")
    assert not flat.end("t", told=True) and flat.count == 0


def test_a_picture_is_kept_quiet_about_and_counted_once() -> None:
    flat = looked(Net(0.1), LOOKS_TO_TELL)
    assert flat.doubted("t") and flat.is_flat("t")
    assert flat.end("t", told=False) and flat.count == 1
    assert not flat.is_flat("t") and not flat.end("t", told=False)


def test_who_went_before_that_is_a_visitor() -> None:
    assert not looked(Net(0.1), LOOKS_TO_TELL - 1).end("t", told=False)


def test_a_face_that_stays_is_not_looked_at_for_ever() -> None:
    net = Net(0.9)
    looked(net, 3 * LOOKS_MAX)
    assert net.asked == LOOKS_MAX


def test_switched_off_it_asks_nothing_and_doubts_nobody() -> None:
    flat = FlatFaces(None)
    flat.look(NOTHING, [("t", BOX)])
    assert not flat.doubted("t") and not flat.is_flat("t") and not flat.end("t", told=False)


@pytest.mark.parametrize("liveness", [False, True])
def test_a_printed_photo_that_is_carried_past_is_no_visitor_where_liveness_is_on(tmp_path: Path, liveness: bool) -> None:
    watcher, folder = watching(tmp_path, liveness)
    photo = packs.picture(folder / "data/lfw/images/James_Brown/James_Brown_0001.jpg")
    told = seen(watcher, list(carried_past(photo)))
    assert (len({s.id for s in told}), watcher.faces_flat) == ((0, 1) if liveness else (1, 0))


def test_real_people_who_walk_towards_a_camera_are_visitors_with_liveness_on_as_well(tmp_path: Path) -> None:
    watcher, folder = watching(tmp_path, True)
    told = seen(watcher, list(street(folder / "data/video/street_entrance_1080p.mp4")))
    assert len({s.id for s in told}) >= 4 and watcher.faces_flat == 0


def street(video: Path) -> Iterator[Picture]:
    """Its last two seconds, in which people come near, five frames a second."""
    capture = cv2.VideoCapture(str(video))
    for number in range(105):
        read, frame = capture.read()
        if read and number >= 55 and number % 5 == 0:
            yield np.asarray(frame, np.uint8)


def watching(own: Path, liveness: bool) -> tuple[Watcher, Path]:
    packs.pack("open", own)
    folder = shared()
    assert folder is not None
    settings = CameraSettings("door", "Door", "file", "unused", liveness=liveness)
    return open_watcher(Start(settings, "unused", "open", [str(own), str(folder / "models")])), folder


def carried_past(photo: Picture) -> Iterator[Picture]:
    shown = cv2.copyMakeBorder(cv2.resize(photo, (320, 320)), 12, 12, 12, 12, cv2.BORDER_CONSTANT, value=(235, 235, 235))
    for step in range(10):
        frame = np.full((480, 900, 3), 120, np.uint8)
        frame[60 : 60 + shown.shape[0], 40 + 40 * step : 40 + 40 * step + shown.shape[1]] = shown
        yield frame


def seen(watcher: Watcher, frames: list[Picture]) -> list[Sighting]:
    return [s for step, frame in enumerate(frames) for s in watcher.see(frame, 200 * step)] + watcher.finish()
