"""Cameras that are tried out before they are saved: one at a time, and their passwords are not held for long."""

from __future__ import annotations

import threading

import pytest

from appliance.camera.messages import CameraSettings
from appliance.camera.probe import Probe, placement
from appliance.camera_trials import KEPT_MAX, KEPT_MS, Trials
from appliance.errors import CameraError
from tests.appliance.camera.blobs import wait_until
from tests.appliance.stores import NOON

SETTINGS = CameraSettings("unsaved", "Door", "rtsp", "rtsp://admin:s3cret@192.168.1.20/1")


def done(trials: Trials, now_ms: int = NOON) -> str:
    trial_id = trials.start(SETTINGS, now_ms)
    wait_until(lambda: trials.of(trial_id, now_ms).found, 5, "the trial's end")
    return trial_id


def test_one_is_tried_out_at_a_time_and_what_it_showed_is_kept() -> None:
    let_go = threading.Event()

    def attempt(_settings: CameraSettings) -> Probe:
        let_go.wait(5)
        return Probe(placement="Good.")

    trials = Trials("", [], attempt)
    trial_id = trials.start(SETTINGS, NOON)
    assert trials.of(trial_id, NOON).found is None
    with pytest.raises(CameraError, match="tried out just now"):
        trials.start(SETTINGS, NOON)
    let_go.set()
    wait_until(lambda: trials.of(trial_id, NOON).found == Probe(placement="Good."), 5, "the trial's end")
    assert "s3cret" not in repr(trials.of(trial_id, NOON))


def test_a_trial_and_its_password_are_forgotten_after_a_while_and_when_there_are_many() -> None:
    trials = Trials("", [], lambda _settings: Probe())
    first = done(trials)
    for _ in range(KEPT_MAX):
        newest = done(trials)
    with pytest.raises(LookupError):
        trials.of(first, NOON)
    assert trials.of(newest, NOON + KEPT_MS).found
    with pytest.raises(LookupError):
        trials.of(newest, NOON + KEPT_MS + 1)


def test_a_process_that_cannot_be_started_is_said() -> None:
    def attempt(_settings: CameraSettings) -> Probe:
        raise OSError(12, "Cannot allocate memory")

    trials = Trials("", [], attempt)
    found = trials.of(done(trials), NOON).found
    assert found and "Cannot allocate memory" in found.error


def test_a_camera_beside_the_way_is_told_to_be_turned() -> None:
    assert placement([90.0, 80.0], 120.0, turned_share=0.8) == (
        "Faces are seen from the side: turn the camera so that people who come in walk towards it.",
        False,
    )
    assert placement([90.0, 80.0], 120.0, turned_share=0.3)[1]
    assert "Too far away" in placement([30.0], 120.0, turned_share=1.0)[0]
