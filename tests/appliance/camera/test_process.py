"""The camera's process, for real: started, heard, killed, stopped."""

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from appliance.camera.messages import Boxes, CameraSettings, Ended, Heartbeat, Seen
from appliance.sightings import Phase
from tests.appliance.camera.blobs import MAKER, Heard, file_camera, gone, make_video, supervised, wait_until

READY_S = 15.0
"""A busy machine takes its time to start an interpreter."""


def run_to_end(camera: CameraSettings, maker: str = MAKER) -> Heard:
    heard = Heard()
    supervisor = supervised(heard)
    supervisor.start(camera, maker)
    wait_until(lambda: supervisor.over(camera.id), 30, "the file's end")
    supervisor.stop_all()
    return heard


def test_a_file_is_watched_to_its_end_and_its_sighting_closed(tmp_path: Path) -> None:
    heard = run_to_end(file_camera(make_video(tmp_path / "a.mp4", 100, visible=range(20, 60)), pace="full", start_ms=1_000_000))
    phases = [one.sighting.phase for one in heard.of(Seen)]
    assert phases[0] is Phase.OPENED and phases[-1] is Phase.CLOSED and phases.count(Phase.CLOSED) == 1
    closed = heard.of(Seen)[-1].sighting
    assert 1_000_000 + 20 * 80 <= closed.began_ms <= 1_000_000 + 20 * 80 + 200
    assert 1_000_000 + 60 * 80 - 400 <= closed.ended_ms < 1_000_000 + 60 * 80
    assert heard.messages[-1] == Ended(heard.of(Heartbeat)[-1].last_frame_ms)
    assert heard.of(Heartbeat)[-1].frames_read == 100 and heard.of(Heartbeat)[-1].frames_dropped == 0


def test_the_same_file_gives_the_same_frames_at_both_paces(tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4", 40)
    stories = [run_to_end(file_camera(video, pace=pace, start_ms=5_000_000, motion_gate=False)).shots() for pace in ("own", "full")]
    assert stories[0] == stories[1] and len(stories[0]) == 16


def test_at_its_own_pace_a_slow_analysis_drops_frames_and_at_full_pace_none(tmp_path: Path) -> None:
    video, slow = make_video(tmp_path / "a.mp4", 16), "tests.appliance.camera.blobs:slow_watcher"
    own = run_to_end(file_camera(video, pace="own", motion_gate=False, analysed_fps=12.5), slow)
    full = run_to_end(file_camera(video, pace="full", motion_gate=False, analysed_fps=12.5), slow)
    last = own.of(Heartbeat)[-1]
    assert last.frames_dropped >= 5 and last.frames_analysed + last.frames_dropped == 16
    assert full.of(Heartbeat)[-1].frames_analysed == 16 and full.of(Heartbeat)[-1].frames_dropped == 0


def test_a_looped_file_goes_on_in_time(tmp_path: Path) -> None:
    heard = Heard()
    supervisor = supervised(heard)
    supervisor.start(file_camera(make_video(tmp_path / "a.mp4", 10), loop=True, pace="full", start_ms=1_000, motion_gate=False), MAKER)
    wait_until(lambda: len(heard.shots()) > 30, READY_S, "several rounds")
    supervisor.stop_all()
    times = heard.shots()
    assert times[0] == 1_000 and {later - earlier for earlier, later in itertools.pairwise(times)} <= {160, 240, 200}


def test_a_slow_main_process_loses_nothing_and_kills_nobody(tmp_path: Path) -> None:
    """Each message takes longer than a frame, and all of them together longer than the limit for silence."""
    seen: list[int] = []

    def slowly(_: str, message: object) -> None:
        if isinstance(message, Seen):
            seen.append(message.sighting.shot_count)
            time.sleep(0.05)

    from appliance.camera.life import Limits
    from appliance.camera.supervisor import Supervisor

    supervisor = Supervisor(slowly, Limits(no_frame=1.5))
    camera = file_camera(make_video(tmp_path / "a.mp4", 80), pace="full", motion_gate=False, analysed_fps=12.5)
    supervisor.start(camera, MAKER)
    wait_until(lambda: supervisor.over(camera.id), 30, "the end")
    assert supervisor.state(camera.id).restarts == 0
    assert seen == [*range(1, 81), 80]
    supervisor.stop_all()


def test_a_folder_with_odd_pictures_is_watched_to_its_end(tmp_path: Path) -> None:
    import cv2
    import numpy as np

    for name, size in (("a.png", (1, 1)), ("b.jpg", (48, 64)), ("c.png", (3, 2000))):
        cv2.imwrite(str(tmp_path / name), np.full((*size, 3), 255, np.uint8))
    (tmp_path / "d.jpg").write_bytes(b"rubbish")
    heard = run_to_end(CameraSettings("cam", "Entrance", "folder", str(tmp_path), pace="full"))
    assert len(heard.shots()) == 3
    assert heard.of(Heartbeat)[-1].pictures_skipped == 1 and "d.jpg" in heard.of(Heartbeat)[-1].error


@pytest.mark.parametrize("content", [None, b"rubbish" * 1000])
def test_a_file_that_cannot_be_played_ends_with_the_reason(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.mp4"
    if content:
        path.write_bytes(content)
    heard = run_to_end(file_camera(path))
    assert "a.mp4" in heard.of(Ended)[0].error


def test_who_looks_gets_boxes_and_pictures_and_nobody_else_does(tmp_path: Path) -> None:
    heard = Heard()
    supervisor = supervised(heard)
    camera = file_camera(make_video(tmp_path / "a.mp4", 125, size=(1280, 720)), loop=True)
    supervisor.start(camera, MAKER)
    wait_until(lambda: heard.shots(), READY_S, "frames")
    assert not heard.of(Boxes)
    supervisor.look(camera.id, 1.5)
    wait_until(lambda: sum(bool(one.jpeg) for one in heard.of(Boxes)) >= 3, 5, "pictures")
    time.sleep(1.7)
    count = len(heard.of(Boxes))
    time.sleep(0.6)
    supervisor.stop_all()
    assert len(heard.of(Boxes)) == count <= 10
    import cv2
    import numpy as np

    picture = cv2.imdecode(np.frombuffer(heard.of(Boxes)[0].jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and picture.shape == (540, 960, 3)
    assert heard.of(Boxes)[0].boxes[0].sighting_id == "cam-1"


def test_a_killed_camera_process_is_started_again_and_what_it_said_is_kept(tmp_path: Path) -> None:
    heard = Heard()
    supervisor = supervised(heard, pause_first=0.2)
    camera = file_camera(make_video(tmp_path / "a.mp4", 125), loop=True)
    supervisor.start(camera, MAKER)
    wait_until(lambda: heard.shots(), READY_S, "frames")
    first = supervisor.state(camera.id).process_id
    os.kill(first, signal.SIGKILL)
    count = len(heard.shots())
    wait_until(lambda: len(heard.shots()) > count + 3, READY_S, "frames again")
    state = supervisor.state(camera.id)
    assert state.restarts == 1 and state.process_id not in (0, first) and gone(first) and state.word == "watching"
    supervisor.stop_all()
    assert gone(state.process_id) and supervisor.state(camera.id).word == "stopped"


@pytest.mark.parametrize(("maker", "words"), [("dying_watcher", "signal 6"), ("hanging_watcher", "got no frame done")])
def test_native_code_that_dies_or_hangs_costs_a_restart(tmp_path: Path, maker: str, words: str) -> None:
    heard = Heard()
    supervisor = supervised(heard, no_frame=2.5, pause_first=0.1)
    camera = file_camera(make_video(tmp_path / "a.mp4", 125), loop=True)
    supervisor.start(camera, f"tests.appliance.camera.blobs:{maker}")
    wait_until(lambda: supervisor.state(camera.id).restarts >= 1, READY_S, "a restart")
    assert words in supervisor.state(camera.id).error
    supervisor.stop_all()


def test_a_frozen_process_is_killed_and_started_again(tmp_path: Path) -> None:
    heard = Heard()
    supervisor = supervised(heard, no_frame=2.0, pause_first=0.1)
    camera = file_camera(make_video(tmp_path / "a.mp4", 125), loop=True)
    supervisor.start(camera, MAKER)
    wait_until(lambda: heard.shots(), READY_S, "frames")
    first = supervisor.state(camera.id).process_id
    os.kill(first, signal.SIGSTOP)
    wait_until(lambda: supervisor.state(camera.id).process_id not in (0, first), READY_S, "another process")
    assert gone(first) and "no sign of life" in supervisor.state(camera.id).error
    supervisor.stop_all()


def test_a_watcher_that_cannot_be_made_says_why_without_the_password() -> None:
    heard = Heard()
    supervisor = supervised(heard)
    camera = CameraSettings("cam", "Entrance", "rtsp", "rtsp://admin:s3cret@127.0.0.1:1/x")
    supervisor.start(camera, "tests.appliance.camera.blobs:raising_watcher")
    wait_until(lambda: "no weights" in supervisor.state(camera.id).error, READY_S, "the reason")
    assert "s3cret" not in supervisor.state(camera.id).error
    supervisor.stop_all()


def test_a_file_whose_process_dies_is_given_up_and_its_end_told(tmp_path: Path) -> None:
    heard = run_to_end(file_camera(make_video(tmp_path / "a.mp4", 50), pace="full"), "tests.appliance.camera.blobs:dying_watcher")
    assert "signal 6" in heard.of(Ended)[0].error


def test_stopping_closes_open_sightings_and_takes_little_time_at_any_moment(tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4", 125)
    heard = Heard()
    supervisor = supervised(heard)
    supervisor.start(file_camera(video, loop=True), MAKER)
    wait_until(lambda: heard.shots(), READY_S, "frames")
    for index in range(3):  # These are stopped before they are ready.
        supervisor.start(file_camera(video, id=f"late-{index}", loop=True), MAKER)
    began_s = time.monotonic()
    running = [supervisor.state(one).process_id for one in ("cam", "late-0", "late-1", "late-2")]
    supervisor.stop_all()
    assert time.monotonic() - began_s < 5
    assert all(gone(one) for one in running if one)
    assert heard.of(Seen)[-1].sighting.phase is Phase.CLOSED


MAIN = """
import sys, time
from appliance.camera.supervisor import Supervisor
from tests.appliance.camera.blobs import MAKER, file_camera
from pathlib import Path
def say(camera_id, message):
    print(supervisor.state(camera_id).process_id, type(message).__name__, flush=True)
supervisor = Supervisor(say)
supervisor.start(file_camera(Path(sys.argv[1]), loop=True), MAKER)
time.sleep(60)
"""


def test_when_the_main_process_is_killed_its_cameras_end_and_no_secret_was_on_a_command_line(tmp_path: Path) -> None:
    video = make_video(tmp_path / "hidden-name.mp4", 125)
    main = subprocess.Popen(
        [sys.executable, "-c", MAIN, str(video)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert main.stdout
        camera = next(int(line.split()[0]) for line in main.stdout if "Seen" in line)
        command = subprocess.run(["ps", "-o", "args=", "-p", str(camera)], capture_output=True, text=True, check=True).stdout
        assert "appliance.camera.process" in command and "hidden-name" not in command
    finally:
        main.kill()
        main.wait(5)
    wait_until(lambda: gone(camera), 5, "the camera's process to end")
