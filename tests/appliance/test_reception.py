"""The reception when the store cannot be written: it keeps, tries again, holds the cameras back, and says so."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from appliance.errors import DiskFull
from appliance.identity import Decision, Verdict
from appliance.outcomes import Outcome
from appliance.reception import ROOM_S, WAITING_MAX, Received, Reception
from appliance.recognition import Recognition
from appliance.sightings import Phase, Sighting
from tests.appliance.stores import NOON, a_store

DECISION = Decision(Verdict.NEW, None, None, None, None, 0.4, "nobody is near")


class Book:
    """Stands for the recognition: takes down what it is told, fails while it is `full`."""

    def __init__(self, store: object) -> None:
        self.store, self.full, self.told, self.threads = store, False, [], set()  # type: ignore[var-annotated]

    def standing_of(self, _sighting_id: str) -> None:
        return None

    def receive(self, sighting: Sighting, now_ms: int) -> Outcome:
        self.threads.add(threading.get_ident())
        if self.full:
            raise DiskFull("The disk is full. Make space.")
        if sighting.model == "of another kind":
            raise ValueError("embedded by another model")
        self.told.append((sighting.id, now_ms))
        return Outcome(sighting.id, f"visit {sighting.id}", None, "new", DECISION, True, True, 0)


def a_sighting(name: str, model: str = "m") -> Sighting:
    return Sighting(name, "door", Phase.CLOSED, model, NOON, NOON, [], 2, NOON, NOON, NOON, 1.0)


@pytest.fixture
def stage(tmp_path: Path) -> Any:
    store = a_store(tmp_path / "data")
    book, told = Book(store), cast("list[Received]", [])
    changes: list[str] = []
    reception = Reception(
        cast("Recognition", book), lambda: NOON, told=told.append, trouble_changed=lambda: changes.append(reception.trouble)
    )
    reception.start()
    yield SimpleNamespace(book=book, told=told, changes=changes, reception=reception, store=store)
    book.full = False
    reception.stop(5)
    store.close()


def test_sightings_are_decided_in_the_order_they_came_on_one_thread(stage: Any) -> None:
    for number in range(500):
        stage.reception.receive(a_sighting(str(number)), NOON + number)
    assert stage.reception.stop(5) == 0
    assert stage.book.told == [(str(number), NOON + number) for number in range(500)]
    assert len(stage.book.threads) == 1
    assert len(stage.told) == 500


def test_while_the_disk_is_full_nothing_is_lost_the_cameras_wait_and_the_page_is_told(stage: Any) -> None:
    stage.book.full = True
    wanted = WAITING_MAX + 20
    camera = threading.Thread(target=lambda: [stage.reception.receive(a_sighting(str(n)), n) for n in range(wanted)], daemon=True)
    camera.start()
    deadline = time.monotonic() + 5
    while not stage.changes and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "The disk is full" in stage.reception.trouble and "nothing is lost" in stage.reception.trouble
    camera.join(2 * ROOM_S)
    assert camera.is_alive(), "who brings more than the queue holds must wait"
    stage.book.full = False
    camera.join(15)
    assert not camera.is_alive()
    assert stage.reception.stop(10) == 0
    assert stage.book.told == [(str(n), n) for n in range(wanted)]
    assert stage.reception.trouble == "" and stage.changes[-1] == ""
    words = stage.store.db.execute("SELECT words FROM notices").fetchone()[0]
    assert "may be missing" in words, "a camera that waits looks at nobody"


def test_of_a_short_trouble_it_is_said_that_everything_is_in(stage: Any) -> None:
    stage.book.full = True
    stage.reception.receive(a_sighting("only"), NOON)
    deadline = time.monotonic() + 5
    while not stage.changes and time.monotonic() < deadline:
        time.sleep(0.01)
    stage.book.full = False
    assert stage.reception.stop(10) == 0
    assert "all of them are in now" in stage.store.db.execute("SELECT words FROM notices").fetchone()[0]


def test_a_sighting_that_cannot_be_understood_does_not_hold_up_the_next(stage: Any) -> None:
    stage.reception.receive(a_sighting("odd", model="of another kind"), 1)
    stage.reception.receive(a_sighting("good"), 2)
    assert stage.reception.stop(5) == 0
    assert stage.book.told == [("good", 2)]


def test_work_that_is_handed_over_is_done_on_the_same_thread_and_its_error_comes_back(stage: Any) -> None:
    stage.reception.receive(a_sighting("one"), 1)
    threads: list[int] = []
    stage.reception.ask(lambda: threads.append(threading.get_ident()))
    assert set(threads) == stage.book.threads

    def fails() -> None:
        raise ValueError("the gallery differed")

    with pytest.raises(ValueError, match="the gallery differed"):
        stage.reception.ask(fails)


def test_stopped_while_the_disk_is_full_it_says_how_many_are_lost(stage: Any) -> None:
    stage.book.full = True
    for number in range(3):
        stage.reception.receive(a_sighting(str(number)), number)
    began = time.monotonic()
    assert stage.reception.stop(0.5) == 3
    assert time.monotonic() - began < 2
