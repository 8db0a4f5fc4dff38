"""Enrolling staff by photos, from files or a camera's picture now: each is judged at once, and nothing is kept until somebody says so.

Until then everything is in memory (`appliance/drafts.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from litestar import Response, get, post
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, FromQuery

from appliance import details, drafts
from appliance.drafts import PHOTOS_MAX, Chosen, Draft
from appliance.errors import PersonError
from appliance.resemblance import Alike
from appliance.staff_desk import StaffDesk
from appliance.staffing import TITLE_MAX
from appliance.web import uploads
from appliance.web.given_photos import NO_PHOTO, PhotoForm, Seen, camera_now, flaw_words, line_of, seen_photo, sent_photos, studio_of
from appliance.web.pages import GivenPages, Pages
from appliance.web.person_changes import NOT_DONE, Answer, Form, seen, wrong
from appliance.web.staff import MANAGER, called, desk_of, read_one, read_staff
from models.faces import Floats
from ui import formats
from ui.words import gettext as _
from ui.words import ngettext


@dataclass(frozen=True, slots=True)
class ChosenLine:
    """One photo as the page shows it. `tone`: good, doubt or bad; `words`: what it is good for; `also`: whom it looks like; `adds`: whether
    it will be kept."""

    id: str
    has_face: bool
    tone: str
    words: str
    also: list[str]
    adds: bool = False


def add_form(pages: Pages, name: str = "", title: str = "", said: str = "", status: int = 200) -> Response[str]:
    values = {"name": name, "title": title, "said_so": said, "name_max": details.NAME_MAX, "title_max": TITLE_MAX}
    return pages.page("staff_add.html", "staff", values, status)


@get("/staff/add", sync_to_thread=True, opt=MANAGER)
def add_page(pages: GivenPages) -> Response[str]:
    studio_of(pages)
    return add_form(pages)


@post("/staff/add", sync_to_thread=True, opt=MANAGER, request_max_body_size=uploads.BODY_BYTES_MAX)
def begin(pages: GivenPages, data: PhotoForm) -> Answer:
    studio, name, title = studio_of(pages), line_of(data, "name", details.NAME_MAX), line_of(data, "title", TITLE_MAX)
    if not name or len(name) > details.NAME_MAX:
        return add_form(pages, name, title, _("Write a name of at most %(n)s characters.") % {"n": details.NAME_MAX}, 400)
    if len(title) > TITLE_MAX:
        return add_form(pages, name, title, _("A job title has at most %(n)s characters.") % {"n": TITLE_MAX}, 400)
    draft = studio.drafts.begin(pages.deps.now(), name, title)
    _take_photos(pages, draft.id, sent_photos(data, "photos"))
    return seen(f"/staff/add/{draft.id}")


@post("/staff/{person_id:str}/photos", sync_to_thread=True, opt=MANAGER)
def more_photos(pages: GivenPages, person_id: FromPath[str]) -> Answer:
    line = read_one(pages, person_id)
    draft = studio_of(pages).drafts.begin(pages.deps.now(), line.card.who, line.title, person_id)
    return seen(f"/staff/add/{draft.id}")


class Finished(HTTPException):
    """These photos were used. `person_id`: who was enrolled with them. The app answers it with `finished_page`."""

    status_code = 410

    def __init__(self, person_id: str) -> None:
        super().__init__()
        self.person_id = person_id


def draft_of(pages: Pages, draft_id: str) -> Draft:
    """Raises Finished, NotFoundException."""
    kept, now_ms = studio_of(pages).drafts, pages.deps.now()
    draft = kept.get(draft_id, now_ms)
    if draft is None and (person_id := kept.enrolled(draft_id, now_ms)):
        raise Finished(person_id)
    if draft is None:
        raise NotFoundException(_("These photos are gone: they are kept for half an hour, and only until they are used. Begin anew."))
    return draft


def finished_page(pages: Pages, person_id: str, status: int) -> Response[str]:
    """For who goes back to photos that were used, or sends them once more."""
    there = read_staff(pages, person_id)
    return pages.page("staff_finished.html", "staff", {"card": there[0].card if there else None}, status)


def draft_form(pages: Pages, draft_id: str, said: str = "", status: int = 200) -> Response[str]:
    draft = draft_of(pages, draft_id)
    among = drafts.among_themselves(draft.chosen, desk_of(pages).stranger)
    lines = [line_of_photo(pages, draft, one, among.get(one.id, drafts.ACCEPTED)) for one in draft.chosen]
    values = {
        "draft": draft,
        "lines": lines,
        "good": sum(line.adds for line in lines),
        "room": PHOTOS_MAX - len(draft.chosen),
        "cameras": [line for line in pages.deps.cameras() if line.state == "watching"],
        "said_so": said,
    }
    return pages.page("staff_photos.html", "staff", values, status)


def line_of_photo(pages: Pages, draft: Draft, one: Chosen, among: str) -> ChosenLine:
    also = [alike_words(pages, found) for found in one.alike if found.person_id != draft.person_id]
    if one.trouble or not one.usable:
        return ChosenLine(one.id, bool(one.face), "bad", one.trouble or flaw_words(one.photo), [])
    if one.photo.faces > 1:
        also.insert(0, ngettext("%(num)s face is in the photo.", "%(num)s faces are in the photo: this one was taken.", one.photo.faces)
                    % {"num": one.photo.faces})  # fmt: skip
    if among == drafts.OTHER_FACE:
        words = _("This looks like somebody else than the other photos. Take it out, or the others.")
        return ChosenLine(one.id, True, "bad", words, also)
    if among == drafts.SAME:
        words = _("Adds nothing: another photo shows the same view. Turn the head a little, or change the light.")
        return ChosenLine(one.id, True, "doubt", words, also)
    return ChosenLine(one.id, True, "doubt" if one.alike and also else "good", _("Accepted."), also, adds=True)


def alike_words(pages: Pages, found: Alike) -> str:
    values = {
        "who": called(pages, found.person_id),
        "similarity": formats.similarity(found.similarity),
        "bar": formats.similarity(found.bar),
    }
    if found.role == "staff" and found.sure:
        return _("Looks like %(who)s, who is staff already (%(similarity)s, the same person from %(bar)s).") % values
    if found.sure:
        return _("Looks like the customer %(who)s (%(similarity)s, the same person from %(bar)s). After enrolling you are asked.") % values
    return _("Might be %(who)s (%(similarity)s, the same person from %(bar)s).") % values


@get("/staff/add/{draft_id:str}", sync_to_thread=True, opt=MANAGER)
def draft_page(pages: GivenPages, draft_id: FromPath[str], said: FromQuery[str] = "") -> Response[str]:
    return draft_form(pages, draft_id, _("Eight photos are enough; the rest was left out.") if said == "full" else "")


@get("/staff/add/{draft_id:str}/{photo_id:str}", sync_to_thread=True, opt=MANAGER)
def draft_face(pages: GivenPages, draft_id: FromPath[str], photo_id: FromPath[str]) -> Response[bytes]:
    face = next((one.face for one in draft_of(pages, draft_id).chosen if one.id == photo_id and one.face), None)
    if face is None:
        raise NotFoundException(_("That photo is no longer there."))
    return Response(face, media_type="image/jpeg", headers={"cache-control": "no-store"})


@post("/staff/add/{draft_id:str}/photos", sync_to_thread=True, opt=MANAGER, request_max_body_size=uploads.BODY_BYTES_MAX)
def add_photos(pages: GivenPages, draft_id: FromPath[str], data: PhotoForm) -> Answer:
    draft = draft_of(pages, draft_id)
    sent = sent_photos(data, "photos")
    if not sent:
        return draft_form(pages, draft_id, _("Choose a photo first."), 400)
    _take_photos(pages, draft_id, sent)
    return seen(f"/staff/add/{draft_id}" + ("?said=full" if len(draft.chosen) + len(sent) > PHOTOS_MAX else ""))


@post("/staff/add/{draft_id:str}/camera", sync_to_thread=True, opt=MANAGER)
def from_camera(pages: GivenPages, draft_id: FromPath[str], data: Form) -> Answer:
    draft_of(pages, draft_id)
    try:
        jpeg = camera_now(pages, data.get("camera", ""))
    except PersonError as error:
        return draft_form(pages, draft_id, str(error), NOT_DONE)
    _take_photos(pages, draft_id, [jpeg], largest=True)
    return seen(f"/staff/add/{draft_id}")


@post("/staff/add/{draft_id:str}/drop", sync_to_thread=True, opt=MANAGER)
def drop_photo(pages: GivenPages, draft_id: FromPath[str], data: Form) -> Answer:
    draft_of(pages, draft_id)
    studio_of(pages).drafts.change(draft_id, lambda draft: draft.without(data.get("photo", "")))
    return seen(f"/staff/add/{draft_id}")


@post("/staff/add/{draft_id:str}/cancel", sync_to_thread=True, opt=MANAGER)
def cancel(pages: GivenPages, draft_id: FromPath[str]) -> Answer:
    studio_of(pages).drafts.drop(draft_id)
    return seen("/staff")


@post("/staff/add/{draft_id:str}/enrol", sync_to_thread=True, opt=MANAGER)
def enrol(pages: GivenPages, draft_id: FromPath[str]) -> Answer:
    """Twice is once: the photos are gone with the first."""
    try:
        draft, desk = draft_of(pages, draft_id), desk_of(pages)
    except Finished as done:
        return seen(f"/staff/{done.person_id}")
    if not draft.usable():
        return draft_form(pages, draft_id, _("None of the photos can be used yet. See what is said of each, and add another."), NOT_DONE)
    if drafts.OTHER_FACE in drafts.among_themselves(draft.chosen, desk.stranger).values():
        return draft_form(pages, draft_id, _("The photos show different people. Take out those of somebody else first."), NOT_DONE)
    made = [draft.person_id]
    if draft.person_id:
        said = wrong(lambda: desk.add_photos(draft.person_id, draft.usable()))
    else:
        said = wrong(lambda: made.append(desk.enrol(draft.name, draft.title, draft.usable())))
    if said:
        return draft_form(pages, draft_id, *said)
    studio_of(pages).drafts.finish(draft_id, made[-1])
    wrong(lambda: desk.test(made[-1:]))
    asks = any(found.role == "customer" for one in draft.chosen for found in one.alike)
    return seen(f"/staff/{made[-1]}{'/alike' if asks else ''}?said={'photos' if draft.person_id else 'enrolled'}")


def _take_photos(pages: Pages, draft_id: str, sent: list[bytes], *, largest: bool = False) -> None:
    """Looks at each and puts it to the draft, as many as have room."""
    studio, desk = studio_of(pages), desk_of(pages)
    for upload in sent[: max(0, PHOTOS_MAX - len(draft_of(pages, draft_id).chosen))]:
        looked = seen_photo(studio, upload, largest=largest)
        alike: list[Alike] = []
        if (view := looked.photo.embedding) is not None:
            if len(view) != desk.size:
                looked = Seen(NO_PHOTO, trouble=_("The photo was looked at with other models than the store's. Restart the appliance."))
            elif trouble := wrong(partial(_find_alike, desk, view, alike)):
                looked = Seen(NO_PHOTO, looked.face, trouble[0])
        studio.drafts.change(draft_id, partial(_with, looked, alike))


def _find_alike(desk: StaffDesk, view: Floats, found: list[Alike]) -> None:
    found.extend(desk.alike([view]))


def _with(looked: Seen, alike: list[Alike], draft: Draft) -> Draft:
    return draft.with_photo(looked.photo, looked.face, alike, looked.trouble)


ROUTES = (add_page, begin, more_photos, draft_page, draft_face, add_photos, from_camera, drop_photo, cancel, enrol)
