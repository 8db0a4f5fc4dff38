"""What one person may ask for: to see everything, to be erased, never to be stored again; each entered, done or refused, with a receipt
that holds no name."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from appliance import audit
from appliance.errors import RegularsError
from appliance.forgetting import Forgotten
from appliance.privacy import dossier, dossier_page, particulars, receipts, register
from appliance.privacy.register import ACCESS, KINDS, REASONS, Request
from appliance.web import retold
from appliance.web.pages import GivenPages, Pages
from appliance.web.person import card_of
from appliance.web.person_changes import Answer, Form, seen, wrong
from appliance.web.privacy import KINDS as ASKED
from appliance.web.privacy import MANAGER, SAID, download
from ui.words import gettext as _


def request_of(pages: Pages, request_id: int) -> Request:
    found = register.one(pages.deps.query(), request_id)
    if found is None:
        raise NotFoundException(_("There is no such request."))
    return found


def shown(pages: Pages, request_id: int, said: str = "", status: int = 200) -> Response[str]:
    found = request_of(pages, request_id)
    there = pages.deps.query().execute("SELECT role FROM persons WHERE id = ?", (found.person_id,)).fetchone()
    values = {
        "request": found,
        "asked": ASKED[found.kind],
        "reasons": REASONS,
        "reason": REASONS.get(found.reason, ""),
        "person": card_of(pages, found.person_id) if there and there[0] != "opted_out" else None,
        "rows": receipts.rows_of(found),
        "said_so": said,
    }
    return pages.page("privacy_request.html", "privacy", values, status)


@get("/privacy/requests/{request_id:int}", opt=MANAGER, sync_to_thread=True)
def request_page(pages: GivenPages, request_id: FromPath[int], said: FromQuery[str] = "") -> Response[str]:
    return shown(pages, request_id, _(SAID.get(said, "")))


@get("/privacy/requests/{request_id:int}/receipt.pdf", opt={**MANAGER, "page": False}, sync_to_thread=True)
def receipt_pdf(pages: GivenPages, request_id: FromPath[int]) -> Response[bytes]:
    found = request_of(pages, request_id)
    if found.state != register.DONE or found.done_ms is None:
        raise NotFoundException(_("There is a receipt once the request is done."))
    deps, told = pages.deps, particulars.of(pages.deps.desk.store)
    made = receipts.pdf(found, told, deps.site_name, deps.time_zone, deps.now())
    return download(made, "application/pdf", f"receipt-{found.id}.pdf")


@post("/privacy/requests/{request_id:int}/refuse", opt=MANAGER, sync_to_thread=True)
def refuse(pages: GivenPages, request_id: FromPath[int], data: Form) -> Answer:
    request_of(pages, request_id)
    deps = pages.deps

    def do() -> None:
        with deps.desk.store.transaction():
            register.refuse(deps.desk.store, request_id, data.get("reason", ""), deps.desk.who, deps.now())

    if said := wrong(do):
        return shown(pages, request_id, *said)
    return seen(f"/privacy/requests/{request_id}?said=refused")


@get("/privacy/people/{person_id:str}", opt=MANAGER, sync_to_thread=True)
def person_requests(pages: GivenPages, person_id: FromPath[str]) -> Response[str]:
    return asking(pages, person_id)


def asking(pages: Pages, person_id: str, said: str = "", status: int = 200) -> Response[str]:
    card = card_of(pages, person_id)
    connection = pages.deps.query()
    requests = [r for kind in KINDS if (r := register.last_of(connection, person_id, kind)) is not None]
    values = {"card": card, "requests": requests, "kinds": ASKED, "said_so": said}
    return pages.page("privacy_person.html", "privacy", values, status)


@post("/privacy/people/{person_id:str}", opt=MANAGER, sync_to_thread=True)
def receive(pages: GivenPages, person_id: FromPath[str], data: Form) -> Answer:
    """A request that came by letter or at the till, to be done later."""
    card_of(pages, person_id)
    deps, kind = pages.deps, data.get("kind", "")
    if kind not in KINDS:
        return asking(pages, person_id, _("Choose what they ask for."), 400)
    number: list[int] = []

    def do() -> None:
        with deps.desk.store.transaction():
            number.append(register.receive(deps.desk.store, kind, person_id, deps.desk.who, deps.now()))

    if said := wrong(do):
        return asking(pages, person_id, *said)
    return seen(f"/privacy/requests/{number[0]}?said=received")


@post("/privacy/people/{person_id:str}/everything", opt=MANAGER, sync_to_thread=True)
def everything(pages: GivenPages, person_id: FromPath[str]) -> Response[str] | Stream:
    """Gives it out, and enters that it was."""
    card_of(pages, person_id)
    deps, store = pages.deps, pages.deps.desk.store
    try:
        with store.transaction():
            number = register.number_of(store, person_id)
            request_id = register.fulfil(store, ACCESS, person_id, number, Forgotten(), deps.desk.who, deps.now())
            audit.note(store, "export", person_id, deps.now(), who=deps.desk.who)
    except RegularsError as error:
        return asking(pages, person_id, retold.said(str(error)), 503)
    data, pictures = dossier.gathered(store, person_id, deps.site_name, deps.time_zone, deps.now())
    told = particulars.of(store)

    headers = {"content-disposition": f'attachment; filename="visitor-{number}-request-{request_id}.zip"', "cache-control": "no-store"}
    pieces = dossier.zipped(store, data, pictures, lambda found: dossier_page.page(found, told))
    return Stream(pieces, media_type="application/zip", headers=headers)


ROUTES = (request_page, receipt_pdf, refuse, person_requests, receive, everything)
