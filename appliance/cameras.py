"""The cameras of the store: kept in the database, the source sealed because an RTSP address carries a password."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uuid_utils

from appliance.camera.address import BadAddress, parsed, shown
from appliance.camera.messages import CameraSettings
from appliance.database import Store
from appliance.errors import CameraError
from sync.records import CameraGone, CameraRecord

KINDS = ("rtsp", "usb", "file", "folder")
PACES = ("own", "full")
NAME_MAX = 60
CAMERAS_MAX = 64
"""More than any one Mac can carry; keeps a script that went wrong from filling the table."""
USB_INDEX_MAX = 63


@dataclass(frozen=True, slots=True)
class NewCamera:
    """As somebody asks for it. `kind`: rtsp, usb, file, folder; `source`: address, device index, or path."""

    name: str
    kind: str
    source: str
    analysed_fps: float = 5.0
    detector_side_px: int = 640
    motion_gate: bool = True
    loop: bool = False
    pace: str = "own"


@dataclass(frozen=True, slots=True)
class Camera:
    """As it may be shown: `source_shown` has no credentials."""

    id: str
    name: str
    kind: str
    source_shown: str
    enabled: bool
    analysed_fps: float
    detector_side_px: int
    motion_gate: bool
    loop: bool
    pace: str
    created_ms: int


def add(store: Store, new: NewCamera, now_ms: int) -> str:
    """Its id. Raises CameraError with what is wrong with the name, the source or a number."""
    new = _checked(new)
    camera_id = str(uuid_utils.uuid7())
    with store.writing() as db:
        cameras = list_cameras(store)
        for camera in cameras:
            if camera.name.casefold() == new.name.casefold():
                raise CameraError(f'There is a camera "{camera.name}" already. Choose another name, or remove that one first.')
        if len(cameras) >= CAMERAS_MAX:
            raise CameraError(f"There are {CAMERAS_MAX} cameras already; more are not possible on one appliance.")
        sealed = store.vault.seal(new.source.encode(), table="cameras", column="source_sealed", row=camera_id)
        db.execute(
            """INSERT INTO cameras (id, name, kind, source_sealed, source_shown, analysed_fps, detector_side_px, motion_gate, loop, pace,
                created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                *(camera_id, new.name, new.kind, sealed, shown(new.kind, new.source)),
                *(new.analysed_fps, new.detector_side_px, new.motion_gate, new.loop, new.pace, now_ms),
            ],
        )
        store.record(CameraRecord(id=camera_id, name=new.name, kind=new.kind, enabled=True), now_ms)
    return camera_id


def list_cameras(store: Store) -> list[Camera]:
    """In the order they were added."""
    rows = store.db.execute(
        """SELECT id, name, kind, source_shown, enabled, analysed_fps, detector_side_px, motion_gate, loop, pace, created_ms
            FROM cameras ORDER BY created_ms, id"""
    ).fetchall()
    return [_camera(row) for row in rows]


def named(store: Store, name: str) -> Camera:
    """Raises CameraError, which lists the cameras there are."""
    cameras = list_cameras(store)
    for camera in cameras:
        if camera.name.casefold() == name.strip().casefold():
            return camera
    raise no_such(name, cameras)


def no_such(name: str, cameras: list[Camera]) -> CameraError:
    there = ", ".join(camera.name for camera in cameras) or "none yet; add one with `regulars camera add NAME SOURCE`"
    return CameraError(f'There is no camera "{_escaped(name)}". There are: {there}.')


def settings_of(store: Store, camera: Camera) -> CameraSettings:
    """As the camera's process needs it, with credentials. Raises CameraError when it was removed, CannotOpen."""
    row = store.db.execute("SELECT source_sealed FROM cameras WHERE id = ?", [camera.id]).fetchone()
    if row is None:
        raise CameraError(f'The camera "{camera.name}" was removed.')
    source = store.vault.unseal(row[0], table="cameras", column="source_sealed", row=camera.id).decode()
    return CameraSettings(
        id=camera.id,
        name=camera.name,
        kind=camera.kind,
        source=source,
        analysed_fps=camera.analysed_fps,
        detector_side_px=camera.detector_side_px,
        motion_gate=camera.motion_gate,
        loop=camera.loop,
        pace=camera.pace,
    )


def remove(store: Store, name: str, now_ms: int) -> Camera:
    """Its visits stay. Raises CameraError."""
    with store.writing() as db:
        camera = named(store, name)
        db.execute("DELETE FROM cameras WHERE id = ?", [camera.id])
        store.record(CameraGone(id=camera.id), now_ms)
    return camera


def set_enabled(store: Store, name: str, enabled: bool, now_ms: int) -> Camera:
    """Raises CameraError."""
    with store.writing() as db:
        camera = named(store, name)
        db.execute("UPDATE cameras SET enabled = ? WHERE id = ?", [enabled, camera.id])
        store.record(CameraRecord(id=camera.id, name=camera.name, kind=camera.kind, enabled=enabled), now_ms)
    return camera


def _camera(row: tuple[Any, ...]) -> Camera:
    camera_id, name, kind, source, enabled, fps, side_px, gate, loop, pace, created_ms = row
    return Camera(camera_id, name, kind, source, bool(enabled), fps, side_px, bool(gate), bool(loop), pace, created_ms)


def _checked(new: NewCamera) -> NewCamera:
    name, source = new.name.strip(), new.source.strip()
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        raise CameraError(f'A camera\'s name has 1 to {NAME_MAX} printable characters, not "{_escaped(name[:80])}".')
    if new.kind not in KINDS:
        raise CameraError(f'"{new.kind}" is no kind of camera; it must be one of {", ".join(KINDS)}.')
    if not 0.5 <= new.analysed_fps <= 30:
        raise CameraError(f"{new.analysed_fps:g} analysed frames a second is not possible; choose 0.5 to 30.")
    if not 160 <= new.detector_side_px <= 1920:
        raise CameraError(f"A detector side of {new.detector_side_px} px is not possible; choose 160 to 1920.")
    if new.pace not in PACES:
        raise CameraError(f'"{new.pace}" is no pace; it must be "own" (the file\'s frame rate) or "full" (as fast as possible).')
    if new.loop and new.kind in ("rtsp", "usb"):
        raise CameraError("A live camera has no end to begin again from: leave --loop away, it is for a video file.")
    source = {"rtsp": _address, "usb": _index, "file": _file, "folder": _folder}[new.kind](source)
    return NewCamera(name, new.kind, source, new.analysed_fps, new.detector_side_px, new.motion_gate, new.loop, new.pace)


def _escaped(text: str) -> str:
    """A control character in a name would move the cursor of whoever reads the refusal, or hide in it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _address(source: str) -> str:
    try:
        parsed(source)
        good = not re.search(r"[\s\x00-\x1f]", source)
    except BadAddress:
        good = False
    if not good:
        form = "rtsp://user:password@192.168.1.20:554/stream1"
        raise CameraError(f"This is no RTSP address. One looks like {form}, with special characters in the password as %40 for @.")
    return source


def _index(source: str) -> str:
    if not source.isascii() or not source.isdigit() or int(source) > USB_INDEX_MAX:
        raise CameraError(f'"{source[:40]}" is no USB camera; give its number, 0 for the first.')
    return str(int(source))


def _file(source: str) -> str:
    path = Path(source).expanduser()
    if not path.is_file():
        raise CameraError(f"There is no video file {path}.")
    return str(path.resolve())


def _folder(source: str) -> str:
    path = Path(source).expanduser()
    if not path.is_dir():
        raise CameraError(f"There is no folder {path}.")
    return str(path.resolve())
