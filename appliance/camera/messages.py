"""What crosses the pipe between the main process and a camera's process. msgpack, one message a send."""

from __future__ import annotations

import msgspec

from appliance.sightings import Sighting


class CameraSettings(msgspec.Struct, frozen=True):
    """One camera as its process needs it. `kind`: rtsp, usb, file, folder. `pace`: "own" (a file's frame rate) or "full"."""

    id: str
    name: str
    kind: str
    source: str
    """RTSP address with credentials, device index, or path. Never logged: use `name`."""
    analysed_fps: float = 5.0
    detector_side_px: int = 640
    motion_gate: bool = True
    loop: bool = False
    pace: str = "own"
    start_ms: int = 0
    """Time of a file's first frame; 0: the wall clock when it was opened."""


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    at_ms: int
    state: str
    """opening, watching, silent, ended"""
    width: int
    height: int
    frames_read: int
    frames_analysed: int
    frames_still: int
    """Skipped by the motion gate."""
    frames_dropped: int
    """Due for analysis, replaced by a newer one before their turn."""
    analysed_fps: float
    analysis_ms: float
    """Mean time of the analysed frames of the last seconds."""
    error: str = ""
    """What went wrong last, in words, without a credential."""


class Box(msgspec.Struct, frozen=True, array_like=True):
    """One face in the newest frame, as fractions of the picture's width and height; `sighting_id` empty while it is no sighting."""

    x: float
    y: float
    width: float
    height: float
    sighting_id: str


class Boxes(msgspec.Struct, frozen=True, tag="boxes"):
    """Sent with every analysed frame while somebody looks; `jpeg` at most 5 times a second."""

    at_ms: int
    boxes: list[Box]
    jpeg: bytes = b""


class Seen(msgspec.Struct, frozen=True, tag="seen"):
    sighting: Sighting


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The source is at its end (a file played once): no restart."""

    at_ms: int


class Look(msgspec.Struct, frozen=True, tag="look"):
    """Main to camera: send pictures for this long."""

    seconds: float


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Main to camera: close the tracks, send the last sightings, end."""


FromCamera = Heartbeat | Boxes | Seen | Ended
ToCamera = Look | Stop
MESSAGE_BYTES_MAX = 4 << 20
"""A 1080p JPEG and eight 512-d shots are under 1 MB; more is not a message of ours."""
