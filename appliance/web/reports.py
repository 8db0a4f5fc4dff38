"""The page Reports: a period and its filters, the figures, and each chart with its table; as files too. What is counted and how it is
drawn is `appliance.reports`'."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass

from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException, ServiceUnavailableException, ValidationException
from litestar.params import FromPath, FromQuery, SkipValidation

from appliance.errors import RegularsError
from appliance.reports import drawings, figures, making, paper, questions, tables, tallies
from appliance.reports.making import Order
from appliance.reports.questions import Question, QuestionError
from appliance.reports.tables import Answered, Table
from appliance.web import retold
from appliance.web.access import Access
from appliance.web.pages import GivenPages, Pages
from appliance.web.visit_list import harmless
from ui import formats
from ui.words import gettext as _

MANAGER = {"access": Access.MANAGER}
FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True, slots=True)
class Found:
    answered: Answered
    waiting: int
    camera_names: list[tuple[str, str]]
    """Every camera that may be asked for: id and name."""


def given_question(
    pages: GivenPages,
    range: FromQuery[str] = "",
    first: FromQuery[str] = "",
    last: FromQuery[str] = "",
    camera: FromQuery[str] = "",
    week: FromQuery[str] = "all",
    step: FromQuery[str] = "",
) -> Question:
    """What the address asks for. Raises ValidationException with words for the page."""
    today = formats.day_of(pages.deps.now(), pages.deps.time_zone)
    try:
        return questions.question(today, range, first, last, camera, week, step)
    except QuestionError as error:
        raise ValidationException(str(error)) from None


GivenQuestion = NamedDependency[SkipValidation[Question]]
QUESTION = {"asked": Provide(given_question, sync_to_thread=False)}


def found(pages: Pages, asked: Question) -> Found:
    connection, zone = pages.deps.query(), pages.deps.time_zone
    tallied = tallies.read(connection, asked.first, asked.last, zone)
    by_id = tallied.by_camera()
    names: dict[str, str] = dict(connection.execute("SELECT id, name FROM cameras ORDER BY name").fetchall())
    shown = {camera: visits for camera, visits in by_id.items() if not asked.camera or camera == asked.camera}
    cameras: dict[str, tables.Visits] = {}
    for camera, visits in shown.items():
        name = names.get(camera, _("a removed camera"))
        cameras[name] = cameras[name] + visits if name in cameras else visits
    return Found(tables.answered(asked, tallied.counts(asked.camera), cameras), tallied.waiting, list(names.items()))


def table_of(pages: Pages, name: str, asked: Question) -> Table:
    """Raises NotFoundException."""
    chart = tables.CHARTS.get(name)
    if chart is None:
        raise NotFoundException(_("There is no chart of that name."))
    return chart(found(pages, asked).answered)


def filters_words(pages: Pages, asked: Question) -> str:
    """What of the visits is meant; empty for all."""
    row = pages.deps.query().execute("SELECT name FROM cameras WHERE id = ?", (asked.camera,)).fetchone() if asked.camera else None
    week = {"weekday": _("Monday to Friday"), "weekend": _("Saturday and Sunday")}.get(asked.week, "")
    return ", ".join(words for words in (week, row[0] if row else "") if words)


@get("/reports", sync_to_thread=True, opt=MANAGER, dependencies=QUESTION)
def reports_page(pages: GivenPages, asked: GivenQuestion) -> Response[str]:
    connection = pages.deps.query()
    answer = found(pages, asked)
    shown = [chart(answer.answered) for chart in tables.CHARTS.values()]
    values = {
        "asked": asked,
        "period": questions.words(asked),
        "shown": shown,
        "specs": {table.name: drawings.drawing(table) for table in shown if not table.empty},
        "figures": figures.figures(connection, answer.answered, pages.deps.time_zone),
        "cameras": answer.camera_names,
        "waiting": answer.waiting,
        "cell": paper.cell_words,
        "script": f"/reports/charts.js?v={making.script_version()}",
        "ever": connection.execute("SELECT EXISTS (SELECT 1 FROM visits)").fetchone()[0] == 1,
    }
    return pages.page("reports.html", "reports", values)


@get("/reports/table/{name:str}", sync_to_thread=True, opt=MANAGER, dependencies=QUESTION)
def report_table(pages: GivenPages, name: FromPath[str], asked: GivenQuestion) -> Response[str]:
    """A chart's table for a spreadsheet."""
    table = table_of(pages, name, asked)
    written = io.StringIO()
    # The mark at the beginning makes Excel read UTF-8.
    written.write("\ufeff")
    lines = csv.writer(written)
    lines.writerow([column.key for column in table.columns])
    rows = [(step, *row[1:]) for step, row in zip(table.steps, table.rows, strict=True)] if table.steps else table.rows
    lines.writerows([["" if cell is None else harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows])
    headers = {"content-disposition": f'attachment; filename="{file_name(table.name, asked)}.csv"'}
    return Response(written.getvalue(), media_type="text/csv", headers=headers)


@get("/reports/picture/{name:str}", sync_to_thread=True, opt=MANAGER, dependencies=QUESTION)
def report_picture(pages: GivenPages, name: FromPath[str], asked: GivenQuestion) -> Response[bytes]:
    """A chart as PNG."""
    table = table_of(pages, name, asked)
    headers = {"content-disposition": f'attachment; filename="{file_name(table.name, asked)}.png"'}
    return Response(made(pages, paper.picture(table)), media_type="image/png", headers=headers)


@get("/reports/report.pdf", sync_to_thread=True, opt=MANAGER, dependencies=QUESTION)
def report_paper(pages: GivenPages, asked: GivenQuestion) -> Response[bytes]:
    """The whole report."""
    deps = pages.deps
    answered = found(pages, asked).answered
    shown = [chart(answered) for chart in tables.CHARTS.values()]
    said = figures.figures(deps.query(), answered, deps.time_zone)
    day = formats.long_day(asked.today, asked.today.replace(year=1))
    content = made(pages, paper.report(asked, shown, said, deps.site_name, day, filters_words(pages, asked)))
    headers = {"content-disposition": f'attachment; filename="{file_name("report", asked)}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


@get("/reports/progress", sync_to_thread=True, opt=MANAGER)
def report_progress(pages: GivenPages) -> Response[str]:
    """How far what is being made just now is."""
    stands = pages.deps.reports.progress
    return Response(json.dumps({"done": stands.done, "of": stands.of}), media_type="application/json")


@get("/reports/charts.js", sync_to_thread=True, opt=MANAGER)
def charts_script(pages: GivenPages, v: FromQuery[str] = "") -> Response[bytes]:
    """What draws the charts; the first time, it is made, which takes some seconds."""
    try:
        content = pages.deps.reports.script(pages.deps.desk.store.folder)
    except RegularsError as error:
        raise ServiceUnavailableException(retold.said(str(error))) from None
    headers = FOR_EVER if v == making.script_version() else {}
    return Response(content, media_type="text/javascript; charset=utf-8", headers=headers)


ROUTES = (reports_page, report_table, report_picture, report_paper, report_progress, charts_script)


def made(pages: Pages, order: Order) -> bytes:
    """Raises ServiceUnavailableException with words for the page."""
    try:
        return pages.deps.reports.make(order)
    except RegularsError as error:
        raise ServiceUnavailableException(retold.said(str(error))) from None


def file_name(what: str, asked: Question) -> str:
    return f"{what}-{asked.first}-{asked.last}"
