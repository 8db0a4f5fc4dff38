"""What one camera's process does with a frame: find faces, follow them, keep each track's best shots, and say what was sighted.

Knows no person and no database. A face that never moves (a poster, a screen) is followed and never sighted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import msgspec
import numpy as np
import uuid_utils

from appliance.camera.messages import Box, Start
from appliance.camera.zones import Zone, outside
from appliance.counting_watch import CountingWatcher
from appliance.flat_faces import FlatFaces
from appliance.followed import APART_MS_MIN, SHOTS_TO_OPEN, TRAVEL_MIN, detection_of, fixture, sure_of
from appliance.sightings import SHOTS_MAX, Phase, Shot, Sighting
from appliance.tracks import Detection, Track, Tracker, likeness_by
from models.attributes import AgeGender
from models.crops import embedder_crop
from models.detect import Detector
from models.embed import Embedder, mirror_image, unit
from models.errors import WeightsError
from models.faces import Faces, Floats, Picture
from models.landmarks import refined
from models.pack import Pack, load_pack
from models.quality import Gate, at_a_glance, judge
from models.weights import weights_of

OPEN_ANYWAY_MS = 500
"""Somebody who showed their face once and is then half covered is logged all the same after this long; no person is made of it."""
IMPROVE_MS = 600
"""A sighting that got better is sent again this often, while it has few shots: each may say more."""
ENOUGH_SHOTS = 8
"""A track with this many shots is embedded every other frame only, while nobody else is near it."""
IMPROVE_MORE_MS = 1200
"""... and is sent again this often once more than that were sent: what it says hardly changes any more."""
PORTRAIT_EVERY_MS = 1500
PORTRAIT_GAIN_MIN = 1.1
"""A portrait wider by less is not sent before the track ends."""
PORTRAIT_MARGIN = 0.5
PORTRAIT_SIDE_MAX = 320
MET_MAX = 16
ESTIMATED_SHOTS = 5
"""Best shots that age and gender are estimated from: their mean is worth more than one, and a tenth would say what nine have said."""


@dataclass(slots=True)
class Kept:
    """A shot with its crop, until the track ends. box: x1 y1 x2 y2 in pixels."""

    taken_ms: int
    embedding: Floats
    quality: float
    box: tuple[float, float, float, float]
    crop: Picture
    whole: Picture | None = None
    """What age and gender are estimated from; kept of the best few."""


@dataclass(slots=True)
class Looks:
    """What a track has shown so far."""

    shots: list[Kept] = field(default_factory=list)
    count: int = 0
    first_ms: int = 0
    last_ms: int = 0
    portrait: Picture | None = None
    portrait_width_px: float = 0.0
    portrait_jpeg: bytes = b""
    """Empty until it is wanted."""
    sent_ms: int | None = None
    sent_count: int = 0
    portrait_sent_ms: int = 0
    portrait_sent_width_px: float = 0.0
    embedded_ms: int = 0


class FaceWatcher:
    """A camera's `Watcher`. `side_px`: the picture's longer side as the detector sees it; `attributes`: None to estimate none."""

    def __init__(
        self,
        camera_id: str,
        detector: Detector,
        embedder: Embedder,
        *,
        side_px: int,
        gate: Gate,
        tracker: Tracker,
        attributes: AgeGender | None = None,
        ignored: Sequence[Zone] = (),
        flat: FlatFaces | None = None,
    ) -> None:
        self._camera_id = camera_id
        self._detector = detector
        self._embedder = embedder
        self._side_px = side_px
        self._gate = gate
        self._tracker = tracker
        self._attributes = attributes
        self._ignored = ignored
        self._flat = flat or FlatFaces(None)
        self._looks: dict[str, Looks] = {}
        self.boxes: list[Box] = []

    @property
    def faces_flat(self) -> int:
        return self._flat.count

    @property
    def busy(self) -> bool:
        """Somebody is being followed who may be a visitor: the motion gate must stay open."""
        return any(not fixture(t) for t in self._tracker.tracks)

    def see(self, picture: Picture, taken_ms: int) -> list[Sighting]:
        """One frame; returns what is new about whom."""
        faces = outside(self._ignored, self._detector.detect(picture, self._side_px, faint=True), *picture.shape[:2])
        detections, kept = self._look_at(picture, faces, taken_ms)
        tracks = self._tracker.update(detections, taken_ms)
        for track, shot in zip(tracks, kept, strict=True):
            if track and shot:
                self._keep(track, shot, picture)
        self._flat.look(picture, [(t.id, k.box) for t, k in zip(tracks, kept, strict=True) if t and k])
        self.boxes = self._boxes(picture, tracks, faces)
        news = [s for t in tracks if t and (s := self._news(t, taken_ms))]
        return news + self.pass_time(taken_ms)

    def pass_time(self, now_ms: int) -> list[Sighting]:
        """Ends the tracks that are over; called for frames that the motion gate skipped."""
        return [s for t in self._tracker.ended(now_ms) if (s := self._close(t, now_ms))]

    def finish(self) -> list[Sighting]:
        """The camera stops: every track is over."""
        over, self._tracker.tracks = self._tracker.tracks, []
        return [s for t in over if (s := self._close(t, t.seen_ms))]

    def _look_at(self, picture: Picture, faces: Faces, taken_ms: int) -> tuple[list[Detection], list[Kept | None]]:
        """Each face as the tracker wants it, and as a shot where it is one."""
        bare = [detection_of(box, score) for box, score in zip(faces.boxes.tolist(), faces.scores.tolist(), strict=True)]
        flaws = at_a_glance(faces, picture.shape[0], picture.shape[1], self._gate)
        sure = self._tracker.alone(bare, taken_ms) if self._some_spared(taken_ms) else [None] * len(bare)
        fixtures = [t.newest for t in self._tracker.tracks if t.newest and fixture(t)]
        wanted = [
            i
            for i, flaw in enumerate(flaws)
            if flaw is None and not self._spared(sure[i], taken_ms) and not any(_same_place(f, bare[i]) for f in fixtures)
        ]
        kept: list[Kept | None] = [None] * len(faces)
        if not wanted:
            return bare, kept
        better = refined(self._detector, picture, faces.take(np.array(wanted)))
        crops, values = [], []
        for j, i in enumerate(wanted):
            crop = embedder_crop(picture, better.boxes[j], better.points[j], self._embedder.spec)
            verdict = judge(crop, better.points[j], float(better.boxes[j, 2] - better.boxes[j, 0]), float(better.scores[j]), self._gate)
            if verdict.flaw is None:
                crops.append((i, crop))
                values.append(verdict.value)
        if not crops:
            return bare, kept
        vectors = self._embedder.embed([crop for _, crop in crops])
        for (i, crop), value, vector in zip(crops, values, vectors, strict=True):
            bare[i] = replace(bare[i], embedding=vector)
            kept[i] = Kept(taken_ms, vector, value, tuple(faces.boxes[i].tolist()), crop)
        return bare, kept

    def _some_spared(self, taken_ms: int) -> bool:
        return any(_seen_enough(looks, taken_ms) for looks in self._looks.values())

    def _spared(self, track: Track | None, taken_ms: int) -> bool:
        """A face that need not be embedded now: its track is beyond doubt and has shots enough."""
        looks = self._looks.get(track.id) if track else None
        return looks is not None and _seen_enough(looks, taken_ms)

    def _keep(self, track: Track, shot: Kept, picture: Picture) -> None:
        looks = self._looks.setdefault(track.id, Looks(first_ms=shot.taken_ms))
        looks.count += 1
        looks.last_ms = looks.embedded_ms = shot.taken_ms
        if not looks.shots or shot.quality > looks.shots[0].quality:
            looks.portrait, looks.portrait_jpeg = _portrait(picture, shot.box), b""
            looks.portrait_width_px = shot.box[2] - shot.box[0]
        looks.shots = sorted([*looks.shots, shot], key=lambda s: -s.quality)[:SHOTS_MAX]
        if self._attributes and any(s is shot for s in looks.shots[:ESTIMATED_SHOTS]):
            shot.whole = self._attributes.crop(picture, np.array(shot.box, np.float32))

    def _news(self, track: Track, now_ms: int) -> Sighting | None:
        looks = self._looks.get(track.id)
        if looks is None or track.travel < TRAVEL_MIN or self._flat.doubted(track.id):
            return None
        twice = looks.count >= SHOTS_TO_OPEN and looks.last_ms - looks.first_ms >= APART_MS_MIN
        if not twice and now_ms - looks.first_ms < OPEN_ANYWAY_MS:
            return None
        if looks.sent_ms is None:
            return self._sighting(track, looks, Phase.OPENED, now_ms)
        pace_ms = IMPROVE_MS if looks.sent_count <= ENOUGH_SHOTS else IMPROVE_MORE_MS
        if looks.count > looks.sent_count and now_ms - looks.sent_ms >= pace_ms:
            return self._sighting(track, looks, Phase.IMPROVED, now_ms)
        return None

    def _close(self, track: Track, now_ms: int) -> Sighting | None:
        looks = self._looks.pop(track.id, None)
        told = looks is not None and looks.sent_ms is not None
        if self._flat.end(track.id, told) or looks is None or not (told or track.travel >= TRAVEL_MIN):
            return None
        # The last word is worth twice the work: each shot's mirror image as well, which light from one side leads astray the other way.
        mirrored = self._embedder.embed([mirror_image(s.crop) for s in looks.shots])
        both = unit(np.stack([s.embedding for s in looks.shots]) + mirrored)
        for shot, vector in zip(looks.shots, both, strict=True):
            shot.embedding = vector
        return self._estimated(self._sighting(track, looks, Phase.CLOSED, now_ms), looks)

    def _estimated(self, sighting: Sighting, looks: Looks) -> Sighting:
        """With age and gender of the best shots, asked of the net once a track and not once a frame."""
        wholes = [s.whole for s in looks.shots[:ESTIMATED_SHOTS] if s.whole is not None]
        if self._attributes is None or not wholes:
            return sighting
        found = self._attributes.attributes(np.stack(wholes))
        return msgspec.structs.replace(sighting, ages=found.age.tolist(), male=found.male.tolist())

    def _sighting(self, track: Track, looks: Looks, phase: Phase, now_ms: int) -> Sighting:
        looks.sent_ms, looks.sent_count = now_ms, looks.count
        return Sighting(
            id=track.id,
            camera_id=self._camera_id,
            phase=phase,
            model=self._embedder.model,
            began_ms=track.began_ms,
            ended_ms=track.seen_ms,
            shots=[Shot(s.taken_ms, s.embedding.astype("<f4").tobytes(), s.quality, s.box) for s in looks.shots],
            shot_count=looks.count,
            first_shot_ms=looks.first_ms,
            last_shot_ms=looks.last_ms,
            sent_ms=now_ms,
            travel=track.travel,
            seen_with=sorted(track.met)[-MET_MAX:],
            portrait=self._due_portrait(looks, phase, now_ms),
            portrait_width_px=looks.portrait_width_px,
        )

    def _due_portrait(self, looks: Looks, phase: Phase, now_ms: int) -> bytes:
        """The portrait as JPEG; with improvements only now and then, and when it shows more than the last."""
        soon = now_ms - looks.portrait_sent_ms < PORTRAIT_EVERY_MS
        if phase is Phase.IMPROVED and (soon or looks.portrait_width_px < PORTRAIT_GAIN_MIN * looks.portrait_sent_width_px):
            return b""
        looks.portrait_sent_ms, looks.portrait_sent_width_px = now_ms, looks.portrait_width_px
        looks.portrait_jpeg = looks.portrait_jpeg or _jpeg(looks.portrait)
        return looks.portrait_jpeg

    def _boxes(self, picture: Picture, tracks: list[Track | None], faces: Faces) -> list[Box]:
        height, width = picture.shape[:2]
        return [
            Box(
                x1 / width,
                y1 / height,
                (x2 - x1) / width,
                (y2 - y1) / height,
                t.id if self._looks.get(t.id, _NOTHING).sent_ms is not None else "",
                self._flat.is_flat(t.id),
            )
            for t, (x1, y1, x2, y2) in zip(tracks, faces.boxes.tolist(), strict=True)
            if t and not fixture(t)
        ]


_NOTHING = Looks()


def open_watcher(start: Start) -> FaceWatcher | CountingWatcher:
    """What a camera's process watches with: loads the pack and warms it up. Raises WeightsError where a file is missing or wrong."""
    pack = load_pack(start.pack, weights_of(Path(start.model_folders[0]), folder=_second(start)))
    settings, side_px = start.settings, start.settings.detector_side_px
    gate = Gate(width_px_min=settings.min_face_px)
    tracker = Tracker(lambda: str(uuid_utils.uuid7()), likeness_by(pack.bars), sure_of(pack.detector))
    flat, ignored = FlatFaces(pack.liveness() if settings.liveness else None), settings.ignored
    if settings.counting_only:
        return CountingWatcher(settings.id, pack.detector, side_px=side_px, gate=gate, tracker=tracker, ignored=ignored, flat=flat)
    watcher = FaceWatcher(
        settings.id,
        pack.detector,
        pack.embedder,
        side_px=side_px,
        gate=gate,
        tracker=tracker,
        attributes=_attributes(pack) if settings.attributes else None,
        ignored=ignored,
        flat=flat,
    )
    side = pack.embedder.spec.input_side
    pack.embedder.embed(np.zeros((1, side, side, 3), np.uint8))
    return watcher


def _attributes(pack: Pack) -> AgeGender | None:
    """None where the pack has no such model, or its file was never fetched: people are recognised without it."""
    try:
        return pack.attributes()
    except WeightsError:
        return None


def open_detector(start: Start) -> Callable[[Picture], Faces]:
    """What a try of a camera looks for faces with."""
    pack = load_pack(start.pack, weights_of(Path(start.model_folders[0]), folder=_second(start)))
    settings = start.settings
    return lambda picture: outside(settings.ignored, pack.detector.detect(picture, settings.detector_side_px), *picture.shape[:2])


def _second(start: Start) -> Path | None:
    """`model_folders`: the data folder and, if the settings name one, a folder of models."""
    return Path(start.model_folders[1]) if len(start.model_folders) > 1 else None


def _seen_enough(looks: Looks, now_ms: int) -> bool:
    return looks.count >= ENOUGH_SHOTS and now_ms - looks.embedded_ms < IMPROVE_MS


def _same_place(a: Detection, b: Detection) -> bool:
    """Nearly one box: a face that stands still to a few pixels."""
    return abs(a.x - b.x) + abs(a.y - b.y) < 0.25 * a.width and 0.8 < b.width / a.width < 1.25


def _portrait(picture: Picture, box: tuple[float, float, float, float]) -> Picture:
    """A copy of the face and its surroundings, inside the picture."""
    x1, y1, x2, y2 = box
    margin = max(x2 - x1, y2 - y1) * PORTRAIT_MARGIN
    height, width = picture.shape[:2]
    left, top = int(max(0, x1 - margin)), int(max(0, y1 - margin))
    return picture[top : int(min(height, y2 + margin)), left : int(min(width, x2 + margin))].copy()


def _jpeg(picture: Picture | None) -> bytes:
    if picture is None or not picture.size:
        return b""
    longest = max(picture.shape[:2])
    if longest > PORTRAIT_SIDE_MAX:
        zoom = PORTRAIT_SIDE_MAX / longest
        picture = np.asarray(cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8)
    ok, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
    return data.tobytes() if ok else b""

