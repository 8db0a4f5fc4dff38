"""What frames come out of, once opened: a live stream (RTSP or USB), a video file, a folder of pictures.

`grab` moves to the next frame, `picture` decodes the one it stands on: only frames that are used are converted. Nothing here tries
again; whatever goes wrong is a SourceTrouble in words for the operator, without a credential.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

import cv2

from appliance.camera import rtsp
from appliance.camera.address import BadAddress, parsed
from appliance.camera.messages import CameraSettings
from models.faces import Picture

OPEN_MS_MAX = 5000
READ_MS_MAX = 5000
STALE_S = 0.8 * READ_MS_MAX / 1000
"""A grab that took this long waited for the time-out: the decoder then hands out its last old frame as if it were new."""
DECODER_THREADS = 1
"""A frame of 720p takes one thread 1 ms; more threads cost a quarter more in all, memory, and a frame of delay each."""
PIXELS_MAX = 100_000_000
"""A picture beyond this is refused before it is decoded: it would take 300 MB."""
SIDE_PX_MAX = 4096
"""A picture of a folder that is longer is read at a half, a quarter or an eighth."""
FOLDER_FILES_MAX = 100_000
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
CUT_SHORT = 0.9
"""A file that gives less than this share of the frames that its header promises is called cut short."""


class SourceTrouble(Exception):
    """Why no frame comes. `sign_in`: asking again soon could lock the camera's account."""

    def __init__(self, words: str, *, sign_in: bool = False) -> None:
        super().__init__(words)
        self.sign_in = sign_in


class Source(Protocol):
    fps: float
    """As the source claims; 0: unknown."""

    def grab(self) -> float | None:
        """Go to the next frame. Its time in ms: UTC for a live source, else since the first frame. None: the end. Raises SourceTrouble."""

    def picture(self) -> Picture | None:
        """The frame that was grabbed; None when it cannot be decoded."""

    def close(self) -> None: ...


def opened(settings: CameraSettings, now_ms: Callable[[], int], hardware: bool = True) -> Source:
    """Open the camera, file or folder. Raises SourceTrouble. `hardware`: whether to decode in hardware where there is any."""
    match settings.kind:
        case "rtsp":
            return _opened_rtsp(settings.source, now_ms, hardware)
        case "usb":
            return _opened_usb(settings.source, now_ms)
        case "file":
            return VideoFile(Path(settings.source), hardware)
        case _:  # "folder": CameraSettings knows no other.
            return PictureFolder(Path(settings.source), settings.analysed_fps)


def _opened_rtsp(source: str, now_ms: Callable[[], int], hardware: bool) -> Stream:
    try:
        address = parsed(source)
    except BadAddress as error:
        raise SourceTrouble(str(error)) from None
    finding = rtsp.described(address)
    # OTHER goes on: the decoder knows more dialects than we do, and if it fails too, our words are the better ones.
    if finding.cause not in (None, rtsp.Cause.OTHER):
        raise SourceTrouble(finding.words, sign_in=finding.cause is rtsp.Cause.SIGN_IN)
    capture = cv2.VideoCapture(address.for_the_decoder(), cv2.CAP_FFMPEG, _parameters(hardware, live=True))
    if not capture.isOpened():
        capture.release()
        mute = f"{address.place} describes a stream but sends no video that can be decoded: set the camera to H.264"
        raise SourceTrouble(finding.words or mute)
    return Stream(capture, now_ms, f"{address.place} has stopped sending pictures")


def _opened_usb(source: str, now_ms: Callable[[], int]) -> Stream:
    if not source.strip().isdigit():
        raise SourceTrouble(f"a USB camera is given by its number, 0 for the first, not {source!r}")
    capture = cv2.VideoCapture(int(source))
    if not capture.isOpened():
        capture.release()
        raise SourceTrouble(f"there is no USB camera {source}: is it plugged in, and may this program use cameras?")
    return Stream(capture, now_ms, f"USB camera {source} has stopped sending pictures")


def _parameters(hardware: bool, live: bool) -> list[int]:
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS_MAX, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS_MAX] if live else []
    acceleration = cv2.VIDEO_ACCELERATION_ANY if hardware else cv2.VIDEO_ACCELERATION_NONE
    return [*limits, cv2.CAP_PROP_N_THREADS, DECODER_THREADS, cv2.CAP_PROP_HW_ACCELERATION, acceleration]


class Stream:
    """A live camera. Its frames are stamped with the wall clock as they arrive: cameras' own clocks are wrong."""

    def __init__(self, capture: cv2.VideoCapture, now_ms: Callable[[], int], stopped_words: str) -> None:
        self._capture = capture
        self._now_ms = now_ms
        self._stopped_words = stopped_words
        self._grabbed = 0
        self.fps = float(capture.get(cv2.CAP_PROP_FPS))

    def grab(self) -> float:
        began_s = time.monotonic()
        there = self._capture.grab()
        # The first grab of a connection may wait for a key frame; a later one that waits this long gives an old picture.
        if not there or (self._grabbed and time.monotonic() - began_s >= STALE_S):
            raise SourceTrouble(self._stopped_words)
        self._grabbed += 1
        return float(self._now_ms())

    def picture(self) -> Picture | None:
        return _retrieved(self._capture)

    def close(self) -> None:
        self._capture.release()


class VideoFile:
    """A video file, once through, timed by its presentation times."""

    def __init__(self, path: Path, hardware: bool) -> None:
        if not path.is_file():
            raise SourceTrouble(f"there is no file {path}")
        self._path = path
        self._capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG, _parameters(hardware, live=False))
        if not self._capture.isOpened():
            self._capture.release()
            raise SourceTrouble(f"{path} is not a video that can be read: it is damaged, cut short or of an unknown format")
        self.fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self._promised = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._grabbed = 0
        self._first_ms = 0.0
        self._last_ms = -1.0

    def grab(self) -> float | None:
        if not self._capture.grab():
            if not self._grabbed or 0 < self._grabbed < CUT_SHORT * self._promised:
                raise SourceTrouble(f"{self._path} is cut short or damaged: it ended after {self._grabbed} of {self._promised:.0f} frames")
            return None
        at_ms = float(self._capture.get(cv2.CAP_PROP_POS_MSEC))
        if self._grabbed == 0:
            self._first_ms = at_ms
        self._grabbed += 1
        at_ms -= self._first_ms
        if at_ms <= self._last_ms:
            # A file without usable presentation times: go by its frame rate.
            at_ms = self._last_ms + 1000.0 / (self.fps if 1 <= self.fps <= 240 else 25.0)
        self._last_ms = at_ms
        return at_ms

    def picture(self) -> Picture | None:
        return _retrieved(self._capture)

    def close(self) -> None:
        self._capture.release()


def _retrieved(capture: cv2.VideoCapture) -> Picture | None:
    there, picture = capture.retrieve()
    if not there or picture is None or picture.ndim != 3 or picture.shape[2] != 3:
        return None
    return cast("Picture", picture)


class PictureFolder:
    """Pictures in the order of their names, each a frame that is analysed. One that cannot be read is passed over and counted."""

    def __init__(self, folder: Path, analysed_fps: float) -> None:
        if not folder.is_dir():
            raise SourceTrouble(f"there is no folder {folder}")
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith("."))
        if not files:
            raise SourceTrouble(f"there is no picture in {folder}: it should hold {', '.join(sorted(PICTURE_SUFFIXES))} files")
        if len(files) > FOLDER_FILES_MAX:
            raise SourceTrouble(f"{folder} holds {len(files)} pictures, more than {FOLDER_FILES_MAX}: split it")
        self.fps = analysed_fps
        self.skipped = 0
        self.skipped_why = ""
        self._files = files
        self._next = 0
        self._given = 0
        self._picture: Picture | None = None

    def grab(self) -> float | None:
        while self._next < len(self._files):
            path = self._files[self._next]
            self._next += 1
            try:
                self._picture = read_picture(path)
            except SourceTrouble as trouble:
                self.skipped += 1
                self.skipped_why = str(trouble)
                continue
            self._given += 1
            return (self._given - 1) * 1000.0 / self.fps
        if not self._given:
            raise SourceTrouble(f"none of the {len(self._files)} pictures could be read; the last: {self.skipped_why}")
        return None

    def picture(self) -> Picture | None:
        return self._picture

    def close(self) -> None:
        self._picture = None


def read_picture(path: Path) -> Picture:
    """Decode a picture file to BGR, its size read from the header first. Raises SourceTrouble with the reason."""
    from PIL import Image  # Only folders need it.

    try:
        # Not through Image.open(path): its own bomb check would warn on stderr; ours is the stricter one.
        with path.open("rb") as file:
            Image.MAX_IMAGE_PIXELS = None
            with Image.open(file) as header:
                width, height = header.size
    except (OSError, ValueError, SyntaxError):
        raise SourceTrouble(f"{path.name} is not a picture that can be read") from None
    if width * height > PIXELS_MAX:
        raise SourceTrouble(f"{path.name} is {width}x{height}, over {PIXELS_MAX // 1_000_000} megapixels: make it smaller")
    try:
        picture = cv2.imread(str(path), _reading(max(width, height)))
    except cv2.error:
        picture = None
    if picture is None:
        raise SourceTrouble(f"{path.name} is damaged: its header says {width}x{height}, but it cannot be decoded")
    return cast("Picture", picture)


def _reading(side_px: int) -> int:
    for times, how in ((1, cv2.IMREAD_COLOR), (2, cv2.IMREAD_REDUCED_COLOR_2), (4, cv2.IMREAD_REDUCED_COLOR_4)):
        if side_px <= times * SIDE_PX_MAX:
            return how
    return cv2.IMREAD_REDUCED_COLOR_8
