"""Photos that somebody sends: read in bounds. What is too large, of another kind or broken is said in words and never decoded whole.

The size that a file claims is looked at before a pixel is read, so that a small file cannot unfold into all the memory there is. A route
that takes photos says `request_max_body_size=BODY_BYTES_MAX`; all others stay at the app's own limit.
"""

from __future__ import annotations

import io
import threading

import numpy as np
from PIL import Image, ImageOps

from appliance.errors import UploadError
from models.faces import Picture
from ui.words import gettext as _

PHOTO_BYTES_MAX = 12 << 20
"""A telephone's photo has 3 to 8 MB."""
BODY_BYTES_MAX = 40 << 20
"""Of one form: a handful of photos at once."""
SIDE_PX_MIN = 32
"""A face needs as much; less is an icon."""
PIXELS_MAX = 64_000_000
"""The largest that telephones make by default has 50 million."""
KEPT_SIDE_PX = 2_400
"""Decoded no larger than this: a face that is big enough to be known is still that."""
FORMATS = ("JPEG", "PNG", "WEBP")
AT_ONCE_MAX = 2
"""A decoded PNG of the largest size holds 190 MB."""

_room = threading.BoundedSemaphore(AT_ONCE_MAX)


def read_picture(upload: bytes) -> Picture:
    """(H, W, 3) uint8 BGR 0..255, upright as the camera was held, at most KEPT_SIDE_PX on its longer side. Raises UploadError."""
    if not upload:
        raise UploadError(_("The photo is empty. Choose it again."))
    if len(upload) > PHOTO_BYTES_MAX:
        said = _("The photo has %(size)s MB; at most %(most)s are taken. Send it smaller.")
        raise UploadError(said % {"size": f"{len(upload) / (1 << 20):.0f}", "most": PHOTO_BYTES_MAX >> 20})
    try:
        image = Image.open(io.BytesIO(upload), formats=FORMATS)
    except Exception:  # whatever a decoder raises for bytes of anybody's making
        raise UploadError(_("This is no photo that can be read here. Send it as JPEG, PNG or WebP.")) from None
    width, height = image.size
    if width * height > PIXELS_MAX:
        said = _("The photo has %(width)s × %(height)s pixels, more than is looked at here. Send it smaller.")
        raise UploadError(said % {"width": width, "height": height})
    if min(width, height) < SIDE_PX_MIN:
        said = _("The photo has only %(width)s × %(height)s pixels. Send it larger.")
        raise UploadError(said % {"width": width, "height": height})
    with _room:
        return _decoded(image)


def _decoded(image: Image.Image) -> Picture:
    try:
        # A JPEG is unpacked to a half, a quarter or an eighth at once where that is still enough.
        image.draft("RGB", (KEPT_SIDE_PX, KEPT_SIDE_PX))
        image.load()
        image.thumbnail((KEPT_SIDE_PX, KEPT_SIDE_PX))
        upright = ImageOps.exif_transpose(image).convert("RGB")
    except Exception:  # as above
        raise UploadError(_("The photo is damaged: it cannot be read to its end. Choose it again.")) from None
    return np.ascontiguousarray(np.asarray(upright, np.uint8)[:, :, ::-1])
