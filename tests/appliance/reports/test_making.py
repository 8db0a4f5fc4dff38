"""Drawing happens in a process of its own: it answers with a picture, a paper and the page's script, and one that fails is a sentence."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from appliance.reports import making, paper, tables
from appliance.reports.figures import Figure
from appliance.reports.making import Making, Order, ReportError, made_apart
from tests.appliance.reports.answers import a_fortnight, nothing


def a_report(of: tables.Answered) -> Order:
    figures = [Figure("visits", "Visits", "302", "")]
    shown = [chart(of) for chart in tables.CHARTS.values()]
    return paper.report(of.asked, shown, figures, "Ba Đình “quoted” #store", "Sunday", "Back door")


def test_a_report_is_a_pdf_of_a4_pages_and_says_how_far_it_is() -> None:
    steps: list[tuple[int, int]] = []
    pdf = made_apart(a_report(a_fortnight()), lambda done, of: steps.append((done, of)))
    assert pdf.startswith(b"%PDF-")
    assert steps == [(number, 9) for number in range(9)]
    sizes = set(re.findall(rb"/MediaBox ?\[ ?0 0 ([\d.]+) ([\d.]+) ?\]", pdf))
    assert {(round(float(width)), round(float(height))) for width, height in sizes} == {(595, 842)}


def test_a_report_of_nothing_says_so() -> None:
    order = a_report(nothing())
    assert order.specs == []
    assert order.paper["nothing"] == "Nobody was counted in these days."
    assert made_apart(order).startswith(b"%PDF-")


def test_a_chart_is_a_picture_that_is_not_blank() -> None:
    png = made_apart(paper.picture(tables.weekdays(a_fortnight())))
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[1] > 1_000
    assert (picture == (255, 255, 255)).all(2).mean() < 0.95


def test_the_script_is_made_once_and_kept(tmp_path: Path) -> None:
    script = Making().script(tmp_path)
    assert b"vegaEmbed" in script[-200:]
    kept = tmp_path / "charts" / f"vega-{making.script_version()}.js"
    assert kept.read_bytes() == script
    kept.write_bytes(b"kept")
    assert Making().script(tmp_path) == b"kept"


def test_what_cannot_be_drawn_is_a_sentence_and_the_next_one_is_made() -> None:
    desk = Making()
    with pytest.raises(ReportError, match="could not be drawn"):
        desk.make(Order("png", [{"mark": "no such mark"}]))
    assert desk.progress == making.Progress()
    assert desk.make(a_report(nothing())).startswith(b"%PDF-")


def test_one_is_made_at_a_time() -> None:
    desk, seen = Making(), set()
    threads = [threading.Thread(target=lambda: seen.add(desk.make(a_report(nothing()))[:5])) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen == {b"%PDF-"}
