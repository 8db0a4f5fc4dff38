"""The page Cameras: each with its picture and how it does; switched on and off, and removed after asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from appliance.cameras import Camera, Change
from appliance.errors import CameraError, RegularsError, SameAddress
from appliance.web import retold
from appliance.web.access import Access
from appliance.web.cameras import CameraHealth, CameraLine, health
from appliance.web.pages import GivenPages, Pages
from appliance.web.person_changes import BUSY, NOT_DONE, Answer, Form, seen
from ui.words import gettext as _
from ui.words import ngettext

WRONG = 400


@dataclass(frozen=True, slots=True)
class CameraCard:
    """A camera of the table with how it does. `chosen`: what is unusual about it, in words."""

    camera: Camera
    health: CameraHealth
    line: CameraLine | None
    chosen: list[str]


def card(pages: Pages, camera: Camera) -> CameraCard:
    zone = pages.deps.time_zone
    line = next((line for line in pages.deps.cameras() if line.id == camera.id), None)
    # Just added or changed: the roster looks at the table every two seconds.
    now = line or CameraLine(camera.id, camera.name, "opening" if camera.enabled else "off", pages.deps.now())
    return CameraCard(camera, health(now, zone), line, chosen(camera))


def chosen(camera: Camera) -> list[str]:
    zones = len(camera.ignored)
    said = (
        (camera.counting_only, _("counting only")),
        (camera.liveness, _("liveness on")),
        (not camera.motion_gate, _("still pictures too")),
        (zones > 0, ngettext("%(n)s zone ignored", "%(n)s zones ignored", zones) % {"n": zones}),
    )
    return [words for holds, words in said if holds]


def one(pages: Pages, camera_id: str) -> Camera:
    """Raises NotFoundException with words for the page."""
    try:
        return pages.deps.camera_desk.one(camera_id)
    except LookupError:
        raise NotFoundException(_("There is no such camera. It may have been removed.")) from None


def refused(do: Callable[[], object]) -> tuple[str, int] | None:
    """Does it; what kept it from being done, in words, and the answer's status. Raises NotFoundException, and SameAddress: that may be
    meant, so whoever asks is asked."""
    try:
        do()
    except SameAddress:
        raise
    except CameraError as error:
        return retold.said(str(error)), WRONG
    except RegularsError as error:
        return retold.said(str(error)), BUSY
    except LookupError:
        raise NotFoundException(_("There is no such camera. It may have been removed.")) from None
    return None


def list_values(pages: Pages) -> dict[str, object]:
    mark = pages.deps.live.mark()
    return {"mark": mark, "cards": [card(pages, camera) for camera in pages.deps.camera_desk.listed()]}


@get("/cameras", opt={"access": Access.MANAGER}, sync_to_thread=True)
def cameras_page(pages: GivenPages) -> Response[str]:
    return pages.page("cameras.html", "cameras", list_values(pages))


@get("/cameras/parts", opt={"access": Access.MANAGER, "page": False}, sync_to_thread=True)
def cameras_parts(pages: GivenPages) -> Response[str]:
    return Response(pages.text("cameras_parts.html", list_values(pages)), media_type=MediaType.HTML)


def _switched(pages: Pages, camera_id: str, on: bool, meant: bool = False) -> Answer:
    camera = one(pages, camera_id)
    try:
        said = refused(lambda: pages.deps.camera_desk.change(camera_id, Change(enabled=on), meant=meant))
    except SameAddress as same:
        return ask_whether_meant(pages, same, camera.name, f"/cameras/{camera_id}/on", f"/cameras/{camera_id}", _("Switch on all the same"))
    if said:
        values = {"title": _("That did not work"), "detail": said[0]}
        return pages.page("refused.html", "cameras", values, said[1])
    return seen(f"/cameras/{camera_id}")


def ask_whether_meant(pages: Pages, same: SameAddress, name: str, action: str, back: str, button: str) -> Response[str]:
    """`action`: where it is sent again, with `meant`."""
    values = {"same": same, "name": name, "action": action, "back": back, "button": button}
    return pages.page("camera_same.html", "cameras", values, NOT_DONE)


@post("/cameras/{camera_id:str}/on", opt={"access": Access.MANAGER}, sync_to_thread=True)
def switch_on(pages: GivenPages, camera_id: FromPath[str], data: Form) -> Answer:
    return _switched(pages, camera_id, True, data.get("meant") == "yes")


@post("/cameras/{camera_id:str}/off", opt={"access": Access.MANAGER}, sync_to_thread=True)
def switch_off(pages: GivenPages, camera_id: FromPath[str]) -> Answer:
    return _switched(pages, camera_id, False)


def remove_form(pages: Pages, camera_id: str, said: str = "", status: int = 200) -> Response[str]:
    camera = one(pages, camera_id)
    return pages.page("camera_remove.html", "cameras", {"camera": camera, "said_so": said}, status)


@get("/cameras/{camera_id:str}/remove", opt={"access": Access.MANAGER}, sync_to_thread=True)
def remove_page(pages: GivenPages, camera_id: FromPath[str]) -> Response[str]:
    return remove_form(pages, camera_id)


@post("/cameras/{camera_id:str}/remove", opt={"access": Access.MANAGER}, sync_to_thread=True)
def remove(pages: GivenPages, camera_id: FromPath[str]) -> Answer:
    one(pages, camera_id)
    if said := refused(lambda: pages.deps.camera_desk.remove(camera_id)):
        return remove_form(pages, camera_id, *said)
    return Redirect("/cameras", status_code=303)


ROUTES = (cameras_page, cameras_parts, switch_on, switch_off, remove_page, remove)
