"""A table as a Vega-Lite specification. It has no colours of its own: `look` is the configuration that gives it some on paper, and the
page's script makes the like of it from the style sheet, so that a chart is light or dark with the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from appliance.reports.tables import Cell, Column, Table

Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
PAPER_FONT = "Libertinus Serif"
"""Comes with typst, so the paper looks the same on every computer; it has Vietnamese."""
KIND_COLOURS = ("#6fa3dc", "#0f7a68", "#e0994f", "#8b877e")
"""New, came back, not sure, opted out: as everywhere on the pages."""
HEIGHT = 190
ROW = 28
"""Pixels of a row of the week, or of a camera's bar."""
FORMS = {"count": ",d", "mean": ",.1f", "share": ".0%", "text": ""}


def drawing(table: Table) -> Spec:
    """To be put beside a `look`; its width follows where it stands unless it is given one."""
    rows = [dict(zip([column.key for column in table.columns], row, strict=True)) for row in table.rows]
    spec = DRAWINGS[table.chart](table)
    return {
        "$schema": SCHEMA,
        "description": f"{table.title}. {table.says}".strip(),
        "width": "container",
        "height": HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"values": rows},
        **spec,
    }


def look(font: str = PAPER_FONT, ground: str = "transparent") -> Spec:
    """For paper: dark words on white."""
    ink, faint = "#4a4843", "#e3e0d9"
    key = {"labelColor": ink, "labelFontSize": 11, "labelLimit": 220, "title": None, "orient": "top"}
    axis = {"labelColor": ink, "titleColor": ink, "gridColor": faint, "domainColor": faint, "tickColor": faint, "labelFontSize": 11}
    return {
        "font": font,
        "background": ground,
        "view": {"stroke": None},
        "axis": {**axis, "titleFontWeight": "normal", "titleFontSize": 11},
        "legend": {**key, "symbolType": "square", "columnPadding": 8},
        "range": {"category": list(KIND_COLOURS), "heatmap": ["#f3f1ec", "#9fcdc2", "#0f7a68", "#0a4238"]},
        "bar": {"color": KIND_COLOURS[1]},
        "line": {"color": KIND_COLOURS[1], "strokeWidth": 2.5},
        "point": {"color": KIND_COLOURS[1], "filled": True},
    }


def _stack(table: Table) -> Spec:
    """The parts one upon another, in the order of the columns."""
    label, parts = table.columns[0], [column for column in table.columns[1:] if column.key in ("new", "returning", "unsure", "opted_out")]
    drawn = [part for part in parts if part.key != "opted_out" or any(_cells(table, part))]
    return {
        **_long(drawn),
        "mark": {"type": "bar", "cornerRadius": 1},
        "encoding": {
            "x": _labels(label, table),
            "y": {"field": "value", "type": "quantitative", "title": None, "axis": _numbers(drawn[0])},
            "color": _colours(drawn),
            "order": {"field": "order", "type": "quantitative"},
            "tooltip": _told(table),
        },
    }


def _bars(table: Table) -> Spec:
    label, value = table.columns[0], table.columns[-1]
    part = table.columns[1]
    parts = list(dict.fromkeys(str(row[1]) for row in table.rows))
    return {
        "mark": {"type": "bar", "cornerRadiusEnd": 3},
        "encoding": {
            "x": _labels(label, table),
            "y": {"field": value.key, "type": "quantitative", "title": None, "axis": _numbers(value)},
            "color": {"field": part.key, "type": "nominal", "title": None, "scale": {"domain": parts}},
            "tooltip": _told(table),
        },
    }


def _share(table: Table) -> Spec:
    label, value = table.columns[0], table.columns[-1]
    return {
        "mark": {"type": "line", "point": True, "interpolate": "monotone"},
        "encoding": {
            "x": _labels(label, table),
            "y": {
                "field": value.key,
                "type": "quantitative",
                "title": None,
                "scale": {"domainMin": 0},
                "axis": {"format": "%", "tickCount": 5},
            },
            "tooltip": _told(table),
        },
    }


def _heat(table: Table) -> Spec:
    label, hours = table.columns[0], list(table.columns[1:])
    words = {column.key: column.words for column in hours}
    return {
        "height": max(1, len(table.rows)) * ROW,
        "transform": [
            {"fold": [column.key for column in hours], "as": ["key", "value"]},
            {"lookup": "key", "from": _names(words), "as": ["hour", "order"]},
        ],
        "mark": {"type": "rect", "cornerRadius": 3},
        "encoding": {
            "x": {
                "field": "hour",
                "type": "ordinal",
                "sort": list(words.values()),
                "title": None,
                "scale": {"paddingInner": 0.06},
                "axis": {"labelAngle": 0, "domain": False, "ticks": False, "labelOverlap": "greedy"},
            },
            "y": {
                "field": label.key,
                "type": "ordinal",
                "sort": [str(row[0]) for row in table.rows],
                "title": None,
                "scale": {"paddingInner": 0.1},
                "axis": {"domain": False, "ticks": False},
            },
            "color": {"field": "value", "type": "quantitative", "title": None, "legend": {"gradientLength": 140, "format": ",d"}},
            "tooltip": [
                {"field": label.key, "type": "nominal", "title": label.words},
                {"field": "hour", "type": "nominal", "title": " "},
                {"field": "value", "type": "quantitative", "title": table.note.rstrip("."), "format": FORMS["mean"]},
            ],
        },
    }


def _ages(table: Table) -> Spec:
    """Side by side: women, men, unknown."""
    label, parts = table.columns[0], list(table.columns[1:4])
    spec = _stack_of(table, label, parts)
    spec["encoding"]["xOffset"] = {"field": "part", "type": "nominal", "sort": [part.words for part in parts]}
    spec["encoding"].pop("order")
    return spec


def _stack_of(table: Table, label: Column, parts: list[Column]) -> Spec:
    return {
        **_long(parts),
        "mark": {"type": "bar", "cornerRadiusEnd": 2},
        "encoding": {
            "x": _labels(label, table),
            "y": {"field": "value", "type": "quantitative", "title": None, "stack": None, "axis": _numbers(parts[0])},
            "color": _colours(parts),
            "order": {"field": "order", "type": "quantitative"},
            "tooltip": _told(table),
        },
    }


def _across(table: Table) -> Spec:
    """Names are long: the bars lie."""
    label, parts = table.columns[0], list(table.columns[1:4])
    labels = _labels(label, table)
    labels["axis"] = {"domain": False, "ticks": False, "labelLimit": 160}
    return {
        **_long(parts),
        "height": max(2, len(table.rows)) * ROW,
        "mark": {"type": "bar", "cornerRadius": 1},
        "encoding": {
            "y": labels,
            "x": {"field": "value", "type": "quantitative", "title": None, "axis": _numbers(parts[0])},
            "color": _colours(parts),
            "order": {"field": "order", "type": "quantitative"},
            "tooltip": _told(table),
        },
    }


DRAWINGS: dict[str, Callable[[Table], Spec]] = {
    "stack": _stack,
    "bars": _bars,
    "share": _share,
    "heat": _heat,
    "ages": _ages,
    "across": _across,
}


def _long(parts: list[Column]) -> Spec:
    """One row a part, with its words and its place in the order."""
    words = {part.key: part.words for part in parts}
    named = {"lookup": "key", "from": _names(words), "as": ["part", "order"]}
    return {"transform": [{"fold": list(words), "as": ["key", "value"]}, named]}


def _names(words: dict[str, str]) -> Spec:
    values = [{"key": key, "words": said, "order": number} for number, (key, said) in enumerate(words.items())]
    return {"data": {"values": values}, "key": "key", "fields": ["words", "order"]}


def _labels(column: Column, table: Table) -> Spec:
    """In the table's own order. Where there is no room some are left out; all are in the tooltip."""
    axis = {"labelAngle": 0, "labelOverlap": "greedy", "labelSeparation": 8, "labelPadding": 9, "ticks": False}
    return {"field": column.key, "type": "ordinal", "sort": [str(row[0]) for row in table.rows], "title": None, "axis": axis}


def _numbers(column: Column) -> Spec:
    return {"format": ",d" if column.form == "count" else ",.3~f", "tickCount": 5, "tickMinStep": 1 if column.form == "count" else 0.1}


def _colours(parts: list[Column]) -> Spec:
    return {"field": "part", "type": "nominal", "title": None, "scale": {"domain": [part.words for part in parts]}}


def _told(table: Table) -> list[Spec]:
    """The table's whole row, exactly."""
    told = []
    for column in table.columns:
        said = {"field": column.key, "type": "nominal" if column.form == "text" else "quantitative", "title": column.words}
        told.append({**said, "format": FORMS[column.form]} if FORMS[column.form] else said)
    return told


def _cells(table: Table, column: Column) -> list[Cell]:
    at = table.columns.index(column)
    return [row[at] for row in table.rows]
