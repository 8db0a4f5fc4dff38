"""The page People: everybody that this store can tell apart, with a face and a number. Who opted out is not among them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from urllib.parse import urlencode

from litestar import Response, get
from litestar.exceptions import ValidationException
from litestar.params import FromQuery

from appliance import loyalty
from appliance.loyalty import USUAL, Weights
from appliance.web.access import Access
from appliance.web.pages import GivenPages, Names, Pages, PersonRow
from appliance.web.people_search import search
from appliance.web.visit_list import asked_page
from ui.words import gettext as _

FACES_MAX = 48
"""A page of faces: divisible into 2, 3, 4, 6 or 8 columns."""
DAY_MS = 86_400_000
SORTS = {
    "last": "p.last_seen_ms DESC, p.number DESC",
    "first": "p.first_seen_ms DESC, p.number DESC",
    "visits": "p.visit_count DESC, p.last_seen_ms DESC, p.number DESC",
    "number": "p.number DESC",
}
SHOWN = {
    "customer": "+p.role = 'customer'",
    "staff": "p.role = 'staff'",
    "vip": "p.id IN (SELECT person_id FROM details WHERE vip UNION SELECT person_id FROM chain WHERE vip)",
    "watchlist": "p.id IN (SELECT person_id FROM details WHERE watchlist UNION SELECT person_id FROM chain WHERE watchlist)",
    "named": "(p.name_sealed IS NOT NULL OR p.id IN (SELECT person_id FROM chain WHERE name_sealed IS NOT NULL))",
    "unnamed": "p.name_sealed IS NULL AND p.id NOT IN (SELECT person_id FROM chain WHERE name_sealed IS NOT NULL)",
}
"""What may be asked for, as SQL of ours."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`show`: a key of SHOWN, empty for everybody; `sort`: a key of SORTS; `words`: what is searched for."""

    show: str = ""
    sort: str = "last"
    words: str = ""
    page: int = 1

    def address(self, path: str, **other: object) -> str:
        """The same question but for what is given."""
        values = {"show": self.show, "sort": self.sort if self.sort != "last" else "", "q": self.words, "page": "", **other}
        left = {key: value for key, value in values.items() if value not in ("", 1)}
        return f"{path}?{urlencode(left)}" if left else path


@dataclass(frozen=True, slots=True)
class PersonCard:
    id: str
    who: str
    staff: bool
    visits: int
    first_seen_ms: int | None
    last_seen_ms: int | None
    vip: bool
    watchlist: bool
    loyalty: str
    """loyal, regular, occasional or away; empty for staff."""
    face_visit_id: str | None
    """The newest visit with a picture."""


@dataclass(frozen=True, slots=True)
class People:
    cards: list[PersonCard]
    customers: int
    staff: int
    found: int
    page: int
    pages: int


def read_people(
    connection: sqlite3.Connection, names: Names, asked: Asked, now_ms: int, weights: Weights = USUAL, ids: list[str] | None = None
) -> People:
    """`ids`: whom a search found; None for everybody."""
    counts = dict(connection.execute("SELECT role, count(*) FROM persons GROUP BY role").fetchall())
    customers, staff = counts.get("customer", 0), counts.get("staff", 0)
    # The plus keeps SQLite from going by role, which is nearly everybody: it goes by the order, and stops at the end of the page.
    where, values = "+p.role IN ('customer', 'staff')", list[object]()
    if asked.show:
        where = f"{where} AND {SHOWN[asked.show]}"
    if ids is not None:
        where, values = f"{where} AND p.id IN ({','.join('?' * len(ids))})", [*ids]
    found = customers + staff
    if asked.show or ids is not None:
        (found,) = connection.execute(f"SELECT count(*) FROM persons p WHERE {where}", values).fetchone()
    rows = connection.execute(
        f"SELECT p.id FROM persons p WHERE {where} ORDER BY {SORTS[asked.sort]} LIMIT ? OFFSET ?",
        [*values, FACES_MAX, (asked.page - 1) * FACES_MAX],
    ).fetchall()
    cards = read_cards(connection, names, [row[0] for row in rows], now_ms, weights)
    return People(cards, customers, staff, found, asked.page, max(1, -(-found // FACES_MAX)))


def read_cards(connection: sqlite3.Connection, names: Names, ids: list[str], now_ms: int, weights: Weights) -> list[PersonCard]:
    """In the order of `ids`; who is not there is left out."""
    rows = connection.execute(
        f"""SELECT p.id, p.number, p.role, p.name_sealed, p.visit_count, p.first_seen_ms, p.last_seen_ms,
            coalesce(d.vip, 0) OR coalesce(c.vip, 0), coalesce(d.watchlist, 0) OR coalesce(c.watchlist, 0),
            (SELECT count(*) FROM visits WHERE person_id = p.id AND last_seen_ms >= ?),
            (SELECT count(*) FROM visits WHERE person_id = p.id AND last_seen_ms >= ?),
            (SELECT id FROM visits INDEXED BY visits_face WHERE person_id = p.id AND snapshot IS NOT NULL
                ORDER BY last_seen_ms DESC LIMIT 1)
            FROM persons p LEFT JOIN details d ON d.person_id = p.id LEFT JOIN chain c ON c.person_id = p.id
            WHERE p.id IN ({",".join("?" * len(ids))}) AND p.role IN ('customer', 'staff')""",
        [now_ms - loyalty.RECENT_DAYS * DAY_MS, now_ms - loyalty.HALF_YEAR_DAYS * DAY_MS, *ids],
    ).fetchall()
    cards = {}
    for id_, number, role, sealed, visits, first, last, vip, watchlist, recent, half_year, face in rows:
        level = loyalty.level(recent, half_year, weights) if role == "customer" else ""
        who = names(PersonRow(id_, number, role, sealed))
        cards[id_] = PersonCard(id_, who, role == "staff", visits, first, last, bool(vip), bool(watchlist), level, face)
    return [cards[id_] for id_ in ids if id_ in cards]


def asked_for(show: str, sort: str, words: str, page: int) -> Asked:
    """Raises ValidationException with words for the page."""
    if show and show not in SHOWN:
        raise ValidationException(_("There is no list “%(show)s”.") % {"show": show[:20]})
    if sort not in SORTS:
        raise ValidationException(_("There is no order “%(sort)s”.") % {"sort": sort[:20]})
    return Asked(show, sort, words.strip()[:100], asked_page(page))


def found_people(pages: Pages, asked: Asked) -> People:
    deps = pages.deps
    connection = deps.query()
    ids = search(connection, deps.desk.store, deps.names, asked.words) if asked.words else None
    return read_people(connection, deps.names, asked, deps.now(), deps.loyalty, ids)


SAID = {
    "erased": _("Erased. Their visits stay counted and are nobody's; headquarters is told."),
    "opted_out": _("Opted out. From now on nothing of them is stored but that somebody came."),
}


@get("/people", opt={"access": Access.MANAGER}, sync_to_thread=True)
def people_page(
    pages: GivenPages,
    show: FromQuery[str] = "",
    sort: FromQuery[str] = "last",
    q: FromQuery[str] = "",
    page: FromQuery[int] = 1,
    said: FromQuery[str] = "",
) -> Response[str]:
    asked = asked_for(show, sort, q, page)
    return pages.page("people.html", "people", {"found": found_people(pages, asked), "asked": asked, "said_so": _(SAID.get(said, ""))})
