"""Photos of Alice and Charlie become templates, and who was enrolled is known when they walk past: real weights, real faces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from appliance import persons
from appliance.database import Store
from appliance.enrolment import Photo, enrol, look_at
from appliance.gallery import Gallery
from appliance.identity import Policy
from appliance.recognition import Recognition
from models.faces import Picture
from models.pack import Pack
from tests.appliance.panned import PEOPLE, REAL_WIDTH_PX, seen, watcher
from tests.appliance.stores import NOON, a_store
from tests.appliance.visitors import GAP_MS
from tests.models.packs import group_photo, pack


@dataclass
class Entrance:
    store: Store
    pack: Pack
    recognition: Recognition
    folder: Path

    def photo(self, who: int) -> Picture:
        """A photo of one of the six, from left to right."""
        photo = group_photo()
        faces = self.pack.detector.detect(photo, 640)
        x1, y1, x2, y2 = sorted(faces.boxes[:PEOPLE].tolist())[who]
        side = x2 - x1
        top, left = int(max(0, y1 - 0.6 * side)), int(max(0, x1 - 0.6 * side))
        return np.ascontiguousarray(photo[top : int(y2 + 0.6 * side), left : int(x2 + 0.6 * side)])

    def enrol(self, role: str, name: str, who: int) -> str:
        photo = look_at(self.photo(who), self.pack.detector, self.pack.embedder)
        assert photo.embedding is not None, photo.flaw
        return enrol(self.store, self.recognition.gallery, role, name, [photo], NOON)

    def walk_past(self, start_ms: int) -> None:
        told = seen(watcher(self.folder / "models"), start_ms)
        real = {s.id for s in told if s.portrait_width_px > REAL_WIDTH_PX}
        for sighting in told:
            if sighting.id in real:
                self.recognition.receive(sighting, sighting.sent_ms)


@pytest.fixture
def entrance(tmp_path: Path) -> Iterator[Entrance]:
    loaded = pack("starter", tmp_path / "models")
    store = a_store(tmp_path / "data")
    gallery = Gallery(loaded.embedder.model, loaded.embedder.size)
    recognition = Recognition(store, gallery, loaded.bars, Policy(), GAP_MS, ZoneInfo("UTC"))
    yield Entrance(store, loaded, recognition, tmp_path)
    store.close()


def test_staff_who_walk_past_are_staff_and_who_opted_out_leaves_a_count(entrance: Entrance) -> None:
    alice, charlie = entrance.enrol("staff", "Alice", 0), entrance.enrol("opted_out", "Charlie", 5)
    for day in range(2):
        entrance.walk_past(NOON + day * 86_400_000)
    db = entrance.store.db
    assert db.execute("SELECT count(*) FROM visits WHERE person_id = ? AND verdict = 'staff'", [alice]).fetchone()[0] == 2
    assert db.execute("SELECT count(*) FROM visits WHERE person_id = ?", [charlie]).fetchone()[0] == 0
    assert db.execute("SELECT sum(visits) FROM opted_out_counts").fetchone()[0] == 2
    returning = db.execute("SELECT count(DISTINCT person_id) FROM visits WHERE verdict = 'returning'").fetchone()[0]
    assert returning == PEOPLE - 2, "the other four came back on the second day"
    assert db.execute("SELECT count(*) FROM visits WHERE state <> 'settled'").fetchone()[0] == 0
    entrance.recognition.check()


def test_a_photo_gives_an_embedding_of_its_face(entrance: Entrance) -> None:
    first, again, other = (look_at(entrance.photo(i), entrance.pack.detector, entrance.pack.embedder) for i in (0, 0, 3))
    assert first.embedding is not None and other.embedding is not None and again.embedding is not None
    assert 0 < first.quality <= 1 and first.flaw == ""
    assert np.array_equal(first.embedding, again.embedding)
    assert float(first.embedding @ other.embedding) < 0.9


BAD = {
    "grey": (np.full((200, 200, 3), 128, np.uint8), "no face found"),
    "one pixel": (np.zeros((1, 1, 3), np.uint8), "no face found"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_photo_without_a_face_says_so(entrance: Entrance, kind: str) -> None:
    picture, words = BAD[kind]
    assert look_at(picture, entrance.pack.detector, entrance.pack.embedder) == Photo(None, 0, words)


def test_a_dark_photo_says_so(entrance: Entrance) -> None:
    dark = (entrance.photo(0) * 0.12).astype(np.uint8)
    found = look_at(dark, entrance.pack.detector, entrance.pack.embedder)
    assert found.embedding is None and found.flaw in ("too dark", "no face found", "too blurred")


def test_photos_of_which_none_is_usable_make_nobody(entrance: Entrance) -> None:
    bad = [Photo(None, 0, "too dark"), Photo(None, 0, "no face found")]
    with pytest.raises(ValueError, match="none of the 2 photos shows a usable face: no face found, too dark"):
        enrol(entrance.store, entrance.recognition.gallery, "staff", "Alice", bad, NOON)
    assert persons.list_persons(entrance.store) == [] and len(entrance.recognition.gallery) == 0


def test_usable_photos_among_bad_ones_are_enrolled_and_kept(entrance: Entrance) -> None:
    size = entrance.pack.embedder.size
    good = [Photo(np.eye(size, dtype=np.float32)[i], 0.5, "") for i in range(2)]
    alice = enrol(entrance.store, entrance.recognition.gallery, "staff", "Alice", [Photo(None, 0, "too dark"), *good], NOON)
    assert [t.role for t in entrance.recognition.gallery.of(alice)] == ["staff", "staff"]
    origins = entrance.store.db.execute("SELECT origin FROM templates").fetchall()
    assert origins == [("enrolled",)] * 2
    entrance.recognition.check()
