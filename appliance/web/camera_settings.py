"""One camera's page: its picture with the zones that are ignored, what it does with what it sees, and how it does."""

from __future__ import annotations

from collections.abc import Mapping

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from appliance.camera import zones
from appliance.camera.zones import BadZones
from appliance.camera_desk import CHANGE
from appliance.cameras import NAME_MAX, Camera, Change
from appliance.errors import CameraError
from appliance.meanwhile import Met
from appliance.web import meanwhile
from appliance.web.access import Access
from appliance.web.camera_list import card, one, refused
from appliance.web.meanwhile import Matter
from appliance.web.pages import GivenPages, Pages
from appliance.web.person_changes import Answer, Form, seen, yes_or_no
from ui.words import gettext as _
from ui.words import ngettext

DONE = {
    "saved": _("Saved. The camera starts again with it within seconds."),
    "added": _("Added. Its picture appears in a few seconds."),
    "moved": _("Saved. The camera is opened at its new address within seconds."),
}


def sides() -> dict[int, str]:
    """Sizes of the picture that faces are looked for in, with what each is good for."""
    return {
        320: _("320 px: faces near the camera, least work"),
        480: _("480 px"),
        640: _("640 px: usual"),
        960: _("960 px: faces farther away, about twice the work"),
        1280: _("1,280 px: small faces, about four times the work"),
    }


def settings_page_of(
    pages: Pages, camera_id: str, typed: Mapping[str, str], wrong: str = "", status: int = 200, done: str = ""
) -> Response[str]:
    camera, desk = one(pages, camera_id), pages.deps.camera_desk
    choices = sides()
    values = {
        "card": card(pages, camera),
        "camera": camera,
        "typed": typed or as_form(camera),
        "was": typed.get(meanwhile.CARRIED) or meanwhile.carried(pages, as_form(camera)),
        "sides": choices if camera.detector_side_px in choices else choices | {camera.detector_side_px: f"{camera.detector_side_px} px"},
        "liveness_there": desk.liveness,
        "usual_fps": desk.usual_fps,
        "name_max": NAME_MAX,
        "zones_max": zones.ZONES_MAX,
        "corners_max": zones.CORNERS_MAX,
        "wrong": wrong,
        "done": done,
    }
    return pages.page("camera.html", "cameras", values, status)


def as_form(camera: Camera) -> dict[str, str]:
    return {
        "name": camera.name,
        "fps": f"{camera.analysed_fps:g}",
        "side": str(camera.detector_side_px),
        "motion_gate": "yes" if camera.motion_gate else "",
        "recognise": "no" if camera.counting_only else "yes",
        "liveness": "yes" if camera.liveness else "",
        "ignored": zones.to_json(camera.ignored),
    }


def wanted(data: Mapping[str, str]) -> Change:
    """Raises CameraError with words for the page."""
    try:
        fps, side_px = float(data.get("fps", "").replace(",", ".")), int(data.get("side", ""))
    except ValueError:
        raise CameraError(_("Pictures a second is a number from 0.5 to 30.")) from None
    try:
        ignored = zones.from_json(data.get("ignored", ""))
    except BadZones as error:
        raise CameraError(str(error)) from None
    return Change(
        name=data.get("name", "").strip(),
        analysed_fps=fps,
        detector_side_px=side_px,
        motion_gate=data.get("motion_gate") == "yes",
        counting_only=data.get("recognise") == "no",
        liveness=data.get("liveness") == "yes",
        ignored=ignored,
    )


@get("/cameras/{camera_id:str}", opt={"access": Access.MANAGER}, sync_to_thread=True)
def camera_page(pages: GivenPages, camera_id: FromPath[str], said: FromQuery[str] = "") -> Response[str]:
    return settings_page_of(pages, camera_id, {}, done=_(DONE.get(said, "")))


@post("/cameras/{camera_id:str}", opt={"access": Access.MANAGER}, sync_to_thread=True)
def change(pages: GivenPages, camera_id: FromPath[str], data: Form) -> Answer:
    camera, settle = one(pages, camera_id), meanwhile.settling(data)

    def settled(now: Camera, asked: Change) -> Change:
        return wanted(settle(as_form(now), as_form(now.with_change(asked))))

    try:
        if said := refused(lambda: pages.deps.camera_desk.change(camera_id, wanted(data), settled=settled)):
            return settings_page_of(pages, camera_id, {**data}, *said)
    except Met as met:
        return meanwhile.decide(pages, met, matter_of(camera))
    return seen(f"/cameras/{camera_id}?said=saved")


def matter_of(camera: Camera) -> Matter:
    labels = {
        "name": _("Name"),
        "recognise": _("What it does with faces"),
        "liveness": _("Leave out pictures of faces"),
        "motion_gate": _("Rest while nothing moves"),
        "fps": _("Pictures analysed a second"),
        "side": _("Size that faces are looked for in"),
        "ignored": _("Zones to ignore"),
    }
    here_at = f"/cameras/{camera.id}"
    return Matter("cameras", camera.name, here_at, here_at, labels, (CHANGE,), (camera.id,), in_words, outlines)


def in_words(name: str, value: str) -> str:
    """A setting as the page says it."""
    if name == "recognise":
        return _("Count only") if value == "no" else _("Recognise people")
    if name in ("liveness", "motion_gate"):
        return yes_or_no(value)
    if name == "side":
        return sides().get(int(value), f"{value} px")
    if name == "ignored" and value:
        many = len(zones.from_json(value))
        return ngettext("%(n)s zone ignored", "%(n)s zones ignored", many) % {"n": many}
    return value


def outlines(name: str, value: str) -> list[str]:
    """Of zones: what is drawn, in a picture of 160 by 90."""
    if name != "ignored":
        return []
    return [" ".join(f"{x * 160:.1f},{y * 90:.1f}" for x, y in zone) for zone in zones.from_json(value)]


ROUTES = (camera_page, change)
