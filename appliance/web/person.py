"""One person: picture, what was entered, visits as a timeline and a calendar, templates and where they come from, what the chain knows, and
what can be taken back."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from appliance import details, merge_history, merging
from appliance.audit import SEE
from appliance.audit_words import who_words
from appliance.details import Details
from appliance.merge_history import Merged
from appliance.web.access import Access
from appliance.web.audit import saw
from appliance.web.calendar import Calendar, calendar, first_day
from appliance.web.known_by import Drift, TemplateLine, read_drift, read_templates
from appliance.web.pages import GivenPages, Pages
from appliance.web.people import PersonCard, read_cards
from appliance.web.visit_list import asked_page
from appliance.web.visit_rows import VisitRow, read_rows
from ui import formats
from ui.words import gettext as _

VISITS_MAX = 20
"""A page of the timeline."""
DAYS_READ_MAX = 5_000
"""Visits of half a year: staff come often, customers never this often."""
AUDIT_MAX = 10


@dataclass(frozen=True, slots=True)
class AuditLine:
    what: str
    at_ms: int
    who: str


@dataclass(frozen=True, slots=True)
class Chain:
    """What headquarters tells. `visits`: in the whole chain."""

    also_at: list[str]
    visits: int
    vip: bool
    watchlist: bool


@dataclass(frozen=True, slots=True)
class Person:
    card: PersonCard
    named: bool
    details: Details
    visits: list[VisitRow]
    page: int
    pages: int
    calendar: Calendar
    templates: list[TemplateLine]
    drift: Drift | None
    chain: Chain | None
    merges: list[Merged]
    audit: list[AuditLine]


def card_of(pages: Pages, person_id: str) -> PersonCard:
    """Raises NotFoundException, for who opted out as well: nothing is shown of them."""
    deps = pages.deps
    found = read_cards(deps.query(), deps.names, [person_id], deps.now(), deps.loyalty)
    if not found:
        raise NotFoundException(_("There is no such person. They may have been merged with somebody, erased, or opted out."))
    return found[0]


def read_person(pages: Pages, person_id: str, page: int) -> Person:
    deps, card = pages.deps, card_of(pages, person_id)
    connection, store, zone = deps.query(), deps.desk.store, deps.time_zone
    (total,) = connection.execute("SELECT count(*) FROM visits WHERE person_id = ?", (person_id,)).fetchone()
    where = "WHERE v.person_id = ? ORDER BY v.last_seen_ms DESC LIMIT ? OFFSET ?"
    rows = read_rows(connection, deps.names, where, (person_id, VISITS_MAX, (page - 1) * VISITS_MAX))
    today = formats.day_of(deps.now(), zone)
    since_ms, _end = formats.day_bounds(first_day(today), zone)
    times = connection.execute(
        "SELECT first_seen_ms FROM visits WHERE person_id = ? AND last_seen_ms >= ? AND first_seen_ms >= ? LIMIT ?",
        (person_id, since_ms, since_ms, DAYS_READ_MAX),
    ).fetchall()
    return Person(
        card=card,
        named=bool(details.name_of(store, person_id)),
        details=details.of(store, person_id),
        visits=rows,
        page=page,
        pages=max(1, -(-total // VISITS_MAX)),
        calendar=calendar((formats.day_of(at, zone) for (at,) in times), today),
        templates=read_templates(connection, store, person_id, deps.desk.recognition.gallery.model),
        drift=read_drift(connection, person_id),
        chain=read_chain(connection, person_id, deps.also_at(person_id)),
        merges=merge_history.of(store, person_id),
        audit=read_audit(connection, person_id),
    )


def read_chain(connection: sqlite3.Connection, person_id: str, also_at: list[str]) -> Chain | None:
    row = connection.execute("SELECT chain_visits, vip, watchlist FROM chain WHERE person_id = ?", (person_id,)).fetchone()
    return Chain(also_at, row[0], bool(row[1]), bool(row[2])) if row else Chain(also_at, 0, False, False) if also_at else None


def read_audit(connection: sqlite3.Connection, person_id: str) -> list[AuditLine]:
    rows = connection.execute(
        "SELECT what, at_ms, who FROM audit WHERE subject_id = ? AND what <> ? ORDER BY id DESC LIMIT ?", (person_id, SEE, AUDIT_MAX)
    )
    return [AuditLine(_(AUDITED.get(what, what)), at, who_words(who)) for what, at, who in rows.fetchall()]


AUDITED = {
    "enrol": _("enrolled as staff"),
    "add_photos": _("photos added"),
    "employ": _("made staff"),
    "dismiss": _("made a customer again"),
    "search_by_photo": _("found by a photo"),
    "edit": _("details changed"),
    "name": _("named"),
    "merge": _("merged with somebody"),
    "undo_merge": _("a merge undone"),
    "split": _("a visit taken away"),
    "told_apart": _("called different from a customer"),
    "review_same": _("called the same at review"),
    "review_different": _("called different at review"),
    "review_ignored": _("left open at review"),
    "review_undo": _("an answer at review taken back"),
    "export": _("everything about them given out"),
    "refuse": _("a request refused"),
}
SAID = {
    "saved": _("Saved."),
    "merged": _("Merged. The visits of both are counted anew below. It can be undone from here."),
    "undone": _("Undone. Both are there again, with their own visits, and will not be proposed as one."),
    "split": _("This is the new person that the visit belongs to now."),
    "taken": _("The visit is nobody's now, and that face will not be taken for this person again."),
    "customer": _("They are a customer again, and so are all their visits. “Works here” takes it back."),
    "counted": _("The visit is nobody's now. Its face was not kept, so it can be mistaken again."),
}


@get("/people/{person_id:str}", opt={"access": Access.MANAGER}, sync_to_thread=True)
def person_page(
    pages: GivenPages, person_id: FromPath[str], page: FromQuery[int] = 1, said: FromQuery[str] = ""
) -> Response[str] | Redirect:
    """Of somebody who was merged with another, the other's: an address is kept in a bookmark or on a page that is still open."""
    now = merging.now_called(pages.deps.desk.store, person_id)
    if now != person_id:
        return Redirect(f"/people/{now}", status_code=303)
    found = read_person(pages, person_id, asked_page(page))
    saw(pages, person_id)
    return pages.page("person.html", "people", {"person": found, "card": found.card, "said_so": _(SAID.get(said, ""))})
