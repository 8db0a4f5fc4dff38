"""Cameras in the database: what is accepted, and that no password is stored or shown in the clear."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from appliance import cameras
from appliance.camera.address import device
from appliance.cameras import Change, NewCamera
from appliance.errors import CameraError, SameAddress
from sync import outbox
from tests.appliance.stores import NOON, a_store

ADDRESS = "rtsp://admin:s3cret@192.168.1.20:554/stream1"


def test_a_camera_is_kept_with_its_password_sealed(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    camera_id = cameras.add(store, NewCamera(" Entrance ", "rtsp", ADDRESS, analysed_fps=4), NOON)
    (camera,) = cameras.list_cameras(store)
    assert (camera.id, camera.name, camera.source_shown) == (camera_id, "Entrance", "rtsp://…@192.168.1.20:554/stream1")
    settings = cameras.settings_of(store, camera)
    assert (settings.source, settings.analysed_fps, settings.motion_gate, settings.loop) == (ADDRESS, 4, True, False)
    (entry,) = outbox.pending(store.db.conn, store.vault.unseal)
    assert b"s3cret" not in entry.payload
    store.close()
    assert not any(b"s3cret" in path.read_bytes() for path in tmp_path.glob("regulars.db*"))


def test_cameras_are_switched_off_and_removed_by_name(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    cameras.add(store, NewCamera("Entrance", "usb", "0"), NOON)
    camera = cameras.list_cameras(store)[0]
    cameras.set_enabled(store, "entrance", False, NOON)
    assert cameras.named(store, "Entrance").enabled is False
    cameras.remove(store, "ENTRANCE", NOON)
    assert cameras.list_cameras(store) == []
    with pytest.raises(CameraError, match=r'no camera "Entrance". There are: none yet'):
        cameras.remove(store, "Entrance", NOON)
    with pytest.raises(CameraError, match="was removed"):
        cameras.settings_of(store, camera)
    assert [e.kind for e in outbox.pending(store.db.conn, store.vault.unseal)] == ["camera", "camera", "camera_gone"]


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (NewCamera("entrance", "usb", "1"), 'a camera "Entrance" already'),
        (NewCamera("", "usb", "1"), "1 to 60 printable characters"),
        (NewCamera("a\nb", "usb", "1"), "printable"),
        (NewCamera("a\x1b[2Jb", "usb", "1"), r'not "a\x1b[2Jb"'),
        (NewCamera("x", "usb", "1", loop=True), "leave --loop away"),
        (NewCamera("x", "webcam", "1"), "one of rtsp, usb, file, folder"),
        (NewCamera("x", "rtsp", "192.168.1.20"), "no RTSP address"),
        (NewCamera("x", "rtsp", "http://user:s3cret@host/"), "no RTSP address"),
        (NewCamera("x", "rtsp", "rtsp://user:s3cret@/stream"), "no RTSP address"),
        (NewCamera("x", "rtsp", "rtsp://user:s3cret@host:99999/"), "no RTSP address"),
        (NewCamera("x", "rtsp", "rtsp://user:s3cret@[::1/"), "no RTSP address"),
        (NewCamera("x", "usb", "-1"), "no USB camera"),
        (NewCamera("x", "usb", "²"), "no USB camera"),
        (NewCamera("x", "file", "/nothing/here.mp4"), "no video file /nothing/here.mp4"),
        (NewCamera("x", "folder", "/nothing"), "no folder /nothing"),
        (NewCamera("x", "usb", "1", analysed_fps=0), "choose 0.5 to 30"),
        (NewCamera("x", "usb", "1", analysed_fps=float("nan")), "choose 0.5 to 30"),
        (NewCamera("x", "usb", "1", detector_side_px=10), "choose 160 to 1920"),
        (NewCamera("x", "usb", "1", pace="fast"), '"own"'),
    ],
)
def test_what_cannot_be_a_camera_is_refused_without_showing_a_password(tmp_path: Path, new: NewCamera, said: str) -> None:
    store = a_store(tmp_path)
    cameras.add(store, NewCamera("Entrance", "usb", "0"), NOON)
    with pytest.raises(CameraError) as caught:
        cameras.add(store, new, NOON)
    assert said in str(caught.value) and "s3cret" not in str(caught.value)
    assert len(cameras.list_cameras(store)) == 1


def test_what_is_changed_is_another_and_the_rest_stays(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    cameras.add(store, NewCamera("Entrance", "rtsp", ADDRESS, analysed_fps=4), NOON)
    before = cameras.named(store, "Entrance")
    zone = ((0.1, 0.1), (0.4, 0.1), (0.4, 0.6))
    after = cameras.change(store, before, Change(name="Front", liveness=True, counting_only=True, ignored=(zone,)), NOON + 1)
    assert after == replace(before, name="Front", liveness=True, counting_only=True, ignored=(zone,), changed_ms=NOON + 1)
    assert cameras.list_cameras(store) == [after]
    settings = cameras.settings_of(store, after)
    assert (settings.source, settings.liveness, settings.counting_only, settings.ignored) == (ADDRESS, True, True, (zone,))


def test_a_new_password_makes_another_camera_of_it_for_who_watches_though_nothing_shown_changes(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    cameras.add(store, NewCamera("Entrance", "rtsp", ADDRESS), NOON)
    before = cameras.named(store, "Entrance")
    after = cameras.change(store, before, Change(kind="rtsp", source=ADDRESS.replace("s3cret", "an0ther")), NOON + 1)
    assert after.source_shown == before.source_shown and after != before
    assert "an0ther" in cameras.settings_of(store, after).source


def test_a_file_that_is_looped_becomes_a_live_camera_that_is_not(tmp_path: Path) -> None:
    store = a_store(tmp_path / "data")
    (tmp_path / "a.mp4").write_bytes(b"")
    cameras.add(store, NewCamera("Entrance", "file", str(tmp_path / "a.mp4"), loop=True, pace="full"), NOON)
    after = cameras.change(store, cameras.named(store, "Entrance"), Change(kind="usb", source="1"), NOON)
    assert (after.kind, after.source_shown, after.loop, after.pace) == ("usb", "1", False, "own")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Change(name="back"), 'a camera "Back" already'),
        (Change(name=" "), "1 to 60"),
        (Change(analysed_fps=90.0), "choose 0.5 to 30"),
        (Change(ignored=(((0.0, 0.0), (1.0, 1.0)),)), "2 corners"),
        (Change(kind="rtsp", source="http://x:s3cret@y/"), "no RTSP address"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(tmp_path: Path, wanted: Change, said: str) -> None:
    store = a_store(tmp_path)
    for index, name in enumerate(("Entrance", "Back")):
        cameras.add(store, NewCamera(name, "usb", str(index)), NOON)
    before = cameras.list_cameras(store)
    with pytest.raises(CameraError) as caught:
        cameras.change(store, cameras.named(store, "Entrance"), wanted, NOON + 1)
    assert said in str(caught.value) and "s3cret" not in str(caught.value)
    assert cameras.list_cameras(store) == before


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("rtsp://admin:s3cret@cam.local/stream1", "RTSP://Cam.LOCAL.:554/stream1", True),
        ("rtsp://a:b@[fe80::1]:554/1", "rtsp://[FE80:0::1]/1", True),
        ("rtsp://cam.local", "rtsp://cam.local:554/", True),
        ("rtsp://cam.local/1?user=a&password=b&channel=1", "rtsp://cam.local/1?user=c&password=d&channel=1", True),
        ("rtsp://cam.local/user=a_password=b_channel=1", "rtsp://cam.local/user=a_password=b_channel=2", False),
        ("rtsp://cam.local/Stream1", "rtsp://cam.local/stream1", False),
        ("rtsp://cam.local:554/1", "rtsp://cam.local:8554/1", False),
    ],
)
def test_an_address_is_compared_as_the_device_sees_it(one: str, other: str, same: bool) -> None:
    assert (device("rtsp", one) == device("rtsp", other)) is same


def test_a_second_camera_at_an_address_is_refused_unless_it_is_meant_or_the_other_is_off(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    cameras.add(store, NewCamera("Entrance", "rtsp", ADDRESS), NOON)
    again = NewCamera("Left half", "rtsp", "rtsp://192.168.1.20/stream1")
    with pytest.raises(SameAddress, match='The camera "Entrance" is at this address already'):
        cameras.add(store, again, NOON)
    cameras.add(store, again, NOON, meant=True)
    half = cameras.named(store, "Left half")
    cameras.change(store, half, Change(analysed_fps=2.0), NOON)
    cameras.change(store, half, Change(kind="rtsp", source=ADDRESS), NOON)  # a password, at the same place
    cameras.set_enabled(store, "Left half", False, NOON)
    cameras.change(store, half, Change(analysed_fps=3.0), NOON)
    with pytest.raises(SameAddress):
        cameras.set_enabled(store, "Left half", True, NOON)
    cameras.change(store, half, Change(kind="usb", source="0"), NOON)
    cameras.set_enabled(store, "Left half", True, NOON)
    with pytest.raises(SameAddress):
        cameras.change(store, half, Change(kind="rtsp", source=ADDRESS), NOON)
    cameras.set_enabled(store, "Entrance", False, NOON)
    cameras.change(store, half, Change(kind="rtsp", source=ADDRESS), NOON)
