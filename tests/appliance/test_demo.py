"""`regulars demo` as a newcomer and as a script meet it, with nothing beside the checkout."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import cv2
import httpx
import pytest

from appliance import lock
from appliance.demo import PREFIX, choose_scene, pulled, sweep
from appliance.demo_feed import FPS, ROUNDS, VIEW, group_photo, write_feed
from models.errors import PullError
from models.weights import Weights
from tests.appliance.stages import environment, free_port, processes_of, started, until


def alone(folder: Path, port: int) -> dict[str, str]:
    """Without shared data; what is temporary goes into a folder of the test's own, so that it can be seen to go again."""
    for name in ("nothing", "temporary"):
        (folder / name).mkdir()
    return environment(folder / "data", port, REGULARS_SHARED=str(folder / "nothing"), TMPDIR=str(folder / "temporary"))


def test_it_logs_people_as_new_and_as_returning_prints_one_document_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        demo = started(alone(tmp_path, port), "demo", "--seconds", "24", "--json", "--pack", "starter")
        said, words = demo.communicate(timeout=60)
    assert demo.returncode == 0, words
    logged = json.loads(said)
    assert logged["pack"] == "starter" and logged["camera"].startswith("people of a group photo")
    assert not logged["address"].endswith(f":{port}"), "the port was taken"
    # Six people walk past twice; the weak models may miss one who looks down.
    assert 4 <= logged["counts"]["new"] <= 7
    assert logged["counts"]["returning"] >= 3
    assert len(logged["visits"]) == sum(logged["counts"].values())
    assert {visit["verdict"] for visit in logged["visits"]} >= {"new", "returning"}
    assert logged["seconds"] < 30
    assert list((tmp_path / "temporary").iterdir()) == [] and not (tmp_path / "data").exists()
    assert processes_of(demo.pid) == []


def test_visits_are_listed_as_they_come_the_page_shows_them_and_control_c_ends_all(tmp_path: Path) -> None:
    port = free_port()
    demo = started(alone(tmp_path, port), "demo", "--pack", "starter")
    assert demo.stdout is not None
    try:
        for line in demo.stdout:
            if "Visitor 1" in line:
                break
        page = httpx.get(f"http://127.0.0.1:{port}/", timeout=5).text
        assert "Visitor" in page and "Entrance" in page
        demo.send_signal(signal.SIGINT)
        asked = time.monotonic()
        rest, _ = demo.communicate(timeout=10)
        assert time.monotonic() - asked < 5
        assert demo.returncode == 0 and "told apart" in rest
        until(lambda: not processes_of(demo.pid), "the end of every process", 2)
        assert list((tmp_path / "temporary").iterdir()) == []
    finally:
        for process in processes_of(demo.pid):
            os.kill(process, signal.SIGKILL)
        subprocess.Popen.wait(demo, 10)


def test_the_feed_shows_bare_walls_at_its_seam_and_everybody_in_between(tmp_path: Path) -> None:
    film = tmp_path / "feed.mp4"
    round_s = write_feed(group_photo(), film)
    capture = cv2.VideoCapture(str(film))
    try:
        assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == pytest.approx(round_s * FPS * len(ROUNDS), abs=1)
        assert (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) == VIEW
        _, first = capture.read()
        capture.set(cv2.CAP_PROP_POS_FRAMES, round(round_s * FPS / 2))
        _, middle = capture.read()
    finally:
        capture.release()
    sharp_first, sharp_middle = (cv2.Laplacian(cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var() for p in (first, middle))
    assert sharp_first < sharp_middle / 10


def test_without_shared_data_the_scene_is_made_on_the_spot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_SHARED", str(tmp_path / "nowhere"))
    said: list[str] = []
    scene = choose_scene(tmp_path, said.append)
    assert scene.video.is_file() and scene.enrol is None and 3 < scene.gap_s < 10
    assert len(said) == 1


def test_models_that_nobody_sends_are_given_up_within_seconds(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        weights = Weights(tmp_path / "models", (), f"http://127.0.0.1:{silent.getsockname()[1]}")
        manifest = weights.manifest()
        began = time.monotonic()
        with pytest.raises(PullError):
            pulled(weights, [manifest.detector(manifest.pack("open"))], lambda _words: None)
        assert time.monotonic() - began < 10


def test_what_a_killed_demo_left_is_removed_and_a_running_ones_is_not(tmp_path: Path) -> None:
    left, running, young = (tmp_path / f"{PREFIX}{name}" for name in ("left", "running", "young"))
    for folder in (left, running, young):
        folder.mkdir()
    held = lock.take(running, 1)
    now_s = time.time()
    for folder in (left, running):
        os.utime(folder, (now_s - 1_000, now_s - 1_000))
    sweep(tmp_path, now_s)
    assert [folder.exists() for folder in (left, running, young)] == [False, True, True]
    held.release()
