"""A camera that only counts: real people walk past, each is a visit, and nothing that could tell them apart is made or kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance import counting, visits
from appliance.camera.messages import CameraSettings, Seen, Start, encoded
from appliance.counting_watch import CountingWatcher
from appliance.reception import Received, Reception
from appliance.sightings import Phase, Sighting
from appliance.watch import open_watcher
from tests.appliance.panned import FRAME_MS, PEOPLE, REAL_WIDTH_PX, walk_past
from tests.appliance.stores import NOON, a_store
from tests.appliance.visitors import Shop, recognition


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[Sighting]:
    settings = CameraSettings("door", "Door", "file", "unused", counting_only=True)
    folder = tmp_path_factory.mktemp("models")
    watcher = open_watcher(Start(settings, "unused", pack="starter", model_folders=[str(folder)]))
    assert isinstance(watcher, CountingWatcher)
    found = [s for i, picture in enumerate(walk_past()) for s in watcher.see(picture, NOON + i * FRAME_MS)]
    return found + watcher.finish()


def closed(told: list[Sighting]) -> list[Sighting]:
    return [s for s in told if s.phase is Phase.CLOSED and s.portrait_width_px > REAL_WIDTH_PX]


def test_each_who_walks_past_is_told_once_as_they_come_and_once_as_they_go(told: list[Sighting]) -> None:
    assert len(closed(told)) == PEOPLE
    for one in closed(told):
        assert [s.phase for s in told if s.id == one.id] == [Phase.OPENED, Phase.CLOSED]


def test_nothing_of_a_face_leaves_the_cameras_process(told: list[Sighting]) -> None:
    for sighting in told:
        assert (sighting.shots, sighting.portrait, sighting.model) == ([], b"", "")
        assert len(encoded(Seen(sighting))) < 500


def test_a_counted_visit_is_in_the_log_and_makes_no_person_template_picture_or_case(told: list[Sighting], tmp_path: Path) -> None:
    store = a_store(tmp_path)
    shop = Shop(store, recognition(store))
    heard: list[Received] = []
    reception = Reception(shop.recognition, lambda: NOON, told=heard.append)
    reception.start()
    for sighting in told:
        reception.receive(sighting, sighting.sent_ms)
    assert reception.stop(10) == 0
    of_people = {s.id for s in closed(told)}
    assert len([r for r in heard if r.outcome.logged and r.outcome.sighting_id in of_people]) == PEOPLE
    log = visits.recent(store)
    assert len(log) == len({s.id for s in told})
    for visit in log:
        assert (visit.verdict, visit.settled, visit.person_id, visit.snapshot) == ("unsure", True, None, None)
        assert (visit.reason, visit.similarity, visit.bar) == (counting.REASON, None, None)
    for table in ("persons", "templates", "review"):
        assert shop.count(table) == 0
    assert store.db.execute("SELECT count(*) FROM sightings WHERE embedding_sealed IS NOT NULL").fetchone() == (0,)
    assert len(shop.recognition.gallery) == 0


def test_told_twice_it_is_one_visit_and_closed_it_stays_as_it_is(told: list[Sighting], tmp_path: Path) -> None:
    store, one = a_store(tmp_path), closed(told)[0]
    first = counting.receive(store, one, one.sent_ms)
    again = counting.receive(store, one, one.sent_ms + 5000)
    assert first.logged and not again.logged and first.visit_id == again.visit_id
    assert len(visits.recent(store)) == 1
