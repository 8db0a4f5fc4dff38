"""The roster: what it says of a camera, to the page, to the log, and to `regulars status`."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from appliance import camera_states, cameras
from appliance.camera.supervisor import CameraState, Supervisor
from appliance.cameras import Change, NewCamera
from appliance.live import Live
from appliance.roster import LEFT_AGAIN_MS, Choice, Roster
from tests.appliance.stores import NOON, a_store

NO_VIDEO = "entrance.mp4 is not a video"
REFUSED = "192.168.1.20 refuses the connection"
SOURCE = "rtsp://admin:secret@192.168.1.20/stream"


class Cameras:
    """Stands for the supervisor: every camera is as the test says."""

    def __init__(self) -> None:
        self.now = CameraState("starting")

    def start(self, *_of_it: object) -> None: ...
    def stop(self, _camera_id: str) -> None: ...
    def stop_all(self) -> None: ...
    def state(self, _camera_id: str) -> CameraState:
        return self.now


@pytest.fixture
def stage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Any:
    store = a_store(tmp_path / "data")
    caplog.set_level(logging.INFO, "appliance.roster")
    it = SimpleNamespace(store=store, watched=Cameras(), clock=NOON, trouble="", log=caplog)

    def add(kind: str, source: str, *, loop: bool = False) -> str:
        camera_id = cameras.add(store, NewCamera("Door", kind, source, loop=loop), NOON)
        it.roster.follow_table()
        caplog.clear()
        return camera_id

    def becomes(camera_id: str, state: CameraState) -> str:
        it.watched.now = state
        it.roster.heard(camera_id)
        return str(it.roster.lines()[0].state)

    it.add, it.becomes = add, becomes
    it.roster = Roster(
        store, cast("Supervisor", it.watched), Live("boot"), Choice("starter", [], 5.0, 40), lambda: it.clock, lambda: it.trouble
    )
    yield it
    store.close()


def a_file(folder: Path) -> str:
    path = folder / "entrance.mp4"
    path.write_text("no video")
    return str(path)


def warnings(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelno == logging.WARNING]


def test_a_file_that_cannot_be_opened_has_failed_and_is_never_said_to_be_watched(stage: Any, tmp_path: Path) -> None:
    door = stage.add("file", a_file(tmp_path))
    # The heartbeats of its process, in this order: its reader is at the end before the process itself knows.
    assert stage.becomes(door, CameraState("watching", error=NO_VIDEO)) == "failed"
    assert stage.becomes(door, CameraState("ended", error=NO_VIDEO)) == "failed"
    assert "camera_watching" not in stage.log.text
    assert [line for line in warnings(stage.log) if "event=camera_failed" in line and NO_VIDEO in line] == warnings(stage.log)
    assert len(warnings(stage.log)) == 1


def test_a_file_was_played_to_its_end_only_if_it_ended_without_an_error(stage: Any, tmp_path: Path) -> None:
    door = stage.add("file", a_file(tmp_path))
    assert stage.becomes(door, CameraState("watching")) == "opening"
    assert stage.becomes(door, CameraState("watching", width=1280)) == "watching"
    assert stage.becomes(door, CameraState("ended", width=1280)) == "ended"
    assert warnings(stage.log) == []
    assert stage.becomes(door, CameraState("ended", width=1280, error="the video is cut short")) == "broken"
    assert stage.becomes(door, CameraState("failed", width=1280, error="its process was ended by signal 9")) == "broken"
    assert stage.becomes(door, CameraState("failed", error="its process ended with code 1")) == "failed"
    assert len(warnings(stage.log)) == 3


def test_a_folder_that_skipped_a_picture_was_played_to_its_end(stage: Any, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_bytes(b"a")
    door = stage.add("folder", str(tmp_path / "pictures"))
    assert stage.becomes(door, CameraState("watching", error="a.jpg is no picture")) == "opening"
    assert stage.becomes(door, CameraState("ended", width=640, error="a.jpg is no picture")) == "ended"
    assert stage.becomes(door, CameraState("ended", error="there is no picture in it")) == "failed"


def test_a_camera_that_refuses_is_warned_of_once_for_each_reason_until_it_watches(stage: Any) -> None:
    door = stage.add("rtsp", SOURCE)
    for _ in range(3):
        stage.becomes(door, CameraState("opening", error=REFUSED))
        stage.becomes(door, CameraState("starting"))
    assert len(warnings(stage.log)) == 1
    stage.becomes(door, CameraState("opening", error="192.168.1.20 says nothing"))
    assert len(warnings(stage.log)) == 2
    stage.becomes(door, CameraState("watching", width=1280))
    stage.becomes(door, CameraState("silent", width=1280, error="192.168.1.20 says nothing"))
    assert [w.split()[0] for w in warnings(stage.log)] == ["event=camera_opening", "event=camera_opening", "event=camera_silent"]
    assert "secret" not in stage.log.text


def test_what_is_left_for_the_status_is_new_at_every_change_and_every_ten_seconds(stage: Any) -> None:
    folder = stage.store.folder
    door = stage.add("rtsp", SOURCE)

    def left() -> tuple[int, str, list[str]]:
        stage.roster.leave_states()
        states = camera_states.found(folder)
        assert states
        return states.at_ms - NOON, states.trouble, [line.state for line in states.cameras]

    assert left() == (0, "", ["opening"])
    stage.clock += 1000
    assert left() == (0, "", ["opening"])
    stage.becomes(door, CameraState("watching", fps=5.0, width=1280))
    assert left() == (1000, "", ["watching"])
    stage.trouble = "The disk is full."
    stage.clock += 1000
    assert left() == (2000, "The disk is full.", ["watching"])
    stage.clock += LEFT_AGAIN_MS
    assert left() == (2000 + LEFT_AGAIN_MS, "The disk is full.", ["watching"])
    written = (folder / camera_states.FILE).read_text()
    assert "rtsp://" not in written and "secret" not in written
    stage.roster.stop()
    assert camera_states.found(folder) is None


def test_where_the_states_cannot_be_written_nothing_breaks_and_nothing_is_left_over(stage: Any) -> None:
    stage.add("rtsp", SOURCE)
    path = stage.store.folder / camera_states.FILE
    stage.roster.leave_states()
    # A name that is a folder's cannot be replaced by a file, whoever asks.
    path.unlink()
    path.mkdir()
    stage.trouble = "The disk is full."
    stage.roster.leave_states()
    assert camera_states.found(stage.store.folder) is None
    assert list(stage.store.folder.glob("*.part")) == []


def test_a_camera_whose_settings_change_is_started_again_with_them(stage: Any) -> None:
    camera_id = stage.add("rtsp", SOURCE)
    started: list[Any] = []
    stage.watched.start = lambda settings, *_of_it: started.append(settings)
    stage.roster.follow_table()
    assert started == []
    camera = cameras.list_cameras(stage.store)[0]
    cameras.change(stage.store, camera, Change(counting_only=True, kind="rtsp", source=SOURCE.replace("secret", "other")), NOON + 1)
    stage.roster.follow_table()
    (settings,) = started
    assert (settings.id, settings.counting_only, settings.source) == (camera_id, True, SOURCE.replace("secret", "other"))
    assert stage.roster.counts_only(camera_id)


def test_pictures_of_faces_that_were_left_out_are_a_line_in_the_log(stage: Any) -> None:
    camera_id = stage.add("rtsp", SOURCE)
    stage.becomes(camera_id, CameraState("watching", width=640, faces_flat=2))
    assert any("event=pictures_of_faces_left_out" in record.getMessage() for record in stage.log.records)
