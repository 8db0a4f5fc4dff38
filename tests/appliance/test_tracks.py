"""Faces followed from frame to frame: detections and times in, the same id for the same person out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

import pytest

from appliance.followed import TRAVEL_MIN
from appliance.tracks import LOST_MS_MAX, TRACKS_MAX, Detection, Tracker, likeness_by
from models.bars import Bars
from models.faces import Floats
from tests.appliance.visitors import BOB, DORA, EMIL, face, like

BARS = Bars({1e-2: 0.25, 1e-3: 0.33, 1e-4: 0.4, 1e-5: 0.46})
WEAK = Bars({1e-2: 0.65, 1e-3: 0.7, 1e-4: 0.75, 1e-5: 0.8})
"""Of an embedder to which strangers look alike."""
WIDTH = 60.0
FRAME_MS = 200


def at(x: float, y: float = 200.0, look: Floats | None = None, *, width: float = WIDTH, score: float = 0.9) -> Detection:
    return Detection(x, y, width, width * 1.2, score, look)


def a_tracker(bars: Bars = BARS) -> Tracker:
    ids = count()
    return Tracker(lambda: f"track {next(ids)}", likeness_by(bars))


def follow(frames: Iterable[list[Detection]], tracker: Tracker | None = None, start_ms: int = 0) -> list[list[str | None]]:
    """Ids of each frame's detections."""
    tracker, ids = tracker or a_tracker(), []
    for i, detections in enumerate(frames):
        now_ms = start_ms + i * FRAME_MS
        ids.append([t.id if t else None for t in tracker.update(detections, now_ms)])
        tracker.ended(now_ms)
    return ids


@pytest.mark.parametrize("speed", [0.0, 0.3, 1.2, 1.8], ids=lambda s: f"{s} widths a frame")
def test_somebody_who_walks_is_one_track(speed: float) -> None:
    ids = follow([at(100 + i * speed * WIDTH, look=like(BOB, 0.9, i % 3))] for i in range(12))
    assert {i for (i,) in ids} == {"track 0"}


def test_somebody_who_speeds_up_beyond_a_width_a_frame_is_one_track_without_a_look() -> None:
    places, x = [], 0.0
    for i in range(12):
        x += min(1.4, 0.2 + 0.15 * i) * WIDTH
        places.append(x)
    assert {i for (i,) in follow([at(x)] for x in places)} == {"track 0"}


def test_somebody_who_walks_up_to_the_camera_is_one_track() -> None:
    assert {i for (i,) in follow([at(300, 200, width=30 * 1.12**i)] for i in range(15))} == {"track 0"}


def test_people_who_cross_keep_their_ids_where_their_looks_tell_them_apart() -> None:
    """They meet in frame 8 and turn back: by motion alone each would become the other."""
    frames = []
    for i in range(16):
        off = abs(8 - i) * 0.35 * WIDTH + 8
        frames.append([at(300 - off, look=like(BOB, 0.9, i % 4)), at(300 + off, look=like(DORA, 0.9, i % 4))])
    ids = follow(frames)
    assert {a for a, _ in ids} == {"track 0"} and {b for _, b in ids} == {"track 1"}


def test_people_who_pass_each_other_keep_their_ids() -> None:
    def frame(i: int) -> list[Detection]:
        return [at(100 + i * 30, 200, like(BOB, 0.9, i % 4)), at(580 - i * 30, 215, like(DORA, 0.9, i % 4))]

    ids = follow(frame(i) for i in range(16))
    assert {a for a, _ in ids} == {"track 0"} and {b for _, b in ids} == {"track 1"}


def test_a_face_never_continues_the_track_of_somebody_it_does_not_resemble() -> None:
    ids = follow([[at(100, look=face(BOB))]] * 4 + [[at(100, look=face(DORA))]])
    assert ids[-1] == ["track 1"]


@pytest.mark.parametrize(("bars", "tracks"), [(BARS, {"track 0"}), (WEAK, {"track 0", "track 1"})], ids=["good pack", "weak pack"])
def test_how_alike_the_same_face_must_be_is_the_packs(bars: Bars, tracks: set[str]) -> None:
    """Cosine .6 is hardly ever a stranger's to a good embedder, and often to a weak one."""
    ids = follow([[at(100, look=face(BOB))]] * 4 + [[at(100, look=like(BOB, 0.6))]], a_tracker(bars))
    assert {i for (i,) in ids} == tracks


def test_a_face_that_comes_out_from_behind_somebody_is_linked_by_its_look() -> None:
    hidden = LOST_MS_MAX // FRAME_MS - 1
    walk = [[at(100 + 20 * i, look=like(BOB, 0.9, i % 3))] for i in range(6)]
    behind: list[list[Detection]] = [[] for _ in range(hidden)]
    out = [[at(100 + 20 * (6 + hidden) + 40, look=like(BOB, 0.9, 3))]]
    assert follow(walk + behind + out)[-1] == ["track 0"]


def test_a_stranger_who_enters_where_somebody_left_is_a_new_track() -> None:
    gap: list[list[Detection]] = [[], [], []]
    ids = follow([[at(100, look=face(BOB))]] * 5 + gap + [[at(100, look=like(BOB, 0.3))]])
    assert ids[-1] == ["track 1"]


def test_a_low_score_keeps_a_track_alive_and_never_begins_one() -> None:
    tracker = a_tracker()
    assert follow([[at(100, score=0.4)]] * 3, tracker) == [[None]] * 3
    frames = [[at(100)]] * 3 + [[at(100, score=0.4)]] * (2 * LOST_MS_MAX // FRAME_MS) + [[at(100)]]
    assert {i for (i,) in follow(frames, tracker, 10_000)} == {"track 0"}


def test_a_sure_face_comes_before_an_unsure_one_at_the_same_place() -> None:
    ids = follow([[at(100)]] * 3 + [[at(102, score=0.4), at(110)]])
    assert ids[-1] == [None, "track 0"]


@pytest.mark.parametrize(("silence_ms", "same"), [(0, True), (LOST_MS_MAX - FRAME_MS, True), (LOST_MS_MAX + 1, False), (3_600_000, False)])
def test_a_track_is_over_after_a_long_silence(silence_ms: int, same: bool) -> None:
    tracker = a_tracker()
    follow([[at(100, look=face(BOB))]] * 4, tracker)
    now_ms = 3 * FRAME_MS + silence_ms
    over = tracker.ended(now_ms)
    (track,) = tracker.update([at(100, look=face(BOB))], now_ms)
    assert track and (track.id == "track 0") == same and [t.id for t in over] == ([] if same else ["track 0"])


def test_a_clock_that_goes_back_a_little_breaks_no_track() -> None:
    tracker, ids = a_tracker(), set()
    for now_ms in (0, 200, 400, 330, 340, 500, 490, 700):
        (track,) = tracker.update([at(100 + now_ms / 20)], now_ms)
        assert track and track.seen_ms >= track.began_ms
        ids.add(track.id)
        assert tracker.ended(now_ms) == []
    assert ids == {"track 0"}


def test_a_clock_set_back_by_an_hour_ends_the_tracks_of_the_time_before() -> None:
    tracker = a_tracker()
    follow([[at(100)]] * 4, tracker, 3_600_000)
    assert [t.id for t in tracker.ended(0)] == ["track 0"]
    follow([[at(100)]] * 4, tracker, 3_600_000)
    tracker.update([at(100)], 0)
    assert len(tracker.ended(0)) == 1
    (track,) = tracker.update([at(100)], 200)
    assert track and track.began_ms == 200


def crowd(people: int) -> list[Detection]:
    return [at(150.0 * (i % 20), 150.0 * (i // 20)) for i in range(people)]


def test_a_hundred_faces_in_a_frame_are_bounded_and_the_followed_ones_stay() -> None:
    tracker = a_tracker()
    first = follow([crowd(TRACKS_MAX)] * 3, tracker)[-1]
    ids = follow([crowd(100)] * 4, tracker, 3 * FRAME_MS)
    assert len(tracker.tracks) <= TRACKS_MAX
    assert all(frame[:TRACKS_MAX] == first for frame in ids)


def test_a_trembling_box_does_not_travel_and_a_step_does() -> None:
    tracker = a_tracker()
    follow([[at(300 + 3 * (-1) ** i, 200 + 2 * (-1) ** (i // 2), width=WIDTH * (1 + 0.03 * (-1) ** i))] for i in range(40)], tracker)
    assert tracker.tracks[0].travel < TRAVEL_MIN
    follow([[at(300 + 15 * i)] for i in range(5)], tracker, 40 * FRAME_MS)
    assert tracker.tracks[0].travel > TRAVEL_MIN


def test_somebody_who_only_comes_nearer_travels_too() -> None:
    tracker = a_tracker()
    follow([[at(300, width=40 * 1.1**i)] for i in range(8)], tracker)
    assert tracker.tracks[0].travel > TRAVEL_MIN


def test_who_is_in_one_frame_has_met() -> None:
    tracker = a_tracker()
    follow([[at(100), at(400)], [at(100), at(400), at(700, score=0.4)], [at(100)], [at(100), at(800, look=face(EMIL))]], tracker)
    met = {t.id: t.met for t in tracker.tracks}
    assert met == {"track 0": {"track 1", "track 2"}, "track 1": {"track 0"}, "track 2": {"track 0"}}


def test_a_face_alone_is_beyond_doubt_after_three_frames_and_two_near_each_other_never_are() -> None:
    tracker = a_tracker()
    follow([[at(100)]] * 3, tracker)
    assert [t.id if t else None for t in tracker.alone([at(101)], 600)] == ["track 0"]
    assert tracker.alone([at(101), at(130)], 600) == [None, None]
    assert tracker.alone([at(900)], 600) == [None]
