"""The page Reports: what it shows, its files, and what it says to questions that make no sense."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from appliance.reports.making import Making, Order, ReportError
from appliance.web import reports
from appliance.web.access import Access
from appliance.web.app import create_app
from tests.appliance.web.shop import NOW, Shop, busy_shop, open_shop

OURS = "http://127.0.0.1:8080"
Client = TestClient[Litestar]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return busy_shop(tmp_path)


@pytest.fixture
def page(shop: Shop) -> Iterator[Client]:
    with client_of(shop) as client:
        yield client


def client_of(shop: Shop) -> Client:
    return TestClient(create_app(shop.deps), base_url=OURS)


def figure(text: str, name: str) -> str:
    found = re.search(rf'data-figure="{name}">([^<]*)<', text)
    assert found, name
    return found[1]


def test_the_figures_are_those_of_the_visits(page: Client) -> None:
    text = page.get("/reports").text
    assert figure(text, "visits") == "6"  # Bob twice, one new, one unsure, two who opted out; neither Alice nor the one being decided
    assert figure(text, "returning") == "67 %"
    assert "26 Oct to 22 Nov" in text


def test_nobody_is_named_and_no_face_is_shown(page: Client) -> None:
    text = page.get("/reports").text
    assert "Bob" not in text and "Alice" not in text and "<img" not in text


def test_a_chart_is_data_for_the_script_and_a_table_for_everybody(page: Client) -> None:
    text = page.get("/reports?range=7d").text
    spec = json.loads(re.search(r'<template id="spec-visitors">(.*?)</template>', text)[1])  # type: ignore[index]
    assert [row["visits"] for row in spec["data"]["values"]] == [0, 0, 0, 0, 0, 0, 5]
    assert '<th scope="row">22 Nov</th>' in text


def test_a_camera_alone_counts_its_own_visits(page: Client, shop: Shop) -> None:
    shop.visit("v-back", "new", NOW - timedelta(minutes=30), "p92", camera="back")
    assert figure(page.get("/reports?camera=back").text, "visits") == "1"
    assert figure(page.get("/reports").text, "visits") == "7"


def test_a_table_is_a_file_for_a_spreadsheet(page: Client, shop: Shop) -> None:
    shop.db.execute("UPDATE cameras SET name = '=HYPERLINK(1)' WHERE id = 'front'")
    answer = page.get("/reports/table/cameras?range=7d")
    assert 'filename="cameras-2026-11-16-2026-11-22.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows == [{"camera": "'=HYPERLINK(1)", "new": "1", "returning": "1", "unsure": "1", "visits": "3"}]


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize(("step", "last"), [("day", "2026-11-22"), ("week", "2026-11-16/2026-11-22"), ("month", "2026-11")])
def test_days_weeks_and_months_of_a_file_have_their_year_in_every_language(page: Client, language: str, step: str, last: str) -> None:
    for table in ("visitors", "returning"):
        answer = page.get(f"/reports/table/{table}?range=28d&step={step}", headers={"accept-language": language})
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert rows[-1]["when"] == last and all(row["when"].startswith("2026-1") for row in rows)


@pytest.mark.parametrize(
    "path", ["/reports?range=900d", "/reports?first=x", "/reports?week=holiday", "/reports/table/visitors?first=2026-11-20&last=2026-11-01"]
)
def test_a_question_that_makes_no_sense_is_refused_in_words(page: Client, path: str) -> None:
    answer = page.get(path)
    assert answer.status_code == 400
    assert "That does not fit" in answer.text


@pytest.mark.parametrize("path", ["/reports/table/nothing", "/reports/picture/nothing"])
def test_a_chart_that_is_not_there_is_not_found(page: Client, path: str) -> None:
    assert page.get(path).status_code == 404


def test_an_empty_store_says_what_to_do(tmp_path: Path) -> None:
    text = client_of(open_shop(tmp_path)).get("/reports").text
    assert "No visits yet" in text
    assert "regulars demo --history 400d" in text
    assert "charts.js" not in text


class OutOfPaper(Making):
    """A desk that cannot draw."""

    def make(self, order: Order) -> bytes:
        raise ReportError(f"There is no paper for a {order.kind}.")


@pytest.mark.parametrize("path", ["/reports/report.pdf", "/reports/picture/hours", "/reports/charts.js"])
def test_what_cannot_be_made_just_now_is_said(shop: Shop, path: str) -> None:
    shop.deps = replace(shop.deps, reports=OutOfPaper())
    answer = client_of(shop).get(path)
    assert answer.status_code == 503
    assert "There is no paper" in answer.text


def test_the_report_is_a_file_and_nothing_is_being_made_after_it(page: Client) -> None:
    answer = page.get("/reports/report.pdf?range=7d")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert 'filename="report-2026-11-16-2026-11-22.pdf"' in answer.headers["content-disposition"]
    assert page.get("/reports/progress").json() == {"done": 0, "of": 0}


def test_people_are_counted_once_however_often_they_came(page: Client, shop: Shop) -> None:
    # Bob came twice, and visitor 92 is known from before the period's end.
    assert figure(page.get("/reports?range=28d").text, "people") == "3"
    assert figure(page.get("/reports?first=2026-11-14&last=2026-11-16").text, "people") == "1"
    assert 'data-figure="people"' not in page.get("/reports?camera=front").text


def test_reports_are_for_managers() -> None:
    assert all(handler.opt["access"] is Access.MANAGER for handler in reports.ROUTES)
