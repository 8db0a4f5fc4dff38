"""Photos for the page's tests: a plain picture whose colour says who is on it, and the eye that knows that."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from appliance.enrolment import Photo
from appliance.errors import EyeError
from appliance.studio import Studio
from models.faces import Picture
from tests.appliance.visitors import face, like
from tests.appliance.web.shop import Shop

NOBODY, DARK, BROKEN = 90, 91, 92
"""Instead of somebody: no face, a dark one, and a photo over which the eye dies."""
SIDE_PX = 64


def photo(who: int, view: int = 0, faces: int = 1) -> bytes:
    """As PNG. `view` 0 is the face itself; others resemble it by .8."""
    picture = np.full((SIDE_PX, SIDE_PX, 3), (who, view, faces), np.uint8)
    done, content = cv2.imencode(".png", picture)
    assert done
    return content.tobytes()


def look(picture: Picture, largest: bool = False) -> tuple[Photo, bytes]:
    who, view, faces = (int(part) for part in picture[0, 0])
    shown = cv2.imencode(".jpg", picture)[1].tobytes()
    if who == BROKEN:
        raise EyeError("The process that looks at photos died over this one. Send another photo.")
    if who == NOBODY:
        return Photo(None, 0, "no face found"), shown
    if who == DARK:
        return Photo(None, 0, "too dark", 1), shown
    return Photo(like(who, 0.8, view) if view else face(who), 0.6, "", faces), shown


def with_studio(shop: Shop) -> Shop:
    shop.deps = replace(shop.deps, studio=Studio(look))
    return shop
