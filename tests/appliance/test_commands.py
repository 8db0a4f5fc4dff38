"""The command line as a store's IT person meets it: help at once, words instead of traces, exit codes, nothing secret on the screen."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest
from click.testing import CliRunner, Result

from appliance.commands.camera import kind_and_source, looks_like_a_source, save
from appliance.commands.status import address_of
from appliance.config import Web
from appliance.main import cli
from ui.command_table import CommandTable, Place
from ui.terminal import how_large, how_long, when

HELP_S_MAX = 0.5
SLOW = {
    "numpy",
    "cv2",
    "faiss",
    "onnxruntime",
    "insightface",
    "litestar",
    "sqlite_utils",
    "cryptography",
    "httpx",
    "uvicorn",
    "apscheduler",
}
NOON = 1_795_348_800_000
"""2026-11-22 12:00 UTC."""


def ran(*arguments: str, folder: Path | None = None, stdin: str = "") -> Result:
    environ = {"REGULARS_DATA__FOLDER": str(folder)} if folder else {}
    return CliRunner().invoke(cli, arguments, env=environ, input=stdin)


def timed(*arguments: str) -> tuple[float, str]:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "appliance.main", *arguments], capture_output=True, text=True, check=True, timeout=30)
    return time.perf_counter() - began, done.stdout


def test_help_answers_in_half_a_second_and_names_every_command() -> None:
    # The best of three: the question is what the command needs, not what else the machine is doing.
    seconds, words = min(timed("--help") for _ in range(3))
    assert seconds < HELP_S_MAX
    for name in ("demo", "run", "camera", "visits", "people", "status", "models", "backup", "evaluate", "bench"):
        assert f"\n  {name} " in words


@pytest.mark.parametrize(
    "arguments", [["--help"], ["camera", "--help"], ["camera", "add", "--help"], ["visits", "--help"], ["status", "--help"]]
)
def test_help_imports_nothing_slow(arguments: list[str]) -> None:
    program = f"import sys; from appliance.main import cli; cli({arguments!r}, standalone_mode=False); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert not SLOW & set(done.stderr.split())


def test_an_unknown_command_is_wrong_usage_and_a_near_name_is_offered() -> None:
    result = ran("visit")
    assert result.exit_code == 2
    assert "Did you mean 'visits'?" in result.output
    assert "'regulars --help' lists them" in ran("xyzzy").output


def test_the_version_is_the_installed_one() -> None:
    from importlib import metadata

    try:
        installed = metadata.version("regulars")
    except metadata.PackageNotFoundError:
        assert "make setup" in ran("--version").output
    else:
        assert ran("--version").output == f"regulars {installed}\n"


def test_an_error_of_ours_is_one_sentence_and_a_defect_keeps_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGULARS_DEBUG", raising=False)
    table = {"ours": Place("tests.appliance.failing", "ours", ""), "defect": Place("tests.appliance.failing", "defect", "")}
    group = CommandTable("regulars", places=table)
    ours = CliRunner().invoke(group, ["ours"])
    assert (ours.exit_code, ours.stderr) == (1, "Error: The disk of this store is full. Make space.\n")
    assert isinstance(CliRunner().invoke(group, ["defect"]).exception, ZeroDivisionError)
    in_debug = CliRunner().invoke(group, ["ours"], env={"REGULARS_DEBUG": "1"})
    assert type(in_debug.exception).__module__ == "appliance.failing"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (4_249_000, "4.2 MB"),
        (118_400_000_000, "118 GB"),
        (999_950, "1.0 MB"),
        (2 * 10**15, "2000 TB"),
    ],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert how_large(size) == words


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(-5, "0 s"), (7_600, "8 s"), (60_000, "1 min"), (250_000, "4 min 10 s"), (7_500_000, "2 h 5 min"), (172_800_000, "2 days")],
)
def test_durations_in_words(milliseconds: int, words: str) -> None:
    assert how_long(milliseconds) == words


def test_times_are_the_stores_own_and_say_the_day_when_it_is_not_today() -> None:
    saigon = ZoneInfo("Asia/Ho_Chi_Minh")
    assert when(NOON, saigon, NOON + 1000) == "19:00:00"
    assert when(NOON, saigon, NOON + 6 * 3_600_000) == "2026-11-22 19:00"  # 01:00 of the next day there, still the same day in UTC
    assert when(None, saigon, NOON) == "-"


def test_a_source_tells_what_kind_of_camera_it_is(tmp_path: Path) -> None:
    video = tmp_path / "a walk.mp4"
    video.write_bytes(b"")
    assert kind_and_source("rtsp://u:p@cam/1", False) == ("rtsp", "rtsp://u:p@cam/1")
    assert kind_and_source("usb:1", False) == ("usb", "1")
    assert kind_and_source(str(video), False) == ("file", str(video))
    assert kind_and_source(str(tmp_path), False) == ("folder", str(tmp_path))
    for wrong in ("http://cam/1", "usb:first", str(tmp_path / "gone.mp4"), ""):
        with pytest.raises(click.UsageError):
            kind_and_source(wrong, False)


def test_a_name_is_no_source(tmp_path: Path) -> None:
    assert looks_like_a_source("rtsp://cam/1")
    assert looks_like_a_source("usb:0")
    assert looks_like_a_source(str(tmp_path))
    assert not looks_like_a_source("Entrance")


def test_a_picture_that_cannot_be_saved_is_a_sentence_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="--picture"):
        save(tmp_path / "no such folder" / "a.jpg", b"jpeg")
    save(tmp_path / "a.jpg", b"jpeg")
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with its key in a file, also on a Mac: a test leaves nothing in somebody's keychain."""
    from appliance import data_key, database

    folder = tmp_path / "a store"
    folder.mkdir()
    database.open_store(folder, NOON, checkpoint=False, keeper=data_key.KeyFile(folder)).close()
    return folder


def test_a_camera_is_added_listed_and_removed_and_its_password_is_never_shown(data: Path) -> None:
    address = "rtsp://admin@192.168.1.20:554/stream"
    added = ran("camera", "add", "Front door", address, "--ask-password", folder=data, stdin="s3cr@t/word\n")
    assert added.exit_code == 0, added.output
    assert "regulars camera test 'Front door'" in added.output
    listed = ran("camera", "list", folder=data)
    (in_json,) = json.loads(ran("camera", "list", "--json", folder=data).output)
    assert (in_json["name"], in_json["kind"], in_json["enabled"]) == ("Front door", "rtsp", True)
    assert "192.168.1.20" in in_json["source"]
    for output in (added.output, listed.output, json.dumps(in_json)):
        assert "s3cr" not in output
    for file in data.rglob("*"):
        assert not file.is_file() or b"s3cr" not in file.read_bytes(), f"{file.name} holds the password"
    assert ran("camera", "remove", "Front door", folder=data).exit_code == 0
    assert "No cameras yet" in ran("camera", "list", folder=data).output


def test_a_cameras_settings_are_changed_by_name_and_what_is_not_named_stays(data: Path) -> None:
    ran("camera", "add", "Front", "usb:0", "--fps", "4", "--liveness", "--ignore", "0,0 0.5,0 0.5,1", folder=data)
    changed = ran("camera", "set", "front", "--name", "Door", "--off", "--count-only", "--no-liveness", folder=data)
    assert changed.exit_code == 0, changed.output
    (camera,) = json.loads(ran("camera", "list", "--json", folder=data).output)
    said = {key: camera[key] for key in ("name", "enabled", "fps", "liveness", "count_only", "ignored")}
    zone = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0]]
    assert said == {"name": "Door", "enabled": False, "fps": 4.0, "liveness": False, "count_only": True, "ignored": [zone]}
    ran("camera", "set", "Door", "--ignore-nothing", "--on", folder=data)
    (camera,) = json.loads(ran("camera", "list", "--json", folder=data).output)
    assert (camera["ignored"], camera["enabled"], camera["count_only"]) == ([], True, True)
    for wrong, words in (([], "nothing to change"), (["--ignore", "a,b"], "is no zone"), (["--ignore", "0,0 1,1"], "2 corners")):
        refused = ran("camera", "set", "Door", *wrong, folder=data)
        assert refused.exit_code == 2 and words in refused.output


def test_the_password_reaches_the_camera_as_it_was_typed(data: Path) -> None:
    from appliance import cameras
    from appliance.database import read_store

    ran("camera", "add", "Front", "rtsp://admin@cam.local/1", "--ask-password", folder=data, stdin="s3cr@t/word\n")
    store = read_store(data)
    assert cameras.settings_of(store, cameras.named(store, "Front")).source == "rtsp://admin:s3cr%40t%2Fword@cam.local/1"
    store.close()


def test_a_camera_may_be_added_while_the_appliance_runs_and_is_seen_by_it(data: Path) -> None:
    from appliance import cameras
    from appliance.database import open_store

    running = open_store(data, NOON)
    try:
        assert ran("camera", "add", "Front", "usb:0", folder=data).exit_code == 0
        assert [camera.name for camera in cameras.list_cameras(running)] == ["Front"]
    finally:
        running.close()


def test_what_cannot_be_done_with_a_camera_is_said_in_a_sentence(data: Path) -> None:
    ran("camera", "add", "Front", "usb:0", folder=data)
    twice = ran("camera", "add", "front", "usb:1", folder=data)
    gone = ran("camera", "remove", "Back", folder=data)
    for result in (twice, gone):
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: ")
        assert "Traceback" not in result.output
    assert "Front" in gone.stderr
    assert 'a camera "Front" already' in twice.stderr
    live = ran("camera", "add", "Live", "usb:0", "--loop", folder=data)
    assert live.exit_code == 1 and "--loop" in live.stderr
    same = ran("camera", "add", "Back", "usb:0", folder=data)
    assert same.exit_code == 1 and 'The camera "Front" is at this address already' in same.stderr and "--same-address" in same.stderr
    meant = [["add", "Back", "usb:0", "--same-address"], ["set", "Back", "--off"], ["set", "Back", "--on", "--same-address"]]
    assert [ran("camera", *each, folder=data).exit_code for each in meant] == [0, 0, 0]
    odd = ran("camera", "add", "a\x1b[2Jb", "usb:0", folder=data)
    assert odd.exit_code == 1 and "\x1b" not in odd.stderr and "a\\x1b[2Jb" in odd.stderr


def test_a_wrong_setting_stops_a_command_with_a_sentence(data: Path) -> None:
    wrong = data / "wrong.toml"
    wrong.write_text("[web]\nport = 'eighty'\n")
    result = ran("--config", str(wrong), "camera", "list", folder=data)
    assert result.exit_code == 1
    assert "web.port" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="run as root: no folder is closed to it")
def test_a_data_folder_that_is_closed_to_us_is_a_sentence(data: Path) -> None:
    data.chmod(0)
    try:
        result = ran("camera", "list", folder=data)
    finally:
        data.chmod(0o700)
    assert (result.exit_code, result.stderr.startswith("Error: ")) == (1, True)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["visits"], "No visits yet.\n"),
        (["people"], "Nobody yet.\n"),
        (["camera", "list"], "No cameras yet. Add one with: regulars camera add"),
    ],
)
def test_without_data_there_is_nothing_and_that_is_no_error(command: list[str], words: str, tmp_path: Path) -> None:
    result = ran(*command, folder=tmp_path / "nothing here")
    assert (result.exit_code, result.stderr) == (0, "") and result.stdout.startswith(words)
    in_json = ran(*command, "--json", folder=tmp_path / "nothing here")
    assert (in_json.exit_code, in_json.output) == (0, "[]\n")
    assert not (tmp_path / "nothing here").exists(), "asking must not make a data folder"


def test_a_database_that_is_gone_is_not_taken_for_an_empty_store(data: Path) -> None:
    (data / "regulars.db").unlink()
    result = ran("visits", folder=data)
    assert result.exit_code == 1 and "regulars run" in result.stderr


@pytest.mark.parametrize("command", [["visits"], ["camera", "list"], ["camera", "add", "Front", "usb:0"]])
def test_a_data_folder_that_is_a_file_is_called_one(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        result = ran(*command, folder=folder)
        assert result.exit_code == 1 and f"{tmp_path / 'file'} is a file, not a folder" in result.stderr


@pytest.mark.parametrize("fresh", [True, False])
def test_a_name_that_is_no_camera_is_not_tried_and_the_sources_are_listed(fresh: bool, data: Path, tmp_path: Path) -> None:
    result = ran("camera", "test", "Entrence", folder=tmp_path / "nothing here" if fresh else data)
    assert result.exit_code == 1 and 'There is no camera "Entrence"' in result.stderr
    assert "rtsp://user@192.168.1.20:554/stream" in result.stderr and "usb:0" in result.stderr and "\b" not in result.stderr


@pytest.mark.parametrize("command", [["visits"], ["people", "--json"], ["status"]])
def test_a_database_damaged_in_the_middle_is_a_sentence(command: list[str], data: Path) -> None:
    path = data / "regulars.db"
    db = sqlite3.connect(path)
    (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
    pages = db.execute("SELECT rootpage FROM sqlite_schema WHERE tbl_name IN ('visits', 'persons') AND rootpage > 0").fetchall()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    with path.open("r+b") as file:
        for (page,) in pages:
            file.seek((page - 1) * page_bytes)
            file.write(b"\xee" * page_bytes)
    result = ran(*command, folder=data)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: The database in the data folder is damaged.") and "regulars run" in result.stderr


def test_a_pipe_that_nobody_reads_on_is_no_failure(data: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "appliance.main", "visits"],
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**os.environ, "REGULARS_DATA__FOLDER": str(data)},
        timeout=30,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_empty_store_is_told_of_in_words_and_in_json(data: Path) -> None:
    assert ran("visits", folder=data).output == "No visits yet.\n"
    assert ran("visits", "--json", folder=data).output == "[]\n"
    assert ran("people", folder=data).output == "Nobody yet.\n"
    status = json.loads(ran("status", "--json", folder=data).output)
    assert (status["running"], status["cameras"], status["last_visit_ms"]) == (False, [], None)
    assert "not running" in ran("status", folder=data).output


def test_status_says_how_each_camera_does_and_what_keeps_visits_from_being_written(data: Path) -> None:
    from appliance import camera_states
    from appliance.database import open_store
    from appliance.web.cameras import CameraLine

    (data / "entrance.mp4").write_text("no video")
    for name in ("Door", "Yard"):
        assert ran("camera", "add", name, str(data / "entrance.mp4"), "--same-address", folder=data).exit_code == 0

    def cameras() -> list[dict[str, object]]:
        return list(json.loads(ran("status", "--json", folder=data).output)["cameras"])

    ids = {str(camera["name"]): str(camera["id"]) for camera in cameras()}
    door = CameraLine(ids["Door"], "Door", "watching", NOON, 4.8, restarts=1, error="it was silent")
    yard = CameraLine(ids["Yard"], "Yard", "failed", NOON, error="entrance.mp4 is not a video")
    now_ms = time.time_ns() // 1_000_000
    camera_states.leave(data, camera_states.CameraStates(now_ms, "The disk is full.", [door, yard]))
    assert [camera["words"] for camera in cameras()] == ["not running; state unknown"] * 2, "left by one that was killed"
    running = open_store(data, NOON)
    try:
        said = ran("status", folder=data).output
        assert "Door: watching, 4.8 pictures a second, nothing dropped, 1 restart today; last error: it was silent\n" in said
        assert "Yard: cannot be opened: entrance.mp4 is not a video\n" in said
        assert "The disk is full." in said
        first = cameras()[0]
        assert (first["state"], first["analysed_fps"], first["restarts"], first["error"]) == ("watching", 4.8, 1, "it was silent")
        camera_states.leave(data, camera_states.CameraStates(now_ms - 40_000, "The disk is full.", [door]))
        said = ran("status", folder=data).output
        assert "Door: nothing said of it for 4" in said and "Yard: nothing said of it yet; state unknown" in said
        assert {camera["state"] for camera in cameras()} == {"unknown"}
        assert "The disk is full." not in said
    finally:
        running.close()


def test_status_says_that_records_are_kept_for_headquarters_which_is_not_connected(data: Path) -> None:
    (data / "entrance.mp4").write_text("no video")
    assert "Headquarters   not connected; no records kept for it" in ran("status", folder=data).output
    ran("camera", "add", "Door", str(data / "entrance.mp4"), folder=data)
    assert "Headquarters   not connected; 1 record kept for it" in ran("status", folder=data).output


def test_status_sees_a_running_appliance(data: Path) -> None:
    from appliance.database import open_store

    running = open_store(data, NOON)
    try:
        assert json.loads(ran("status", "--json", folder=data).output)["running"] is True
    finally:
        running.close()


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8477/"),
        ("0.0.0.0", "https://127.0.0.1:8477/"),
        ("192.168.1.5", "https://192.168.1.5:8477/"),
    ],
)
def test_status_names_the_page_as_it_is_opened_on_this_computer(host: str, address: str) -> None:
    assert address_of(Web(host=host)) == address
