"""The page Review: one case at a time, decided with one key or one touch; the next one comes at once. Works without script, as forms."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from appliance import review
from appliance.errors import RegularsError
from appliance.review import DUPLICATE, TEMPLATE, VISIT, Case
from appliance.web import retold
from appliance.web.access import Access
from appliance.web.pages import GivenPages, Names, Pages, PersonRow
from ui import formats
from ui.words import gettext as _
from ui.words import ngettext

FACES_MAX = 5
"""Of a person: one large, the others small beneath it."""
WITHIN = 0.03
"""Pairs whose similarity differs by less are alike enough to speak for one another."""
ANSWERS_MIN, ANSWERS_MAX = 20, 500
"""Fewer answers say nothing yet; older ones were given on other cameras and other models."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared. `faces`: visits with a picture, the first shown large."""

    words: str
    more: str
    faces: list[str]
    visit_id: str | None
    """Where its details are."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A value on the line from 0 to 1000, with the words beneath it."""

    place: float
    words: str


@dataclass(frozen=True, slots=True)
class CaseView:
    case: Case
    question: str
    left: Side
    right: Side
    low: Mark
    bar: Mark
    at: Mark
    why: str
    same: str
    different: str
    warning: str
    experience: str


def read_case(connection: sqlite3.Connection, pages: Pages) -> CaseView | None:
    case = review.first_open(connection)
    if case is None:
        return None
    left = _left_side(connection, pages, case)
    right = _person_side(connection, pages, case.person_id, left.faces[0] if case.kind == TEMPLATE and left.faces else "")
    low, bar, at = (formats.similarity(max(0.0, value)) for value in (case.low, case.bar, case.similarity))
    words = [_("new below %(v)s"), _("the same from %(v)s"), _("this pair %(v)s")]
    if case.kind == TEMPLATE:
        words = [_("wrong below %(v)s"), _("right from %(v)s"), _("this view %(v)s")]
    return CaseView(
        case,
        _("Does this view belong to them?") if case.kind == TEMPLATE else _("Is this the same person?"),
        left,
        right,
        Mark(_place(case.low), words[0] % {"v": low}),
        Mark(_place(case.bar), words[1] % {"v": bar}),
        Mark(_place(case.similarity), words[2] % {"v": at}),
        _why(connection, case),
        _("Same person"),
        _("Not them") if case.kind == TEMPLATE else _("Different"),
        _("Same makes one person of the two, with all their visits.") if case.kind == DUPLICATE else "",
        _experience(connection, case),
    )


def _left_side(connection: sqlite3.Connection, pages: Pages, case: Case) -> Side:
    if case.kind == VISIT:
        return _visit_side(connection, pages, case.subject)
    if case.kind == DUPLICATE:
        return _person_side(connection, pages, case.subject)
    return _template_side(connection, pages, case.subject)


def _place(similarity: float) -> float:
    return round(1000 * min(1.0, max(0.0, similarity)), 1)


def _why(connection: sqlite3.Connection, case: Case) -> str:
    if case.kind == DUPLICATE:
        return _("Their faces are so alike that a visit of one could be taken for the other's.")
    if case.kind == TEMPLATE:
        return _("A view that was learned resembles the person's other views less than it should. If it is somebody else, it is set aside.")
    if case.similarity >= case.bar:
        return _("Two people who were called different are both about this near, so nobody was named.")
    return _("Too near to be new, too far to be sure. The visit is counted; whose it was is not known yet.")


def _experience(connection: sqlite3.Connection, case: Case) -> str:
    answers, alike, different = review.answered(connection, case.kind, case.similarity, WITHIN, ANSWERS_MAX)
    if alike < ANSWERS_MIN:
        return ""
    values = {"alike": alike, "n": different, "all": answers}
    return (
        _("Of %(alike)d pairs at this store that scored like this one, %(n)d were different people (from your last %(all)d answers).")
        % values
    )


def _visit_side(connection: sqlite3.Connection, pages: Pages, visit_id: str) -> Side:
    first_ms, picture = connection.execute("SELECT first_seen_ms, snapshot FROM visits WHERE id = ?", (visit_id,)).fetchone()
    rows = connection.execute(
        """SELECT coalesce(c.name, ?), sum(s.shots) FROM sightings s LEFT JOIN cameras c ON c.id = s.camera_id
            WHERE s.visit_id = ? GROUP BY s.camera_id ORDER BY min(s.began_ms)""",
        (_("a removed camera"), visit_id),
    ).fetchall()
    shots = sum(row[1] for row in rows)
    more = [*(row[0] for row in rows), ngettext("%(n)d shot", "%(n)d shots", shots) % {"n": shots}]
    return Side(pages.when(first_ms), ", ".join(more), [visit_id] if picture else [], visit_id)


def _template_side(connection: sqlite3.Connection, pages: Pages, template_id: str) -> Side:
    """Its picture is that of the visit it was learned at: the person's last one that had begun by then."""
    person_id, made_ms, visit_id = connection.execute(
        "SELECT person_id, created_ms, visit_id FROM templates WHERE id = ?", (template_id,)
    ).fetchone()
    row = connection.execute(
        """SELECT id, snapshot IS NOT NULL FROM visits WHERE person_id = ?1 AND (id = ?2 OR ?2 IS NULL AND first_seen_ms <= ?3)
            ORDER BY first_seen_ms DESC LIMIT 1""",
        (person_id, visit_id, made_ms),
    ).fetchone()
    seen = row[0] if row else None
    return Side(_("A view"), _("learned %(when)s") % {"when": pages.when(made_ms)}, [seen] if seen and row[1] else [], seen)


def _person_side(connection: sqlite3.Connection, pages: Pages, person_id: str, but: str = "") -> Side:
    """`but`: a visit whose picture is shown on the other side."""
    row = connection.execute(
        "SELECT id, number, role, name_sealed, visit_count, first_seen_ms FROM persons WHERE id = ?", (person_id,)
    ).fetchone()
    *person, count, first_ms = row
    names: Names = pages.deps.names
    more = ngettext("%(n)d visit", "%(n)d visits", count) % {"n": count}
    if first_ms is not None:
        more = _("%(visits)s since %(day)s") % {"visits": more, "day": pages.day(first_ms)}
    faces = connection.execute(
        """SELECT id FROM visits INDEXED BY visits_face WHERE person_id = ? AND snapshot IS NOT NULL AND id <> ?
            ORDER BY last_seen_ms DESC LIMIT ?""",
        (person_id, but, FACES_MAX),
    ).fetchall()
    newest = connection.execute("SELECT id FROM visits WHERE person_id = ? ORDER BY last_seen_ms DESC LIMIT 1", (person_id,)).fetchone()
    who = names(PersonRow(*person))
    return Side(f"{who} ({_('staff')})" if person[2] == "staff" else who, more, [f for (f,) in faces], newest[0] if newest else None)


def review_values(pages: Pages, said: str = "") -> dict[str, object]:
    connection = pages.deps.query()
    last = review.last_decided(connection)
    waiting = review.count_open(connection)
    return {"view": read_case(connection, pages), "waiting": waiting, "undo": last is not None, "said": said}


@get("/review", opt={"access": Access.MANAGER}, sync_to_thread=True)
def review_page(pages: GivenPages) -> Response[str]:
    return pages.page("review.html", "review", review_values(pages))


@post("/review/undo", opt={"access": Access.MANAGER}, sync_to_thread=True)
def review_undo(pages: GivenPages) -> Response[str] | Redirect:
    try:
        pages.deps.undo(pages.who)
    except (RegularsError, TimeoutError) as error:
        return pages.page("review.html", "review", review_values(pages, _words(error)), 409)
    return Redirect("/review", status_code=303)


@post("/review/case/{case_id:int}/{answer:str}", opt={"access": Access.MANAGER}, sync_to_thread=True)
def review_answer(pages: GivenPages, case_id: FromPath[int], answer: FromPath[str]) -> Response[str] | Redirect:
    """Deciding twice changes nothing: the second time the case is no longer open, and the page says so."""
    try:
        pages.deps.decide(case_id, answer, pages.who)
    except (RegularsError, TimeoutError) as error:
        return pages.page("review.html", "review", review_values(pages, _words(error)), 409)
    return Redirect("/review", status_code=303)


def _words(error: Exception) -> str:
    if isinstance(error, RegularsError):
        return retold.said(str(error))
    return _("The visit log is busy just now. Nothing was changed; try again.")
