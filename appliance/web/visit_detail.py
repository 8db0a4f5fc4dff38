"""One visit and why it was decided so: what each camera saw, how near it came, the bar it had to pass, by which model."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from appliance import estimates
from appliance.estimates import Estimate
from appliance.web import words
from appliance.web.access import Access
from appliance.web.audit import saw
from appliance.web.pages import GivenPages, Names, PersonRow
from appliance.web.visit_rows import AlsoAt, VisitRow, no_store, read_rows
from ui import formats
from ui.words import gettext as _

OTHER_VISITS_MAX = 10


@dataclass(frozen=True, slots=True)
class SightingLine:
    camera: str
    began_ms: int
    ended_ms: int
    shots: int
    face_width_px: float
    model: str
    verdict: str
    reason: str
    nearest: str | None
    similarity: float | None
    bar: float | None
    logged_after_ms: int | None


@dataclass(frozen=True, slots=True)
class Scale:
    """Similarity and bar as places on a line from 0 to 100. A cosine below 0 is as far from anybody as 0."""

    similarity: float
    bar: float
    place: float
    bar_place: float


@dataclass(frozen=True, slots=True)
class VisitDetail:
    row: VisitRow
    sightings: list[SightingLine]
    why: str
    scale: Scale | None
    estimate: Estimate | None
    """Age and gender, where they were estimated."""
    others: list[VisitRow]
    """Other visits of the same person, newest first."""


def read_visit_detail(connection: sqlite3.Connection, names: Names, visit_id: str, also_at: AlsoAt = no_store) -> VisitDetail | None:
    rows = read_rows(connection, names, "WHERE v.id = ?", (visit_id,), also_at)
    if not rows:
        return None
    row = rows[0]
    sightings = read_sightings(connection, names, visit_id)
    deciding = deciding_sighting(row, sightings)
    others: list[VisitRow] = []
    if row.person_id is not None:
        where = "WHERE v.person_id = ? AND v.id != ? ORDER BY v.last_seen_ms DESC LIMIT ?"
        others = read_rows(connection, names, where, (row.person_id, visit_id, OTHER_VISITS_MAX))
    return VisitDetail(row, sightings, why(row, deciding), scale(deciding), read_estimate(connection, visit_id), others)


def read_estimate(connection: sqlite3.Connection, visit_id: str) -> Estimate | None:
    rows = connection.execute("SELECT age, age_spread, male, estimated FROM sightings WHERE visit_id = ? AND estimated > 0", (visit_id,))
    return estimates.together([Estimate(*row) for row in rows.fetchall()])


def read_sightings(connection: sqlite3.Connection, names: Names, visit_id: str) -> list[SightingLine]:
    found = connection.execute(
        """SELECT coalesce(c.name, ?), s.began_ms, s.ended_ms, s.shots, s.face_width_px, s.model, s.verdict, s.reason,
               s.similarity, s.bar, s.logged_after_ms, p.id, p.number, p.role, p.name_sealed
           FROM sightings s LEFT JOIN cameras c ON c.id = s.camera_id LEFT JOIN persons p ON p.id = s.nearest_person_id
           WHERE s.visit_id = ? ORDER BY s.began_ms""",
        (_("a removed camera"), visit_id),
    ).fetchall()
    lines = []
    for camera, began, ended, shots, width, model, verdict, reason, similarity, bar, logged_after_ms, *person in found:
        nearest = names(PersonRow(*person)) if person[0] is not None else None
        line = SightingLine(camera, began, ended, shots, width, model, verdict, reason, nearest, similarity, bar, logged_after_ms)
        lines.append(line)
    return lines


def deciding_sighting(row: VisitRow, sightings: list[SightingLine]) -> SightingLine | None:
    """The one that speaks for the visit's verdict: of those that agree with it, the nearest; otherwise the nearest of all."""
    verdict = {"back": "returning"}.get(row.kind, row.kind)
    agreeing = [line for line in sightings if line.verdict == verdict] or sightings
    return max(agreeing, key=lambda line: -2.0 if line.similarity is None else line.similarity, default=None)


def why(row: VisitRow, line: SightingLine | None) -> str:
    if line is None:
        return _("No camera's sighting is kept of this visit.")
    if row.kind == "deciding":
        return _("The person is still before a camera; nothing is decided yet.")
    if line.similarity is None or line.bar is None:
        if row.kind == "new":
            return _("Nobody was known yet to compare with.")
        return _(line.reason)
    values = {
        "name": line.nearest or _("somebody known"),
        "similarity": formats.similarity(line.similarity),
        "bar": formats.similarity(line.bar),
    }
    if row.kind == "unsure":
        doubt = words.doubt(line.nearest, line.similarity, line.bar)
        return f"{doubt[0].upper()}{doubt[1:]}."
    if row.kind == "new":
        return _("Nobody known is near: the nearest is %(name)s (%(similarity)s, the same person from %(bar)s).") % values
    return _("Resembles %(name)s (%(similarity)s, needs %(bar)s).") % values


def scale(line: SightingLine | None) -> Scale | None:
    if line is None or line.similarity is None or line.bar is None:
        return None
    place, bar_place = (round(100 * min(1.0, max(0.0, value)), 1) for value in (line.similarity, line.bar))
    return Scale(line.similarity, line.bar, place, bar_place)


@get("/visits/{visit_id:str}", opt={"access": Access.MANAGER}, sync_to_thread=True)
def visit_page(pages: GivenPages, visit_id: FromPath[str]) -> Response[str]:
    deps = pages.deps
    detail = read_visit_detail(deps.query(), deps.names, visit_id, deps.also_at)
    if detail is None:
        raise NotFoundException(_("There is no such visit. It may have been erased."))
    saw(pages, visit_id)
    return pages.page("visit.html", "visits", {"visit": detail, "row": detail.row, "error_years": estimates.MODEL_ERROR_YEARS})


@get("/visits/{visit_id:str}/face", opt={"access": Access.MANAGER}, sync_to_thread=True)
def visit_face(pages: GivenPages, visit_id: FromPath[str]) -> Response[bytes]:
    picture = pages.deps.snapshot(visit_id)
    if picture is None:
        raise NotFoundException(_("There is no picture of this visit. Pictures are deleted after a while."))
    return Response(picture, media_type="image/jpeg")
