"""Cameras in the database: what is accepted, and that no password is stored or shown in the clear."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance import cameras
from appliance.cameras import NewCamera
from appliance.errors import CameraError
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
