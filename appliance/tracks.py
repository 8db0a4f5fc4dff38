"""Faces followed through the frames of one camera. Pure: detections and times in, tracks out; no picture, no clock.

Association in two rounds as in ByteTrack (Zhang et al., 2022): sure detections by motion and appearance, then unsure ones, by motion
alone, to keep a track alive. Appearance may refuse what motion proposes (two people who cross) and may bridge what motion has lost
(a face that comes out from behind somebody).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from appliance.motion_model import Motion
from models.bars import Bars
from models.faces import Floats

SURE = 0.6
"""Detector score from which a face may begin a track, unless the detector calls nothing below a higher one a face."""
LOST_MS_MAX = 1200
"""A track not seen for this long is over: longer than somebody who walks in front of another takes to pass."""
STRANGER_FAR = 1e-2
RESEMBLES_FAR = 1e-4
ACQUAINTED_FAR = 1e-5
GONE_MS = 450
"""A face not seen for longer than two frames is continued by a face that resembles it, not by the next one to come along."""
PLACE_GATE = 0.9
"""How far from its predicted place a face may be, in widths, with motion known exactly."""
SPREAD_GATE = 2.0
"""... and how much more for each standard deviation that the prediction is unsure."""
PLACE_GATE_MAX = 3.0
REACH_MAX = 2.0
"""How many gates away somebody may be who is recognised."""
BEYOND = (math.inf, math.inf)
"""Further off than any gate: many pairs, settled with next to no arithmetic."""
SIZE_GATE = 0.45
"""Change of log width that is still the same face."""
MET_MAX = 64
"""A face of the room meets everybody who ever comes in; only those of late matter."""
TRACKS_MAX = 64
"""More faces than this before one camera is a poster wall or a football stadium; the oldest lost tracks go first."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a pack's cosines say of two faces moments apart. Measured with three packs on the development videos: one face is hardly ever
    (0.2 %) below .36, strangers are above that as rarely; anything between told the same tracks.

    stranger: less alike is somebody else. resembles: enough to go on after a gap; also what a face without an embedding counts as.
    acquainted: alike enough even where motion would not have looked.
    """

    stranger: float
    resembles: float
    acquainted: float


def likeness_by(bars: Bars) -> Likeness:
    """As one pair of faces is judged, not a search: rates per comparison."""
    return Likeness(bars.bar_at(STRANGER_FAR), bars.bar_at(RESEMBLES_FAR), bars.bar_at(ACQUAINTED_FAR))


@dataclass(frozen=True, slots=True)
class Detection:
    """One face in one frame: centre and size in pixels. `embedding` (D,) unit vector where the face was good enough, else None."""

    x: float
    y: float
    width: float
    height: float
    score: float
    embedding: Floats | None = None


@dataclass(slots=True)
class Track:
    id: str
    motion: Motion
    began_ms: int
    seen_ms: int
    hits: int = 1
    look: Floats | None = None
    """Running mean of the embeddings (not normalised): what the face looks like. `mean_look` is the same, of length 1."""
    mean_look: Floats | None = None
    last_look: Floats | None = None
    first: tuple[float, float, float] = (0.0, 0.0, 1.0)
    travel: float = 0.0
    newest: Detection | None = None
    met: set[str] = field(default_factory=set)
    """Ids of tracks that were in one frame with this one: other people."""


Place = tuple[Track, float, float, float]
"""A track, where it should be (x, y), and how far from there its face may be, besides the face's own share."""


@dataclass(slots=True)
class Tracker:
    """`new_id` gives a track's id, so that tests and replays choose it. `sure`: score from which a face may begin a track."""

    new_id: Callable[[], str]
    likeness: Likeness
    sure: float = SURE
    tracks: list[Track] = field(default_factory=list)

    def alone(self, detections: Sequence[Detection], at_ms: int) -> list[Track | None]:
        """For each detection the track that it continues beyond doubt by motion alone (one candidate on either side), else None.

        Faces of such tracks need not be embedded again to be told apart.
        """
        places = self._ahead(self.tracks, at_ms)
        near = [[t for t in _within_reach(d, places) if self._reachable(t, d, at_ms)] for d in detections]
        wanted = [t.id for tracks in near for t in tracks]
        return [tracks[0] if len(tracks) == 1 and wanted.count(tracks[0].id) == 1 and tracks[0].hits >= 3 else None for tracks in near]

    def update(self, detections: Sequence[Detection], at_ms: int) -> list[Track | None]:
        """Takes one frame's detections; returns the track of each (None: an unsure face that belongs to nobody)."""
        found: list[Track | None] = [None] * len(detections)
        sure = [i for i, d in enumerate(detections) if d.score >= self.sure]
        unsure = [i for i, d in enumerate(detections) if d.score < self.sure]
        free = list(self.tracks)
        for round_ in (sure, unsure):
            for i, track in self._assign(round_, detections, free, at_ms):
                found[i] = track
            taken = {t.id for t in found if t}
            free = [t for t in free if t.id not in taken]
        for i in sure:
            if found[i] is None:
                found[i] = self.begin(detections[i], at_ms)
        for detection, followed in zip(detections, found, strict=True):
            if followed:
                self.follow(followed, detection, at_ms)
        self.remember_who_met(found, detections)
        return found

    def ended(self, at_ms: int) -> list[Track]:
        """Takes out and returns the tracks that are over, also those of a time that a clock set back has yet to reach."""
        over = [t for t in self.tracks if abs(at_ms - t.seen_ms) > LOST_MS_MAX]
        if len(self.tracks) - len(over) > TRACKS_MAX:
            rest = sorted((t for t in self.tracks if t not in over), key=lambda t: (t.seen_ms, t.hits))
            over += rest[: len(rest) - TRACKS_MAX]
        gone = {t.id for t in over}
        self.tracks = [t for t in self.tracks if t.id not in gone]
        return over

    def _assign(self, which: list[int], detections: Sequence[Detection], free: list[Track], at_ms: int) -> list[tuple[int, Track]]:
        if not which or not free:
            return []
        places = self._ahead(free, at_ms)
        gains = [self._gains(detections[i], places, at_ms) for i in which]
        wanted = [(r, c) for r, row in enumerate(gains) for c, gain in enumerate(row) if gain > 0]
        if len({r for r, _ in wanted}) < len(wanted) or len({c for _, c in wanted}) < len(wanted):
            # Two may be one, or one two: the best sum decides. Mostly nobody is in doubt.
            rows, columns = linear_sum_assignment(-np.array(gains))
            wanted = [(r, c) for r, c in zip(rows.tolist(), columns.tolist(), strict=True) if gains[r][c] > 0]
        return [(which[r], free[c]) for r, c in wanted]

    def _ahead(self, tracks: Sequence[Track], at_ms: int) -> list[Place]:
        ahead = [(t, *t.motion.ahead(at_ms)) for t in tracks]
        return [(t, x, y, REACH_MAX * (PLACE_GATE * width + SPREAD_GATE * spread)) for t, x, y, width, spread in ahead]

    def _gains(self, detection: Detection, places: Sequence[Place], at_ms: int) -> list[float]:
        near = {t.id for t in _within_reach(detection, places)}
        return [affinity(t, detection, at_ms, self.likeness) if t.id in near else -1.0 for t, *_ in places]

    def _reachable(self, track: Track, detection: Detection, at_ms: int) -> bool:
        place, size = apart(track, detection, at_ms)
        return place < 1.5 and size < 1.5

    def begin(self, detection: Detection, at_ms: int) -> Track:
        motion = Motion(at_ms, detection.x, detection.y, detection.width)
        track = Track(self.new_id(), motion, at_ms, at_ms, hits=0, first=(detection.x, detection.y, detection.width))
        self.tracks.append(track)
        return track

    def follow(self, track: Track, detection: Detection, at_ms: int) -> None:
        if track.hits:
            track.motion.correct(at_ms, detection.x, detection.y, detection.width)
        track.hits += 1
        track.seen_ms = max(track.seen_ms, at_ms)
        track.newest = detection
        x, y, width = track.first
        way = math.hypot(detection.x - x, detection.y - y) / math.sqrt(width * detection.width) + abs(math.log(detection.width / width))
        track.travel = max(track.travel, way)
        if detection.embedding is not None:
            track.look = detection.embedding.copy() if track.look is None else track.look * 0.8 + detection.embedding
            track.mean_look, track.last_look = track.look / max(math.sqrt(float(track.look @ track.look)), 1e-9), detection.embedding

    def remember_who_met(self, found: Sequence[Track | None], detections: Sequence[Detection]) -> None:
        here = [t for t, d in zip(found, detections, strict=True) if t and d.score >= self.sure]
        for track in here:
            track.met |= {t.id for t in here if t is not track}
            if len(track.met) > MET_MAX:
                # Ids begin with their time: the newest are the last.
                track.met = set(sorted(track.met)[-MET_MAX // 2 :])


def _within_reach(detection: Detection, places: Sequence[Place]) -> list[Track]:
    """Most faces are far from most tracks: that is seen before anything is weighed."""
    own, seen_x, seen_y = REACH_MAX * PLACE_GATE * detection.width, detection.x, detection.y
    return [t for t, x, y, far in places if abs(x - seen_x) <= far + own and abs(y - seen_y) <= far + own]


def apart(track: Track, detection: Detection, at_ms: int) -> tuple[float, float]:
    """Distance of a detection from the track's predicted place and size, each as a share of its gate: below 1 is plausible."""
    x, y, width, spread = track.motion.ahead(at_ms)
    reach = REACH_MAX * (PLACE_GATE * max(width, detection.width) + SPREAD_GATE * spread)
    if abs(x - detection.x) > reach or abs(y - detection.y) > reach:
        return BEYOND
    scale = math.sqrt(width * detection.width)
    gate = min(PLACE_GATE + SPREAD_GATE * spread / scale, PLACE_GATE_MAX)
    place = math.hypot(detection.x - x, detection.y - y) / scale / gate
    age_s = max(0, at_ms - track.seen_ms) / 1000
    size = abs(math.log(detection.width / width)) / (SIZE_GATE + 0.3 * age_s)
    return place, size


def affinity(track: Track, detection: Detection, at_ms: int, likeness: Likeness) -> float:
    """How well a detection continues a track: above 0 where it may, and the higher the better."""
    place, size = apart(track, detection, at_ms)
    if place > REACH_MAX:
        return -1.0
    alike = resemblance(track, detection)
    reach = 1.0
    if alike is not None:
        if alike < (likeness.resembles if at_ms - track.seen_ms > GONE_MS else likeness.stranger):
            return -1.0
        if alike > likeness.acquainted:
            reach = REACH_MAX
    if place > reach or size > reach:
        return -1.0
    motion = 1 - 0.5 * place / reach - 0.3 * size / reach
    # Without an embedding: as good as a middling likeness, so that it neither wins against a look-alike nor loses to a stranger.
    return motion + (1.5 * (alike - likeness.resembles) if alike is not None else 0.0) + 0.05


def resemblance(track: Track, detection: Detection) -> float | None:
    """Cosine similarity of a face and a track, or None where either has no embedding."""
    if detection.embedding is None or track.mean_look is None or track.last_look is None:
        return None
    return max(float(track.mean_look @ detection.embedding), float(track.last_look @ detection.embedding))
