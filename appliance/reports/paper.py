"""The whole report for paper: what `report.typ` prints, and the drawings for it in their sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from appliance.reports import drawings, questions
from appliance.reports.drawings import Spec
from appliance.reports.figures import Figure
from appliance.reports.making import Order
from appliance.reports.questions import Question
from appliance.reports.tables import Cell, Column, Table, percent
from ui import formats
from ui.words import gettext as _
from ui.words import language

WIDE, NARROW = 640, 310
"""Pixels: the whole width of the page, or half of it."""
HALVES = frozenset({"weekdays", "dwell", "ages", "cameras"})
FIRST_HEIGHT, HEIGHT, NARROW_HEIGHT = 165, 112, 140
ROWS_MAX = 45
"""Of a table on paper: a page's length; longer ones are in the CSV file."""


def report(asked: Question, tables: Sequence[Table], figures: Sequence[Figure], store: str, made: str, filters: str) -> Order:
    """`made`: when, in words; `filters`: what of the visits is meant, empty for all."""
    shown = [table for table in tables if not table.empty]
    specs = [sized(table, first=number == 0) for number, table in enumerate(shown)]
    said: dict[str, Any] = {
        "store": store,
        "language": language(),
        "title": _("Visitors"),
        "period": questions.words(asked),
        "filters": filters,
        "made": _("Made on %(day)s by Regulars.") % {"day": made},
        "page": _("Page"),
        "tables": _("The figures"),
        "nothing": _("Nobody was counted in these days.") if not shown else "",
        "figures": [{"words": f.words, "value": f.value, "beside": f.beside} for f in figures],
        "charts": [_printed(table) for table in shown],
    }
    return Order("report", specs, said, formats.marks())


def picture(table: Table) -> Order:
    """One chart, to be put into a slide or a mail: on white, with its title."""
    spec = {**drawings.drawing(table), "width": WIDE}
    words = {"text": table.title, "anchor": "start", "fontSize": 15, "offset": 12}
    if table.says:
        words |= {"subtitle": table.says, "subtitlePadding": 4}
    config = drawings.look("sans-serif", "#ffffff")
    return Order("png", [{**spec, "title": words, "padding": 18, "config": config}], {}, formats.marks())


def sized(table: Table, *, first: bool) -> Spec:
    spec = drawings.drawing(table)
    narrow = table.name in HALVES
    tall = "height" in drawings.DRAWINGS[table.chart](table)
    height = spec["height"] * 0.72 if tall else FIRST_HEIGHT if first else NARROW_HEIGHT if narrow else HEIGHT
    # Room at the right: typst's letters are a little wider than those that the drawing was measured with.
    padding = {"left": 0, "top": 2, "right": 30 if narrow else 16, "bottom": 2}
    return {**spec, "width": NARROW if narrow else WIDE, "height": height, "padding": padding, "config": _look(narrow)}


def _look(narrow: bool) -> Spec:
    look = drawings.look()
    return {**look, "legend": {**look["legend"], "labelFontSize": 10, "columnPadding": 3}} if narrow else look


def _printed(table: Table) -> dict[str, Any]:
    rows = [[cell_words(column, cell) for column, cell in zip(table.columns, row, strict=True)] for row in table.rows]
    cut = _("The first %(n)d of %(all)d; the file holds all.") % {"n": ROWS_MAX, "all": len(rows)} if len(rows) > ROWS_MAX else ""
    return {
        "title": table.title,
        "says": table.says,
        "note": table.note,
        "half": table.name in HALVES,
        "columns": [column.words for column in table.columns],
        "texts": [column.form == "text" for column in table.columns],
        "rows": rows[:ROWS_MAX],
        "cut": cut,
    }


def cell_words(column: Column, cell: Cell) -> str:
    """As a page or the paper shows it."""
    if cell is None:
        return "–"
    if column.form == "share":
        return percent(float(cell))
    if column.form == "mean":
        return formats.decimal(float(cell))
    return formats.number(int(cell)) if column.form == "count" else str(cell)
