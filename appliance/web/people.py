"""The page People: everybody that this store can tell apart, with a face and a number. Who opted out is not among them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from litestar import Response, get
from litestar.params import FromQuery

from appliance.web.pages import GivenPages, Names, PersonRow
from appliance.web.visit_list import asked_page

FACES_MAX = 48
"""A page of faces: divisible into 2, 3, 4, 6 or 8 columns."""


@dataclass(frozen=True, slots=True)
class PersonCard:
    id: str
    who: str
    staff: bool
    visits: int
    first_seen_ms: int | None
    last_seen_ms: int | None
    face_visit_id: str | None
    """The newest visit with a picture."""
    visit_id: str | None
    """The newest visit."""


@dataclass(frozen=True, slots=True)
class People:
    cards: list[PersonCard]
    customers: int
    staff: int
    page: int
    pages: int


def read_people(connection: sqlite3.Connection, names: Names, page: int) -> People:
    counts = dict(connection.execute("SELECT role, count(*) FROM persons GROUP BY role").fetchall())
    customers, staff = counts.get("customer", 0), counts.get("staff", 0)
    rows = connection.execute(
        """WITH shown AS (
               SELECT id, number, role, name_sealed, visit_count, first_seen_ms, last_seen_ms FROM persons
               WHERE role IN ('customer', 'staff') ORDER BY last_seen_ms DESC NULLS LAST, number DESC LIMIT ? OFFSET ?)
           SELECT shown.*,
               (SELECT id FROM visits WHERE person_id = shown.id AND snapshot IS NOT NULL ORDER BY last_seen_ms DESC LIMIT 1),
               (SELECT id FROM visits WHERE person_id = shown.id ORDER BY last_seen_ms DESC LIMIT 1)
           FROM shown ORDER BY last_seen_ms DESC NULLS LAST, number DESC""",
        (FACES_MAX, (page - 1) * FACES_MAX),
    ).fetchall()
    cards = [
        PersonCard(id_, names(PersonRow(id_, number, role, name)), role == "staff", visits, first, last, face, newest)
        for id_, number, role, name, visits, first, last, face, newest in rows
    ]
    return People(cards, customers, staff, page, max(1, -(-(customers + staff) // FACES_MAX)))


@get("/people", sync_to_thread=True)
def people_page(pages: GivenPages, page: FromQuery[int] = 1) -> Response[str]:
    found = read_people(pages.deps.query(), pages.deps.names, asked_page(page))
    return pages.page("people.html", "people", {"found": found})
