"""What crosses the pipe between the main process and a camera's process. msgpack, one message a send."""

from __future__ import annotations

import msgspec

from appliance.camera.zones import Zone
from appliance.sightings import Sighting

KINDS = ("rtsp", "usb", "file", "folder")
LIVE_KINDS = frozenset({"rtsp", "usb"})
PACES = ("own", "full")
ANALYSED_FPS_MIN = 0.2
"""With fewer, a process that hangs could not be told from one that waits for its next frame."""
ANALYSED_FPS_MAX = 60.0


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
    min_face_px: int = 40
    """Narrower faces are followed, not recognised."""
    loop: bool = False
    pace: str = "own"
    start_ms: int = 0
    """Time of a file's first frame; 0: the wall clock when it was opened."""
    attributes: bool = False
    """Estimate age and gender from each track's best shots."""
    liveness: bool = False
    """Whether each face is asked if it is a picture of one."""
    counting_only: bool = False
    """Visits are counted; nobody is recognised, nothing of a face leaves the camera's process."""
    ignored: tuple[Zone, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"a camera is of the kind {', '.join(KINDS)}, not {self.kind!r}")
        if self.pace not in PACES:
            raise ValueError(f"a file is played at its own pace (own) or as fast as possible (full), not {self.pace!r}")
        if not ANALYSED_FPS_MIN <= self.analysed_fps <= ANALYSED_FPS_MAX:
            raise ValueError(f"{ANALYSED_FPS_MIN} to {ANALYSED_FPS_MAX:.0f} frames a second can be analysed, not {self.analysed_fps}")


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    at_ms: int
    state: str
    """starting (models are being loaded), opening, watching, silent, stuck (a native call does not return), ended, failed"""
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
    last_frame_ms: int = 0
    """When the newest frame was taken; 0: none yet."""
    began_ms: int = 0
    """Time given to a file's first frame; 0: a live source, or none yet."""
    pictures_skipped: int = 0
    """Files of a folder that could not be read as a picture."""
    faces_flat: int = 0
    """Tracks that were taken for pictures of faces and not told of, since the process began."""


class Box(msgspec.Struct, frozen=True, array_like=True):
    """One face in the newest frame, as fractions of the picture's width and height; `sighting_id` empty while it is no sighting."""

    x: float
    y: float
    width: float
    height: float
    sighting_id: str
    flat: bool = False
    """Taken for a picture of a face."""


class Boxes(msgspec.Struct, frozen=True, tag="boxes"):
    """Sent with every analysed frame while somebody looks; `jpeg` at most 5 times a second."""

    at_ms: int
    boxes: list[Box]
    jpeg: bytes = b""


class Seen(msgspec.Struct, frozen=True, tag="seen"):
    sighting: Sighting


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The source is at its end (a file played once): no restart. `at_ms`: when its last frame was taken; `error`: why it ended early."""

    at_ms: int
    error: str = ""


class Start(msgspec.Struct, frozen=True, tag="start"):
    """Main to camera, first of all. Over the pipe, never on the command line: `settings.source` may hold a password.

    `maker` names what looks at the frames: "module:function", called in the camera's process with this message.
    """

    settings: CameraSettings
    maker: str
    pack: str = ""
    model_folders: list[str] = []


class Look(msgspec.Struct, frozen=True, tag="look"):
    """Main to camera: send pictures for this long."""

    seconds: float


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Main to camera: close the tracks, send the last sightings, end."""


FromCamera = Heartbeat | Boxes | Seen | Ended
ToCamera = Start | Look | Stop
MESSAGE_BYTES_MAX = 4 << 20
"""A 1080p JPEG and eight 512-d shots are under 1 MB; more is not a message of ours."""

_encoder = msgspec.msgpack.Encoder()
_from_camera: msgspec.msgpack.Decoder[FromCamera] = msgspec.msgpack.Decoder(FromCamera)
_to_camera: msgspec.msgpack.Decoder[ToCamera] = msgspec.msgpack.Decoder(ToCamera)


def encoded(message: FromCamera | ToCamera) -> bytes:
    packed = _encoder.encode(message)
    if len(packed) > MESSAGE_BYTES_MAX:
        raise ValueError(f"a {type(message).__name__} message of {len(packed)} bytes is over the limit of {MESSAGE_BYTES_MAX}")
    return packed


def from_camera(packed: bytes) -> FromCamera:
    """Raises msgspec.DecodeError for anything that is not a message of ours."""
    return _from_camera.decode(packed)


def to_camera(packed: bytes) -> ToCamera:
    """Raises msgspec.DecodeError for anything that is not a message of ours."""
    return _to_camera.decode(packed)
