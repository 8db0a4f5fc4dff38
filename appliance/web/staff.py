"""Staff: who works here, how well each is told from everybody else, becoming staff and ceasing to be. Staff are never counted."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from appliance import resemblance, staffing
from appliance.meanwhile import Met
from appliance.resemblance import Alike
from appliance.staff_desk import StaffDesk
from appliance.staffing import STAFF_MAX, TITLE_MAX, Tested
from appliance.web import meanwhile
from appliance.web.meanwhile import Matter
from appliance.web.pages import GivenPages, Names, Pages, PersonRow
from appliance.web.people import PersonCard, read_cards
from appliance.web.person import card_of
from appliance.web.person_changes import Answer, Form, seen, wrong
from appliance.web.words import visitor
from ui.words import gettext as _

MANAGER = {"access": "manager"}
SEEN_MAX = 20
"""Last sightings of somebody, to see how surely cameras know them."""


@dataclass(frozen=True, slots=True)
class StaffLine:
    """`verdict`: as resemblance.verdict says, empty before a test; `other`: who resembles them most."""

    card: PersonCard
    title: str
    photos: int
    learned: int
    since_ms: int | None
    test: Tested | None
    verdict: str
    other: str | None


@dataclass(frozen=True, slots=True)
class Surely:
    """How near somebody was at the last sightings, at least and in the mean."""

    least: float
    mean: float
    sightings: int


def desk_of(pages: Pages) -> StaffDesk:
    return StaffDesk(pages.deps.desk)


def read_staff(pages: Pages, person_id: str | None = None) -> list[StaffLine]:
    """By name; or one of them."""
    deps = pages.deps
    connection = deps.query()
    rows = connection.execute(
        """SELECT p.id, s.title_sealed, s.since_ms, s.tested_ms, s.own, s.other, s.other_id, s.bar,
            (SELECT count(*) FROM templates t WHERE t.person_id = p.id AND t.origin = 'enrolled' AND NOT t.set_aside),
            (SELECT count(*) FROM templates t WHERE t.person_id = p.id AND t.origin <> 'enrolled' AND NOT t.set_aside)
            FROM persons p LEFT JOIN staff s ON s.person_id = p.id WHERE p.role = 'staff' AND (?1 IS NULL OR p.id = ?1) LIMIT ?2""",
        (person_id, STAFF_MAX),
    ).fetchall()
    cards = {card.id: card for card in read_cards(connection, deps.names, [row[0] for row in rows], deps.now(), deps.loyalty)}
    lines = []
    for id_, sealed, since, tested_ms, own, other, other_id, bar, photos, learned in rows:
        test = Tested(tested_ms, own, other, other_id, bar) if tested_ms is not None else None
        said = resemblance.verdict(test) if test else ""
        who = name_of(connection, deps.names, other_id) if other_id else None
        title = staffing.title_of(deps.desk.store, id_, sealed)
        lines.append(StaffLine(cards[id_], title, photos, learned, since, test, said, who))
    return sorted(lines, key=lambda line: line.card.who.casefold())


def read_one(pages: Pages, person_id: str) -> StaffLine:
    found = read_staff(pages, person_id)
    if not found:
        raise NotFoundException(_("There is no such member of staff. They may have been removed, or be a customer again."))
    return found[0]


def name_of(connection: sqlite3.Connection, names: Names, person_id: str) -> str | None:
    row = connection.execute("SELECT id, number, role, name_sealed FROM persons WHERE id = ?", (person_id,)).fetchone()
    return names(PersonRow(*row)) if row else None


def read_surely(connection: sqlite3.Connection, person_id: str) -> Surely | None:
    """None where nobody has been seen, or figures are not there."""
    count, least, mean = connection.execute(
        """SELECT count(similarity), min(similarity), avg(similarity) FROM sightings WHERE similarity IS NOT NULL AND visit_id IN
            (SELECT id FROM visits WHERE person_id = ? ORDER BY last_seen_ms DESC LIMIT ?)""",
        (person_id, SEEN_MAX),
    ).fetchone()
    return Surely(least, mean, count) if count else None


def staff_form(pages: Pages, person_id: str, said: str = "", status: int = 200, so: str = "") -> Response[str]:
    line, surely = read_one(pages, person_id), read_surely(pages.deps.query(), person_id)
    values = {"line": line, "card": line.card, "surely": surely, "title_max": TITLE_MAX, "said_so": said, "so_far": so}
    values["was"] = meanwhile.carried(pages, {"title": line.title})
    return pages.page("staff_one.html", "staff", values, status)


def said_words(said: str) -> str:
    """What was just done."""
    return {
        "enrolled": _("Enrolled. From now on they are known as staff and not counted."),
        "photos": _("The photos are added."),
        "title": _("Saved."),
        "taken": _("Done. Those visits are staff's now and no longer counted. Each can be taken back under “All about them”."),
        "employed": _("They are staff now: their visits so far are no longer counted. “Remove” below takes it back."),
        "tested": _("Tested against everybody this store knows."),
        "none": _("Remembered: none of those customers is asked about again."),
    }.get(said, "")


@get("/staff", sync_to_thread=True, opt=MANAGER)
def staff_page(pages: GivenPages, said: FromQuery[str] = "") -> Response[str]:
    return pages.page("staff.html", "staff", {"lines": read_staff(pages), "so_far": said_words(said), "said_so": ""})


@post("/staff/test", sync_to_thread=True, opt=MANAGER)
def test_all(pages: GivenPages) -> Answer:
    lines = read_staff(pages)
    if said := wrong(lambda: desk_of(pages).test([line.card.id for line in lines])):
        return pages.page("staff.html", "staff", {"lines": lines, "so_far": "", "said_so": said[0]}, said[1])
    return seen("/staff?said=tested")


@get("/staff/{person_id:str}", sync_to_thread=True, opt=MANAGER)
def one_page(pages: GivenPages, person_id: FromPath[str], said: FromQuery[str] = "") -> Response[str]:
    return staff_form(pages, person_id, so=said_words(said))


@post("/staff/{person_id:str}/title", sync_to_thread=True, opt=MANAGER)
def title(pages: GivenPages, person_id: FromPath[str], data: Form) -> Answer:
    settle = meanwhile.settling(data)

    def settled(now: str, asked: str) -> str:
        return settle({"title": now}, {"title": asked})["title"]

    try:
        if said := wrong(lambda: desk_of(pages).entitle(person_id, data.get("title", ""), settled)):
            return staff_form(pages, person_id, *said)
    except Met as met:
        here_at, who = f"/staff/{person_id}", called(pages, person_id)
        matter = Matter("staff", who, f"{here_at}/title", here_at, {"title": _("What they do")}, ("edit",), (person_id,))
        return meanwhile.decide(pages, met, matter)
    return seen(f"/staff/{person_id}?said=title")


def alike_form(pages: Pages, person_id: str, said: str = "", status: int = 200, so: str = "") -> Response[str]:
    deps, line = pages.deps, read_one(pages, person_id)
    found: list[Alike] = []
    trouble = wrong(lambda: found.extend(desk_of(pages).alike_to(person_id)))
    cards = {c.id: c for c in read_cards(deps.query(), deps.names, [one.person_id for one in found], deps.now(), deps.loyalty)}
    shown = [(cards[one.person_id], one) for one in found if one.person_id in cards]
    words = said or (trouble[0] if trouble else "")
    status = trouble[1] if trouble and not said else status
    values = {"line": line, "card": line.card, "shown": shown, "said_so": words, "so_far": so}
    return pages.page("staff_alike.html", "staff", values, status)


@get("/staff/{person_id:str}/alike", sync_to_thread=True, opt=MANAGER)
def alike_page(pages: GivenPages, person_id: FromPath[str], said: FromQuery[str] = "") -> Response[str]:
    """Customers who may be them: asked, never assumed."""
    return alike_form(pages, person_id, so=said_words(said))


@post("/staff/{person_id:str}/alike", sync_to_thread=True, opt=MANAGER)
def take(pages: GivenPages, person_id: FromPath[str], data: Form) -> Answer:
    """`customer-…` fields name who they are; `none`: nobody of the `shown-…` is."""
    if data.get("none") == "yes":
        shown = _named(data, "shown-")
        if said := wrong(lambda: desk_of(pages).none_of(person_id, shown)):
            return alike_form(pages, person_id, *said)
        return seen(f"/staff/{person_id}?said=none")
    ids = _named(data, "customer-")
    if not ids:
        return seen(f"/staff/{person_id}")
    if said := wrong(lambda: desk_of(pages).take(person_id, ids)):
        return alike_form(pages, person_id, *said)
    return seen(f"/staff/{person_id}?said=taken")


def _named(data: dict[str, str], before: str) -> list[str]:
    """Whom the fields that begin so name."""
    return [name.removeprefix(before) for name, value in data.items() if name.startswith(before) and value == "yes"]


def remove_form(pages: Pages, person_id: str, said: str = "", status: int = 200) -> Response[str]:
    line = read_one(pages, person_id)
    (visits,) = pages.deps.query().execute("SELECT count(*) FROM visits WHERE person_id = ?", (person_id,)).fetchone()
    return pages.page("staff_remove.html", "staff", {"line": line, "card": line.card, "visits": visits, "said_so": said}, status)


@get("/staff/{person_id:str}/remove", sync_to_thread=True, opt=MANAGER)
def remove_page(pages: GivenPages, person_id: FromPath[str]) -> Response[str]:
    return remove_form(pages, person_id)


@post("/staff/{person_id:str}/remove", sync_to_thread=True, opt=MANAGER)
def remove(pages: GivenPages, person_id: FromPath[str]) -> Answer:
    """They are a customer from now on: their page is shown, where it can be taken back. Who is to be forgotten is erased."""
    if said := wrong(lambda: desk_of(pages).dismiss(person_id)):
        return remove_form(pages, person_id, *said)
    return seen(f"/people/{person_id}?said=customer")


def employ_form(pages: Pages, person_id: str, said: str = "", status: int = 200, written: str = "") -> Response[str]:
    card = card_of(pages, person_id)
    if card.staff:
        raise NotFoundException(_("They are staff already."))
    values = {"card": card, "said_so": said, "written": written, "title_max": TITLE_MAX}
    return pages.page("staff_employ.html", "staff", values, status)


@get("/people/{person_id:str}/works-here", sync_to_thread=True, opt=MANAGER)
def employ_page(pages: GivenPages, person_id: FromPath[str]) -> Response[str]:
    return employ_form(pages, person_id)


@post("/people/{person_id:str}/works-here", sync_to_thread=True, opt=MANAGER)
def employ(pages: GivenPages, person_id: FromPath[str], data: Form) -> Answer:
    written = data.get("title", "")
    if said := wrong(lambda: desk_of(pages).employ(person_id, written)):
        return employ_form(pages, person_id, *said, written=written)
    return seen(f"/staff/{person_id}?said=employed")


def called(pages: Pages, person_id: str) -> str:
    """What to call somebody who may have gone meanwhile."""
    return name_of(pages.deps.query(), pages.deps.names, person_id) or visitor(0)


ROUTES = (staff_page, test_all, one_page, title, alike_page, take, remove_page, remove, employ_page, employ)
