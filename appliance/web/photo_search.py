"""Search by photo: who of this store's people looks like a photo that somebody sends. The photo is looked at and kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass

from litestar import Response, get, post

from appliance.resemblance import Alike
from appliance.web import uploads
from appliance.web.given_photos import PhotoForm, flaw_words, seen_photo, sent_photos, studio_of
from appliance.web.pages import GivenPages, Pages
from appliance.web.people import PersonCard, read_cards
from appliance.web.person_changes import wrong
from appliance.web.staff import MANAGER, desk_of
from ui import formats
from ui.words import gettext as _


@dataclass(frozen=True, slots=True)
class FoundCard:
    """`words`: similarity and bar, as a sentence."""

    card: PersonCard
    sure: bool
    words: str


def search_form(pages: Pages, said: str = "", status: int = 200, found: list[FoundCard] | None = None, faces: int = 0) -> Response[str]:
    values = {"said_so": said, "found": found, "faces": faces}
    return pages.page("photo_search.html", "people", values, status)


@get("/people/by-photo", sync_to_thread=True, opt=MANAGER)
def search_page(pages: GivenPages) -> Response[str]:
    studio_of(pages)
    return search_form(pages)


@post("/people/by-photo", sync_to_thread=True, opt=MANAGER, request_max_body_size=uploads.BODY_BYTES_MAX)
def search(pages: GivenPages, data: PhotoForm) -> Response[str]:
    studio, sent = studio_of(pages), sent_photos(data, "photo")
    if not sent:
        return search_form(pages, _("Choose a photo first."), 400)
    looked, desk = seen_photo(studio, sent[0]), desk_of(pages)
    view = looked.photo.embedding
    if view is None or len(view) != desk.size:
        return search_form(pages, looked.trouble or flaw_words(looked.photo), 422)
    near: list[Alike] = []
    if trouble := wrong(lambda: near.extend(desk.alike([view]))):
        return search_form(pages, *trouble)
    wrong(lambda: desk.searched(near[0].person_id if near else ""))
    deps = pages.deps
    cards = {c.id: c for c in read_cards(deps.query(), deps.names, [one.person_id for one in near], deps.now(), deps.loyalty)}
    found = [FoundCard(cards[one.person_id], one.sure, likeness_words(one)) for one in near if one.person_id in cards]
    return search_form(pages, found=found, faces=looked.photo.faces)


def likeness_words(found: Alike) -> str:
    values = {"similarity": formats.similarity(found.similarity), "bar": formats.similarity(found.bar)}
    if found.sure:
        return _("%(similarity)s, the same person from %(bar)s") % values
    return _("%(similarity)s, too little to be sure (%(bar)s)") % values


ROUTES = (search_page, search)
