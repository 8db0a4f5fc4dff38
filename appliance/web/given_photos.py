"""Photos that a form sends, or a camera shows just now: read in bounds, looked at, and said what they are good for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body

from appliance.enrolment import Photo
from appliance.errors import EyeError, PersonError, UploadError
from appliance.live import LOOK_SECONDS
from appliance.studio import Studio
from appliance.web import retold
from appliance.web.pages import Pages
from appliance.web.uploads import read_picture
from ui.words import gettext as _

PhotoForm = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]
CAMERA_S_MAX = 4.0
"""A camera that is asked for pictures sends one within a second; one that does not is not watching."""
CAMERA_POLL_S = 0.1
NO_PHOTO = Photo(None, 0, "")


@dataclass(frozen=True, slots=True)
class Seen:
    """`trouble`: why the photo could not be looked at, in words; then the rest is empty."""

    photo: Photo
    face: bytes = b""
    trouble: str = ""


def studio_of(pages: Pages) -> Studio:
    if pages.deps.studio is None:
        raise NotFoundException(_("Photos cannot be looked at on this page."))
    return pages.deps.studio


def sent_photos(form: Mapping[str, Any], name: str) -> list[bytes]:
    """The files of a field, without the empty and nameless one that a browser sends when none was chosen."""
    given = form.get(name, [])
    files = [file for file in (given if isinstance(given, list) else [given]) if isinstance(file, UploadFile)]
    return [content for file in files if (content := file.file.read()) or file.filename]


def line_of(form: Mapping[str, Any], name: str, length_max: int) -> str:
    """A field of one line, as it was meant."""
    value = form.get(name, "")
    return " ".join(value.split())[: length_max + 1] if isinstance(value, str) else ""


def seen_photo(studio: Studio, upload: bytes, *, largest: bool = False) -> Seen:
    try:
        photo, face = studio.look(read_picture(upload), largest)
    except (UploadError, EyeError) as error:
        return Seen(NO_PHOTO, trouble=retold.said(str(error)))
    return Seen(photo, face)


def camera_now(pages: Pages, camera_id: str) -> bytes:
    """A picture that the camera takes now, as JPEG. Raises PersonError when none comes, NotFoundException where there is no such camera."""
    deps = pages.deps
    if all(line.id != camera_id for line in deps.cameras()):
        raise NotFoundException(_("There is no such camera. It may have been removed."))
    before = deps.live.picture(camera_id, deps.now())
    deps.look(camera_id, LOOK_SECONDS)
    until_s = time.monotonic() + CAMERA_S_MAX
    while time.monotonic() < until_s:
        picture = deps.live.picture(camera_id, deps.now())
        if picture is not None and (before is None or picture.number != before.number):
            return picture.jpeg
        time.sleep(CAMERA_POLL_S)
    raise PersonError(_("The camera sent no picture just now. See on Today whether it is watching, or choose a photo instead."))


def flaw_words(photo: Photo) -> str:
    """Why a photo is not usable and what to do; empty for one that is."""
    return {
        "no face found": _("No face found. The face must be as large as a thumb and look at the camera."),
        "too small": _("The face is too small. Take the photo from nearer."),
        "cut by the picture's edge": _("The face is cut by the photo's edge."),
        "covered by another face": _("Another face is in front of it."),
        "detector unsure": _("It is not clear that this is a face. Take another photo, from the front and in good light."),
        "turned away": _("The face is turned away too far. Half a turn is fine, a profile is not."),
        "too dark": _("The face is too dark. Turn it to the light."),
        "too bright": _("The face is too bright. Turn it from the light."),
        "too blurred": _("The face is blurred. Hold still, or take the photo from nearer."),
    }.get(photo.flaw, photo.flaw)
