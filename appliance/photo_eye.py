"""Looks at photos that somebody sends, in a process of its own with low priority: the main process holds no nets, and a picture that makes
a decoder or a net hang or crash costs that one look.

The process loads the pack at the first photo and ends when it has had nothing to do for a minute.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import msgspec
import numpy as np

from appliance.camera.child import launched
from appliance.enrolment import Photo, look_at
from appliance.errors import EyeError
from models.faces import Picture
from models.pack import Pack, load_pack
from models.weights import weights_of
from ui.words import gettext as _

LOOK_S_MAX = 20.0
"""For one photo, loading the nets included: a second and a half on a quiet machine."""
TURN_S_MAX = 30.0
"""How long one photo waits for another's."""
IDLE_S = 60.0
"""Somebody who enrols sends a few photos in a minute; after that the memory is worth more."""
NICER = 10
BYTES_MAX = 64 << 20
FACE_SIDE_PX = 240
FACE_MARGIN = 0.5


class Sent(msgspec.Struct, frozen=True):
    """A picture, (height, width, 3) BGR bytes."""

    height: int
    width: int
    pixels: bytes
    largest: bool


class Seen(msgspec.Struct, frozen=True):
    """`embedding`: (D,) float32, little-endian, empty where the photo is not usable; `face`: JPEG of what was looked at; `faces`: in all;
    `error`: why nothing could be looked at."""

    embedding: bytes = b""
    quality: float = 0.0
    flaw: str = ""
    face: bytes = b""
    faces: int = 0
    error: str = ""


class Eye:
    """`pack`, `folders`: as a camera's process is told them. Safe from any thread; one photo is looked at after the other."""

    def __init__(self, pack: str, folders: Sequence[str]) -> None:
        self._arguments = [pack, *folders]
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def look(self, picture: Picture, largest: bool = False) -> tuple[Photo, bytes]:
        """What a photo is good for, and its face as JPEG (empty without one). `largest`: that face, not the one in the middle. Raises
        EyeError."""
        height, width = picture.shape[:2]
        packed = msgspec.msgpack.encode(Sent(height, width, np.ascontiguousarray(picture).tobytes(), largest))
        if not self._turn.acquire(timeout=TURN_S_MAX):
            raise EyeError(_("Other photos are being looked at just now. Try again in a minute."))
        try:
            seen = self._asked(packed)
        finally:
            self._turn.release()
        if seen.error:
            raise EyeError(_("The photo could not be looked at: %(why)s.") % {"why": seen.error})
        embedding = np.frombuffer(seen.embedding, "<f4").astype(np.float32) if seen.embedding else None
        return Photo(embedding, seen.quality, seen.flaw, seen.faces), seen.face

    def close(self) -> None:
        """Ends the process, if there is one."""
        with self._turn:
            self._end()

    def _asked(self, packed: bytes) -> Seen:
        """A process that ended meanwhile, because it was idle, is no reason to fail: the next one is asked."""
        for last in (False, True):
            try:
                pipe = self._ready()
                pipe.send_bytes(packed)
                if not pipe.poll(LOOK_S_MAX):
                    raise EyeError(_("The photo was not looked at in time: this computer is very busy. Try again in a minute."))
                return msgspec.msgpack.decode(pipe.recv_bytes(BYTES_MAX), type=Seen)
            except (EOFError, OSError, msgspec.DecodeError):
                self._end()
                if last:
                    raise EyeError(_("The process that looks at photos died over this one. Send another photo.")) from None
            except EyeError:
                self._end()
                raise
        raise EyeError(_("The process that looks at photos died over this one. Send another photo."))

    def _ready(self) -> Connection:
        if self._process is None or self._pipe is None or self._process.poll() is not None:
            self._end()
            self._process, self._pipe = launched("appliance.photo_eye", *self._arguments)
        return self._pipe

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        if self._pipe:
            self._pipe.close()
        self._process = self._pipe = None


def looked(sent: Sent, pack: Pack) -> Seen:
    """In the process: what one picture shows."""
    picture = np.frombuffer(sent.pixels, np.uint8).reshape(sent.height, sent.width, 3)
    photo = look_at(picture, pack.detector, pack.embedder, largest=sent.largest)
    embedding = b"" if photo.embedding is None else photo.embedding.astype("<f4").tobytes()
    return Seen(embedding, photo.quality, photo.flaw, _face(picture, photo.box), photo.faces)


def _face(picture: Picture, box: tuple[float, float, float, float] | None) -> bytes:
    """The face with its surroundings, or the whole photo where none was found, as a small JPEG."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box or (0.0, 0.0, float(width), float(height))
    margin = FACE_MARGIN * max(x2 - x1, y2 - y1) if box else 0.0
    top, bottom = int(max(0, y1 - margin)), int(min(height, y2 + margin))
    left, right = int(max(0, x1 - margin)), int(min(width, x2 + margin))
    side = min(bottom - top, right - left)
    top, left = top + (bottom - top - side) // 2, left + (right - left - side) // 2
    square = picture[top : top + side, left : left + side]
    if not square.size:
        return b""
    done, jpeg = cv2.imencode(".jpg", cv2.resize(square, (FACE_SIDE_PX, FACE_SIDE_PX), interpolation=cv2.INTER_AREA))
    return jpeg.tobytes() if done else b""


def main() -> None:
    """`python -m appliance.photo_eye FD PACK FOLDER [FOLDER]`"""
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Control-C reaches the whole group; the main process decides.
    with suppress(OSError):
        os.nice(NICER)
    cv2.setNumThreads(1)
    pipe, (name, own, *more) = Connection(int(sys.argv[1])), sys.argv[2:]
    pack, error, until_s = None, "", time.monotonic() + IDLE_S
    try:
        pack = load_pack(name, weights_of(Path(own), folder=Path(more[0]) if more else None))
    except Exception as trouble:
        error = f"{type(trouble).__name__}: {trouble}"
    while pipe.poll(max(0.0, until_s - time.monotonic())):
        try:
            sent = msgspec.msgpack.decode(pipe.recv_bytes(BYTES_MAX), type=Sent)
        except (EOFError, OSError):
            break
        # A look that hangs in native code ends with the process, whether or not anybody is left to kill it.
        signal.alarm(round(LOOK_S_MAX))
        try:
            seen = looked(sent, pack) if pack else Seen(error=error)
        except Exception as trouble:
            seen = Seen(error=type(trouble).__name__)
        signal.alarm(0)
        pipe.send_bytes(msgspec.msgpack.encode(seen))
        until_s = time.monotonic() + IDLE_S
    os._exit(0)


if __name__ == "__main__":
    main()
