"""What may be done with a person. Each asks first, says what goes, works without a script, and leads back to where it can be seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect

from appliance import details, merge_history, merging, persons
from appliance.alerts import rules
from appliance.details import Entry
from appliance.errors import PersonError, RegularsError
from appliance.meanwhile import Met
from appliance.privacy import register
from appliance.splitting import Split
from appliance.web import meanwhile, retold
from appliance.web.access import Access
from appliance.web.meanwhile import Matter
from appliance.web.pages import GivenPages, Pages
from appliance.web.people import PersonCard, asked_for, found_people
from appliance.web.person import card_of
from appliance.web.visit_rows import read_rows
from ui import formats
from ui.words import gettext as _

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
Answer = Response[str] | Redirect
NOT_DONE, BUSY = 409, 503


def wrong(do: Callable[[], object]) -> tuple[str, int] | None:
    """Does it; what kept it from being done, in words, and the answer's status. Raises NotFoundException."""
    try:
        do()
    except PersonError as error:
        return retold.said(str(error)), NOT_DONE
    except RegularsError as error:
        return retold.said(str(error)), BUSY
    except TimeoutError:
        return _("The visit log is busy or cannot be written just now. Nothing was changed; try again in a minute."), BUSY
    except LookupError:
        raise NotFoundException(_("That is not there any more. Somebody may have merged or erased it meanwhile.")) from None
    return None


def seen(address: str) -> Redirect:
    return Redirect(address, status_code=303)


def today_of(pages: Pages) -> date:
    return formats.day_of(pages.deps.now(), pages.deps.time_zone)


def edit_form(pages: Pages, person_id: str, entry: Entry, said: str = "", status: int = 200, was: str = "") -> Response[str]:
    """`was`: what a form that is shown again was made from."""
    values = {"card": card_of(pages, person_id), "entry": entry, "words": entry.details.words, "genders": GENDERS, "said_so": said}
    values["was"] = was or meanwhile.carried(pages, details.as_form(entry))
    told = rules.read(pages.deps.query())
    values["untold"] = [words for kind, words in ((rules.VIP, _("VIP")), (rules.WATCHLIST, _("Watchlist"))) if not told[kind].enabled]
    return pages.page("person_edit.html", "people", {**values, "notes_max": details.NOTES_MAX, "name_max": details.NAME_MAX}, status)


GENDERS = {"": _("not known"), "female": _("female"), "male": _("male"), "other": _("other")}


@get("/people/{person_id:str}/edit", opt={"access": Access.MANAGER}, sync_to_thread=True)
def edit_page(pages: GivenPages, person_id: FromPath[str]) -> Response[str]:
    card_of(pages, person_id)
    return edit_form(pages, person_id, details.entry_of(pages.deps.desk.store, person_id))


@post("/people/{person_id:str}/edit", opt={"access": Access.MANAGER}, sync_to_thread=True)
def edit(pages: GivenPages, person_id: FromPath[str], data: Form) -> Answer:
    card, settle = card_of(pages, person_id), meanwhile.settling(data)
    entry, was = details.judged(data, today_of(pages)), data.get(meanwhile.CARRIED, "")
    if entry.wrong:
        return edit_form(pages, person_id, entry, _("Nothing is saved yet: see what is marked below."), 400, was)

    def settled(now: Entry, mine: Entry) -> Entry:
        return details.from_form(settle(details.as_form(now), details.as_form(mine)))

    try:
        if said := wrong(lambda: pages.deps.desk.save(person_id, entry, settled)):
            return edit_form(pages, person_id, entry, *said, was)
    except Met as met:
        return meanwhile.decide(pages, met, matter_of(card))
    return seen(f"/people/{person_id}?said=saved")


def matter_of(card: PersonCard) -> Matter:
    labels = {
        "name": _("Name"),
        "gender": _("Gender"),
        "birth_date": _("Date of birth"),
        "phone": _("Phone"),
        "email": _("E-mail"),
        "notes": _("Notes"),
        "vip": _("VIP"),
        "watchlist": _("Watchlist"),
    }

    def shown(name: str, value: str) -> str:
        if name in ("vip", "watchlist"):
            return yes_or_no(value)
        return _(GENDERS[value]) if name == "gender" else value

    here_at = f"/people/{card.id}/edit"
    whats = ("edit", "name", "merge", "undo_merge")
    return Matter("people", card.who, here_at, here_at, labels, whats, (card.id,), shown, longest={"notes": details.NOTES_MAX})


def yes_or_no(value: str) -> str:
    return _("yes") if value == "yes" else _("no")


@get("/people/{person_id:str}/merge", opt={"access": Access.MANAGER}, sync_to_thread=True)
def merge_choice(pages: GivenPages, person_id: FromPath[str], q: FromQuery[str] = "", page: FromQuery[int] = 1) -> Response[str]:
    card = card_of(pages, person_id)
    asked = asked_for("staff" if card.staff else "customer", "last", q, page)
    return pages.page("merge_choice.html", "people", {"card": card, "asked": asked, "found": found_people(pages, asked)})


def merge_form(pages: Pages, person_id: str, other_id: str, said: str = "", status: int = 200) -> Response[str]:
    store, card, other = pages.deps.desk.store, card_of(pages, person_id), card_of(pages, other_id)
    apart = merging.are_apart(store, person_id, other_id)
    if not said and not apart:
        said = _refusal(lambda: merging.may_be_one(store, persons.one(store, person_id), persons.one(store, other_id)))
    values = {"card": card, "other": other, "apart": apart, "said_so": said}
    return pages.page("merge.html", "people", values, status)


def _refusal(judge: Callable[[], None]) -> str:
    found = wrong(judge)
    return found[0] if found else ""


@get("/people/{person_id:str}/merge/{other_id:str}", opt={"access": Access.MANAGER}, sync_to_thread=True)
def merge_page(pages: GivenPages, person_id: FromPath[str], other_id: FromPath[str]) -> Response[str]:
    return merge_form(pages, person_id, other_id)


@post("/people/{person_id:str}/merge/{other_id:str}", opt={"access": Access.MANAGER}, sync_to_thread=True)
def merge(pages: GivenPages, person_id: FromPath[str], other_id: FromPath[str], data: Form) -> Answer:
    """The one whose page it is stays. `although_apart`: as the form says it, after it has warned."""
    although = data.get("although_apart") == "yes"
    if said := wrong(lambda: pages.deps.desk.merge(person_id, other_id, although_apart=although)):
        return merge_form(pages, person_id, other_id, *said)
    return seen(f"/people/{person_id}?said=merged")


def undo_form(pages: Pages, person_id: str, merge_id: str, said: str = "", status: int = 200) -> Response[str]:
    card = card_of(pages, person_id)
    found = next((m for m in merge_history.of(pages.deps.desk.store, person_id) if m.id == merge_id), None)
    if found is None:
        raise NotFoundException(_("That merge cannot be undone any more: it was undone already, or who was merged was forgotten since."))
    return pages.page("undo_merge.html", "people", {"card": card, "merged": found, "said_so": said}, status)


@get("/people/{person_id:str}/merges/{merge_id:str}/undo", opt={"access": Access.MANAGER}, sync_to_thread=True)
def undo_page(pages: GivenPages, person_id: FromPath[str], merge_id: FromPath[str]) -> Response[str]:
    return undo_form(pages, person_id, merge_id)


@post("/people/{person_id:str}/merges/{merge_id:str}/undo", opt={"access": Access.MANAGER}, sync_to_thread=True)
def undo(pages: GivenPages, person_id: FromPath[str], merge_id: FromPath[str]) -> Answer:
    undo_form(pages, person_id, merge_id)
    if said := wrong(lambda: pages.deps.desk.undo_merge(person_id, merge_id)):
        return undo_form(pages, person_id, merge_id, *said)
    return seen(f"/people/{person_id}?said=undone")


def split_form(pages: Pages, visit_id: str, said: str = "", status: int = 200) -> Response[str]:
    deps = pages.deps
    rows = read_rows(deps.query(), deps.names, "WHERE v.id = ?", (visit_id,))
    if not rows or rows[0].person_id is None:
        raise NotFoundException(_("There is no such visit, or it is nobody's already."))
    return pages.page("split.html", "people", {"row": rows[0], "card": card_of(pages, rows[0].person_id), "said_so": said}, status)


@get("/visits/{visit_id:str}/not-this-person", opt={"access": Access.MANAGER}, sync_to_thread=True)
def split_page(pages: GivenPages, visit_id: FromPath[str]) -> Response[str]:
    return split_form(pages, visit_id)


@post("/visits/{visit_id:str}/not-this-person", opt={"access": Access.MANAGER}, sync_to_thread=True)
def split(pages: GivenPages, visit_id: FromPath[str], data: Form) -> Answer:
    split_form(pages, visit_id)
    found: list[Split] = []
    new_person, of = data.get("to") == "new", data.get("of") or None
    if said := wrong(lambda: found.append(pages.deps.desk.split(visit_id, new_person=new_person, of=of))):
        return split_form(pages, visit_id, *said)
    done = found[0]
    said_so = "split" if done.new_id else "taken" if done.remembered else "counted"
    return seen(f"/people/{done.new_id or done.person_id}?said={said_so}")


def forget_form(pages: Pages, person_id: str, what: str, said: str = "", status: int = 200) -> Response[str]:
    card = card_of(pages, person_id)
    connection = pages.deps.query()
    (pictures,) = connection.execute(
        "SELECT count(*) FROM visits WHERE person_id = ? AND snapshot IS NOT NULL", (person_id,)
    ).fetchone()
    (templates,) = connection.execute("SELECT count(*) FROM templates WHERE person_id = ?", (person_id,)).fetchone()
    values = {"card": card, "pictures": pictures, "templates": templates, "said_so": said}
    return pages.page("forget.html", "people", {**values, "what": what}, status)


ERASE, OPT_OUT = "erase", "opt_out"


@get("/people/{person_id:str}/erase", opt={"access": Access.MANAGER}, sync_to_thread=True)
def erase_page(pages: GivenPages, person_id: FromPath[str]) -> Response[str]:
    return forget_form(pages, person_id, ERASE)


@post("/people/{person_id:str}/erase", opt={"access": Access.MANAGER}, sync_to_thread=True)
def erase(pages: GivenPages, person_id: FromPath[str]) -> Answer:
    """Twice is once: who is gone is erased."""
    if said := wrong(lambda: pages.deps.desk.erase(person_id)):
        return forget_form(pages, person_id, ERASE, *said)
    return seen(f"{_receipt(pages, person_id, ERASE)}?said=erased")


def _receipt(pages: Pages, person_id: str, kind: str) -> str:
    """Where it can be read what went. Of whom nobody here knows there is no receipt."""
    found = register.last_of(pages.deps.query(), person_id, kind)
    return f"/privacy/requests/{found.id}" if found else "/people"


@get("/people/{person_id:str}/opt-out", opt={"access": Access.MANAGER}, sync_to_thread=True)
def opt_out_page(pages: GivenPages, person_id: FromPath[str]) -> Response[str]:
    return forget_form(pages, person_id, OPT_OUT)


@post("/people/{person_id:str}/opt-out", opt={"access": Access.MANAGER}, sync_to_thread=True)
def opt_out(pages: GivenPages, person_id: FromPath[str]) -> Answer:
    if said := wrong(lambda: pages.deps.desk.opt_out(person_id)):
        return forget_form(pages, person_id, OPT_OUT, *said)
    return seen(f"{_receipt(pages, person_id, OPT_OUT)}?said=opted_out")


ROUTES = (
    edit_page, edit, merge_choice, merge_page, merge, undo_page, undo, split_page, split, erase_page, erase, opt_out_page, opt_out,
)  # fmt: skip
