"""Try a camera out before it is relied on: does it open, how fast is it, how wide are the faces, can people be told apart from there.

All of it happens in a process of its own with a hard time limit, so that a stream that hangs cannot hang the command.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from typing import cast

import cv2
import msgspec
import numpy as np

from appliance.camera.address import masked
from appliance.camera.child import launched
from appliance.camera.messages import MESSAGE_BYTES_MAX, CameraSettings, Start, encoded
from appliance.camera.process import awaited_start, die_with_parent
from appliance.camera.sources import PictureFolder, Source, SourceTrouble, VideoFile, opened
from models.faces import Faces, Picture
from models.quality import turn
from ui.words import gettext as _

Detect = Callable[[Picture], Faces]

GOOD_WIDTH_PX = 60.0
"""Faces from here on are recognised reliably (embedders were trained on 112 px)."""
WORKABLE_WIDTH_PX = 40.0
"""The quality gate's default: narrower faces are followed, not recognised."""
DARK_LEVEL = 45.0
"""Mean grey level of the picture, of 255, below which faces have no detail left."""
BRIGHT_LEVEL = 215.0
TURNED = 0.5
"""Of `models.quality.turn`: a head turned by more is seen from the side, and resembles its own face less."""
TURNED_SHARE_MAX = 0.6
"""Of the faces wide enough. People look about; a camera beside the way sees hardly a face from the front."""
LOOKS_A_SECOND = 5.0
EXTRA_S = 30.0
"""Beyond the seconds of watching: opening takes up to 5 s, a slow name server 20, and loading the models some."""
BURST_S_MAX = 1.0
JPEG_QUALITY = 85
JPEG_WIDTH_PX_MAX = 1920
BOX_COLOUR = (80, 200, 80)


class Probe(msgspec.Struct, frozen=True):
    """`fps` as measured; `error` empty when frames came; `frame_jpeg` the frame with the widest faces, boxes drawn."""

    width: int = 0
    height: int = 0
    fps: float = 0.0
    face_widths_px: list[float] = []
    turned_share: float = 0.0
    """Of the faces wide enough, how many are seen from the side."""
    brightness: float = 0.0
    """Mean grey level, 0..255."""
    placement: str = ""
    good_enough: bool = False
    frame_jpeg: bytes = b""
    error: str = ""


def probe(settings: CameraSettings, detector: str, pack: str = "", model_folders: Iterable[str] = (), seconds: float = 5.0) -> Probe:
    """Watch the camera for this long. Never raises for what a camera does; takes at most `seconds` + EXTRA_S.

    `detector`: "module:function"; called in the probe's process with messages.Start it returns what finds Faces in a Picture.
    """
    process, pipe = launched("appliance.camera.probe", str(seconds))
    try:
        pipe.send_bytes(encoded(Start(settings, detector, pack, list(model_folders))))
        if not pipe.poll(seconds + EXTRA_S):
            return Probe(error=f"{settings.name} gave no answer within {seconds + EXTRA_S:.0f} s: it hangs. Restart the camera.")
        return msgspec.msgpack.decode(pipe.recv_bytes(MESSAGE_BYTES_MAX), type=Probe)
    except (EOFError, OSError, msgspec.DecodeError):
        return Probe(error=f"the process that tried {settings.name} out died: what the camera sends crashes the decoder")
    finally:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        pipe.close()


def placement(face_widths_px: list[float], brightness: float, turned_share: float = 0.0) -> tuple[str, bool]:
    """In words, and whether people can be recognised from there. brightness: mean grey level 0..255; turned_share: see Probe."""
    if brightness < DARK_LEVEL:
        return _("The picture is too dark: add light at the entrance or open the camera's exposure."), False
    if brightness > BRIGHT_LEVEL:
        return _("The picture is too bright: turn the camera away from the light or lower its exposure."), False
    if not face_widths_px:
        return _("No face was seen: have somebody walk in while this runs, facing the camera."), False
    widest = max(face_widths_px)
    values = {"widest": f"{widest:.0f}", "good": f"{GOOD_WIDTH_PX:.0f}", "least": f"{WORKABLE_WIDTH_PX:.0f}"}
    if widest >= WORKABLE_WIDTH_PX and turned_share > TURNED_SHARE_MAX:
        return _("Faces are seen from the side: turn the camera so that people who come in walk towards it."), False
    if widest >= GOOD_WIDTH_PX:
        return _("Good: faces are up to %(widest)s px wide (%(good)s px or more is reliable).") % values, True
    if widest >= WORKABLE_WIDTH_PX:
        words = _("It works, but a closer view is better: faces are up to %(widest)s px wide, %(good)s px or more is reliable.")
        return words % values, True
    words = _(
        "Too far away: faces are up to %(widest)s px wide and need %(least)s px, better %(good)s px. Move the camera closer, zoom in, or"
        " raise its resolution."
    )
    return words % values, False


def watched(settings: CameraSettings, detect: Detect, seconds: float) -> Probe:
    """Open the source and look at it for this long, here and now. Raises SourceTrouble."""
    source = opened(settings, lambda: time.time_ns() // 1_000_000)
    try:
        return _watched(source, detect, seconds)
    finally:
        source.close()


def _watched(source: Source, detect: Detect, seconds: float) -> Probe:
    frames, look_s, began_s, counting_since_s, last_s = 0, 0.0, 0.0, 0.0, 0.0
    best: tuple[float, Picture, Faces] | None = None
    widths: list[float] = []
    turns: list[float] = []
    levels: list[float] = []
    while not began_s or time.monotonic() - began_s < seconds:
        if source.grab() is None:
            break
        now_s = time.monotonic()
        began_s = began_s or now_s
        # A live stream begins with a burst of what came in while it was being opened; that is no frame rate.
        if now_s - began_s >= min(BURST_S_MAX, seconds / 3):
            counting_since_s = counting_since_s or now_s
            frames, last_s = frames + 1, now_s
        if best is not None and now_s - look_s < 1 / LOOKS_A_SECOND:
            continue
        picture = source.picture()
        if picture is None:
            continue
        look_s = now_s
        faces = detect(picture)
        found = [float(box[2] - box[0]) for box in faces.boxes]
        widths += found
        turns += [turn(points) for points, wide in zip(faces.points, found, strict=True) if wide >= WORKABLE_WIDTH_PX]
        levels.append(float(picture[::8, ::8].mean()))
        if best is None or max(found, default=0.0) > best[0]:
            best = (max(found, default=0.0), picture, faces)
    if best is None:
        raise SourceTrouble("it opens, but no frame of it can be decoded")
    # A file or folder is read as fast as it goes here: only its own claim says how fast it plays.
    measured = (frames - 1) / (last_s - counting_since_s) if frames > 1 else 0.0
    recorded = isinstance(source, VideoFile | PictureFolder)
    turned_share = sum(one > TURNED for one in turns) / len(turns) if turns else 0.0
    brightness = float(np.mean(levels))
    words, good_enough = placement(widths, brightness, turned_share)
    height, width = best[1].shape[:2]
    return Probe(
        width=width,
        height=height,
        fps=round(source.fps if recorded else measured, 1),
        face_widths_px=[round(one, 1) for one in sorted(widths, reverse=True)[:100]],
        turned_share=round(turned_share, 2),
        brightness=round(brightness, 1),
        placement=words,
        good_enough=good_enough,
        frame_jpeg=_drawn(best[1], best[2]),
    )


def _drawn(picture: Picture, faces: Faces) -> bytes:
    canvas = np.ascontiguousarray(picture).copy()
    for (x1, y1, x2, y2), score in zip(faces.boxes.round().astype(int).tolist(), faces.scores.tolist(), strict=True):
        cv2.rectangle(canvas, (x1, y1), (x2, y2), BOX_COLOUR, 2)
        cv2.putText(canvas, f"{x2 - x1} px {score:.2f}", (x1, max(y1 - 6, 12)), cv2.FONT_HERSHEY_SIMPLEX, 0.5, BOX_COLOUR, 1, cv2.LINE_AA)
    width = canvas.shape[1]
    if width > JPEG_WIDTH_PX_MAX:
        size = (JPEG_WIDTH_PX_MAX, max(1, round(canvas.shape[0] * JPEG_WIDTH_PX_MAX / width)))
        canvas = cast("Picture", cv2.resize(canvas, size, interpolation=cv2.INTER_AREA))
    done, jpeg = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return jpeg.tobytes() if done else b""


def _answer(start: Start, seconds: float) -> Probe:
    settings = start.settings
    try:
        module, _, name = start.maker.partition(":")
        detect = cast("Detect", getattr(importlib.import_module(module), name)(start))
        return watched(settings, detect, seconds)
    except SourceTrouble as trouble:
        return Probe(error=str(trouble))
    except Exception as error:
        return Probe(error=masked(f"{type(error).__name__}: {error}", settings.kind, settings.source))


def main() -> None:
    """`python -m appliance.camera.probe FD SECONDS`"""
    faulthandler.enable()
    die_with_parent()
    cv2.setNumThreads(1)
    pipe = Connection(int(sys.argv[1]))
    start = awaited_start(pipe)
    if start is None:
        os._exit(2)
    pipe.send_bytes(msgspec.msgpack.encode(_answer(start, float(sys.argv[2]))))
    pipe.close()
    os._exit(0)


if __name__ == "__main__":
    main()
