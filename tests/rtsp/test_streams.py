"""A camera's process before a real RTSP server that is killed, frozen and brought back."""

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from appliance.camera.messages import CameraSettings, Heartbeat, Seen
from appliance.camera.probe import probe
from appliance.camera.supervisor import Supervisor
from appliance.sightings import Phase
from tests.appliance.camera.blobs import DETECTOR, MAKER, Heard, supervised, wait_until
from tests.rtsp import Server, Taken, file_launch, taken_by

BACK_S_MAX = 10.0


def camera(address: str) -> CameraSettings:
    return CameraSettings("cam", "Entrance", "rtsp", address, analysed_fps=5.0, motion_gate=False)


def watching(server: Server, heard: Heard, credentials: str = "") -> Supervisor:
    supervisor = supervised(heard)
    supervisor.start(camera(server.address(credentials)), MAKER)
    wait_until(lambda: len(heard.shots()) >= 3, 20, "frames of a stream that is there")
    return supervisor


def back_after(heard: Heard, when: float) -> float:
    """Seconds until frames flow again (three: not one stale one)."""
    count = len(heard.shots())
    wait_until(lambda: len(heard.shots()) >= count + 3, BACK_S_MAX + 5, "frames again")
    return time.monotonic() - when


@pytest.mark.parametrize("method", ["digest", "basic"])
def test_a_stream_behind_a_password_is_watched(method: str) -> None:
    heard = Heard()
    with Server(user="admin", password="s3c/r@t", method=method) as server:
        supervisor = watching(server, heard, "admin:s3c%2Fr%40t")
        wait_until(lambda: supervisor.state("cam").width > 0, 5, "a heartbeat after the first frame")
        state = supervisor.state("cam")
        supervisor.stop_all()
    assert (state.word, state.width, state.height, state.error) == ("watching", 320, 240, "")
    now_ms = time.time() * 1000
    assert all(now_ms - 60_000 < taken_ms < now_ms for taken_ms in heard.shots())
    assert heard.of(Seen)[-1].sighting.phase is Phase.CLOSED


@pytest.mark.parametrize(
    ("credentials", "path", "words"),
    [
        ("admin:wr0ng", "/shop", "user name or the password is wrong"),
        ("", "/shop", "wants a user name"),
        ("admin:s3cret", "/cellar", "no stream under this path"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(credentials: str, path: str, words: str, capfd: pytest.CaptureFixture[str]) -> None:
    heard = Heard()
    with Server(user="admin", password="s3cret") as server:
        supervisor = supervised(heard)
        supervisor.start(camera(server.address(credentials, path)), MAKER)
        wait_until(lambda: words in supervisor.state("cam").error, 15, words)
        assert supervisor.state("cam").word == "opening" and supervisor.state("cam").restarts == 0
        supervisor.stop_all()
    told = repr(heard.messages) + "".join(capfd.readouterr())
    assert "wr0ng" not in told and "s3cret" not in told


def test_a_server_that_is_killed_and_brought_back_is_watched_again_within_ten_seconds_and_memory_does_not_grow() -> None:
    heard = Heard()
    taken: list[Taken] = []
    with Server() as server:
        supervisor = watching(server, heard)
        process_id = supervisor.state("cam").process_id
        for _ in range(4):
            server.kill()
            wait_until(lambda: supervisor.state("cam").word == "silent", 10, "silence")
            wait_until(lambda: "refuses port" in supervisor.state("cam").error, 6, "the cause")
            if not taken:
                # Its sighting is closed although no frame comes any more.
                wait_until(lambda: heard.of(Seen)[-1].sighting.phase is Phase.CLOSED, 6, "the end of the sighting")
            server.start()
            assert back_after(heard, time.monotonic()) < BACK_S_MAX
            taken.append(taken_by(process_id))
        wait_until(lambda: supervisor.state("cam").error == "", 3, "that it is well again")
        state = supervisor.state("cam")
        supervisor.stop_all()
    assert (state.process_id, state.restarts, state.word) == (process_id, 0, "watching")
    assert taken[-1].memory_mb - taken[0].memory_mb < 6, taken
    assert taken[-1].threads < 20 and taken[-1].files <= taken[0].files, taken


def test_a_server_that_freezes_gives_no_stale_frame_and_is_watched_again_within_ten_seconds() -> None:
    heard = Heard()
    with Server() as server:
        supervisor = watching(server, heard)
        server.signal(signal.SIGSTOP)
        frozen_ms = time.time() * 1000
        wait_until(lambda: supervisor.state("cam").word == "silent", 10, "silence")
        wait_until(lambda: "says nothing" in supervisor.state("cam").error, 8, "the cause")
        # Half a second for what was on its way.
        assert max(heard.shots()) < frozen_ms + 500
        server.signal(signal.SIGCONT)
        assert back_after(heard, time.monotonic()) < BACK_S_MAX
        assert supervisor.state("cam").restarts == 0
        supervisor.stop_all()


OPEN_AND_CLOSE = """
import sys
from tests.rtsp import taken_by
from appliance.camera.messages import CameraSettings
from appliance.camera.sources import SourceTrouble, opened
rss = []
for turn in range(16):
    try:
        source = opened(CameraSettings("cam", "Entrance", "rtsp", sys.argv[1 + turn % 2]), lambda: 1)
        for _ in range(3):
            source.grab(), source.picture()
        source.close()
    except SourceTrouble:
        pass
    rss.append(taken_by().memory_mb)
print(rss[3], rss[-1], taken_by().files)
"""


def test_opening_and_closing_again_and_again_leaks_nothing() -> None:
    with Server() as server:
        command = [sys.executable, "-c", OPEN_AND_CLOSE, server.address(), server.address(path="/cellar")]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    assert float(answer[1]) - float(answer[0]) < 4, answer
    assert int(answer[2]) < 20


def test_a_port_that_accepts_and_says_nothing_is_named_and_stopping_does_not_wait_for_it() -> None:
    heard = Heard()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        supervisor = supervised(heard)
        supervisor.start(camera(f"rtsp://127.0.0.1:{mute.getsockname()[1]}/live"), MAKER)
        wait_until(lambda: "says nothing" in supervisor.state("cam").error, 15, "the cause")
        time.sleep(0.7)  # Into the next attempt.
        began_s = time.monotonic()
        supervisor.stop_all()
        assert time.monotonic() - began_s < 4
    assert {one.state for one in heard.of(Heartbeat)} <= {"starting", "opening", "ended"}


def test_a_server_that_describes_a_stream_and_then_says_nothing_is_given_up_in_time() -> None:
    """It gets past our own check, so that the decoder's time-out is what counts."""
    sdp = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:a\r\n"
    answer = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s" % (len(sdp), sdp)

    def serve(listening: socket.socket) -> None:
        kept = []
        while True:
            try:
                wire, _ = listening.accept()
            except OSError:
                return
            kept.append(wire)
            wire.settimeout(1)
            asked = wire.recv(4096)
            if asked.startswith(b"DESCRIBE"):  # The decoder begins with OPTIONS, and waits.
                wire.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        heard = Heard()
        supervisor = supervised(heard)
        supervisor.start(camera(f"rtsp://127.0.0.1:{listening.getsockname()[1]}/live"), MAKER)
        took_s = wait_until(lambda: "no video that can be decoded" in supervisor.state("cam").error, 20, "the decoder's giving up")
        assert took_s < 12 and supervisor.state("cam").restarts == 0
        supervisor.stop_all()


def test_a_camera_is_tried_out_over_rtsp() -> None:
    with Server() as server:
        found = probe(camera(server.address()), DETECTOR, seconds=2.0)
    assert (found.error, found.width, found.height) == ("", 320, 240)
    assert 10 < found.fps < 20
    assert found.face_widths_px and not found.good_enough


def test_the_scenario_is_served_and_watched(request: pytest.FixtureRequest) -> None:
    from tests.shared import shared

    folder = shared()
    video = folder / "data" / "scenario" / "store_a" / "entrance.mp4" if folder else Path("missing")
    if not video.exists():
        pytest.skip("the shared data has no scenario")
    with Server(file_launch(video)) as server:
        found = probe(camera(server.address()), DETECTOR, seconds=3.0)
    assert (found.error, found.width, found.height) == ("", 1280, 720)
    assert 8 < found.fps < 16
