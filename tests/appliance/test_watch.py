"""What a camera's process makes of real faces with real weights (the starter pack): sightings of who moves, nothing of a poster."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from appliance.camera.messages import CameraSettings, Start
from appliance.followed import FIXTURE_MS
from appliance.sightings import SHOTS_MAX, Phase, Sighting, agreement, mean_embedding
from appliance.watch import FaceWatcher, open_watcher
from models.faces import Picture
from tests.appliance.panned import FRAME_MS, PEOPLE, REAL_WIDTH_PX, seen, watcher
from tests.models.packs import group_photo


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[Sighting]:
    return seen(watcher(tmp_path_factory.mktemp("models")), 1_000_000)


def by_id(told: list[Sighting]) -> dict[str, list[Sighting]]:
    found: dict[str, list[Sighting]] = {}
    for sighting in told:
        found.setdefault(sighting.id, []).append(sighting)
    return {i: s for i, s in found.items() if s[-1].portrait_width_px > REAL_WIDTH_PX}


def test_six_people_who_walk_past_are_six_sightings_each_opened_and_closed_once(told: list[Sighting]) -> None:
    people = by_id(told)
    assert len(people) == PEOPLE
    for tellings in people.values():
        phases = [s.phase for s in tellings]
        assert phases == [Phase.OPENED, *[Phase.IMPROVED] * (len(phases) - 2), Phase.CLOSED]


def test_a_sighting_carries_its_best_shots_first_and_never_all(told: list[Sighting]) -> None:
    for sighting in told:
        qualities = [s.quality for s in sighting.shots]
        assert 1 <= len(qualities) == min(sighting.shot_count, SHOTS_MAX)
        assert qualities == sorted(qualities, reverse=True) and qualities[0] <= 1
        assert sighting.began_ms <= sighting.first_shot_ms < sighting.last_shot_ms <= sighting.ended_ms <= sighting.sent_ms
        assert abs(float(np.linalg.norm(mean_embedding(sighting))) - 1) < 1e-4
        for shot in sighting.shots:
            assert abs(float(np.linalg.norm(np.frombuffer(shot.embedding, "<f4"))) - 1) < 1e-4


def test_shots_of_one_person_agree_and_different_people_do_not_resemble_each_other(told: list[Sighting]) -> None:
    closed = [tellings[-1] for tellings in by_id(told).values()]
    looks = np.stack([mean_embedding(s) for s in closed])
    between = (looks @ looks.T)[~np.eye(len(looks), dtype=bool)]
    assert min(agreement(s) for s in closed) > float(between.mean()) + 0.2


def test_who_was_in_one_frame_says_so_of_the_other_too(told: list[Sighting]) -> None:
    closed = {i: tellings[-1] for i, tellings in by_id(told).items()}
    for sighting_id, sighting in closed.items():
        assert sighting_id not in sighting.seen_with
        for other in closed.keys() & set(sighting.seen_with):
            assert sighting_id in closed[other].seen_with


def test_the_portrait_is_a_small_jpeg_of_the_face(told: list[Sighting]) -> None:
    assert all(s.portrait for s in told if s.phase is not Phase.IMPROVED)
    for sighting in told:
        if not sighting.portrait:
            continue
        assert sighting.portrait.startswith(b"\xff\xd8") and len(sighting.portrait) < 60_000
        decoded = cv2.imdecode(np.frombuffer(sighting.portrait, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None and 40 < max(decoded.shape) <= 320


def test_the_same_frames_tell_the_same_story(told: list[Sighting], tmp_path: Path) -> None:
    again = seen(watcher(tmp_path), 1_000_000)
    assert [(s.phase, s.shot_count, s.began_ms, s.ended_ms) for s in again] == [
        (s.phase, s.shot_count, s.began_ms, s.ended_ms) for s in told
    ]


def test_a_poster_is_never_sighted_and_stops_costing_anything(tmp_path: Path) -> None:
    by, photo = watcher(tmp_path), group_photo()
    random, told = np.random.default_rng(0), []
    for now_ms in range(0, FIXTURE_MS + 4 * FRAME_MS, FRAME_MS):
        noise = random.integers(-3, 4, photo.shape)
        told += by.see(np.clip(photo.astype(np.int16) + noise, 0, 255).astype(np.uint8), now_ms)
        if now_ms == FRAME_MS:
            assert by.busy and len(by.boxes) >= PEOPLE
    assert told == [] and not by.busy and by.boxes == []
    assert by.finish() == []


def test_time_that_passes_without_frames_closes_who_left(tmp_path: Path) -> None:
    by, opened = watcher(tmp_path), set()
    told = walk(by)
    opened = {s.id for s in told} - {s.id for s in told if s.phase is Phase.CLOSED}
    assert opened and by.busy
    assert {s.id for s in by.pass_time(60_000)} == opened
    assert not by.busy and by.finish() == [] and by.pass_time(70_000) == []


def walk(by: FaceWatcher) -> list[Sighting]:
    photo, told = group_photo(), []
    for i in range(6):
        told += by.see(np.ascontiguousarray(photo[:, 40 * i : 40 * i + 900]), i * FRAME_MS)
    return told


def test_boxes_are_shares_of_the_picture_and_name_the_sighting_once_it_is_one(tmp_path: Path) -> None:
    by = watcher(tmp_path)
    told = walk(by)
    assert {b.sighting_id for b in by.boxes} - {""} <= {s.id for s in told}
    assert any(b.sighting_id for b in by.boxes)
    for box in by.boxes:
        assert -0.1 < box.x < box.x + box.width < 1.1 and -0.1 < box.y < box.y + box.height < 1.1


PICTURES = {
    "one pixel": np.zeros((1, 1, 3), np.uint8),
    "one row": np.zeros((1, 700, 3), np.uint8),
    "black": np.zeros((480, 640, 3), np.uint8),
    "noise": np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8).astype(np.uint8),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_without_a_face_tells_nothing(tmp_path: Path, kind: str) -> None:
    picture: Picture = PICTURES[kind]
    by = watcher(tmp_path)
    assert [s for i in range(4) for s in by.see(picture, i * FRAME_MS)] + by.finish() == []


def test_a_face_in_a_zone_that_is_ignored_is_not_even_followed(tmp_path: Path) -> None:
    settings = CameraSettings("door", "Door", "file", "unused", ignored=(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),))
    by = open_watcher(Start(settings, "unused", pack="starter", model_folders=[str(tmp_path)]))
    assert isinstance(by, FaceWatcher)
    assert walk(by) + by.finish() == [] and by.boxes == [] and not by.busy
