import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from appliance.camera.messages import CameraSettings
from appliance.camera.reader import PAUSES_S, SIGN_IN_PAUSES_S, pause_s
from appliance.camera.sources import PictureFolder, SourceTrouble, VideoFile, opened, read_picture
from tests.appliance.camera.blobs import file_camera, make_video


def frames_of(path: Path) -> list[float]:
    video = VideoFile(path, hardware=False)
    return list(itertools.takewhile(lambda at_ms: at_ms is not None, iter(video.grab, None)))  # type: ignore[arg-type]


def now_ms() -> int:
    return 1_700_000_000_000


def test_a_video_gives_its_frames_with_their_presentation_times(tmp_path: Path) -> None:
    assert frames_of(make_video(tmp_path / "a.mp4", 25)) == pytest.approx([index * 80 for index in range(25)])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceTrouble, match=r"there is no file .*missing\.mp4"):
        opened(file_camera(tmp_path / "missing.mp4"), now_ms)


@pytest.mark.parametrize("content", [b"", b"no video", bytes(range(256)) * 400])
def test_rubbish_is_not_a_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rubbish.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceTrouble, match="not a video that can be read"):
        opened(file_camera(path), now_ms)


def test_a_video_cut_off_before_its_index_is_not_a_video(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 25)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SourceTrouble, match="not a video"):
        opened(file_camera(path), now_ms)


def test_a_video_cut_off_in_its_pictures_gives_those_and_then_says_so(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "a.avi", 100)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    video = VideoFile(whole, hardware=False)
    count = 0
    with pytest.raises(SourceTrouble, match=r"cut short or damaged: it ended after \d+ of 100 frames"):
        while video.grab() is not None:
            count += 1
    assert 10 < count < 90


def test_a_video_with_garbage_in_its_middle_does_not_crash_the_reader(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi", 100)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(content)
    video = VideoFile(path, hardware=False)
    given = 0
    try:
        while video.grab() is not None:
            picture = video.picture()
            assert picture is None or picture.shape == (240, 320, 3)
            given += 1
    except SourceTrouble as trouble:
        assert "damaged" in str(trouble)
    assert given > 30


def folder_of(tmp_path: Path, **pictures: object) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, content in pictures.items():
        path = folder / name.replace("_", ".")
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            cv2.imwrite(str(path), content)  # type: ignore[call-overload]
    return folder


def grey(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def test_a_folder_passes_over_what_is_no_picture_and_counts_it(tmp_path: Path) -> None:
    whole = cv2.imencode(".jpg", grey(48, 64))[1].tobytes()
    folder = PictureFolder(
        folder_of(tmp_path, a_jpg=whole, b_jpg=b"rubbish", c_jpg=whole[:100], d_png=b"", e_png=grey(1, 1), f_txt=b"x"), 5.0
    )
    given = []
    while (at_ms := folder.grab()) is not None:
        picture = folder.picture()
        assert picture is not None
        given.append((at_ms, picture.shape))
    assert given == [(0.0, (48, 64, 3)), (200.0, (1, 1, 3))]
    assert folder.skipped == 3 and "png" in folder.skipped_why


def test_a_picture_over_100_megapixels_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    # The header of a 12000x9000 picture and nothing behind it: decoding would say "damaged", not its size.
    head = cv2.imencode(".png", grey(8, 8))[1].tobytes()
    import struct
    import zlib

    size = b"IHDR" + struct.pack(">II", 12000, 9000) + head[24:29]
    path.write_bytes(head[:12] + size + struct.pack(">I", zlib.crc32(size)) + head[33:])
    with pytest.raises(SourceTrouble, match=r"huge\.png is 12000x9000, over 100 megapixels"):
        read_picture(path)


def test_a_very_large_picture_is_read_smaller(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, wide_jpg=grey(1200, 9000))
    assert read_picture(folder / "wide.jpg").shape == (300, 2250, 3)


@pytest.mark.parametrize("content", [{}, {"a_txt": b"x"}])
def test_a_folder_without_pictures_says_so(tmp_path: Path, content: dict[str, bytes]) -> None:
    with pytest.raises(SourceTrouble, match="there is no picture in"):
        PictureFolder(folder_of(tmp_path, **content), 5.0)


def test_a_folder_of_rubbish_alone_is_trouble_and_not_an_empty_success(tmp_path: Path) -> None:
    folder = PictureFolder(folder_of(tmp_path, a_jpg=b"x", b_jpg=b"y"), 5.0)
    with pytest.raises(SourceTrouble, match="none of the 2 pictures could be read"):
        folder.grab()


@pytest.mark.parametrize(
    ("kind", "source", "words"),
    [
        ("usb", "63", "there is no USB camera 63"),
        ("usb", "front", "by its number"),
        ("rtsp", "http://x", "begins with rtsp://"),
        ("folder", "/nowhere", "no folder"),
    ],
)
def test_no_such_camera(kind: str, source: str, words: str) -> None:
    with pytest.raises(SourceTrouble, match=words):
        opened(CameraSettings("id", "Entrance", kind, source), now_ms)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "tape"}, "kind"),
        ({"pace": "fast"}, "pace"),
        ({"analysed_fps": 0.0}, "not 0.0"),
        ({"analysed_fps": float("nan")}, "not nan"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        file_camera(Path("a.mp4"), **changes)


def test_a_camera_that_is_back_is_tried_within_seconds_but_a_refused_password_is_not_hammered() -> None:
    assert [pause_s(failures, sign_in=False) for failures in (1, 2, 3, 50)] == [*PAUSES_S, PAUSES_S[-1]]
    assert [pause_s(failures, sign_in=True) for failures in (1, 2, 3, 50)] == [*SIGN_IN_PAUSES_S, SIGN_IN_PAUSES_S[-1]]
