"""The cameras of the store: kept in the database, the source sealed because an RTSP address carries a password."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import uuid_utils

from appliance.camera import zones
from appliance.camera.address import BadAddress, device, parsed, shown
from appliance.camera.messages import CameraSettings
from appliance.camera.zones import BadZones, Zone
from appliance.database import Store
from appliance.errors import CameraError, SameAddress
from sync.records import CameraGone, CameraRecord
from ui.words import gettext as _

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
    liveness: bool = False
    counting_only: bool = False
    ignored: tuple[Zone, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What of a camera is to be another; None leaves it. `kind` and `source` go together."""

    name: str | None = None
    enabled: bool | None = None
    analysed_fps: float | None = None
    detector_side_px: int | None = None
    motion_gate: bool | None = None
    liveness: bool | None = None
    counting_only: bool | None = None
    ignored: tuple[Zone, ...] | None = None
    kind: str | None = None
    source: str | None = None

    def said(self) -> dict[str, Any]:
        """What is to be another, but for the source."""
        return {f.name: value for f in fields(self) if f.name not in ("kind", "source") and (value := getattr(self, f.name)) is not None}


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
    liveness: bool
    counting_only: bool
    ignored: tuple[Zone, ...]
    changed_ms: int

    def with_change(self, wanted: Change) -> Camera:
        """As it would be, at the place where it is."""
        return replace(self, **wanted.said())


COLUMNS = """id, name, kind, source_shown, enabled, analysed_fps, detector_side_px, motion_gate, loop, pace, created_ms, liveness,
    counting_only, ignored, changed_ms"""


def add(store: Store, new: NewCamera, now_ms: int, *, meant: bool = False) -> str:
    """Its id. `meant`: another camera may be at the same address. Raises CameraError with what is wrong with the name, the source or a
    number; SameAddress."""
    new = checked(new)
    camera_id = str(uuid_utils.uuid7())
    with store.writing() as db:
        cameras = list_cameras(store)
        require_free(new.name, cameras)
        if len(cameras) >= CAMERAS_MAX:
            words = _("There are %(most)s cameras already; more are not possible on one appliance.")
            raise CameraError(words % {"most": CAMERAS_MAX})
        if not meant:
            require_own_place(store, new.kind, new.source)
        sealed = store.vault.seal(new.source.encode(), table="cameras", column="source_sealed", row=camera_id)
        db.execute(
            """INSERT INTO cameras (id, name, kind, source_sealed, source_shown, analysed_fps, detector_side_px, motion_gate, loop, pace,
                created_ms, liveness, counting_only, ignored, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            [
                *(camera_id, new.name, new.kind, sealed, shown(new.kind, new.source)),
                *(new.analysed_fps, new.detector_side_px, new.motion_gate, new.loop, new.pace, now_ms),
                *(new.liveness, new.counting_only, zones.to_json(new.ignored), now_ms),
            ],
        )
        store.record(CameraRecord(id=camera_id, name=new.name, kind=new.kind, enabled=True), now_ms)
    return camera_id


def list_cameras(store: Store) -> list[Camera]:
    """In the order they were added."""
    rows = store.db.execute(f"SELECT {COLUMNS} FROM cameras ORDER BY created_ms, id").fetchall()
    return [_camera(row) for row in rows]


def named(store: Store, name: str) -> Camera:
    """Raises CameraError, which lists the cameras there are."""
    cameras = list_cameras(store)
    for camera in cameras:
        if camera.name.casefold() == name.strip().casefold():
            return camera
    raise no_such(name, cameras)


def by_id(store: Store, camera_id: str) -> Camera:
    """Raises LookupError."""
    row = store.db.execute(f"SELECT {COLUMNS} FROM cameras WHERE id = ?", [camera_id]).fetchone()
    if row is None:
        raise LookupError(camera_id)
    return _camera(row)


def no_such(name: str, cameras: list[Camera]) -> CameraError:
    words = _('There is no camera "%(name)s". There are: %(there)s.')
    there = ", ".join(camera.name for camera in cameras) or _("none yet; add one with `regulars camera add NAME SOURCE`")
    return CameraError(words % {"name": _escaped(name), "there": there})


def settings_of(store: Store, camera: Camera) -> CameraSettings:
    """As the camera's process needs it, with credentials. Raises CameraError when it was removed, CannotOpen."""
    row = store.db.execute("SELECT source_sealed FROM cameras WHERE id = ?", [camera.id]).fetchone()
    if row is None:
        raise CameraError(_('The camera "%(name)s" was removed.') % {"name": camera.name})
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
        liveness=camera.liveness,
        counting_only=camera.counting_only,
        ignored=camera.ignored,
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
    with store.writing():
        return change(store, named(store, name), Change(enabled=enabled), now_ms)


def change(store: Store, camera: Camera, wanted: Change, now_ms: int, *, meant: bool = False) -> Camera:
    """The camera as it is afterwards; what watches it follows the table. `meant`: another camera may be at the address that it moves to or
    is switched on at. Raises CameraError, SameAddress, LookupError when it was removed."""
    with store.writing() as db:
        before = by_id(store, camera.id)
        after = _settled(replace(before.with_change(wanted), changed_ms=now_ms))
        if after.name != before.name:
            require_free(after.name, [c for c in list_cameras(store) if c.id != camera.id])
        if after.enabled and not meant and (wanted.source is not None or not before.enabled):
            kind, source = wanted.kind or before.kind, wanted.source or settings_of(store, before).source
            there = checked(NewCamera(after.name, kind, source)) if wanted.source is not None else NewCamera(after.name, kind, source)
            require_own_place(store, there.kind, there.source, before if before.enabled else None)
        db.execute(
            """UPDATE cameras SET name = ?, enabled = ?, analysed_fps = ?, detector_side_px = ?, motion_gate = ?, liveness = ?,
                counting_only = ?, ignored = ?, changed_ms = ? WHERE id = ?""",
            [
                *(after.name, after.enabled, after.analysed_fps, after.detector_side_px, after.motion_gate, after.liveness),
                *(after.counting_only, zones.to_json(after.ignored), now_ms, camera.id),
            ],
        )
        if wanted.source is not None and wanted.kind is not None:
            after = _moved(store, after, wanted.kind, wanted.source)
        store.record(CameraRecord(id=camera.id, name=after.name, kind=after.kind, enabled=after.enabled), now_ms)
    return after


def _moved(store: Store, camera: Camera, kind: str, source: str) -> Camera:
    """Looks somewhere else now. A file that was looped is still looped; what is no file has no loop and no pace."""
    is_file = kind in ("file", "folder")
    new = checked(NewCamera(camera.name, kind, source, loop=camera.loop and is_file, pace=camera.pace if is_file else "own"))
    sealed = store.vault.seal(new.source.encode(), table="cameras", column="source_sealed", row=camera.id)
    store.db.execute(
        "UPDATE cameras SET kind = ?, source_sealed = ?, source_shown = ?, loop = ?, pace = ? WHERE id = ?",
        [new.kind, sealed, shown(new.kind, new.source), new.loop, new.pace, camera.id],
    )
    return by_id(store, camera.id)


def require_free(name: str, cameras: list[Camera]) -> None:
    """Raises CameraError when one of them is called that."""
    for camera in cameras:
        if camera.name.casefold() == name.casefold():
            words = _('There is a camera "%(name)s" already. Choose another name, or remove that one first.')
            raise CameraError(words % {"name": camera.name})


def require_own_place(store: Store, kind: str, source: str, at: Camera | None = None) -> None:
    """Raises SameAddress when another camera that is on looks there. `at`: the camera that looks somewhere now: where it stays, whoever
    else is there was said to be meant before."""
    place = device(kind, source)
    if at and device(at.kind, settings_of(store, at).source) == place:
        return
    for other in list_cameras(store):
        if other.enabled and device(other.kind, settings_of(store, other).source) == place:
            words = _(
                'The camera "%(name)s" is at this address already. Whoever it sees would be seen twice, and be counted twice unless both'
                " recognise them."
            )
            raise SameAddress(words % {"name": other.name}, other.id, other.name)


def _camera(row: tuple[Any, ...]) -> Camera:
    camera_id, name, kind, source, enabled, fps, side_px, gate, loop, pace, created_ms, liveness, counting_only, ignored, changed_ms = row
    switches = (bool(liveness), bool(counting_only), zones.from_json(ignored), changed_ms)
    return Camera(camera_id, name, kind, source, bool(enabled), fps, side_px, bool(gate), bool(loop), pace, created_ms, *switches)


def checked(new: NewCamera) -> NewCamera:
    """As it is kept. Raises CameraError with what is wrong with the name, the source or a number."""
    new = _settled(new)
    source = new.source.strip()
    if new.kind not in KINDS:
        words = _('"%(kind)s" is no kind of camera; it must be one of %(kinds)s.')
        raise CameraError(words % {"kind": new.kind, "kinds": ", ".join(KINDS)})
    if new.pace not in PACES:
        words = _('"%(pace)s" is no pace; it must be "own" (the file\'s frame rate) or "full" (as fast as possible).')
        raise CameraError(words % {"pace": new.pace})
    if new.loop and new.kind in ("rtsp", "usb"):
        raise CameraError(_("A live camera has no end to begin again from: leave --loop away, it is for a video file."))
    return replace(new, source={"rtsp": _address, "usb": _index, "file": _file, "folder": _folder}[new.kind](source))


S = TypeVar("S", NewCamera, Camera)


def _settled(new: S) -> S:
    """What holds of a camera whatever its source is. Raises CameraError."""
    name = new.name.strip()
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        words = _('A camera\'s name has 1 to %(most)s printable characters, not "%(name)s".')
        raise CameraError(words % {"most": NAME_MAX, "name": _escaped(name[:80])})
    if not 0.5 <= new.analysed_fps <= 30:
        words = _("%(fps)s analysed frames a second is not possible; choose 0.5 to 30.")
        raise CameraError(words % {"fps": f"{new.analysed_fps:g}"})
    if not 160 <= new.detector_side_px <= 1920:
        words = _("A detector side of %(side)s px is not possible; choose 160 to 1920.")
        raise CameraError(words % {"side": new.detector_side_px})
    try:
        return replace(new, name=name, ignored=zones.judged(new.ignored))
    except BadZones as error:
        raise CameraError(str(error)) from None


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
        words = _("This is no RTSP address. One looks like %(form)s, with special characters in the password as %%40 for @.")
        raise CameraError(words % {"form": "rtsp://user:password@192.168.1.20:554/stream1"})
    return source


def _index(source: str) -> str:
    if not source.isascii() or not source.isdigit() or int(source) > USB_INDEX_MAX:
        raise CameraError(_('"%(source)s" is no USB camera; give its number, 0 for the first.') % {"source": source[:40]})
    return str(int(source))


def _file(source: str) -> str:
    path = Path(source).expanduser()
    if not path.is_file():
        raise CameraError(_("There is no video file %(path)s.") % {"path": path})
    return str(path.resolve())


def _folder(source: str) -> str:
    path = Path(source).expanduser()
    if not path.is_dir():
        raise CameraError(_("There is no folder %(path)s.") % {"path": path})
    return str(path.resolve())
