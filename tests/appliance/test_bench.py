"""Every measurement of `regulars bench`, run small on real frames: what it gives must be of a shape and size that can be true."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from appliance.benchmarks import measurements, processes, report
from appliance.benchmarks.cameras import Capacity, quantile
from appliance.benchmarks.footage import NoFootage, blocks, footage
from appliance.benchmarks.frame_rate import measure_frame_rate
from appliance.benchmarks.gallery_search import measure_search
from appliance.benchmarks.measurements import MeasurementFailed, Order, measured_apart
from appliance.benchmarks.memory import measure_memory
from appliance.benchmarks.overhead import measure_overhead
from appliance.benchmarks.shop import usable_pack, weights_in
from appliance.commands import bench
from models.calls import Calls
from models.errors import NotAccepted
from models.pack import load_pack
from models.weights import BUNDLED, Weights
from tests.models.packs import group_photo

PACK = "starter"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds of the group photo, panned to and fro: six faces that move."""
    path = tmp_path_factory.mktemp("footage") / "people.mp4"
    photo = group_photo()
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (640, 480))
    for i in range(80):
        left = int((photo.shape[1] - 640) * (0.5 + 0.5 * np.sin(i / 8)))
        writer.write(np.ascontiguousarray(photo[100:580, left : left + 640]))
    writer.release()
    return path


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    return [str(tmp_path)]


def test_frames_come_in_blocks_at_five_a_second(video: Path) -> None:
    got = list(blocks(video, 25))
    assert [len(block) for block in got] == [20, 5]
    assert [shown.at_ms for block in got for shown in block][:4] == [0, 200, 400, 600]
    assert got[0][0].picture.shape == (480, 640, 3)


def test_a_missing_video_is_said_in_words(tmp_path: Path) -> None:
    assert footage(tmp_path, {"REGULARS_SHARED": str(tmp_path)}) == tmp_path / "demo.mp4"
    assert next(blocks(tmp_path / "demo.mp4", 2))[1].at_ms > 0
    with pytest.raises(NoFootage, match=r"nowhere\.mp4"):
        footage(tmp_path, video=tmp_path / "nowhere.mp4")


def test_kept_calls_are_those_that_the_nets_were_asked_and_can_be_repeated(folders: list[str]) -> None:
    calls = Calls()
    pack = load_pack(PACK, weights_in(folders), around=calls.around)
    pack.embedder.embed(np.zeros((2, 112, 112, 3), np.uint8))
    assert calls.made == []
    calls.keeping = True
    pack.embedder.embed(np.zeros((2, 112, 112, 3), np.uint8))
    pack.detector.detect(np.zeros((96, 128, 3), np.uint8), 128)
    shapes = [next(iter(feed.values())).shape for _, _, feed in calls.made]
    assert shapes == [(2, 112, 112, 3), (1, 96, 128, 3)]
    wall_s, _ = calls.replay()
    assert 0 < wall_s < 10


def test_the_pipeline_takes_longer_than_its_nets_alone(video: Path, folders: list[str], tmp_path: Path) -> None:
    found = measure_overhead(video, PACK, weights_in(folders), tmp_path / "shop", 40)
    assert found.frames == 20, "the first block is for warming up"
    assert found.calls_a_frame > 1, "faces were found, so that more than the detector was asked"
    # Timings of a busy machine: what the ratio may not be is an empty measurement's.
    assert 0.5 < found.pipeline_over_bare < 10
    assert found.pipeline_ms > 0 < found.bare_ms


def test_insightface_s_way_embeds_every_face_of_every_frame(video: Path, folders: list[str]) -> None:
    found = measure_frame_rate(video, PACK, weights_in(folders), 40)
    assert found.insightface_faces_a_frame > 2
    assert found.frames == 40 and 0 <= found.frames_still < 40
    assert min(found.pipeline_fps, found.pipeline_every_frame_fps, found.insightface_fps, found.fps_over_insightface) > 0
    assert "insightface" in found.compared


def test_a_camera_s_frames_are_counted_and_its_faces_logged(video: Path, folders: list[str], tmp_path: Path) -> None:
    # In a process of its own: it confines itself to two cores for good.
    found = msgspec.convert(
        measured_apart(Order("cameras", PACK, folders, str(video), quick=True))["cameras"],
        Capacity,
    )
    (step,) = found.steps
    assert step.cameras == 2
    assert 1 <= found.cores <= 2 or not hasattr(os, "sched_setaffinity")
    assert step.faces_logged > 0, "people move through the picture all the time"
    assert 0.2 <= step.face_to_log_p50_s <= step.face_to_log_p95_s
    assert 0 < step.analysed_share < 1.5
    assert found.cameras_5fps_2cores == (2 if step.held else 0)


def test_a_video_that_cannot_be_played_is_said_in_words(folders: list[str], tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.mp4"
    rubbish.write_bytes(b"no video" * 100)
    with pytest.raises(MeasurementFailed, match=r"'memory' failed: a camera does not come up: .*rubbish\.mp4 is not a video"):
        measured_apart(Order("memory", PACK, folders, str(rubbish), quick=True))


def test_memory_is_that_of_both_processes(video: Path, folders: list[str], tmp_path: Path) -> None:
    found = measure_memory(video, PACK, weights_in(folders), folders, tmp_path / "shop", seconds=2, warm_up_s=0.5, sample_s=0.5)
    assert found.main_mb > 30 and found.camera_mb > 30
    assert found.rss_mb <= found.main_mb + found.camera_mb + 0.2
    assert found.frames_analysed > 0


def test_a_large_gallery_names_whom_exhaustive_search_names() -> None:
    found = measure_search(2_000, 64, 20)
    assert found.templates == 2_000 and found.probes == 20
    assert found.recall == 1.0
    assert 0 < found.ms < 1000
    with pytest.raises(ValueError, match="at least 8 templates"):
        measure_search(4, 64, 20)


def test_a_slope_is_not_led_astray_by_outliers() -> None:
    at_s = [float(i) for i in range(20)]
    values = [100 + 0.5 * t for t in at_s]
    values[3], values[12] = 900.0, 0.0
    assert processes.slope(at_s, values) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="two samples"):
        processes.slope([1.0], [1.0])


def test_memory_that_is_taken_is_seen() -> None:
    before = processes.memory_mb(os.getpid())
    with mmap.mmap(-1, 64 << 20) as taken:
        taken.write(b"x" * (64 << 20))
        after = processes.memory_mb(os.getpid())
    assert 60 < after - before < 200


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="only Linux keeps this book")
def test_processor_time_that_is_spent_is_seen() -> None:
    before, machine_before = processes.processor_s(os.getpid()), processes.machine_busy_s()
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass
    assert processes.processor_s(os.getpid()) - before >= 0.25
    assert processes.machine_busy_s() - machine_before >= 0.2
    assert processes.processor_s(2**22 + 1) == 0.0


@pytest.mark.parametrize(
    ("values", "share", "expected"), [([1.0], 0.95, 1.0), ([float(i) for i in range(1, 101)], 0.95, 95.0), ([], 0.5, 0.0)]
)
def test_a_quantile_is_one_of_the_values(values: list[float], share: float, expected: float) -> None:
    assert quantile(values, share) == expected


def test_the_table_says_which_goals_are_met() -> None:
    said = {row[0]: row for row in report.rows({"pipeline_over_bare": 1.2, "cameras_5fps_2cores": 12, "rss_mb": 250.0})}
    assert said["whole pipeline over its nets alone"][1:] == ("1.2", "at most 1.15", "NO")
    assert said["cameras at 5 fps on two cores"][3] == "yes"
    assert said["memory, main and one camera"][2:] == ("-", "")
    assert len(said) == 3
    assert all(not row[3] for row in report.rows({"pipeline_over_bare": 1.2, "quick": True}))


def test_face_to_log_must_be_under_a_second_not_at_it() -> None:
    goal = next(goal for goal in report.GOALS if goal.key == "face_to_log_p95_s")
    assert goal.met(0.999) and not goal.met(1.0)


def test_a_pack_that_is_not_here_gives_way_to_the_starter_but_terms_must_be_accepted(tmp_path: Path) -> None:
    bare = Weights(tmp_path, (BUNDLED,))
    assert usable_pack(bare, "open") == "starter"
    assert usable_pack(bare, "starter") == "starter"
    with pytest.raises(NotAccepted, match="accurate"):
        usable_pack(bare, "accurate")


def test_the_command_writes_what_it_measured_with_the_machine(tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from appliance.main import cli

    monkeypatch.setenv("REGULARS_DATA__FOLDER", str(tmp_path / "data"))
    out = tmp_path / "build" / "bench.json"
    arguments = ["bench", "--quick", "--only", "overhead", "--pack", PACK, "--video", str(video), "--out", str(out)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    written = msgspec.json.decode(out.read_bytes())
    assert written["pipeline_over_bare"] > 0.5
    assert written["pack"] == PACK and written["quick"] is True
    assert written["machine"].keys() >= {"cpu", "cores", "memory_gb", "os", "python", "onnxruntime", "load_at_start"}
    assert "whole pipeline over its nets alone" in result.output


def test_the_command_offers_every_measurement() -> None:
    # It names them itself, so that its help imports nothing slow.
    assert bench.NAMES == measurements.NAMES == tuple(measurements._MEASUREMENTS)
