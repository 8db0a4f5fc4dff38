"""The page Review over a real store: what it asks, what an answer does, and what it says when there is nothing to decide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from appliance import review
from appliance.web.app import create_app
from tests.appliance.web.doubts import CASES, Doubts, open_doubts
from tests.appliance.web.test_pages import OURS, words

OURSELVES = {"sec-fetch-site": "same-origin"}
Client = TestClient[Litestar]


@pytest.fixture
def doubts(tmp_path: Path) -> Iterator[Doubts]:
    made = open_doubts(tmp_path)
    yield made
    made.close()


@pytest.fixture
def client(doubts: Doubts) -> Iterator[Client]:
    with TestClient(create_app(doubts.deps), base_url=OURS) as client:
        yield client


def case_id(page: str) -> int:
    found = re.search(r'data-case="(\d+)"', page)
    assert found
    return int(found.group(1))


def answer(client: Client, case: int, said: str) -> str:
    return client.post(f"/review/case/{case}/{said}", headers=OURSELVES).text


def until(client: Client, question: str) -> str:
    """Answers "cannot tell" until a page asks this."""
    page = client.get("/review").text
    while question not in words(page):
        page = answer(client, case_id(page), "ignored")
    return page


def test_a_case_shows_both_faces_the_similarity_and_the_bars_in_words(client: Client) -> None:
    page = until(client, "Too near to be new")
    said = words(page)
    assert "Is this the same person?" in said and page.count('class="face big"') == 2
    assert re.search(r"this pair \.\d\d", said) and re.search(r"new below \.\d\d", said) and re.search(r"the same from \.\d\d", said)
    assert "%" not in said, "a similarity is no probability"


def test_of_doubles_it_is_said_what_same_does_and_of_others_not(client: Client) -> None:
    assert "makes one person of the two" in words(until(client, "so alike"))
    assert "makes one person of the two" not in words(until(client, "Too near to be new"))


def test_a_view_that_does_not_fit_is_asked_about_as_that(client: Client) -> None:
    said = words(until(client, "Does this view belong to them?"))
    assert "Alice Nguyễn (staff)" in said and "Not them" in said and "right from" in said


def test_an_answer_brings_the_next_case_and_undo_brings_it_back(client: Client) -> None:
    first = client.get("/review").text
    assert f"{CASES} cases wait" in words(first) and 'action="/review/undo"' not in first
    second = answer(client, case_id(first), "different")
    assert case_id(second) != case_id(first) and f"{CASES - 1} cases wait" in words(second)
    undone = client.post("/review/undo", headers=OURSELVES).text
    assert case_id(undone) == case_id(first)


def test_a_case_that_is_decided_twice_or_undone_without_a_decision_is_said_and_nothing_changes(client: Client) -> None:
    first = case_id(client.get("/review").text)
    answer(client, first, "ignored")
    again = client.post(f"/review/case/{first}/same", headers=OURSELVES)
    assert again.status_code == 409 and "no longer open" in words(again.text)
    client.post("/review/undo", headers=OURSELVES)
    assert "nothing to undo" in words(client.post("/review/undo", headers=OURSELVES).text)


@pytest.mark.parametrize("address", ["/review/case/1/perhaps", "/review/case/999999999999999999999/same", "/review/case/x/same"])
def test_rubbish_is_refused_and_decides_nothing(client: Client, doubts: Doubts, address: str) -> None:
    assert client.post(address, headers=OURSELVES).status_code in (404, 400, 409)
    assert review.count_open(doubts.shop.store.db.conn) == CASES


def test_every_page_says_how_many_cases_wait_and_today_leads_there(client: Client) -> None:
    assert f"{CASES} cases need your attention" in words(client.get("/").text)
    assert re.search(rf'class="count">{CASES}<', client.get("/people").text)


def test_when_all_is_decided_the_page_says_what_it_is_for(client: Client) -> None:
    page = client.get("/review").text
    while "data-case" in page:
        page = answer(client, case_id(page), "ignored")
    assert "All is decided" in words(page) and "too much to be new and too little to be sure" in words(page)
    assert "need your attention" not in words(client.get("/").text)
