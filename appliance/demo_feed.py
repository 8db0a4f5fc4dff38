"""The demo's camera where there is no video: a doorway past which the people of one group photo walk, again and again.

The photo comes with the insightface package. The view pans over it from one bare wall to another: everybody enters on one side, is in
view for three to four seconds, leaves on the other, and is back on the next round, a little nearer or farther and in other light.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from appliance.errors import DemoError
from models.faces import Picture

VIEW = (720, 560)
"""Width and height: two or three of the photo's faces, which are some 100 px wide and 190 px apart, and the whole height they stand in."""
FPS = 12.5
PAN_PX_S = 190.0
"""A face then crosses the view in under four seconds, as somebody who walks through a door does."""
ROUNDS = ((1.0, 1.0, 0.0), (1.08, 0.94, 6.0), (0.94, 1.06, -4.0), (1.04, 1.0, 3.0))
"""One round each: zoom, contrast, brightness (of 255)."""
WALL_PX = VIEW[0]
"""On both sides of the photo, so that everybody leaves."""
WHOLE = (0.0, 1.0)
PARTS = {"store_a": (0.0, 0.72), "store_b": (0.28, 1.0)}
"""Of the photo's width, for a chain of two stores: some people pass both entrances, some one."""
CENTRE_Y = 0.31
"""Where the view's middle is, as a share of the photo's height: at the faces."""


def group_photo() -> Path:
    """Found without importing the package, which takes seconds. Raises DemoError."""
    found = find_spec("insightface")
    for place in (found.submodule_search_locations or []) if found else []:
        photo = Path(place) / "data" / "images" / "t1.jpg"
        if photo.is_file():
            return photo
    raise DemoError("The package insightface carries no group photo here, so there is nobody to show. Install it anew with `make setup`.")


def write_feed(
    photo: Path, to: Path, progress: Callable[[int, int], None] = lambda _done, _of: None, part: tuple[float, float] = WHOLE
) -> float:
    """Writes the video; how many seconds one round takes. `part`: of the photo's width. Raises DemoError."""
    picture = cv2.imread(str(photo))
    if picture is None:
        raise DemoError(f"{photo} cannot be read as a picture.")
    left, right = (round(share * picture.shape[1]) for share in part)
    scene = _with_walls(np.asarray(picture[:, left:right], np.uint8))
    steps = int((scene.shape[1] - VIEW[0]) / PAN_PX_S * FPS)
    film = cv2.VideoWriter(str(to), cv2.VideoWriter.fourcc(*"mp4v"), FPS, VIEW)
    if not film.isOpened():
        raise DemoError(f"The demo's video cannot be written to {to}: no encoder for MPEG-4, or no space.")
    try:
        for round_, (zoom, contrast, brightness) in enumerate(ROUNDS):
            for step in range(steps):
                film.write(_view(scene, step / steps, zoom, contrast, brightness))
            progress(round_ + 1, len(ROUNDS))
    finally:
        film.release()
    return steps / FPS


def _with_walls(photo: Picture) -> Picture:
    """The photo between two walls in the colours of its edges: nothing in them looks like a face."""
    height = photo.shape[0]

    def wall(edge: Picture) -> Picture:
        column = cv2.GaussianBlur(edge.mean(axis=1, dtype=np.float32)[:, None], (1, 151), 0).reshape(height, 1, 3)
        return np.asarray(np.repeat(column, WALL_PX, axis=1), np.uint8)

    return np.concatenate([wall(photo[:, :24]), photo, wall(photo[:, -24:])], axis=1)


def _view(scene: Picture, share: float, zoom: float, contrast: float, brightness: float) -> Picture:
    """`share`: how far the pan is, 0 at the left wall, 1 at the right one."""
    width, height = VIEW[0] / zoom, VIEW[1] / zoom
    x = VIEW[0] / 2 + share * (scene.shape[1] - VIEW[0])
    # Up and down by a few pixels, as heads go when people walk.
    y = scene.shape[0] * CENTRE_Y + 6 * np.sin(share * 40)
    y = min(max(y, height / 2), scene.shape[0] - height / 2)
    cut = cv2.getRectSubPix(scene, (round(width), round(height)), (x, y))
    view = cv2.resize(cut, VIEW, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.convertScaleAbs(view, alpha=contrast, beta=brightness), np.uint8)
