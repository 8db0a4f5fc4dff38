"""A camera is added, or moved to another address, after it has been tried out: what it shows is seen before anything is saved."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from appliance.camera.probe import placement
from appliance.camera_trials import SECONDS, Trial
from appliance.cameras import NAME_MAX, NewCamera
from appliance.errors import SameAddress
from appliance.web import retold
from appliance.web.access import Access
from appliance.web.camera_list import ask_whether_meant, one, refused
from appliance.web.camera_source import SourceForm, as_typed, filled, source_of
from appliance.web.pages import GivenPages, Pages
from appliance.web.person_changes import NOT_DONE, Answer, Form, seen
from ui.words import gettext as _

AGAIN_S = 1
"""How soon the page of a trial that is under way is loaded again."""


def source_form(
    pages: Pages, form: SourceForm, camera_id: str = "", said: str = "", status: int = 200, same: SameAddress | None = None
) -> Response[str]:
    """Empty `camera_id`: a new camera. `same`: another camera is there; whether that is meant is asked."""
    camera = one(pages, camera_id) if camera_id else None
    values = {"form": form, "camera": camera, "said_so": str(same) if same else said, "name_max": NAME_MAX, "same": same}
    return pages.page("camera_source.html", "cameras", values, status)


@get("/cameras/add", opt={"access": Access.MANAGER}, sync_to_thread=True)
def add_page(pages: GivenPages) -> Response[str]:
    return source_form(pages, SourceForm())


@post("/cameras/add", opt={"access": Access.MANAGER}, sync_to_thread=True)
def add(pages: GivenPages, data: Form) -> Answer:
    found: list[str] = []

    desk, meant, beside = pages.deps.camera_desk, data.get("meant") == "yes", data.get("beside", "")

    def start() -> None:
        # A second camera at the address of another may have that one's user and password: they are not shown, and not typed twice.
        kind, source = source_of(data, desk.source_of(desk.one(beside)) if beside else "")
        found.append(desk.try_new(NewCamera(data.get("name", ""), kind, source), meant=meant))

    try:
        if said := refused(start):
            return source_form(pages, as_typed(data), "", *said)
    except SameAddress as same:
        return source_form(pages, as_typed(data), status=NOT_DONE, same=same)
    return seen(f"/cameras/trials/{found[0]}")


@get("/cameras/{camera_id:str}/address", opt={"access": Access.MANAGER}, sync_to_thread=True)
def address_page(pages: GivenPages, camera_id: FromPath[str]) -> Response[str]:
    camera = one(pages, camera_id)
    return source_form(pages, filled(camera.name, camera.kind, camera.source_shown), camera_id)


@post("/cameras/{camera_id:str}/address", opt={"access": Access.MANAGER}, sync_to_thread=True)
def address(pages: GivenPages, camera_id: FromPath[str], data: Form) -> Answer:
    camera, desk = one(pages, camera_id), pages.deps.camera_desk
    found: list[str] = []

    def start() -> None:
        kind, source = source_of(data, desk.source_of(camera))
        found.append(desk.try_elsewhere(camera, kind, source, meant=data.get("meant") == "yes"))

    try:
        if said := refused(start):
            return source_form(pages, as_typed(data), camera_id, *said)
    except SameAddress as same:
        return source_form(pages, as_typed(data), camera_id, status=NOT_DONE, same=same)
    return seen(f"/cameras/trials/{found[0]}")


@post("/cameras/{camera_id:str}/try", opt={"access": Access.MANAGER}, sync_to_thread=True)
def try_view(pages: GivenPages, camera_id: FromPath[str]) -> Answer:
    camera, found = one(pages, camera_id), list[str]()
    if said := refused(lambda: found.append(pages.deps.camera_desk.try_view(camera))):
        values = {"title": _("Not tried out"), "detail": said[0]}
        return pages.page("refused.html", "cameras", values, said[1])
    return seen(f"/cameras/trials/{found[0]}")


def trial_of(pages: Pages, trial_id: str) -> Trial:
    """Raises NotFoundException with words for the page."""
    try:
        return pages.deps.camera_desk.trial(trial_id)
    except LookupError:
        raise NotFoundException(_("This trial is not kept any more. Try the camera out again.")) from None


@get("/cameras/trials/{trial_id:str}", opt={"access": Access.MANAGER}, sync_to_thread=True)
def trial_page(pages: GivenPages, trial_id: FromPath[str]) -> Response[str]:
    return trial_shown(pages, trial_of(pages, trial_id))


def trial_shown(pages: Pages, trial: Trial, said: str = "", status: int = 200) -> Response[str]:
    settings = trial.settings
    values = {
        "trial": trial,
        "found": trial.found,
        "trouble": retold.said(trial.found.error) if trial.found else "",
        # Worded here once more: the process that tried it out speaks English.
        "placement": placement(trial.found.face_widths_px, trial.found.brightness, trial.found.turned_share)[0] if trial.found else "",
        "where": filled(settings.name, settings.kind, settings.source),
        "again_s": AGAIN_S,
        "seconds": round(SECONDS),
        "said_so": said,
    }
    return pages.page("camera_trial.html", "cameras", values, status)


@get("/cameras/trials/{trial_id:str}/picture", opt={"access": Access.MANAGER, "page": False}, sync_to_thread=True)
def trial_picture(pages: GivenPages, trial_id: FromPath[str]) -> Response[bytes]:
    found = trial_of(pages, trial_id).found
    if found is None or not found.frame_jpeg:
        raise NotFoundException(_("There is no picture of this trial."))
    return Response(found.frame_jpeg, media_type="image/jpeg", headers={"cache-control": "no-store"})


@get("/cameras/trials/{trial_id:str}/form", opt={"access": Access.MANAGER}, sync_to_thread=True)
def other_address(pages: GivenPages, trial_id: FromPath[str]) -> Response[str]:
    """Back to the form with what was typed, but for the password."""
    trial = trial_of(pages, trial_id)
    settings = trial.settings
    return source_form(pages, filled(settings.name, settings.kind, settings.source), trial.camera_id if trial.moves else "")


@post("/cameras/trials/{trial_id:str}/save", opt={"access": Access.MANAGER}, sync_to_thread=True)
def save(pages: GivenPages, trial_id: FromPath[str], data: Form) -> Answer:
    trial, found = trial_of(pages, trial_id), list[str]()
    if trial.camera_id and not trial.moves:
        return seen(f"/cameras/{trial.camera_id}")
    meant = data.get("meant") == "yes"
    try:
        if said := refused(lambda: found.append(pages.deps.camera_desk.save(trial, meant=meant))):
            return trial_shown(pages, trial, *said)
    except SameAddress as same:
        here_at = f"/cameras/trials/{trial_id}"
        return ask_whether_meant(pages, same, trial.settings.name, f"{here_at}/save", here_at, _("Save it all the same"))
    return seen(f"/cameras/{found[0]}?said={'moved' if trial.camera_id else 'added'}")


ROUTES = (add_page, add, address_page, address, try_view, trial_page, trial_picture, other_address, save)
