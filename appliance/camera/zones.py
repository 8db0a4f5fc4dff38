"""Zones of a camera's picture that are not looked at: posters, mirrors, the street behind the door. A face whose middle lies in one is
dropped before anything else is done with it.

A zone is a polygon of corners as fractions of the picture's width and height, so that it stays right when the resolution changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import msgspec
import numpy as np

from models.faces import Faces
from ui.words import gettext as _

Corner = tuple[float, float]
Zone = tuple[Corner, ...]

ZONES_MAX = 12
"""More are a mask drawn by hand; a camera that needs it is to be turned."""
CORNERS_MAX = 24
AREA_MIN = 1e-4
"""Of the picture: a smaller zone is a slip of the finger and holds no face's middle anyway."""
DIGITS = 4
"""A corner is kept to a tenth of a thousandth of the picture: finer than a pixel."""
TEXT_BYTES_MAX = 8000


class BadZones(ValueError):
    """The message says what is wrong, for whoever drew or typed them."""


def judged(zones: Sequence[Sequence[Sequence[float]]]) -> tuple[Zone, ...]:
    """Each zone as it is kept. Raises BadZones."""
    if len(zones) > ZONES_MAX:
        raise BadZones(_("%(n)s zones are too many: %(most)s are possible.") % {"n": len(zones), "most": ZONES_MAX})
    return tuple(_judged(number, zone) for number, zone in enumerate(zones, 1))


def _judged(number: int, zone: Sequence[Sequence[float]]) -> Zone:
    if not 3 <= len(zone) <= CORNERS_MAX:
        values = {"zone": number, "n": len(zone), "most": CORNERS_MAX}
        raise BadZones(_("Zone %(zone)s has %(n)s corners; 3 to %(most)s are possible.") % values)
    corners = []
    for corner in zone:
        if len(corner) != 2 or not all(0.0 <= value <= 1.0 for value in corner):
            words = _("Zone %(zone)s has a corner outside the picture: each is two numbers from 0 (left, top) to 1 (right, bottom).")
            raise BadZones(words % {"zone": number})
        corners.append((round(float(corner[0]), DIGITS), round(float(corner[1]), DIGITS)))
    if cv2.contourArea(np.array(corners, np.float32)) < AREA_MIN:
        raise BadZones(_("Zone %(zone)s is too small to hold a face.") % {"zone": number})
    return tuple(corners)


def from_json(text: str) -> tuple[Zone, ...]:
    """[[[x, y], ...], ...] as the table and the page have it; empty for none. Raises BadZones."""
    if not text.strip():
        return ()
    if len(text) > TEXT_BYTES_MAX:
        raise BadZones(_("These are too many corners."))
    try:
        zones = msgspec.json.decode(text.encode(), type=list[list[list[float]]])
    except msgspec.MsgspecError:
        raise BadZones(_("These are no zones: each is a list of corners, each corner two numbers.")) from None
    return judged(zones)


def to_json(zones: Sequence[Zone]) -> str:
    return msgspec.json.encode(zones).decode() if zones else ""


def from_words(text: str) -> Zone:
    """One zone as it is typed in a terminal: "0.1,0.2 0.4,0.2 0.4,0.6". Raises BadZones."""
    try:
        corners = [tuple(float(value) for value in corner.split(",")) for corner in text.split()]
    except ValueError:
        raise BadZones(_("%(text)s is no zone: write its corners as in 0.1,0.2 0.4,0.2 0.4,0.6.") % {"text": repr(text)}) from None
    return judged([corners])[0]


def outside(zones: Sequence[Zone], faces: Faces, height: int, width: int) -> Faces:
    """The faces of a picture of this size whose middle lies in no zone."""
    if not zones or not len(faces):
        return faces
    size = np.array([width, height], np.float32)
    shapes = [np.array(zone, np.float32) * size for zone in zones]
    middles = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    kept = [all(cv2.pointPolygonTest(shape, (float(x), float(y)), False) < 0 for shape in shapes) for x, y in middles]
    return faces if all(kept) else faces.take(np.array(kept, bool))
